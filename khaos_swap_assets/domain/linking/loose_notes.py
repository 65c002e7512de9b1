"""Credit Notes that belong to no return yet: which of them may be linked, to which returns, with which share.

Belongs here: both ways of telling in their order (``linking.attribution`` for what answers our documents, then the
ordered passes of ``linking.passes``), what of their answer may be acted on, and what a person is told of the rest.
Stays out: the passes themselves, and where links are kept.

A note that credits several returns together is linked to all of them or to none, each with its own share in pence.
Nothing is given to a return that has a note already, unless both are of one credit that was split or the note names it,
or that has a document out: those are for its witness. What a person refused is never linked, nor a group that holds it,
and it makes nothing else certain: a refused note competes as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking import twins
from khaos_swap_assets.domain.linking.attribution import Attribution, HandedOut, answers
from khaos_swap_assets.domain.linking.evidence import Tables, tables
from khaos_swap_assets.domain.linking.passes import matched
from khaos_swap_assets.domain.linking.records import (
    Link,
    Matching,
    NoteRecord,
    PassName,
    ReturnRecord,
    credited_by_return,
)
from khaos_swap_assets.domain.sums import grouped

MERGED: PassName = "one_to_many"
SPLIT: PassName = "many_to_one"


@dataclass(frozen=True, slots=True)
class WhyLoose:
    """Why a note has no return: ``rivals`` are ids between which nobody can tell, or that it may credit together.

    ``nearest`` is the id of the return that most speaks for, by ``score``; ``clause`` is what keeps them apart,
    ``change`` the least that would not. ``suggested_by`` is the pass that suggests it, empty where none does.
    """

    rivals: tuple[str, ...] = ()
    is_merged: bool = False
    nearest: str = ""
    clause: str = ""
    change: str = ""
    score: int = 0
    suggested_by: PassName | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before: notes with a return, which only compete, and by return id the codes of its notes.

    ``closed`` returns take no note at all; ``refused`` are pairs of note code and return id that a person said no to,
    ``told`` those of which one said yes.
    ``pending`` are the returns that are not refunded yet, at what they would be worth: they only compete.
    """

    settled: Sequence[NoteRecord] = ()
    held: Mapping[str, Collection[str]] = field(default_factory=dict)
    closed: Collection[str] = frozenset()
    refused: Collection[tuple[str, str]] = frozenset()
    told: Collection[tuple[str, str]] = frozenset()
    pending: Sequence[ReturnRecord] = ()


def attribute_loose(
    loose: Sequence[NoteRecord], out: Iterable[HandedOut], returns: Sequence[ReturnRecord], standing: Standing
) -> tuple[list[Attribution], dict[str, WhyLoose]]:
    """Attribute loose notes where that is certain and no twin may be meant, by code; and what is known of others."""
    laid = tables([*loose, *standing.settled], returns)
    found, told = _attributed(loose, out, laid, standing)
    settled = {*standing.closed, *(key for key, codes in standing.held.items() if codes)}
    if standing.settled or standing.pending:
        laid = tables(loose, {one.return_id: one for one in (*returns, *standing.pending)}.values())
    fallen = twins.doubted(found, laid, [one.return_id for one in standing.pending], settled)
    kept = [one for one in found if one.credit_note_code not in fallen]
    return kept, told | {code: WhyLoose(ids) for code, ids in fallen.items()}


def _attributed(
    loose: Sequence[NoteRecord], out: Iterable[HandedOut], laid: Tables, standing: Standing
) -> tuple[list[Attribution], dict[str, WhyLoose]]:
    """All ways of telling in their order: what answers a document of ours, what a person said, then the passes."""
    given: dict[str, tuple[Attribution, ...]] = {code: (one,) for code, one in answers(loose, out).items()}
    given = _told_by_people([note for note in loose if note.code not in given], laid, standing) | given
    rest = [note for note in loose if note.code not in given]
    if not rest:
        return sorted(chain.from_iterable(given.values())), {}
    answer = _Laid(rest=rest, returns=laid.returns, given=given, standing=standing, found=matched(laid))
    done = answer.attributed()
    return done, answer.told({one.credit_note_code for one in done})


def _told_by_people(
    loose: Iterable[NoteRecord], laid: Tables, standing: Standing
) -> dict[str, tuple[Attribution, ...]]:
    """The notes of which a person said whose they are, each with its shares where it is several returns'."""
    of_note = grouped(
        (code, Link(code, return_id, "person", "certain"))
        for code, return_id in sorted(standing.told)
        if return_id in laid.returns
    )
    return {note.code: tuple(_shares(of_note[note.code], note, laid.returns)) for note in loose if note.code in of_note}


