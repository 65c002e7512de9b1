"""Credit Notes that answer none of our documents, laid before the ordered passes of ``domain.matching``.

Belongs here: what of their answer may be acted on beside our own postings, and what a person is told of the rest. Stays
out: the passes (``domain.matching``) and notes that carry what we handed out (``domain.attribution``).

A note is attributed to one return only: one that credits several together is told with all of them and goes to none.
Nothing is given to a return that has a note, or a document that is out: those are for its witness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from khaos_swap_assets.domain.attribution import Attribution
from khaos_swap_assets.domain.credit_notes import CreditNote
from khaos_swap_assets.domain.matching import Matching, NoteRecord, ReturnRecord, match


@dataclass(frozen=True, slots=True)
class Told:
    """Why a note has no return: ``rivals`` are ids between which nobody can tell, or that it credits together.

    ``nearest`` is the id of the return that most speaks for, by ``score``; ``clause`` is what keeps them apart,
    ``change`` the least that would not. ``suggested_by`` is the pass that suggests it, empty where none does.
    """

    rivals: tuple[str, ...] = ()
    is_merged: bool = False
    nearest: str = ""
    clause: str = ""
    change: str = ""
    score: int = 0
    suggested_by: str = ""


def attribute_loose(
    loose: Sequence[CreditNote],
    settled: Iterable[CreditNote],
    returns: Sequence[ReturnRecord],
    closed: Collection[str],
) -> tuple[list[Attribution], dict[str, Told]]:
    """Attribute loose notes where one pass is certain, sorted by code; of each other note, what is known of it.

    ``settled`` notes belong to returns already and only compete; ``closed`` returns take no further note.
    """
    orders = {record.order_ref for record in returns if record.order_ref}
    codes = {note.credit_note_code for note in loose}
    found = match([_record(note, orders) for note in (*loose, *settled)], returns)
    linked: defaultdict[str, list[Attribution]] = defaultdict(list)
    for link in found.certain:
        if link.note_code in codes:
            linked[link.note_code].append(Attribution(link.note_code, link.return_id, link.matched_by))
    good = {code: some[0] for code, some in linked.items() if len(some) == 1 and some[0].return_id not in closed}
    merged = {code: tuple(sorted(one.return_id for one in some)) for code, some in linked.items() if len(some) > 1}
    told = _told(found, merged)
    return sorted(good.values()), {code: told.get(code, Told()) for code in sorted(codes - good.keys())}


def _record(note: CreditNote, orders: Collection[str]) -> NoteRecord:
    """What matching reads of a note; people write the order as its reference too."""
    is_order = note.associated_ref in orders
    return NoteRecord(
        note.credit_note_code,
        note.gross_pence,
        note.associated_ref,
        note.currency,
        note.order_ref or (note.associated_ref if is_order else ""),
        note.customer_code,
        note.lines,
        note.created_on,
    )


def _told(found: Matching, merged: Mapping[str, tuple[str, ...]]) -> dict[str, Told]:
    rivals: defaultdict[str, set[str]] = defaultdict(set)
    for ambiguity in found.ambiguities:
        for code in ambiguity.note_codes:
            rivals[code].update(ambiguity.return_ids)
    suggested = {link.note_code: link for link in found.links if link.certainty == "suggested"}
    reasons = {reason.note_code: reason for reason in found.reasons}
    told = {code: Told(ids, is_merged=True) for code, ids in merged.items()}
    for code in (rivals.keys() | reasons.keys()) - merged.keys():
        reason, link = reasons.get(code), suggested.get(code)
        told[code] = Told(
            tuple(sorted(rivals[code])) if code in rivals else (),
            nearest=reason.return_id if reason else "",
            clause=reason.clause if reason else "",
            change=reason.change if reason else "",
            score=reason.score if reason else 0,
            suggested_by=link.matched_by if link and reason and link.return_id == reason.return_id else "",
        )
    return told
