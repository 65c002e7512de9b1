"""Verdicts in our store: one row a return, as it was last judged.

Belongs here: writing them, and which are due again. Stays out: the judgement (``judging.verdict``), the findings that
come with it (``findings``) and the months (``monthly``). Shape: table ``recon.reconciliation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.records.decisions import Figures

LEG_COLUMNS = tuple(f"gap_{leg}_pence" for leg in LEGS)
COLUMNS = (
    *("return_id", "store_id", "rma", "currency", "refund_pence", "credited_pence", "issued_pence", "gap_pence"),
    *("gap_evidence", *LEG_COLUMNS, "vat_gap_pence", "refund_vat_pence", "status", "matched_by"),
    *("credit_note_codes", "period", "next_due_at", "reconciled_at"),
)
SHOWN = ("rma", "currency", "gap_pence", *LEG_COLUMNS, "vat_gap_pence", "gap_evidence")


def save(conn: psycopg.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep these verdicts, each with the columns of ``COLUMNS``, in place of those before."""
    bulk.upsert(conn, "recon.reconciliation", COLUMNS, ["return_id"], rows)


def figures(conn: psycopg.Connection[Any], return_id: str) -> Figures | None:
    """What was refunded and credited of a return, as it was judged last; None for one that never was."""
    row = conn.execute(
        "SELECT refund_pence, credited_pence, currency FROM recon.reconciliation WHERE return_id = %s", (return_id,)
    ).fetchone()
    return Figures(None, *row) if row else None


def due(conn: psycopg.Connection, now: datetime, limit: int) -> list[str]:
    """Returns of which time alone has changed the verdict."""
    query = "SELECT return_id FROM recon.reconciliation WHERE next_due_at <= %s LIMIT %s"
    return [row[0] for row in conn.execute(query, (now, limit))]


def not_due(conn: psycopg.Connection, return_ids: Sequence[str]) -> None:
    """Time alone brings these returns back no more: a fault of theirs does."""
    conn.execute("UPDATE recon.reconciliation SET next_due_at = NULL WHERE return_id = ANY(%s)", (list(return_ids),))


def at_risk(conn: psycopg.Connection, kinds: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """The gaps of the returns with the most money at risk in open exceptions of these kinds, leg by leg."""
    names = ", ".join(f"r.{name}" for name in SHOWN)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT {names} FROM recon.exceptions e JOIN recon.reconciliation r USING (return_id) "
            "WHERE e.closed_at IS NULL AND e.kind = ANY(%s) "
            "ORDER BY e.money_at_risk_pence DESC, e.subject LIMIT %s".encode(),
            (list(kinds), limit),
        ).fetchall()
