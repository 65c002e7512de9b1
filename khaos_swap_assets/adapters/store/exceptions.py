"""The exceptions that are open, for people.

Belongs here: lists of ``recon.exceptions``, and closing one that a person waives. Stays out: opening and closing by
condition (``findings``), what else a waiver does (``stages.waivers``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

AT_ONCE = 1_000
_OPEN = (
    "FROM recon.exceptions WHERE closed_at IS NULL AND (owner = %(owner)s OR %(owner)s = '') "
    "AND (kind = %(kind)s OR %(kind)s = '')"
)


def count(conn: psycopg.Connection[Any], *, owner: str = "", kind: str = "") -> int:
    """How many are open, of an owner or kind (empty: all)."""
    row = conn.execute(f"SELECT count(*) {_OPEN}".encode(), {"owner": owner, "kind": kind}).fetchone()
    return int(row[0]) if row else 0


def open_exceptions(
    conn: psycopg.Connection[Any], *, owner: str = "", kind: str = "", limit: int | None = None, skipped: int = 0
) -> Iterator[dict[str, Any]]:
    """Open exceptions of an owner or kind (empty: all), the most money at risk first, then the oldest.

    At most ``limit`` after ``skipped``. They come as they are asked for: whoever takes them keeps only what they want.
    """
    with conn.cursor("open_exceptions", row_factory=dict_row) as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(
            "SELECT exception_id, kind, subject, rma, owner, severity, message, suggestion, money_at_risk_pence, "
            f"currency, opened_at {_OPEN} ORDER BY money_at_risk_pence DESC, opened_at, exception_id "
            "LIMIT %(limit)s OFFSET %(skipped)s".encode(),
            {"owner": owner, "kind": kind, "limit": limit, "skipped": skipped},
        )
        yield from cursor


def of_kinds(conn: psycopg.Connection[Any], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Open exceptions of these kinds with the gap of their return, the most money first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT e.kind, e.subject, e.rma, e.owner, e.severity, e.money_at_risk_pence, e.currency, e.message, "
            "e.suggestion, e.opened_at, r.gap_pence "
            "FROM recon.exceptions e LEFT JOIN recon.reconciliation r USING (return_id) "
            "WHERE e.closed_at IS NULL AND e.kind = ANY(%s) ORDER BY e.money_at_risk_pence DESC, e.subject",
            (list(kinds),),
        ).fetchall()


def by_kind(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """How many are open and their money at risk, by owner, kind and currency, the most money first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT owner, kind, currency, count(*) AS open, sum(money_at_risk_pence)::bigint AS at_risk_pence "
            "FROM recon.exceptions WHERE closed_at IS NULL GROUP BY 1, 2, 3 ORDER BY 5 DESC, 2"
        ).fetchall()


def open_or_waived(conn: psycopg.Connection[Any], kinds: Sequence[str]) -> list[tuple[str, str, bool]]:
    """(kind, subject, whether it is open) of the exceptions of these kinds that are open or waived."""
    return conn.execute(
        "SELECT kind, subject, true FROM recon.exceptions WHERE closed_at IS NULL AND kind = ANY(%(kinds)s) "
        "UNION SELECT object, subject, false FROM recon.decisions WHERE decision = 'waived' AND ended_at IS NULL "
        "AND object = ANY(%(kinds)s)",
        {"kinds": list(kinds)},
    ).fetchall()


def open_one(conn: psycopg.Connection[Any], kind: str, subject: str) -> tuple[int, int, str] | None:
    """Id, pence at risk and currency of the open exception of a kind about a subject; None where there is none."""
    return conn.execute(
        "SELECT exception_id, money_at_risk_pence, currency FROM recon.exceptions "
        "WHERE closed_at IS NULL AND kind = %s AND subject = %s",
        (kind, subject),
    ).fetchone()


def close(
    conn: psycopg.Connection[Any], exception_id: int, by: str, reason: str, now: datetime
) -> tuple[str, str, str, int, str] | None:
    """Close an open one: its kind, subject, return id, pence at risk and currency; None where it is not open."""
    return conn.execute(
        "UPDATE recon.exceptions SET closed_at = %s, closed_by = %s, close_reason = %s "
        "WHERE exception_id = %s AND closed_at IS NULL "
        "RETURNING kind, subject, return_id, money_at_risk_pence, currency",
        (now, by, reason, exception_id),
    ).fetchone()
