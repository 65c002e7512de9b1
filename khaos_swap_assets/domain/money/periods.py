"""Periods: which London day and calendar month a moment belongs to.

Belongs here: the month of a UTC moment, the UTC bounds of a month, the years that count. Stays out: what happens at a
month's end. Source: FINANCE_RULES U-18, DESIGN §6.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
YEARS = range(1990, 2101)


class OutsideError(ValueError):
    """A date of no trade that anybody could have: years 1 and 9999 overflow whatever is reckoned with them."""


def require_trade(year: int) -> None:
    """Raise ``OutsideError`` unless a trade of this year is possible."""
    if year not in YEARS:
        raise OutsideError(f"is outside the years {YEARS[0]} to {YEARS[-1]}")


def london_date(moment: datetime) -> date:
    """The calendar day in London at an aware moment. Raises ``ValueError`` for a naive one."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: its London day is unknown")
    return moment.astimezone(LONDON).date()


def london_month(moment: datetime) -> str:
    """The London calendar month of an aware moment as ``YYYY-MM``. Raises ``ValueError`` for a naive one."""
    return f"{london_date(moment):%Y-%m}"


def month_bounds(period: str) -> tuple[datetime, datetime]:
    """First moment of a London month and of the next one, both UTC. Raises ``ValueError`` when not ``YYYY-MM``."""
    if not re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", period, re.ASCII):
        raise ValueError(f"{period!r} is no month: YYYY-MM is expected")
    year, month = int(period[:4]), int(period[5:])
    return _month_start(year, month), _month_start(year + month // 12, month % 12 + 1)


def _month_start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=LONDON).astimezone(UTC)
