"""Reading the exceptions that are open, for people.

Belongs here: lists of ``recon.exceptions``. Stays out: opening and closing by condition (``findings``), waiving
(``stages.credit_notes.people``).
"""

from __future__ import annotations

from collections.abc import Iterator
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
            "SELECT exception_id, kind, subject, owner, severity, message, suggestion, money_at_risk_pence, currency, "
            f"opened_at {_OPEN} ORDER BY money_at_risk_pence DESC, opened_at, exception_id "
            "LIMIT %(limit)s OFFSET %(skipped)s".encode(),
            {"owner": owner, "kind": kind, "limit": limit, "skipped": skipped},
        )
        yield from cursor
