"""What a search of Khaos shows about one posting: its note, something that may be its note, or nothing.

Belongs here: the guard that posting asks, without changing anything. Stays out: what follows from it
(``stages.credit_notes.engine``).
References are equal character by character. Source: contracts/khaos.md §13.7 (no documented link from note to return).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Asking, Bystander, Posting, SearchEvidence, contents_of_note
from khaos_swap_assets.domain.linking.windows import HANDED_OUT
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.stores import spoken
from khaos_swap_assets.domain.sums import grouped


@dataclass(frozen=True, slots=True)
class Sighting:
    """``note`` is its note, ``doubt`` says what may be; with neither, the search found nothing."""

    note: CreditNote | None = None
    doubt: str = ""


class Owning(Protocol):
    """Which notes postings own: by the reference that they gave out, or because a note confirmed one."""

    def by_reference(self, references: Collection[str]) -> Mapping[str, Posting]:
        """The postings of these references in any state."""

    def claimed(self, codes: Collection[str]) -> Collection[str]:
        """Which of these Credit Note codes a posting was confirmed by."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The evidence of one search, ready for questions."""

    evidence: SearchEvidence
    by_customer: Mapping[str, Sequence[CreditNote]]
    by_reference: Mapping[str, Sequence[CreditNote]]
    owners: Mapping[str, Posting]
    claimed: Collection[str]

    @classmethod
    def of(cls, evidence: SearchEvidence, owning: Owning) -> Witness:
        """Index the notes and look up which of them postings already own."""
        notes = sorted(evidence.notes, key=lambda one: one.credit_note_code)
        by_customer = grouped((note.customer_code, note) for note in notes)
        by_reference = grouped((note.associated_ref, note) for note in notes)
        claimed = owning.claimed([note.credit_note_code for note in evidence.notes])
        return cls(evidence, by_customer, by_reference, owning.by_reference(list(by_reference)), claimed)

    def look(self, posting: Posting, rivals: Sequence[Asking] = ()) -> Sighting:
        """What the search shows about ``posting``; ``rivals`` are all others that its note could fit too.

        Before it was handed out its reference is only what staff typed: that proves nothing against the goods, and a
        note that is another's already, or may be, confirms nothing; nor does one that a person said no to.
        """
        finding = self._seen(posting, rivals)
        if finding.note and (finding.note.credit_note_code, posting.return_id) in self.evidence.refused:
            return Sighting(doubt=f"a person said that {finding.note.credit_note_code} is not its note")
        return finding

    def _seen(self, posting: Posting, rivals: Sequence[Asking]) -> Sighting:
        is_out = posting.handed_out_at is not None
        carrying = self.by_reference.get(posting.reference, ())
        named = [note for note in carrying if is_out or not self._is_taken(note, posting)]
        if seen := [note for note in named if self._is_named_for(note, posting, is_out=is_out)]:
            if not is_out and (seen[0].credit_note_code, posting.return_id) in self.evidence.unsure:
                return Sighting(doubt=f"{_codes(seen)} names it and may be another return's just as well")
            return Sighting(note=seen[0])
        if named:
            is_same = any(_is_same_party(note, posting) for note in named)
            whom = "other goods or another return" if is_same else "another customer or currency"
            return Sighting(doubt=f"{_codes(named)} carries reference {posting.reference} for {whom}")
        if renamed := self._under_full_rma(posting):
            return Sighting(doubt=f"{_codes(renamed)} carries RMA {posting.rma} for another customer or currency")
        if near := [note for note in self._free(posting) if self._may_cover(note, posting)]:
            return self._nearest(posting, near, rivals)
        if unsure := self._in_doubt(posting):
            return Sighting(doubt=f"Credit Note {', '.join(unsure)} may be its note or another return's")
        return Sighting()

    def _in_doubt(self, posting: Posting) -> list[str]:
        """Notes, of whatever customer, that attribution cannot tell to be another return's and not this one's."""
        settled = self.evidence.refused | self.evidence.waived
        return sorted(code for code, key in self.evidence.unsure - settled if key == posting.return_id)

    def _under_full_rma(self, posting: Posting) -> list[CreditNote]:
        """Notes of others that staff gave the whole RMA, with its store or without; our reference is a short code."""
        if posting.ordinal > 1 or posting.rma == posting.reference:
            return []
        names = {posting.rma, spoken(self.evidence.stores, posting.rma)}
        carrying = [note for name in sorted(names) for note in self.by_reference.get(name, ())]
        return [note for note in carrying if not _is_same_party(note, posting) and not self._is_taken(note, posting)]

    def _nearest(self, posting: Posting, near: Sequence[CreditNote], rivals: Sequence[Asking]) -> Sighting:
        fitting = [note for note in near if self._fits(note, posting)]
        timely = [note for note in fitting if _is_in_time(note, posting)]
        if len(timely) == 1 and self._is_sole(timely[0], posting, fitting, rivals):
            return Sighting(note=timely[0])
        return Sighting(doubt=f"{_codes(near)} of customer {posting.customer_code} may already be its note")

    def _is_sole(
        self, note: CreditNote, posting: Posting, fitting: Sequence[CreditNote], rivals: Sequence[Asking]
    ) -> bool:
        """Whether nothing else can be meant by a note; without goods, no other of its value and no bystander either."""
        if any(rival.key != posting.key and self._fits(note, rival) for rival in rivals):
            return False
        others = [one for one in self.evidence.bystanders if one.return_id != posting.return_id]
        return bool(note.lines) or (len(fitting) == 1 and not any(self._may_be_of(one, note) for one in others))

    def _may_be_of(self, bystander: Bystander, note: CreditNote) -> bool:
        is_same = (bystander.customer_code, bystander.currency) == (note.customer_code, note.currency)
        is_worth_it = note.gross_pence in bystander.values
        return is_same and is_worth_it and not self._is_of_another_order(note, bystander.order_ref)

    def _fits(self, note: CreditNote, asking: Asking) -> bool:
        """By customer, currency, value and goods; by its value alone where Khaos shows the goods in no way."""
        is_worth_it = _is_same_party(note, asking) and note.gross_pence == asking.value_pence
        is_of = self.evidence.packs.is_of
        has_goods = is_of(contents_of_note(note), asking.contents) if note.lines else self._is_known_by_value(note)
        return is_worth_it and has_goods and not self._is_of_another_order(note, asking.order_ref)

    def _is_known_by_value(self, note: CreditNote) -> bool:
        return self.evidence.items_by == "none" and note.customer_code not in self.evidence.nobodies

    def _is_of_another_order(self, note: CreditNote, order_ref: str) -> bool:
        """True for a note that names an order, and not this one."""
        is_order = note.associated_ref in self.evidence.order_refs
        named = note.order_ref or (note.associated_ref if is_order else "")
        return bool(named and order_ref) and named != order_ref

    def _free(self, posting: Posting) -> list[CreditNote]:
        return [
            note
            for note in self.by_customer.get(posting.customer_code, ())
            if not self._is_taken(note, posting)
            and not self._is_owned_by_another(note, posting)
            and (note.credit_note_code, posting.return_id) not in self.evidence.waived
        ]

    def _is_taken(self, note: CreditNote, posting: Posting) -> bool:
        is_of_another = self.evidence.attributed.get(note.credit_note_code, posting.return_id) != posting.return_id
        return is_of_another or note.credit_note_code in self.claimed

    def _is_named_for(self, note: CreditNote, posting: Posting, *, is_out: bool) -> bool:
        """By party and, before it was handed out, by goods; by value where the note does not say its goods."""
        is_its = self._shares_goods(note, posting) if note.lines else note.gross_pence == posting.value_pence
        return _is_same_party(note, posting) and (is_out or is_its) and not self._is_taken(note, posting)

    def _may_cover(self, note: CreditNote, posting: Posting) -> bool:
        """True for one of its value or goods, and for one whose goods nobody told: these may be any."""
        return note.gross_pence == posting.value_pence or not note.lines or self._shares_goods(note, posting)

    def _shares_goods(self, note: CreditNote, posting: Posting) -> bool:
        return self.evidence.packs.share_goods(note.lines, posting.contents)

    def _is_owned_by_another(self, note: CreditNote, posting: Posting) -> bool:
        owner = self.owners.get(note.associated_ref)
        if owner is None or (note.credit_note_code, owner.return_id) in self.evidence.refused:
            return False
        return owner.key != posting.key and _is_same_party(note, owner)


def _is_same_party(note: CreditNote, posting: Asking) -> bool:
    return note.customer_code == posting.customer_code and note.currency == posting.currency


def _is_in_time(note: CreditNote, posting: Posting) -> bool:
    if note.created_on is None or posting.state != "in_doubt" or posting.handed_out_at is None:
        return False
    return HANDED_OUT.holds(note.created_on, london_date(posting.handed_out_at))


def _codes(notes: Sequence[CreditNote]) -> str:
    return "Credit Note " + ", ".join(note.credit_note_code for note in notes)
