"""Credit Notes that belong to no return yet: which of them may be linked, to which returns, with which share.

Belongs here: both ways of telling in their order (``linking.attribution`` for what answers our documents, then the
ordered passes of ``linking.passes``), what of their answer may be acted on, and what a person is told of the rest.
Stays out: the passes themselves, and where links are kept.

A note that credits several returns together is linked to all of them or to none, each with its own share in pence.
Nothing is given to a return that has a note already, unless both are of one credit that was split, or that has a
document out: those are for its witness. What a person refused is never linked, nor a group that holds it, and it makes
nothing else certain: a refused note competes as before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking import twins
from khaos_swap_assets.domain.linking.attribution import Ambiguity, Attribution, Claim, attribute
from khaos_swap_assets.domain.linking.passes import Link, Matching, NoteRecord, ReturnRecord, credited_by_return, match

MERGED, SPLIT = "one_to_many", "many_to_one"


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before: notes with a return, which only compete, and by return id the codes of its notes.

    ``closed`` returns take no note at all; ``refused`` are pairs of note code and return id that a person said no to.
    ``pending`` are the returns that are not refunded yet, at what they would be worth: they only compete.
    """

    settled: Sequence[CreditNote] = ()
    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    closed: Collection[str] = frozenset()
    refused: Collection[tuple[str, str]] = frozenset()
    pending: Sequence[ReturnRecord] = ()


def attribute_loose(
    loose: Sequence[CreditNote], claims: Iterable[Claim], returns: Sequence[ReturnRecord], standing: Standing
) -> tuple[list[Attribution], dict[str, Told]]:
    """Attribute loose notes where that is certain, sorted by code; of each other note, what is known of it.

    A link that may mean a twin of its return falls (``linking.twins``): it is told with all that it may mean.
    """
    found, told = _attributed(loose, claims, returns, standing)
    orders = _orders(returns)
    settled = {*standing.closed, *(key for key, codes in standing.held.items() if codes)}
    fallen = twins.doubted(found, [_record(note, orders) for note in loose], returns, standing.pending, settled)
    kept = [one for one in found if one.credit_note_code not in fallen]
    return kept, told | {code: Told(ids) for code, ids in fallen.items()}


def _attributed(
    loose: Sequence[CreditNote], claims: Iterable[Claim], returns: Sequence[ReturnRecord], standing: Standing
) -> tuple[list[Attribution], dict[str, Told]]:
    """Both ways of telling in their order.

    What answers a document of ours, or is as good as named, comes first; the ordered passes get what that leaves open,
    and notes that name a return at another value, since these may credit further returns.
    """
    by_id = {record.return_id: record for record in returns}
    found, unclear = attribute(loose, claims, {})
    told = {one.credit_note_code: Told(one.return_ids) for one in unclear}
    given = {
        one.credit_note_code: one for one in found if one.matched_by == "posting" or not _is_refused(one, standing)
    }
    told |= {
        one.credit_note_code: _refused(one.credit_note_code, by_id[one.return_id])
        for one in found
        if one.credit_note_code not in given
    }
    rest = [note for note in loose if note.credit_note_code not in told and _is_open(note, given, by_id)]
    if not rest:
        return sorted(given.values()), told
    ruled = {one.credit_note_code for one in unclear}
    others = [note for note in loose if note not in rest and note.credit_note_code not in ruled]
    laid = _Laid(rest, by_id, given, standing, _match([*rest, *others, *standing.settled], returns), unclear)
    done = laid.attributed()
    return done, told | laid.told({one.credit_note_code for one in done})


def _is_refused(one: Attribution, standing: Standing) -> bool:
    return (one.credit_note_code, one.return_id) in standing.refused


def _refused(code: str, record: ReturnRecord) -> Told:
    change = f"khaos-swap links allow {code} {record.rma} takes that back"
    return Told(nearest=record.return_id, clause="a person said no", change=change)


