"""The clocks that a refund and goods that came back start.

Belongs here: deadlines in calendar days of London. Stays out: amounts (``money.tax``) and VAT periods
(``money.vat_periods``). Source: FINANCE_RULES U-3, U-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

CLOCK_DAYS = 14
NOTE_WARNING_DAY = 10
REFUND_WARNING_DAYS = 10


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
