"""Attributing the Credit Notes that belong to no return yet.

Belongs here: which notes and claims to lay side by side, and keeping the outcome. Stays out: the passes
(``domain.attribution``). Only notes of customers that something happened to are looked at, never all of history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import matches, notes, returns, worklist
from khaos_swap_assets.adapters.store.postings import SqlBook
from khaos_swap_assets.domain.attribution import Ambiguity, Claim, attribute
from khaos_swap_assets.domain.periods import london_date
from khaos_swap_assets.domain.postings import Posting
from khaos_swap_assets.domain.references import reference_for

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.store.matches import MatchedLine, MatchedReturn
    from khaos_swap_assets.domain.credit_notes import CreditNote
    from khaos_swap_assets.domain.returns import Return

SOURCE = "recon/attribution"


@dataclass(frozen=True, slots=True)
class AttributedNotes:
    """How many notes found their return, and which fit more than one."""

    attributed: int
    ambiguous: int
    rivals: tuple[Ambiguity, ...]


def attribute_notes(conn: psycopg.Connection, customers: Iterable[str], now: datetime) -> AttributedNotes:
    """Attribute unattributed notes of these customers, of returns in line, and notes that changed since last time."""
    concerned = sorted({*customers, *_touched_customers(conn)})
    loose = notes.unattributed(conn, concerned)
    ids = {*matches.ids_of_customers(conn, concerned), *returns.named(conn, [note.associated_ref for note in loose])}
    found, rivals = attribute(loose, _claims(conn, sorted(ids)), {})
    notes.attribute(conn, [(one.credit_note_code, one.return_id, one.matched_by) for one in found])
    touched = [one.return_id for one in found] + [key for one in rivals for key in one.return_ids]
    worklist.queue(conn, "draft", touched)
    worklist.queue(conn, "reconcile", touched)
    worklist.move(conn, SOURCE, now)
    return AttributedNotes(len(found), len(rivals), tuple(rivals))


def rivals_of(conn: psycopg.Connection, loose: Sequence[CreditNote]) -> dict[str, tuple[str, ...]]:
    """For notes that nobody could attribute: the RMAs between which each cannot be told."""
    customers = sorted({note.customer_code for note in loose})
    ids = {*matches.ids_of_customers(conn, customers), *returns.named(conn, [note.associated_ref for note in loose])}
    _, rivals = attribute(loose, _claims(conn, sorted(ids)), {})
    records = returns.load(conn, sorted({key for one in rivals for key in one.return_ids}))
    return {one.credit_note_code: tuple(records[key].rma for key in one.return_ids) for one in rivals}


def _touched_customers(conn: psycopg.Connection) -> set[str]:
    rows = conn.execute(
        "SELECT DISTINCT customer_code FROM khaos.credit_notes WHERE return_id IS NULL AND changed_at >= "
        "coalesce((SELECT reached_at FROM recon.watermarks WHERE source = %s), '-infinity') UNION "
        "SELECT m.customer_code FROM recon.worklist w JOIN recon.matched_returns m USING (return_id) "
        "WHERE w.stage IN ('draft', 'reconcile') AND m.customer_code IS NOT NULL",
        (SOURCE,),
    ).fetchall()
    return {row[0] for row in rows}


def _claims(conn: psycopg.Connection, ids: Sequence[str]) -> list[Claim]:
    records, heads, lines = returns.load(conn, ids), matches.returns(conn, ids), matches.lines(conn, ids)
    posted: dict[str, list[Posting]] = {}
    for posting in SqlBook(conn).of_returns(ids):
        posted.setdefault(posting.return_id, []).append(posting)
    attributed = notes.of_returns(conn, ids)
    return [
        claim
        for key, record in records.items()
        for claim in _claims_of(
            record, heads.get(key), lines.get(key, ()), posted.get(key, ()), len(attributed.get(key, ()))
        )
    ]


def _claims_of(
    record: Return, head: MatchedReturn | None, lines: Iterable[MatchedLine], posted: Sequence[Posting], note_count: int
) -> list[Claim]:
    """One claim a posting. Where every posting was withdrawn its content is of no account: the return claims by itself.

    A posting that Khaos refused, or that was withdrawn, has its note when there are more notes than were witnessed.
    """
    customer = (head and head.customer_code) or ""
    refunded, opened = record.refunded_at, record.submitted_at or record.created_at
    names = frozenset({record.rma, reference_for(record.rma, 1, ())})
    moments = (refunded and london_date(refunded), opened and london_date(opened))
    spare = note_count - sum(one.state == "confirmed" for one in posted)
    if any(one.state != "withdrawn" for one in posted):
        return [
            Claim(
                record.return_id,
                one.customer_code,
                one.currency,
                one.value_pence,
                one.contents,
                names,
                one.reference,
                *moments,
                one.state == "confirmed" or (one.state in {"refused", "withdrawn"} and spare > 0),
            )
            for one in posted
        ]
    names |= {one.reference for one in posted}
    goods = tuple((line.stock_code or line.sku, line.quantity) for line in lines if line.outcome == "Refund")
    return [
        Claim(
            record.return_id, customer, record.currency, record.refund_pence, goods, names, "", *moments, note_count > 0
        )
    ]
