"""Pictures of our tables, for the UI.

Belongs here: reading the few figures that a picture needs, drawing it only when they are others than last time, and
turning it into metadata. Stays out: drawing (``reporting.tables``), keeping (``adapters.store.pictures``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import dagster as dg

from khaos_swap_assets.adapters.store import pictures
from khaos_swap_assets.domain.reporting.tables import draw_gap_by_cause, draw_gap_by_month, draw_value_by_day
from khaos_swap_assets.stages.presenting import picture

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.domain.reporting.month_end import MonthEnd

DAYS_SHOWN = 60
MONTHS_SHOWN = 12
Data = TypeVar("Data")


def drawn(conn: psycopg.Connection, name: str, draw: Callable[[Data], bytes], data: Data) -> bytes:
    """The picture (PNG) of ``data``: as kept under ``name`` while data and drawing code are the same, else drawn."""
    drawn_of = sha256(Path(inspect.getfile(draw)).read_bytes() + repr(data).encode()).hexdigest()
    kept = pictures.find(conn, name, drawn_of)
    if kept is not None:
        return kept
    png = draw(data)
    pictures.keep(conn, name, drawn_of, png)
    return png


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
    png = drawn(conn, "credit_by_day", draw_value_by_day, rows)
    return picture(png, f"Credit Notes by day, {rows[0][0]} to {rows[-1][0]}")


def gap_by_cause(conn: psycopg.Connection, months: Sequence[MonthEnd]) -> dg.MetadataValue | None:
    """The gap of a month by cause and currency; None where nothing is apart."""
    causes = {month.currency: month.causes for month in months if any(month.causes.values())}
    if not causes:
        return None
    period = months[0].period
    return picture(drawn(conn, f"gap_by_cause {period}", draw_gap_by_cause, causes), f"Gap by cause, {period}")


def gap_by_month(conn: psycopg.Connection, last: str) -> dg.MetadataValue | None:
    """The legs of the gaps of the twelve months up to one, as last computed; None where nothing is apart in any."""
    rows = conn.execute(
        "SELECT period, currency, figures -> 'causes' FROM recon.month_end WHERE period <= %s AND period > "
        "to_char(to_date(%s, 'YYYY-MM') - make_interval(months => %s), 'YYYY-MM') ORDER BY 1, 2",
        (last, last, MONTHS_SHOWN),
    ).fetchall()
    if not any(any(causes.values()) for _, _, causes in rows):
        return None
    png = drawn(conn, f"gap_by_month {last}", draw_gap_by_month, rows)
    return picture(png, f"Gap by cause and month, {rows[0][0]} to {rows[-1][0]}")
