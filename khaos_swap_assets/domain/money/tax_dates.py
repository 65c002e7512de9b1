"""When a refund counts for VAT, and the clocks that it starts.

Belongs here: tax dates, VAT periods and deadlines in calendar days of London. Stays out: amounts (``money.tax``).
Source: FINANCE_RULES U-1 to U-3, U-10.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from khaos_swap_assets.domain.money.tax import Amount, Rate, credit_of

CLOCK_DAYS = 14
NOTE_WARNING_DAY = 10
REFUND_WARNING_DAYS = 10


@dataclass(frozen=True, slots=True)
class VatPeriods:
    """The VAT periods of a business: months, or quarters of which one ends in ``quarter_ends_in`` (1 to 12)."""

    quarter_ends_in: int | None = 3

    def end_of(self, day: date) -> date:
        """Last day of the period that holds the day."""
        months = 0 if self.quarter_ends_in is None else (self.quarter_ends_in - day.month) % 3
        last = day.month + months
        year, month = day.year + (last - 1) // 12, (last - 1) % 12 + 1
        following = date(year + month // 12, month % 12 + 1, 1)
        return following - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that went back to the customer; ``vat_percent`` is that of the sale, None without a sale (U-25)."""

    paid_on: date
    gross_pence: int
    vat_percent: Rate | None = 20


def decreases(payments: Iterable[Payment], periods: VatPeriods) -> dict[date, Amount]:
    """What each VAT period (by its last day) is reduced by: each payment by itself, on the day it was made (U-1, U-2).

    Without a payment there is none. Amounts are positive; the reduction is their negative.
    """
    found: dict[date, Amount] = defaultdict(lambda: Amount(0, 0, 0))
    for payment in payments:
        found[periods.end_of(payment.paid_on)] += credit_of(payment.gross_pence, payment.vat_percent)
    return dict(found)


@dataclass(frozen=True, slots=True)
class NoteTiming:
    """Whether a note stands in the right VAT period; ``days_late`` counts from the payment, 0 when in time."""

    problem: Literal["", "no_payment", "other_period"]
    days_late: int


def note_timing(note_on: date, paid_on: Sequence[date], periods: VatPeriods) -> NoteTiming:
    """Compare a note's date with the payments that it records; the first of them decides (U-1)."""
    if not paid_on:
        return NoteTiming("no_payment", 0)
    first = min(paid_on)
    is_same = {periods.end_of(day) for day in paid_on} == {periods.end_of(note_on)}
    return NoteTiming("" if is_same else "other_period", max((note_on - first).days, 0))


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline: the day to warn, the last day, the first day past it, and whether law asks for it."""

    warn_on: date
    last_day: date
    breach_on: date
    is_duty: bool


def note_clock(paid_on: date, *, is_taxable_person: bool | None) -> Clock:
    """The days for issuing a Credit Note: 14 beginning with the payment's own (U-3).

    For a consumer they are a target of the house; an unknown customer counts as a business.
    """
    last = paid_on + timedelta(days=CLOCK_DAYS - 1)
    warn = paid_on + timedelta(days=NOTE_WARNING_DAY - 1)
    return Clock(warn, last, last + timedelta(days=1), is_taxable_person is not False)


def refund_clock(received_on: date | None, posted_on: date | None) -> Clock | None:
    """The consumer's refund: 14 days after the goods are back or, if earlier, after proof of posting (U-10).

    None while neither is known.
    """
    start = min((day for day in (received_on, posted_on) if day), default=None)
    if start is None:
        return None
    due = start + timedelta(days=CLOCK_DAYS)
    return Clock(start + timedelta(days=REFUND_WARNING_DAYS), due, due + timedelta(days=1), is_duty=True)