def record_of(note: CreditNote, orders: Collection[str] = ()) -> NoteRecord:
    """What linking reads of a note; people write one of the ``orders`` as its reference too."""
    is_order = note.associated_ref in orders
    return NoteRecord(
        code=note.credit_note_code,
        value_pence=note.gross_pence,
        ref=note.associated_ref,
        currency=note.currency,
        order_ref=note.order_ref or (note.associated_ref if is_order else ""),
        customer=note.customer_code,
        codes=note.lines,
        created_on=note.created_on,
    )


@dataclass(slots=True)
class _Laid:
    """Notes of ``rest`` beside the answer of the passes; ``given`` have their return by what comes first."""

    rest: Sequence[NoteRecord]
    returns: Mapping[str, ReturnRecord]
    given: Mapping[str, Sequence[Attribution]]
    standing: Standing
    found: Matching
    links: Mapping[str, list[Link]] = field(init=False)
    splits: Mapping[str, list[str]] = field(init=False)
    held: Mapping[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        certain = self.found.certain
        self.links = grouped((link.note_code, link) for link in certain)
        self.splits = grouped((link.return_id, link.note_code) for link in certain if link.matched_by == SPLIT)
        before = ((return_id, code) for return_id, codes in self.standing.held.items() for code in codes)
        self.held = grouped((*before, *((one.return_id, code) for code, some in self.given.items() for one in some)))

    def attributed(self) -> list[Attribution]:
        """What may be acted on, sorted by code."""
        good = [_shares(self.links[note.code], note, self.returns) for note in self.rest if self._is_good(note)]
        return sorted(chain(*self.given.values(), *good))

    def told(self, done: Collection[str]) -> dict[str, WhyLoose]:
        """What is known of the notes that are not ``done``."""
        merged = {code: links for code, links in self.links.items() if len(links) > 1}
        told = _told(self.found, {code: tuple(sorted(one.return_id for one in some)) for code, some in merged.items()})
        for code, links in self.links.items():
            for pair in sorted(self._pairs(links) & set(self.standing.refused)):
                record = self.returns[pair[1]]
                change = (
                    f"take that back: khaos-swap links allow {code} {record.rma}, or its line in the decisions file"
                )
                told[code] = WhyLoose(nearest=record.return_id, clause="a person ruled it out", change=change)
        codes = [note.code for note in self.rest if note.code not in done]
        return {code: told.get(code, WhyLoose()) for code in codes}

    def _is_good(self, note: NoteRecord) -> bool:
        """True where the passes are certain and nothing stands against it.

        Every return of a group must be free for its notes and hold no other; a further note that names one is a double.
        """
        links = self.links.get(note.code, [])
        pairs = self._pairs(links) if links else set()
        notes, closed = {code for code, _ in pairs}, self.standing.closed
        is_free = all(one not in closed and notes.issuperset(self.held.get(one, ())) for _, one in pairs)
        is_named = bool(links) and links[0].matched_by == "reference"
        return bool(links) and (is_named or is_free) and pairs.isdisjoint(self.standing.refused)

    def _pairs(self, links: Sequence[Link]) -> set[tuple[str, str]]:
        """What stands or falls with the links of a note: all its returns, or all notes of a credit that was split."""
        if links[0].matched_by == SPLIT:
            return {(code, links[0].return_id) for code in self.splits[links[0].return_id]}
        return {(link.note_code, link.return_id) for link in links}


def _shares(links: Sequence[Link], note: NoteRecord, returns: Mapping[str, ReturnRecord]) -> Iterator[Attribution]:
    """A note's links, each with its share; the last has what the others leave."""
    credited = credited_by_return(links, {note.code: note}, returns)
    last = max(link.return_id for link in links)
    for link in links:
        share = None if link.return_id == last else credited[link.return_id]
        yield Attribution(link.note_code, link.return_id, link.matched_by, share)


def _told(found: Matching, merged: Mapping[str, tuple[str, ...]]) -> dict[str, WhyLoose]:
    rivals = grouped((code, one) for some in found.ambiguities for code in some.note_codes for one in some.return_ids)
    several = {code for one in found.ambiguities if one.matched_by == MERGED for code in one.note_codes}
    suggested = {link.note_code: link for link in found.links if link.certainty == "suggested"}
    reasons = {reason.note_code: reason for reason in found.reasons}
    told = {code: WhyLoose(ids, is_merged=True) for code, ids in merged.items()}
    for code in (rivals.keys() | reasons.keys()) - merged.keys():
        reason, link = reasons.get(code), suggested.get(code)
        told[code] = WhyLoose(
            tuple(sorted(set(rivals.get(code, ())))),
            is_merged=code in several and code in rivals,
            nearest=reason.return_id if reason else "",
            clause=reason.clause if reason else "",
            change=reason.change if reason else "",
            score=reason.score if reason else 0,
            suggested_by=link.matched_by if link and reason and link.return_id == reason.return_id else "",
        )
    return told
