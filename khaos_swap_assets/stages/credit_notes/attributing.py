"""Attributing the Credit Notes that belong to no return yet.

Belongs here: which notes and returns to lay side by side, and keeping the outcome. Stays out: what is told of them
(``linking.loose_notes``). Only notes of customers that something happened to are looked at, never all of history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import psycopg

from khaos_swap_assets.adapters.store import doubts, links, matches, notes, worklist
from khaos_swap_assets.adapters.store.doubts import NoteDoubt
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Bystander
from khaos_swap_assets.domain.linking.loose_notes import WhyLoose
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.credit_notes.candidates import Candidates, candidates_of

SOURCE = "recon/attribution"


@dataclass(frozen=True, slots=True)
class AttributedNotes:
    """How many notes found their return, and how many fit more than one.

    ``bystanders`` are the returns of all these customers that have no note.
    ``failed`` are the customers of whom nothing could be told, by a fault of the program.
    """

    attributed: int
    ambiguous: int
    bystanders: tuple[Bystander, ...] = ()
    failed: frozenset[str] = frozenset()


def attribute_notes(conn: psycopg.Connection, customers: Iterable[str], now: datetime) -> AttributedNotes:
    """Attribute unattributed notes of these customers, of returns in line, and notes that changed since last time."""
    concerned = sorted({*customers, *_touched_customers(conn, now)})
    work = partial(_attribute, conn, now=now)
    done, faults = isolating.one_by_one(conn, isolating.ATTRIBUTING, concerned, work, now)
    worklist.move(conn, SOURCE, now)
    return AttributedNotes(
        sum(one.attributed for one in done),
        sum(one.ambiguous for one in done),
        tuple(bystander for one in done for bystander in one.bystanders),
        frozenset(faults.found),
    )


def _attribute(conn: psycopg.Connection, customers: Sequence[str], now: datetime) -> list[AttributedNotes]:
    loose = notes.unattributed(conn, customers)
    known = candidates_of(conn, loose, customers)
    found, told = known.attributed(loose)
    links.attach(conn, found, now)
    doubtful = [NoteDoubt(code, key, one.is_merged) for code, one in told.items() for key in one.rivals]
    changed = doubts.replace(conn, [note.credit_note_code for note in loose], doubtful)
    orders = {known.dossier.heads[one.return_id].so_code or "" for one in found if one.return_id in known.dossier.heads}
    siblings = matches.ids_of_orders(conn, sorted(orders - {""}))
    touched = [*(one.return_id for one in found), *(one.return_id for one in doubtful), *changed, *siblings]
    worklist.queue(conn, "draft", touched)
    worklist.queue(conn, "reconcile", touched)
    bystanders = tuple(_bystanders(known, {one.return_id for one in found}))
    attributed = len({one.credit_note_code for one in found})
    return [AttributedNotes(attributed, sum(bool(one.rivals) for one in told.values()), bystanders)]


def _bystanders(known: Candidates, noted: Collection[str]) -> Iterator[Bystander]:
    """Returns of persons that staff may credit at any time: those without a note, whatever of ours is out for them."""
    for one in (*known.returns, *known.pending):
        is_seen = any(posting.state == "confirmed" for posting in known.dossier.postings.get(one.return_id, ()))
        is_done = is_seen or one.return_id in noted or known.dossier.notes.get(one.return_id)
        if one.customer and one.values and not is_done:
            yield Bystander(
                return_id=one.return_id,
                customer_code=one.customer,
                currency=one.currency,
                values=one.values,
                order_ref=one.order_ref,
            )


def told_of(conn: psycopg.Connection, loose: Sequence[CreditNote]) -> dict[str, tuple[WhyLoose, dict[str, str]]]:
    """For notes that nobody could attribute: why not, with the RMAs of the returns that this names."""
    known = candidates_of(conn, loose, sorted({note.customer_code for note in loose}))
    _, told = known.attributed(loose)
    return {
        code: (one, {key: known.dossier.records[key].rma for key in {*one.rivals, one.nearest} - {""}})
        for code, one in told.items()
    }


def _touched_customers(conn: psycopg.Connection, now: datetime) -> set[str]:
    since = worklist.trusted(conn, SOURCE, now) or datetime.min.replace(tzinfo=UTC)
    return links.customers_to_ask(conn, since)
