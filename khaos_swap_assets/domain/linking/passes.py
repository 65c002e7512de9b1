"""Which Credit Note that people posted belongs to which return, from what the records say alone.

Belongs here: the ordered passes and what competes with what. Stays out: the clauses of one pair
(``linking.evidence``), groups (``linking.groups``), and notes that answer our own postings
(``linking.attribution``).

1. ``reference``: the note names the return, has its value, and neither order, codes nor date say otherwise.
2. ``order_value``: the same order and value.
3. ``customer_codes_value_date``: the same customer, units and value, made near the refund.
4. ``one_to_many``, ``many_to_one``: a merged note, a split one; only where a single grouping fits.
5. ``reference``, then ``order_codes``: as above at another value, where order or customer agree too.

A reference is evidence, not proof: where it points one way and content another, nothing is certain. Precision comes
before recall: what fits in two ways goes to neither, and what was in doubt in one pass stays so in all later ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from khaos_swap_assets.domain.linking import groups as grouping
from khaos_swap_assets.domain.linking import reasons as reasoning
from khaos_swap_assets.domain.linking.evidence import PairEvidence, Tables
from khaos_swap_assets.domain.linking.records import Ambiguity, Link, Matching, NoteRecord, PassName, ReturnRecord
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.records.packs import units
from khaos_swap_assets.domain.sums import grouped


def matched(laid: Tables) -> Matching:
    """Link notes and returns, in any order: links that are certain or suggested, ambiguities, and reasons why not."""
    work = _Work(laid)
    work.by_reference()
    work.by_content("order_value", work.tables.returns_of_order, lambda one: one.fits_order_value)
    work.by_content("customer_codes_value_date", work.returns_owned, lambda one: one.fits_customer)
    work.by_groups()
    work.by_reference_apart()
    work.by_order_codes()
    work.by_names()
    links = [Link(note, one, name, "certain") for note, (name, ids) in work.linked.items() for one in ids]
    suggested = reasoning.suggestions(work.tables, work.linked, work.doubtful_notes | work.doubtful_returns)
    reasons = reasoning.reasons(work.tables, work.linked, work.doubtful_notes)
    return Matching(tuple(sorted([*links, *suggested])), tuple(sorted(work.ambiguities)), tuple(sorted(reasons)))


@dataclass(frozen=True, slots=True)
class _Group:
    """Notes and returns that add up."""

    name: PassName
    notes: tuple[str, ...]
    returns: tuple[str, ...]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Its members; a note and a return of the same name stay apart."""
        return [*(("note", code) for code in self.notes), *(("return", one) for one in self.returns)]


