"""Pictures of our tables, for the UI.

Belongs here: reading the few figures that a picture needs and turning it into metadata. Stays out: drawing
(``domain.report``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import dagster as dg

from khaos_swap_assets.stages.presenting import picture

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.domain.month_end import MonthEnd

DAYS_SHOWN = 60
MONTHS_SHOWN = 12


def credit_by_day(conn: psycopg.Connection) -> dg.MetadataValue | None:
    """Value of Credit Notes attributed to returns, by day of creation and currency; None while there is none."""
    newest = conn.execute("SELECT max(created_on) FROM khaos.credit_notes WHERE return_id IS NOT NULL").fetchone()
    if newest is None or newest[0] is None:
        return None
    rows = conn.execute(
        "SELECT created_on, currency, sum(gross_pence)::bigint FROM khaos.credit_notes WHERE return_id IS NOT NULL "
        "AND created_on > %s GROUP BY 1, 2 ORDER BY 1, 2",
        (newest[0] - timedelta(days=DAYS_SHOWN),),
    ).fetchall()
    return picture(_drawn(tuple(rows)), f"Credit Notes by day, {rows[0][0]} to {rows[-1][0]}")


@lru_cache(maxsize=4)
def _drawn(rows: tuple[tuple[date, str, int], ...]) -> bytes:
    """Drawing takes longer than all else of a run that changed nothing."""
    from khaos_swap_assets.domain.report import draw_value_by_day

    return draw_value_by_day(rows)


def gap_by_cause(months: Sequence[MonthEnd]) -> dg.MetadataValue | None:
    """The gap of a month by cause and currency; None where nothing is apart."""
    causes = {month.currency: month.causes for month in months if any(month.causes.values())}
    if not causes:
        return None
    from khaos_swap_assets.domain.report import draw_gap_by_cause

    return picture(draw_gap_by_cause(causes), f"Gap by cause, {months[0].period}")


def gap_by_month(conn: psycopg.Connection, last: str) -> dg.MetadataValue | None:
    """The legs of the gaps of the twelve months up to one, as last computed; None where nothing is apart in any."""
    rows = conn.execute(
        "SELECT period, currency, figures -> 'causes' FROM recon.month_end WHERE period <= %s AND period > "
        "to_char(to_date(%s, 'YYYY-MM') - make_interval(months => %s), 'YYYY-MM') ORDER BY 1, 2",
        (last, last, MONTHS_SHOWN),
    ).fetchall()
    if not any(any(causes.values()) for _, _, causes in rows):
        return None
    from khaos_swap_assets.domain.report import draw_gap_by_month

    return picture(draw_gap_by_month(rows), f"Gap by cause and month, {rows[0][0]} to {rows[-1][0]}")
