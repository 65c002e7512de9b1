"""Reading the exceptions that are open, for people.

Belongs here: lists of ``recon.exceptions``. Stays out: opening and closing by condition (``findings``), waiving
(``stages.credit_notes.hands``).
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row


def open_exceptions(conn: psycopg.Connection[Any], *, owner: str = "", kind: str = "") -> list[dict[str, Any]]:
    """Open exceptions of an owner or kind (empty: all), the most money at risk first, then the oldest."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT exception_id, kind, subject, owner, severity, message, suggestion, money_at_risk_pence, currency, "
            "opened_at FROM recon.exceptions WHERE closed_at IS NULL AND (owner = %(owner)s OR %(owner)s = '') "
            "AND (kind = %(kind)s OR %(kind)s = '') ORDER BY money_at_risk_pence DESC, opened_at, exception_id",
            {"owner": owner, "kind": kind},
        ).fetchall()
