"""What people decided about exceptions, as the pages of the queue keep and show it.

Belongs here: the kinds of ``recon.decisions`` that only the queue reads (migration 0041), and every decision of one
case. Stays out: what a person may decide (``stages.casework``) and the kinds that linker and judge read
(``decisions``). Nothing is deleted: what ended says by whom and why. Money is pence, times UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.adapters.store.decisions import OURSELVES
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.domain.records.decisions import PersonDecision, QueueKind

NOTED: QueueKind = "noted"
_COLUMNS = (
    *("decision", "subject", "object", "return_id", "exception_id", "decided_by", "reason", "decided_at"),
    *("money_at_risk_pence", "currency", "until_at", "told"),
)


@dataclass(frozen=True, slots=True)
class QueueDecision:
    """One decision about an open exception, on its money of now; ``told`` is whose hands, or the words of a note."""

    decision: QueueKind
    about: CaseRow
    decided_by: str
    reason: str
    decided_at: datetime
    until_at: datetime | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class CaseDecision:
    """Any decision about a case, as its page shows it; one that stands has no ``ended_at``."""

    decision_id: int
    decision: str
    subject: str
    object: str
    exception_id: int | None
    decided_by: str
    reason: str
    decided_at: datetime
    money_at_risk_pence: int | None
    currency: str
    until_at: datetime | None
    told: str
    ended_at: datetime | None
    ended_by: str
    end_reason: str


_SHOWN = (
    "d.decision_id, d.decision, d.subject, d.object, d.exception_id, d.decided_by, d.reason, d.decided_at, "
    "d.money_at_risk_pence, d.currency, d.until_at, d.told, d.ended_at, d.ended_by, d.end_reason"
)


def write(conn: psycopg.Connection[Any], made: QueueDecision) -> None:
    """Keep it; but for a note, one of the same kind about the same case ends by the new one."""
    if made.decision != NOTED:
        conn.execute(
            "UPDATE recon.decisions SET ended_at = %s, ended_by = %s, end_reason = 'decided anew' "
            "WHERE decision = %s AND subject = %s AND object = %s AND ended_at IS NULL",
            (made.decided_at, made.decided_by, made.decision, made.about.subject, made.about.kind),
        )
    bulk.copy_rows(conn, "recon.decisions", _COLUMNS, [_row(made)])


def _row(one: QueueDecision) -> Sequence[Any]:
    row = one.about
    what = (one.decision, row.subject, row.kind, row.return_id, row.exception_id)
    who = (one.decided_by, one.reason, one.decided_at)
    return *what, *who, row.money_at_risk_pence, row.currency, one.until_at, one.told


def of_case(conn: psycopg.Connection[Any], row: CaseRow) -> list[CaseDecision]:
    """Every decision about an exception, its return's value, or its Credit Note, the newest first."""
    with conn.cursor(row_factory=class_row(CaseDecision)) as cursor:
        return cursor.execute(
            f"SELECT {_SHOWN} FROM recon.decisions d WHERE d.exception_id = %(number)s OR (d.return_id <> '' "
            "AND d.return_id = %(return)s AND d.decision IN ('this_return', 'not_this_return', 'accepted_value', "
            "'settled_outside')) OR (d.decision = 'same_code' AND d.subject = %(sku)s) OR (d.decision IN "
            "('this_return', 'not_this_return') AND d.subject = %(note)s AND d.subject <> '') "
            "ORDER BY d.decision_id DESC".encode(),
            {"number": row.exception_id, "return": row.return_id, "sku": row.sku, "note": row.credit_note_code},
        ).fetchall()


def one(conn: psycopg.Connection[Any], decision_id: int) -> CaseDecision | None:
    """A decision by its number, locked for the caller's transaction; None where there is none."""
    with conn.cursor(row_factory=class_row(CaseDecision)) as cursor:
        return cursor.execute(
            f"SELECT {_SHOWN} FROM recon.decisions d WHERE d.decision_id = %s FOR UPDATE".encode(), (decision_id,)
        ).fetchone()


def asked(conn: psycopg.Connection[Any], limit: int) -> list[CaseDecision]:
    """Waivers that wait for a second person and whose exception is open, the most money first."""
    with conn.cursor(row_factory=class_row(CaseDecision)) as cursor:
        return cursor.execute(
            f"SELECT {_SHOWN} FROM recon.decisions d JOIN recon.exceptions e USING (exception_id) "
            "WHERE d.decision = 'waiver_asked' AND d.ended_at IS NULL AND e.closed_at IS NULL "
            "ORDER BY d.money_at_risk_pence DESC, d.decision_id LIMIT %s".encode(),
            (limit,),
        ).fetchall()


def end(conn: psycopg.Connection[Any], decision_id: int, by: str, reason: str, now: datetime) -> bool:
    """End a decision that stands; False where it ended before."""
    done = conn.execute(
        "UPDATE recon.decisions SET ended_at = %s, ended_by = %s, end_reason = %s "
        "WHERE decision_id = %s AND ended_at IS NULL",
        (now, by, reason, decision_id),
    )
    return done.rowcount > 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The Stock Code suggested for a SKU, by which rule and with which score (0 to 100)."""

    stock_code: str
    rule: str
    score: int


def suggestion(conn: psycopg.Connection[Any], return_id: str, sku: str) -> Suggestion | None:
    """What is suggested for a SKU of a return that is no Stock Code; None where nothing is, or a person decided."""
    with conn.cursor(row_factory=class_row(Suggestion)) as cursor:
        return cursor.execute(
            "SELECT suggestion AS stock_code, suggestion_rule AS rule, coalesce(suggestion_score, 0) AS score "
            "FROM recon.matched_lines WHERE return_id = %s AND sku = %s AND suggestion <> '' "
            "AND suggestion_rule <> 'person' LIMIT 1",
            (return_id, sku),
        ).fetchone()


def remember(conn: psycopg.Connection[Any], made: PersonDecision, row: CaseRow, because: str) -> None:
    """Keep at which case a standing decision was made, and by which rule or in spite of which clause, if any."""
    conn.execute(
        "UPDATE recon.decisions SET told = %s, exception_id = %s "
        "WHERE decision = %s AND subject = %s AND object = %s AND ended_at IS NULL",
        (because, row.exception_id, made.decision, made.subject, made.object),
    )


def how_often(conn: psycopg.Connection[Any], because: str) -> tuple[int, int]:
    """To how many suggestions of a rule, or in spite of a clause, people said yes, and how many they decided."""
    row = conn.execute(
        "SELECT count(*) FILTER (WHERE decision <> 'not_this_return' AND ended_by IN ('', %s)), count(*) "
        "FROM recon.decisions WHERE told = %s AND decision IN ('this_return', 'not_this_return', 'same_code')",
        (OURSELVES, because),
    ).fetchone()
    return (row[0], row[1]) if row else (0, 0)