@dataclass(slots=True)
class _Work:
    """What is linked for certain (note to pass and returns), by whom each return is taken, and what is in doubt."""

    tables: Tables
    linked: dict[str, tuple[PassName, tuple[str, ...]]] = field(default_factory=dict)
    taken: dict[str, PassName] = field(default_factory=dict)
    doubtful_notes: set[str] = field(default_factory=set)
    doubtful_returns: set[str] = field(default_factory=set)
    ambiguities: set[Ambiguity] = field(default_factory=set)

    def open_notes(self) -> list[str]:
        """Notes that are neither linked nor in doubt."""
        return [code for code in self.tables.notes if code not in self.linked and code not in self.doubtful_notes]

    def returns_owned(self, note_code: str) -> Sequence[str]:
        """Returns of the note's customer, units and value."""
        return self.tables.returns_alike(note_code, is_owned=True)

    def is_free(self, return_id: str) -> bool:
        """True when a return is neither taken nor in doubt."""
        return return_id not in self.taken and return_id not in self.doubtful_returns

    def link(self, name: PassName, notes: Sequence[str], returns: Sequence[str]) -> None:
        """Link each of the notes with each of the returns."""
        self.linked.update({code: (name, tuple(returns)) for code in notes})
        self.taken.update(dict.fromkeys(returns, name))

    def doubt(self, name: PassName, notes: Iterable[str], returns: Iterable[str]) -> None:
        """Neither of these is ever linked for certain."""
        found = Ambiguity(name, tuple(sorted(set(notes))), tuple(sorted(set(returns))))
        self.ambiguities.add(found)
        self.doubtful_notes.update(found.note_codes)
        self.doubtful_returns.update(one for one in found.return_ids if one not in self.taken)

    def by_reference(self) -> None:
        """Notes that name a return and have its value; several of them are a double, unless content says otherwise."""
        claimants = grouped(
            (return_id, code)
            for code in self.open_notes()
            for return_id in self.tables.named[code]
            if self.tables.evidence(code, return_id).fits_reference
        )
        rivals = {
            one: {rival for code in codes for rival in self._rivals(code, one, is_only=len(codes) == 1)}
            for one, codes in claimants.items()
        }
        for return_id, codes in claimants.items():
            if not rivals[return_id]:
                self.link("reference", codes, [return_id])
        for return_id, codes in claimants.items():
            if rivals[return_id]:
                self.doubt("reference", codes, {return_id, *rivals[return_id]})

    def _rivals(self, note_code: str, return_id: str, *, is_only: bool) -> set[str]:
        """Other returns that fit by content; among equals the reference decides as long as one note claims it.

        For a note on another customer's account, returns of that customer with its content, of whatever order.
        """
        evidence = self.tables.evidence(note_code, return_id)
        if evidence.customer is False:
            return set(self.returns_owned(note_code))
        others = set(self.tables.returns_near(note_code)) - {return_id}
        found = {one for one in others if self.tables.evidence(note_code, one).is_alike}
        if is_only and evidence.is_alike and evidence.renamed != "guessed":
            found = {one for one in found if self._is_nearer(note_code, one, return_id)}
        twins = () if evidence.order else self._unnamed_twins(note_code)
        return found | {one for one in twins if not is_only or self._is_nearer(note_code, one, return_id)}

    def _unnamed_twins(self, note_code: str) -> set[str]:
        """Possible returns of the same content that no note names, where neither order nor customer differs."""
        alike = self.tables.returns_alike(note_code, is_owned=False)
        unnamed = {one: self.tables.evidence(note_code, one) for one in alike if not self.tables.named_by.get(one)}
        return {
            one
            for one, evidence in unnamed.items()
            if evidence.is_possible and evidence.order is not False and evidence.customer is not False
        }

    def _is_nearer(self, note_code: str, rival: str, return_id: str) -> bool:
        """True when the note has the value of a rival that nothing names, or was made clearly nearer to its day."""
        if self.tables.named_by.get(rival):
            return False
        note, returns = self.tables.notes[note_code], [self.tables.returns[one] for one in (rival, return_id)]
        if returns[0].value_pence == note.value_pence != returns[1].value_pence:
            return True
        made_on, days = note.created_on, [one.refunded_on for one in returns]
        if made_on is None or None in days:
            return False
        rival_days, own_days = (abs((made_on - day).days) for day in days if day)
        return rival_days + REFUND.before < own_days

    def by_content(
        self, name: PassName, near: Callable[[str], Sequence[str]], fits: Callable[[PairEvidence], bool]
    ) -> None:
        """Pairs that fit each other and nothing else, whatever the note's reference says unless that fits too."""
        pairs = {
            code: [one for one in near(code) if fits(self.tables.evidence(code, one))] for code in self.open_notes()
        }
        asking = grouped((return_id, code) for code, found in pairs.items() for return_id in found)
        for code, found in pairs.items():
            rivals = {other for one in found for other in asking[one]} | self._claimants(found, code)
            claimed = self._claimed(code, found) if found else set()
            if len(found) > 1 or len(rivals) > 1 or claimed:
                self.doubt(name, rivals, {*found, *claimed})
        for code, found in pairs.items():
            if found and code not in self.doubtful_notes and self.is_free(found[0]):
                self.link(name, [code], found)

    def _claimants(self, return_ids: Iterable[str], note_code: str) -> set[str]:
        """The note, and open notes that name one of the returns without being against it."""
        named = ((code, one) for one in return_ids for code in self.tables.named_by.get(one, ()))
        told = ((code, self.tables.evidence(code, one)) for code, one in named if code not in self.linked)
        return {note_code, *(code for code, one in told if one.order is not False and one.codes is not False)}

    def _claimed(self, note_code: str, found: Sequence[str]) -> set[str]:
        """Named returns outside ``found`` that goods and value or order allow; none where one of ``found`` is named."""
        if self.tables.named[note_code] & set(found):
            return set()
        named = {one: self.tables.evidence(note_code, one) for one in self.tables.named[note_code] - set(found)}
        return {one for one, evidence in named.items() if evidence.fits_reference_apart or evidence.is_of_content}

    def by_groups(self) -> None:
        """Merged and split notes; a group that shares a member with another one is refused."""
        groups = [*self._merged(), *self._split()]
        members: Counter[tuple[str, str]] = Counter(key for group in groups for key in group.keys)
        alone = {group for group in groups if all(members[key] == 1 for key in group.keys) and self._is_free(group)}
        for group in groups:
            if group in alone:
                self.link(group.name, group.notes, group.returns)
        for group in groups:
            if group not in alone and not self._is_double(group, groups):
                self.doubt(group.name, group.notes, group.returns)

    def _is_double(self, group: _Group, groups: Sequence[_Group]) -> bool:
        """Whether more notes than are needed name one return alone, as where a part was credited twice: all are its."""
        return_id = group.returns[0]
        notes = {code for one in groups if return_id in one.returns for code in one.notes}
        others = {one for some in groups if notes & set(some.notes) for one in some.returns}
        fits = (self.tables.evidence(code, return_id).fits_reference_apart for code in notes)
        is_doubtful = return_id in self.doubtful_returns or notes & self.doubtful_notes
        if others != {return_id} or is_doubtful or not all(fits):
            return False
        self.link("reference", sorted(notes), [return_id])
        return True

    def _merged(self) -> Iterator[_Group]:
        for code in self.open_notes():
            for returns in grouping.returns_of(self.tables, code):
                yield _Group("one_to_many", (code,), returns)

    def _split(self) -> Iterator[_Group]:
        for return_id in self.tables.returns:
            if return_id not in self.taken:
                for notes in grouping.notes_of(self.tables, return_id, self.linked):
                    yield _Group("many_to_one", notes, (return_id,))

    def _is_free(self, group: _Group) -> bool:
        return not self.doubtful_notes & set(group.notes) and all(map(self.is_free, group.returns))

    def by_reference_apart(self) -> None:
        """Notes that name a return at another value; a further note of a return that its reference has is a double."""
        found = {
            code: return_id
            for code in self.open_notes()
            for return_id in self.tables.named[code]
            if self.tables.evidence(code, return_id).fits_reference_apart
        }
        for code, return_id in found.items():
            is_firm = self.tables.evidence(code, return_id).is_of_order
            near = self.tables.returns_near(code)
            rivals = {one for one in near if self._is_rival(code, one, is_firm=is_firm)} - {return_id}
            if rivals or return_id in self.doubtful_returns or self.taken.get(return_id, "reference") != "reference":
                self.doubt("reference", [code], {return_id, *rivals})
        for code, return_id in found.items():
            if code not in self.doubtful_notes and return_id not in self.doubtful_returns:
                self.link("reference", [code], [return_id])

    def _is_rival(self, note_code: str, return_id: str, *, is_firm: bool) -> bool:
        """A return without a note that shares goods with this one, or any that is alike.

        Where reference, order and units agree (``is_firm``), a return of another order must have the note's value. A
        note that does not say its goods may hold those of any.
        """
        evidence = self.tables.evidence(note_code, return_id)
        if is_firm and evidence.order is False and not evidence.value:
            return False
        noted, returned = (self.tables.notes[note_code].codes, self.tables.returns[return_id].codes)
        is_sharing = not noted or bool(units(noted).keys() & units(returned).keys())
        return evidence.is_alike or (is_sharing and evidence.is_possible and return_id not in self.taken)

    def by_order_codes(self) -> None:
        """The same units of the same order and customer at another value, and no other note or return in reach."""
        for code in self.open_notes():
            found = [
                one for one in self.tables.returns_of_order(code) if self.tables.evidence(code, one).fits_order_codes
            ]
            if found and not self.tables.named[code] and self._is_alone(code, found):
                self.link("order_codes", [code], found)

    def _is_alone(self, note_code: str, found: Sequence[str]) -> bool:
        """True when note and return share goods with each other only, in all that is near them."""
        wanted = units(self.tables.notes[note_code].codes).keys()
        returns = [one for one in self.tables.returns_near(note_code) if self._shares(self.tables.returns[one], wanted)]
        notes = [one for one in self.tables.notes_near(found[0]) if self._shares(self.tables.notes[one], wanted)]
        return returns == list(found) and notes == [note_code] and self.is_free(found[0])

    def by_names(self) -> None:
        """Notes that name several returns, of which no pass could tell a group, are in doubt between all of these."""
        for code in self.open_notes():
            named = self.tables.named[code]
            if len(named) > 1:
                able = [one for one in named if self.tables.evidence(code, one).is_possible]
                self.doubt("one_to_many", [code], able)

    @staticmethod
    def _shares(record: NoteRecord | ReturnRecord, wanted: Iterable[str]) -> bool:
        """True for goods in common, and for a record that does not say what it holds."""
        held = units(record.codes).keys()
        return not held or bool(held & set(wanted))
