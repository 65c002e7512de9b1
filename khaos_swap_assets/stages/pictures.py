"""Pictures of our tables, for the UI.

Belongs here: reading the few figures that a picture needs, drawing it only when they are others than last time, and
turning it into metadata. Stays out: drawing (``reporting.tables``), keeping (``adapters.store.pictures``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import dagster as dg

from khaos_swap_assets.adapters.store import monthly, notes, pictures
from khaos_swap_assets.domain.reporting.tables import draw_gap_by_cause, draw_gap_by_month, draw_value_by_day
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.presenting import picture

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.domain.reporting.month_end import MonthEnd

DAYS_SHOWN = 60
MONTHS_SHOWN = 12
Data = TypeVar("Data")


def shown(
    conn: psycopg.Connection, name: str, draw: Callable[[Data], bytes], data: Data, words: str, now: datetime
) -> dg.MetadataValue:
    """The picture of ``data``: as kept under ``name`` while data and drawing code are the same, else drawn.

    One that cannot be drawn is told as such, and ends nothing.
    """
    drawn_of = sha256(Path(inspect.getfile(draw)).read_bytes() + repr(data).encode()).hexdigest()
    png = pictures.find(conn, name, drawn_of)
    return picture(png, words) if png is not None else _drawn(conn, name, draw, data, (drawn_of, words), now)


def _drawn(
    conn: psycopg.Connection,
    name: str,
    draw: Callable[[Data], bytes],
    data: Data,
    of: tuple[str, str],
    now: datetime,
) -> dg.MetadataValue:
    drawn_of, words = of
    faults = isolating.Faults(isolating.DRAWING)
    is_due = bool(isolating.to_try(conn, isolating.DRAWING, [name], now))
    for png in faults.tried(name, draw, data) if is_due else ():
        pictures.keep(conn, name, drawn_of, png)
        faults.keep(conn, [name], now)
        return picture(png, words)
    faults.keep(conn, (), now)
    return dg.MetadataValue.text(f"{words}: the picture could not be drawn, see the exception fault_in_return {name}")


def credit_by_day(conn: psycopg.Connection, now: datetime) -> dg.MetadataValue | None:
    """Value of Credit Notes attributed to returns, by day of creation and currency; None while there is none."""
    rows = notes.credited_by_day(conn, DAYS_SHOWN)
    if not rows:
        return None
    words = f"Credit Notes by day, {rows[0][0]} to {rows[-1][0]}"
    return shown(conn, "credit_by_day", draw_value_by_day, rows, words, now)


def gap_by_cause(conn: psycopg.Connection, months: Sequence[MonthEnd], now: datetime) -> dg.MetadataValue | None:
    """The gap of a month by cause and currency; None where nothing is apart."""
    causes = {month.currency: month.causes for month in months if any(month.causes.values())}
    if not causes:
        return None
    period = months[0].period
    return shown(conn, f"gap_by_cause {period}", draw_gap_by_cause, causes, f"Gap by cause, {period}", now)


def gap_by_month(conn: psycopg.Connection, last: str, now: datetime) -> dg.MetadataValue | None:
    """The legs of the gaps of the twelve months up to one, as last computed; None where nothing is apart in any."""
    rows = monthly.causes_up_to(conn, last, MONTHS_SHOWN)
    if not any(any(causes.values()) for _, _, causes in rows):
        return None
    words = f"Gap by cause and month, {rows[0][0]} to {rows[-1][0]}"
    return shown(conn, f"gap_by_month {last}", draw_gap_by_month, rows, words, now)
