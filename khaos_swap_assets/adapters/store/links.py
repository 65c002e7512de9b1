"""Links of Khaos Credit Notes to returns, and what a person ruled out.

Belongs here: attaching, taking back, refusing and showing. Stays out: which link is made (``linking.loose_notes``) and
the notes themselves (``notes``). Shape: ``recon.note_links`` (migration 0017); a no is one of the ``decisions``. A link
without ``share_pence`` has what the other links of its note leave, so that the shares are the note whatever it becomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import LiteralString

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk, decisions, goodwill
from khaos_swap_assets.adapters.store.decisions import OURSELVES, KeptDecision
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets.domain.records.decisions import NOT_THIS_RETURN, PersonDecision

Pair = tuple[str, str]
COLUMNS = ("credit_note_code", "return_id", "matched_by", "share_pence", "linked_at", "linked_by")


@dataclass(frozen=True, slots=True)
class StandingLink:
    """A link with what a person knows it by; ``pence`` is the return's share of the note, ``linked_at`` UTC."""

    credit_note_code: str
    return_id: str
    rma: str
    matched_by: str
    certainty: str
    pence: int
    currency: str
    linked_at: datetime
    linked_by: str


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A pair that a person ruled out: no pass links it for certain."""

    credit_note_code: str
    return_id: str
    rma: str
    refused_by: str
    reason: str
    refused_at: datetime


def attach(conn: psycopg.Connection, found: Iterable[Attribution], now: datetime, by: str = OURSELVES) -> None:
    """Link notes to returns, in place of any links that they had."""
    links = list(found)
    if not links:
        return
    _drop(conn, sorted({one.credit_note_code for one in links}))
    bulk.copy_rows(conn, "recon.note_links", COLUMNS, [(*astuple(one), now, by) for one in links])
    owners = [(one.credit_note_code, one.return_id, one.matched_by) for one in links if one.share_pence is None]
    conn.execute(
        "UPDATE khaos.credit_notes n SET return_id = f.return_id, matched_by = f.matched_by FROM "
        "unnest(%s::text[], %s::text[], %s::text[]) AS f (code, return_id, matched_by) "
        "WHERE n.credit_note_code = f.code",
        [list(column) for column in zip(*owners, strict=True)],
    )
    goodwill.release(conn, {one.credit_note_code for one in links}, now)


def detach(conn: psycopg.Connection, codes: Sequence[str]) -> list[str]:
    """Take back every link of these notes; the returns that had them. The notes belong to no return then."""
    if not codes:
        return []
    conn.execute(
        "UPDATE khaos.credit_notes SET return_id = NULL, matched_by = '' WHERE credit_note_code = ANY(%s)",
        (list(codes),),
    )
    return _drop(conn, codes)


def _drop(conn: psycopg.Connection, codes: Sequence[str]) -> list[str]:
    if not codes:
        return []
    rows = conn.execute(
        "DELETE FROM recon.note_links WHERE credit_note_code = ANY(%s) RETURNING return_id", (list(codes),)
    ).fetchall()
    return sorted({row[0] for row in rows})


def owners(conn: psycopg.Connection, codes: Sequence[str]) -> list[str]:
    """The returns that these notes belong to."""
    if not codes:
        return []
    rows = conn.execute(
        "SELECT DISTINCT return_id FROM recon.note_links WHERE credit_note_code = ANY(%s)", (list(codes),)
    ).fetchall()
    return [row[0] for row in rows]


def owner_of(conn: psycopg.Connection, codes: Sequence[str]) -> dict[str, str]:
    """By code, the return that tells of each of these notes; only of those that belong to one."""
    if not codes:
        return {}
    rows = conn.execute(
        "SELECT credit_note_code, return_id FROM khaos.credit_notes WHERE return_id IS NOT NULL "
        "AND credit_note_code = ANY(%s)",
        (list(codes),),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def customers_to_ask(conn: psycopg.Connection, since: datetime) -> set[str]:
    """The customers of loose notes that changed since, and of returns in line."""
    rows = conn.execute(
        "SELECT DISTINCT customer_code FROM khaos.credit_notes WHERE return_id IS NULL AND changed_at >= "
        "%s UNION "
        "SELECT m.customer_code FROM recon.worklist w JOIN recon.matched_returns m USING (return_id) "
        "WHERE w.stage IN ('draft', 'reconcile') AND m.customer_code IS NOT NULL",
        (since,),
    ).fetchall()
    return {row[0] for row in rows}


def sold_on(conn: psycopg.Connection, customers: Iterable[str]) -> dict[str, date]:
    """By customer: the first London day on which goods were invoiced that a document waits or is out for.

    Staff credit a customer who telephones, and the return is made in Swap after that.
    """
    rows = conn.execute(
        "SELECT m.customer_code, min(least(o.invoiced_on, "
        "(coalesce(r.submitted_at, r.created_at) AT TIME ZONE 'Europe/London')::date)) FROM ("
        "SELECT return_id FROM recon.drafts WHERE state = 'ready' AND NOT is_done UNION "
        "SELECT return_id FROM recon.postings WHERE state IN ('planned', 'in_doubt')) undone "
        "JOIN recon.matched_returns m USING (return_id) JOIN swap.returns r USING (return_id) "
        "LEFT JOIN khaos.sales_orders o USING (so_code) "
        "WHERE m.customer_code = ANY(%s) GROUP BY 1 HAVING bool_and(o.invoiced_on IS NOT NULL)",
        (sorted(customers),),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def shared(conn: psycopg.Connection, codes: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Of those of these notes that several returns share: the whole gross in pence, and the return that tells of it."""
    if not codes:
        return {}
    rows = conn.execute(
        "SELECT credit_note_code, gross_pence, return_id FROM khaos.credit_notes n WHERE credit_note_code = ANY(%s) "
        "AND return_id IS NOT NULL AND EXISTS (SELECT 1 FROM recon.note_links l WHERE l.credit_note_code = "
        "n.credit_note_code AND l.share_pence IS NOT NULL)",
        (list(codes),),
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


def of_notes(conn: psycopg.Connection, codes: Sequence[str]) -> list[StandingLink]:
    """The links of these notes, by note and RMA."""
    return _links(conn, "WHERE l.credit_note_code = ANY(%s) ORDER BY 1, rma, l.return_id", list(codes))


def companions(conn: psycopg.Connection, return_ids: Sequence[str], matched_by: str) -> list[str]:
    """The notes that one pass linked with these returns."""
    rows = conn.execute(
        "SELECT DISTINCT credit_note_code FROM recon.note_links WHERE return_id = ANY(%s) AND matched_by = %s "
        "ORDER BY 1",
        (list(return_ids), matched_by),
    ).fetchall()
    return [row[0] for row in rows]


def newest(conn: psycopg.Connection, limit: int, *, rma: str = "", note: str = "") -> list[StandingLink]:
    """Up to ``limit`` links, the newest first; of one return or one note where these are given."""
    return _links(
        conn,
        "WHERE (%s = '' OR r.rma = %s) AND (%s = '' OR l.credit_note_code = %s) "
        "ORDER BY linked_at DESC, 1, rma, l.return_id LIMIT %s",
        *(rma, rma, note, note, limit),
    )


def _links(conn: psycopg.Connection, where: LiteralString, *values: object) -> list[StandingLink]:
    with conn.cursor(row_factory=class_row(StandingLink)) as cursor:
        return cursor.execute(
            "SELECT l.credit_note_code, l.return_id, coalesce(r.rma, '') AS rma, l.matched_by, certainty, "
            "coalesce(share_pence, n.gross_pence - coalesce((SELECT sum(o.share_pence) FROM recon.note_links o "
            "WHERE o.credit_note_code = l.credit_note_code), 0))::bigint AS pence, n.currency, linked_at, linked_by "
            "FROM recon.note_links l JOIN khaos.credit_notes n USING (credit_note_code) "
            f"LEFT JOIN swap.returns r ON r.return_id = l.return_id {where}",
            values,
        ).fetchall()


def refuse(conn: psycopg.Connection, pairs: Iterable[Pair], by: str, reason: str, now: datetime) -> None:
    """Remember a person's no to these pairs of Credit Note and return id."""
    made = (
        PersonDecision(decision=NOT_THIS_RETURN, subject=code, object=one, decided_by=by, reason=reason, decided_at=now)
        for code, one in pairs
    )
    decisions.record(conn, [KeptDecision(one, one.object) for one in made])


def forgive(conn: psycopg.Connection, pairs: Sequence[Pair], by: str, reason: str, now: datetime) -> None:
    """End a person's no to these pairs."""
    decisions.end(conn, NOT_THIS_RETURN, pairs, by, reason, now)


def refusals(conn: psycopg.Connection, codes: Sequence[str] = ()) -> list[RuledOut]:
    """What was refused, of these notes or of all where none is given; the newest first."""
    with conn.cursor(row_factory=class_row(RuledOut)) as cursor:
        return cursor.execute(
            "SELECT subject AS credit_note_code, object AS return_id, coalesce(rma, '') AS rma, "
            "decided_by AS refused_by, reason, decided_at AS refused_at "
            "FROM recon.decisions d LEFT JOIN swap.returns USING (return_id) "
            "WHERE decision = %s AND ended_at IS NULL AND (subject = ANY(%s) OR %s) "
            "ORDER BY decided_at DESC, 1, rma, object",
            (NOT_THIS_RETURN, list(codes), not codes),
        ).fetchall()


def waived(conn: psycopg.Connection, return_ids: Sequence[str]) -> frozenset[Pair]:
    """Notes of nobody, each with those of these returns that were there when a person waived it.

    A waiver says nothing of a return that came after it: who waived could not know of it.
    """
    rows = conn.execute(
        "SELECT w.subject, r.return_id FROM swap.returns r JOIN recon.decisions w ON w.decided_at >= r.first_seen_at "
        "WHERE r.return_id = ANY(%s) AND w.decision = 'waived' AND w.ended_at IS NULL "
        "AND w.object = 'credit_note_orphan'",
        (list(return_ids),),
    ).fetchall()
    return frozenset((row[0], row[1]) for row in rows)


def maybe_covered(conn: psycopg.Connection, code: str) -> list[str]:
    """The returns without a note that this note of nobody may be of: its customer's, or all where it names none."""
    rows = conn.execute(
        "SELECT r.return_id FROM recon.reconciliation r JOIN recon.matched_returns m USING (return_id) "
        "JOIN khaos.credit_notes n ON n.customer_code IN ('', m.customer_code) "
        "WHERE n.credit_note_code = %s AND n.return_id IS NULL AND r.status IN ('in_flight', 'credit_note_missing')",
        (code,),
    ).fetchall()
    return [row[0] for row in rows]


def outlived_waivers(conn: psycopg.Connection, return_ids: Sequence[str]) -> list[str]:
    """The waived notes of nobody whose customer has made one of these returns since."""
    rows = conn.execute(
        "SELECT DISTINCT w.subject FROM recon.decisions w JOIN khaos.credit_notes n ON n.credit_note_code = w.subject "
        "JOIN recon.matched_returns m USING (customer_code) JOIN swap.returns r ON r.return_id = m.return_id "
        "WHERE w.decision = 'waived' AND w.ended_at IS NULL AND w.object = 'credit_note_orphan' "
        "AND n.return_id IS NULL AND r.first_seen_at > w.decided_at AND r.return_id = ANY(%s) ORDER BY 1",
        (list(return_ids),),
    ).fetchall()
    return [row[0] for row in rows]


def refused(conn: psycopg.Connection, codes: Sequence[str]) -> frozenset[Pair]:
    """The refused pairs of these notes."""
    found = refusals(conn, codes) if codes else []
    return frozenset((one.credit_note_code, one.return_id) for one in found)


def confirmed_since(conn: psycopg.Connection, moment: datetime) -> list[Attribution]:
    """The notes that confirmed a posting since a moment and belong to no return yet, each as its posting's return's."""
    rows = conn.execute(
        "SELECT credit_note_code, p.return_id FROM recon.postings p JOIN khaos.credit_notes n "
        "USING (credit_note_code) WHERE p.state = 'confirmed' AND p.ended_at >= %s AND n.return_id IS NULL "
        "AND NOT n.is_cancelled",
        (moment,),
    )
    return [Attribution(code, return_id, "posting") for code, return_id in rows]
