"""Credit Notes whose items nobody told, and what each may be the note of: a list that a person confirms at once.

Belongs here: what is put into the list, and confirming it as it was shown. Stays out: what is certain without a person
(``linking.witness``) and how a person reaches it (``cli.confirming``).

A note is laid beside our documents in doubt and the returns without a note of its customer, by currency and value. Only
where there are as many notes as takers a list says who gets which, the oldest to the oldest; the rest is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log, links, notes, worklist
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.linking.records import ReturnRecord
from khaos_swap_assets.domain.linking.windows import REFUND
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.credit_notes.candidates import Candidates, candidates_of
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

Group = tuple[str, str, int]


@dataclass(frozen=True, slots=True, order=True)
class Taker:
    """What may have a note: our document in doubt (``reference``), or a return that staff credited; since ``since``."""

    since: date
    rma: str
    return_id: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the list: the note and who gets it."""

    credit_note_code: str
    made_on: date | None
    customer_code: str
    currency: str
    pence: int
    taker: Taker


@dataclass(frozen=True, slots=True)
class Listed:
    """The list, and in words what is not on it because notes and takers are not as many."""

    pairs: tuple[Pair, ...]
    left: tuple[str, ...]


def listed(conn: psycopg.Connection[Any]) -> Listed:
    """The list as it is now."""
    loose = [note for note in notes.without_items(conn) if note.customer_code]
    known = candidates_of(conn, loose, sorted({note.customer_code for note in loose}))
    noted: defaultdict[Group, list[CreditNote]] = defaultdict(list)
    for note in loose:
        noted[note.customer_code, note.currency, note.gross_pence].append(note)
    takers: defaultdict[Group, list[Taker]] = defaultdict(list)
    for group, taker in _takers(known):
        takers[group].append(taker)
    refused = links.refused(conn, [note.credit_note_code for note in loose])
    pairs: list[Pair] = []
    left: list[str] = []
    for group, some in sorted(noted.items()):
        made = _paired(group, some, sorted(takers[group]))
        if made and not any((one.credit_note_code, one.taker.return_id) in refused for one in made):
            pairs += made
        elif takers[group]:
            left.append(_why(some, takers[group]))
    return Listed(tuple(pairs), tuple(left))


def confirm(conn: psycopg.Connection[Any], shown: Sequence[Pair], person: Person, *, now: datetime) -> None:
    """Confirm the list that a person was shown. Raises ``ActionError`` where it is another one by now."""
    with conn.transaction():
        book = SqlPostings(conn)
        book.lock()
        if listed(conn).pairs != tuple(shown):
            raise ActionError("the list changed since it was shown: nothing was confirmed; look at it again")
        for pair in shown:
            if pair.taker.reference:
                people.resolved(book, people.find(book, pair.taker.reference), pair.credit_note_code, person, now)
        by_staff = [pair for pair in shown if not pair.taker.reference]
        found = [Attribution(one.credit_note_code, one.taker.return_id, "person") for one in by_staff]
        links.attach(conn, found, now, by=person.by)
        audit_log.append(conn, [_entry(one, person, now) for one in by_staff])
        ids = sorted({pair.taker.return_id for pair in shown})
        worklist.queue(conn, "draft", ids)
        worklist.queue(conn, "reconcile", ids)
    conn.commit()


def _takers(known: Candidates) -> Iterator[tuple[Group, Taker]]:
    for record in (*known.returns, *known.pending):
        posted = known.dossier.postings.get(record.return_id, ())
        out = [one for one in posted if one.state == "in_doubt" and one.handed_out_at]
        for one in out:
            since = london_date(one.handed_out_at) if one.handed_out_at else date.min
            group = (one.customer_code, one.currency, one.value_pence)
            yield group, Taker(since, record.rma, record.return_id, one.reference)
        is_done = out or known.dossier.notes.get(record.return_id) or any(one.state == "confirmed" for one in posted)
        if record.customer and not is_done:
            yield from _as_returned(record)


def _as_returned(record: ReturnRecord) -> Iterator[tuple[Group, Taker]]:
    since = record.refunded_on or record.opened_on or date.max
    for pence in record.values:
        yield (record.customer, record.currency, pence), Taker(since, record.rma, record.return_id)


def _paired(group: Group, some: Sequence[CreditNote], takers: Sequence[Taker]) -> list[Pair]:
    """Note by note, the oldest to the oldest; none where they are not as many, or a note was there long before."""
    ordered = sorted(some, key=lambda note: (note.created_on or date.max, note.credit_note_code))
    both = list(zip(ordered, takers, strict=False))
    if len(some) != len(takers) or any(_is_before(note, taker) for note, taker in both):
        return []
    return [Pair(note.credit_note_code, note.created_on, *group, taker) for note, taker in both]


def _is_before(note: CreditNote, taker: Taker) -> bool:
    return note.created_on is not None and (taker.since - note.created_on).days > REFUND.before


def _why(some: Sequence[CreditNote], takers: Sequence[Taker]) -> str:
    codes = ", ".join(sorted(note.credit_note_code for note in some))
    rmas = ", ".join(one.rma for one in sorted(takers)) or "no return of that value"
    return f"{codes}: may be of {rmas}; khaos-swap postings resolve, or the RMA as its reference in Khaos, settles it"


def _entry(pair: Pair, person: Person, now: datetime) -> audit_log.Entry:
    document = f"link {pair.credit_note_code} {pair.taker.rma}"
    return audit_log.Entry(now, person.by, "linked", document, after={"pence": pair.pence}, reason=person.reason)
