"""The legs of the worst gaps as a table, in pence.

Belongs here: the penny waterfall of single returns as the UI shows it. Stays out: how a leg is found
(``judging.waterfall``) and the sums of a month (``reporting.month_end``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, without_empty

if TYPE_CHECKING:
    import dagster as dg
    import psycopg

LEG_COLUMNS = tuple(f"gap_{leg}_pence" for leg in LEGS)
SHOWN = ("rma", "currency", "gap_pence", *LEG_COLUMNS, "vat_gap_pence", "gap_evidence")
TIMED = (*SHOWN[:-2], "gap_timing_pence", *SHOWN[-2:])


def legs_of_open(conn: psycopg.Connection, kinds: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 returns with the most money at risk in open exceptions of ``kinds``."""
    return _table(
        conn,
        "recon.exceptions e JOIN recon.reconciliation r USING (return_id) WHERE e.closed_at IS NULL "
        "AND e.kind = ANY(%s) ORDER BY e.money_at_risk_pence DESC, e.subject",
        SHOWN,
        list(kinds),
    )


def legs_of_month(conn: psycopg.Connection, periods: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 largest gaps of these months."""
    return _table(
        conn,
        "recon.monthly r WHERE r.period = ANY(%s) AND r.gap_pence <> 0 ORDER BY abs(r.gap_pence) DESC, r.rma",
        TIMED,
        list(periods),
    )


def _table(conn: psycopg.Connection, source: str, columns: Sequence[str], value: list[str]) -> dg.MetadataValue:
    names = ", ".join(f"r.{name}" for name in columns)
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(f"SELECT {names} FROM {source} LIMIT %s".encode(), (value, WORST_ROWS)).fetchall()
    return as_table(without_empty(rows, [name for name in columns if name in (*LEG_COLUMNS, "gap_timing_pence")]))
