"""Returns that hold the same as another one of the same customer: what only a reference tells apart.

Belongs here: which certain links of Credit Notes fall because a twin may be meant. Stays out: the passes that made the
links (``linking.attribution``, ``linking.passes``).

People type the reference of the twin as easily as the right one, so that a link stands only where each twin has what is
its own: a note, a document that is out, or another note that names it (or its order, or nearly names it) and holds its
goods. What falls takes with it what it excused. A twin that is not refunded yet competes with any note that does not
name its return, or that was made before this return's refund.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.evidence import Tables
from khaos_swap_assets.domain.linking.records import NoteRecord, ReturnRecord
from khaos_swap_assets.domain.linking.typed_references import is_nearly
from khaos_swap_assets.domain.records.packs import units

BY_WORD_OR_CONTENT = frozenset({"reference", "customer_codes_value_date"})


def doubted(
    found: Iterable[Attribution], laid: Tables, unpaid: Collection[str] = (), settled: Collection[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """By note code, the ids of all returns that a link of ``found`` may mean; only where there are several.

    ``laid`` holds the loose notes and all returns; the ``unpaid`` of these are not refunded yet, at what they would be
    worth; ``settled`` ids have their own note or document. Links of our documents, of orders and groups are not asked.
    """
    work = _Work(laid, frozenset(unpaid), settled)
    work.links = {(one.credit_note_code, one.return_id) for one in found}
    asked = {one for one in found if one.credit_note_code in laid.notes and one.matched_by in BY_WORD_OR_CONTENT}
    asked = {one for one in asked if {*laid.returns_alike(one.credit_note_code, is_owned=True)} - {one.return_id}}
    while falling := {one.credit_note_code: ids for one in asked if (ids := work.meant(one))}:
        work.fallen |= falling
        asked = {one for one in asked if one.credit_note_code not in falling}
    return work.fallen


@dataclass(slots=True)
class _Work:
    """All notes and returns; which of these are ``unpaid`` or ``settled``, the links, and what fell so far."""

    tables: Tables
    unpaid: Collection[str]
    settled: Collection[str]
    links: set[tuple[str, str]] = field(default_factory=set)
    fallen: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def meant(self, link: Attribution) -> tuple[str, ...]:
        """The return of a link and its twins that have nothing of their own; empty where it is the only one."""
        code, own = link.credit_note_code, self.tables.returns.get(link.return_id)
        if own is None or own.customer != self.tables.notes[code].customer:
            return ()
        twins = [one.return_id for one in self._twins(code, own) if not self._has_own(one, code, own)]
        return tuple(sorted({own.return_id, *twins})) if twins else ()

    def _twins(self, code: str, own: ReturnRecord) -> Iterator[ReturnRecord]:
        """Other returns of the note's customer that hold what the note credits."""
        is_firm = self._is_firm(self.tables.notes[code], own)
        for key in self.tables.returns_alike(code, is_owned=True):
            is_out = key == own.return_id or key in self.settled or (is_firm and key in self.unpaid)
            if not is_out and self.tables.evidence(code, key).is_alike:
                yield self.tables.returns[key]

    def _is_firm(self, note: NoteRecord, own: ReturnRecord) -> bool:
        """True for a note that names this return and was not made before its refund."""
        made_on, paid_on = note.created_on, own.refunded_on
        is_late = made_on is not None and paid_on is not None and made_on >= paid_on
        return is_late and self.tables.named[note.code] == {own.return_id}

    def _has_own(self, twin: ReturnRecord, code: str, own: ReturnRecord) -> bool:
        """True where another note, that did not fall, speaks for the twin and not for the return of the link."""
        others = {*self.tables.notes_near(twin.return_id)} - {code} - self.fallen.keys()
        return any(self._speaks(self.tables.notes[one], twin, own) for one in others)

    def _speaks(self, note: NoteRecord, twin: ReturnRecord, own: ReturnRecord) -> bool:
        names, evidence = self.tables.named[note.code], self.tables.evidence(note.code, twin.return_id)
        is_told, is_whole = twin.return_id in names or evidence.order is True, evidence.value and evidence.units is True
        if is_told and (note.code, twin.return_id) in self.links:
            return True
        if own.return_id in names or not evidence.is_possible:
            return False
        is_part = evidence.customer is True and units(note.codes) >= units(twin.codes)
        is_near = is_nearly(note.ref, twin.rma) and not is_nearly(note.ref, own.rma)
        return (is_told and (is_whole or is_part)) or (is_near and is_whole)