def _is_open(note: CreditNote, given: Mapping[str, Attribution], returns: Mapping[str, ReturnRecord]) -> bool:
    """True for a note without a return, and for one that names a return of another value."""
    one = given.get(note.credit_note_code)
    if one is None:
        return True
    record = returns.get(one.return_id)
    return one.matched_by == "reference" and record is not None and note.gross_pence not in record.values


def _match(notes: Sequence[CreditNote], returns: Sequence[ReturnRecord]) -> Matching:
    orders = _orders(returns)
    return match([_record(note, orders) for note in notes], returns)


def _orders(returns: Iterable[ReturnRecord]) -> set[str]:
    return {record.order_ref for record in returns if record.order_ref}


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


@dataclass(slots=True)
class _Laid:
    """Notes of ``rest`` beside the answer of the passes; ``given`` have their return by what comes first."""

    rest: Sequence[CreditNote]
    returns: Mapping[str, ReturnRecord]
    given: Mapping[str, Attribution]
    standing: Standing
    found: Matching
    unclear: Iterable[Ambiguity]
    links: dict[str, list[Link]] = field(default_factory=lambda: defaultdict(list))
    splits: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    closed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for link in self.found.certain:
            self.links[link.note_code].append(link)
            if link.matched_by == SPLIT:
                self.splits[link.return_id].add(link.note_code)
        for return_id, codes in self.standing.held.items():
            self.held[return_id].update(codes)
        for code, one in self.given.items():
            self.held[one.return_id].add(code)
        self.closed = {*self.standing.closed, *(key for one in self.unclear for key in one.return_ids)}

    def attributed(self) -> list[Attribution]:
        """What may be acted on, sorted by code."""
        good = {note.credit_note_code: list(self._shares(note)) for note in self.rest if self._is_good(note)}
        torn = {code for one in self.found.ambiguities if one.matched_by == MERGED for code in one.note_codes}
        left = {note.credit_note_code for note in self.rest} & torn
        kept = [one for code, one in self.given.items() if code not in good.keys() | left]
        return sorted([*kept, *chain.from_iterable(good.values())])

    def told(self, done: Collection[str]) -> dict[str, Told]:
        """What is known of the notes that are not ``done``."""
        told = _told(self.found, {code: _ids(some) for code, some in self.links.items() if len(some) > 1})
        for code, links in self.links.items():
            for pair in sorted(self._pairs(links) & set(self.standing.refused)):
                told[code] = _refused(code, self.returns[pair[1]])
        codes = [note.credit_note_code for note in self.rest if note.credit_note_code not in done]
        return {code: told.get(code, Told()) for code in codes}

    def _is_good(self, note: CreditNote) -> bool:
        """True where the passes are certain and nothing stands against it; a note leaves its return only for several.

        Every return of the group must be free for every note of it, and hold no other.
        """
        code, links = note.credit_note_code, self.links.get(note.credit_note_code, [])
        if not links or (code in self.given and links[0].matched_by != MERGED):
            return False
        notes, pairs = {one for one, _ in self._pairs(links)}, self._pairs(links)
        is_free = all(one not in self.closed and self.held[one] <= notes for _, one in pairs)
        return is_free and pairs.isdisjoint(self.standing.refused)

    def _pairs(self, links: Sequence[Link]) -> set[tuple[str, str]]:
        """What stands or falls with the links of a note: all its returns, or all notes of a credit that was split."""
        if links[0].matched_by == SPLIT:
            return {(code, links[0].return_id) for code in self.splits[links[0].return_id]}
        return {(link.note_code, link.return_id) for link in links}

    def _shares(self, note: CreditNote) -> Iterator[Attribution]:
        """The note's links, each with its share; the last has what the others leave."""
        links = self.links[note.credit_note_code]
        credited = credited_by_return(links, {note.credit_note_code: _record(note, ())}, self.returns)
        last = max(link.return_id for link in links)
        for link in links:
            share = None if link.return_id == last else credited[link.return_id]
            yield Attribution(link.note_code, link.return_id, link.matched_by, share)


def _ids(links: Iterable[Link]) -> tuple[str, ...]:
    return tuple(sorted(link.return_id for link in links))


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
