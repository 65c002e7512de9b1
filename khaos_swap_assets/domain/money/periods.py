"""Periods and deadlines: the London day and month of a moment, VAT periods, and the clocks that a refund starts.

Belongs here: the month of a UTC moment, the UTC bounds of a month, the years that count, VAT periods (calendar months,
or quarters that end in a chosen month), and deadlines in calendar days of London. Stays out: amounts (``money.tax``)
and what falls into the wrong period (``judging.month_conditions``). Source: FINANCE_RULES U-1 to U-3, U-10, U-18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, get_args
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


def months_later(period: str, later: int) -> str:
    """The month that many months after ``YYYY-MM``, before it for less than none."""
    years, month = divmod(int(period[:4]) * 12 + int(period[5:]) - 1 + later, 12)
    return f"{years:04}-{month + 1:02}"


NIGHT = timedelta(hours=3, minutes=30)
"""After midnight: by then the widest reading of the night is over."""


def night_has_passed(since: datetime | None, now: datetime) -> bool:
    """Whether the middle of a night in London lies between two moments; so it does where nothing was done before."""
    return since is None or london_date(since - NIGHT) < london_date(now - NIGHT)


def day_words(day: date) -> str:
    """A day as people write it: ``9 March 2026``."""
    return f"{day.day} {day:%B %Y}"


def month_bounds(period: str) -> tuple[datetime, datetime]:
    """First moment of a London month and of the next one, both UTC. Raises ``ValueError`` when not ``YYYY-MM``."""
    if not re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", period, re.ASCII):
        raise ValueError(f"{period!r} is no month: YYYY-MM is expected")
    year, month = int(period[:4]), int(period[5:])
    return _month_start(year, month), _month_start(year + month // 12, month % 12 + 1)


def _month_start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=LONDON).astimezone(UTC)


VatPeriodsName = Literal["monthly", "quarters-1", "quarters-2", "quarters-3"]
NAMES: tuple[VatPeriodsName, ...] = get_args(VatPeriodsName)


def named(text: str) -> VatPeriodsName:
    """The name of the periods. Raises ``ValueError`` for any other text."""
    for name in NAMES:
        if name == text.strip().lower():
            return name
    raise ValueError(f"{text[:40]!r} is none of {', '.join(NAMES)}")


@dataclass(frozen=True, slots=True)
class VatPeriods:
    """``quarters-2`` are quarters of which one ends in February; the default is every month by itself."""

    name: VatPeriodsName = "monthly"

    def end_of(self, day: date) -> date:
        """Last day of the period that holds the day."""
        months = 0 if self.name == "monthly" else (int(self.name[-1]) - day.month) % 3
        after = 12 * day.year + day.month + months
        return date(after // 12, after % 12 + 1, 1) - timedelta(days=1)

    def months_of(self, month: str) -> tuple[str, ...]:
        """The months (``YYYY-MM``) of the period that holds the month, up to it."""
        last = 12 * int(month[:4]) + int(month[5:]) - 1
        first_days = [date(one // 12, one % 12 + 1, 1) for one in range(last - 2, last + 1)]
        return tuple(f"{day:%Y-%m}" for day in first_days if self.end_of(day) == self.end_of(first_days[-1]))

    @property
    def words(self) -> str:
        """The periods, for a person."""
        return "calendar months" if self.name == "monthly" else f"quarters ending in month {self.name[-1]}"


CLOCK_DAYS, WARNING_DAYS = 14, 10


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline: the day to warn, the last day, and the first day past it."""

    warn_on: date
    last_day: date
    breach_on: date


def note_clock(paid_on: date) -> Clock:
    """The days for issuing a Credit Note: 14 beginning with the payment's own (U-3).

    Nobody tells whether a customer is a business, so each counts as one: for a consumer they are a target of the house.
    """
    return refund_clock(paid_on - timedelta(days=1))


def refund_clock(received_on: date) -> Clock:
    """The consumer's refund: 14 days after the goods are back (U-10); Swap tells no earlier proof of posting."""
    warn_on, due, breach_on = (
        received_on + timedelta(days=days) for days in (WARNING_DAYS, CLOCK_DAYS, CLOCK_DAYS + 1)
    )
    return Clock(warn_on, due, breach_on)
