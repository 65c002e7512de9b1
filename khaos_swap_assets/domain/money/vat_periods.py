"""The VAT periods of a business: calendar months, or quarters that end in a chosen month.

Belongs here: which period a London day is in, and its name. Stays out: amounts (``money.tax``) and what falls into the
wrong period (``judging.month_conditions``). Source: FINANCE_RULES U-1, U-2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

VatPeriodsName = Literal["monthly", "quarters-1", "quarters-2", "quarters-3"]
NAMES: tuple[VatPeriodsName, ...] = get_args(VatPeriodsName)


def named(text: str) -> VatPeriodsName:
    """The name of the periods. Raises ``ValueError`` for any other text."""
    found = next((name for name in NAMES if name == text.strip().lower()), None)
    if found is None:
        raise ValueError(f"{text[:40]!r} is none of {', '.join(NAMES)}")
    return found


@dataclass(frozen=True, slots=True)
class VatPeriods:
    """``quarters-2`` are quarters of which one ends in February; the default is every month by itself."""

    name: VatPeriodsName = "monthly"

    def end_of(self, day: date) -> date:
        """Last day of the period that holds the day."""
        months = 0 if self.name == "monthly" else (int(self.name[-1]) - day.month) % 3
        last = day.month + months
        year, month = day.year + (last - 1) // 12, (last - 1) % 12 + 1
        return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)

    def months_of(self, month: str) -> tuple[str, ...]:
        """The months (``YYYY-MM``) of the period that holds the month, up to it."""
        year, number = int(month[:4]), int(month[5:])
        before = [(year + (number - 1 - back) // 12, (number - 1 - back) % 12 + 1) for back in (2, 1, 0)]
        end = self.end_of(date(year, number, 1))
        return tuple(f"{one}-{its:02}" for one, its in before if self.end_of(date(one, its, 1)) == end)

    @property
    def words(self) -> str:
        """The periods, for a person."""
        return "calendar months" if self.name == "monthly" else f"quarters ending in month {self.name[-1]}"
