"""Returns by month in our store: those whose money is of several months, and all of them as the month end reads them.

Belongs here: writing the months of returns and asking which months a return is in. Stays out: how a return falls to
months (``reporting.month_parts``). Shapes: table ``recon.month_parts``, view ``recon.monthly`` (migration 0019).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.reporting.month_parts import MonthPart

COLUMNS = (
    "return_id",
    "period",
    "refund_pence",
    "credited_pence",
    "issued_pence",
    "gap_pence",
    *(f"gap_{leg}_pence" for leg in LEGS),
    "gap_timing_pence",
    "refund_vat_pence",
    "vat_gap_pence",
    "status",
)
MONTH_OF_TROUBLE = (
    "coalesce((SELECT max(m.period) FROM recon.monthly m WHERE m.return_id = r.return_id AND m.period <> '' "
    "AND m.refund_pence <> m.issued_pence), r.period)"
)
"""SQL: the month to which what is wrong with a return ``r`` belongs: the newest whose money is not all credited."""


def replace(conn: psycopg.Connection, return_ids: Sequence[str], found: Iterable[tuple[str, MonthPart]]) -> None:
    """Make these (return id, part) the only months of these returns."""
    conn.execute("DELETE FROM recon.month_parts WHERE return_id = ANY(%s)", (list(return_ids),))
    bulk.copy_rows(conn, "recon.month_parts", COLUMNS, [_row(return_id, part) for return_id, part in found])


def periods_of(conn: psycopg.Connection, return_ids: Sequence[str]) -> set[str]:
    """The months whose figures these returns are in."""
    rows = conn.execute(
        "SELECT DISTINCT period FROM recon.monthly WHERE return_id = ANY(%s) AND period <> '' "
        "AND status <> 'nothing_due'",
        (list(return_ids),),
    )
    return {row[0] for row in rows}


def _row(return_id: str, part: MonthPart) -> tuple[Any, ...]:
    return (
        return_id,
        part.period,
        part.refund_pence,
        part.credited_pence,
        part.issued_pence,
        part.gap_pence,
        *part.legs,
        part.timing_pence,
        part.refund_vat_pence,
        part.vat_gap_pence,
        part.status,
    )


def returns_of(conn: psycopg.Connection, period: str) -> list[str]:
    """The returns that are in a month."""
    rows = conn.execute("SELECT DISTINCT return_id FROM recon.monthly WHERE period = %s", (period,)).fetchall()
    return [row[0] for row in rows]
