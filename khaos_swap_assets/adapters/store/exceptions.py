"""The exceptions that are open, for people.

Belongs here: lists of ``recon.exceptions``, and closing one that a person waives. Stays out: opening and closing by
condition (``findings``), what else a waiver does (``stages.waivers``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class OpenSum:
    """What is open in one currency: how many, how many of them are errors, and the pence at risk."""

    currency: str
    count: int
    errors: int
    pence: int


@dataclass(frozen=True, slots=True)
class SkuCause:
    """One SKU that holds returns back: by which kind, how many returns, their pence, and what it may stand for."""

    sku: str
    kind: str
    currency: str
    returns: int
    pence: int
    suggestion: str
    since: datetime


_OPEN = (
    "FROM recon.exceptions WHERE closed_at IS NULL AND (owner = %(owner)s OR %(owner)s = '') "
    "AND (kind = %(kind)s OR %(kind)s = '') AND (%(store)s::text IS NULL OR return_id IN "
    "(SELECT return_id FROM swap.returns WHERE store = %(store)s))"
)


def count(conn: psycopg.Connection[Any], *, owner: str = "", kind: str = "", store: str | None = None) -> int:
    """How many are open, of an owner or kind (empty: all), or of one store's returns (None: all)."""
    wanted = {"owner": owner, "kind": kind, "store": store}
    row = conn.execute(f"SELECT count(*) {_OPEN}".encode(), wanted).fetchone()
    return int(row[0]) if row else 0


def open_exceptions(
    conn: psycopg.Connection[Any],
    *,
    owner: str = "",
    kind: str = "",
    store: str | None = None,
    limit: int | None = None,
    skipped: int = 0,
) -> Iterator[dict[str, Any]]:
    """Open exceptions of an owner, kind or store (empty: all), the most money at risk first, then the oldest.

    At most ``limit`` after ``skipped``. They come as they are asked for: whoever takes them keeps only what they want.
    """
    with conn.cursor("open_exceptions", row_factory=dict_row) as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(
            "SELECT exception_id, kind, subject, rma, owner, severity, message, suggestion, money_at_risk_pence, "
            f"currency, opened_at {_OPEN} ORDER BY money_at_risk_pence DESC, opened_at, exception_id "
            "LIMIT %(limit)s OFFSET %(skipped)s".encode(),
            {"owner": owner, "kind": kind, "store": store, "limit": limit, "skipped": skipped},
        )
        yield from cursor


def worst(conn: psycopg.Connection[Any], kinds: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """Open exceptions of these kinds, the most money first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT kind, subject, rma, owner, severity, money_at_risk_pence, currency, message, suggestion, opened_at "
            "FROM recon.exceptions WHERE closed_at IS NULL AND kind = ANY(%s) "
            "ORDER BY money_at_risk_pence DESC, subject LIMIT %s",
            (list(kinds), limit),
        ).fetchall()


def sums(conn: psycopg.Connection[Any], kinds: Sequence[str]) -> list[OpenSum]:
    """What is open of these kinds, by currency; pounds where no money is at risk."""
    with conn.cursor(row_factory=class_row(OpenSum)) as cursor:
        return cursor.execute(
            "SELECT coalesce(nullif(currency, ''), 'GBP') AS currency, count(*) AS count, "
            "count(*) FILTER (WHERE severity = 'error') AS errors, sum(money_at_risk_pence)::bigint AS pence "
            "FROM recon.exceptions WHERE closed_at IS NULL AND kind = ANY(%s) GROUP BY 1 ORDER BY 1",
            (list(kinds),),
        ).fetchall()


def sku_causes(conn: psycopg.Connection[Any], kinds: Sequence[str], limit: int) -> list[SkuCause]:
    """The SKUs for which returns wait, those of the most returns first; a return in two currencies is in two rows."""
    with conn.cursor(row_factory=class_row(SkuCause)) as cursor:
        return cursor.execute(
            "SELECT sku, kind, currency, count(DISTINCT return_id) AS returns, "
            "sum(money_at_risk_pence)::bigint AS pence, max(suggestion) AS suggestion, min(opened_at) AS since "
            "FROM recon.exceptions WHERE closed_at IS NULL AND sku <> '' AND kind = ANY(%s) GROUP BY 1, 2, 3 "
            "ORDER BY 4 DESC, 5 DESC, 1 LIMIT %s",
            (list(kinds), limit),
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
