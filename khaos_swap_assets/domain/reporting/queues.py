"""Who waits: the queue of each owner through a month and when it will be empty, and customers for their refund.

Belongs here: those figures, the forecast from a queue's pace, the clock of a refund. Stays out: which exceptions and
returns these are (``adapters.store``). Money is pence, at risk as it was last seen; opening and new less resolved is
closing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import refund_clock

PACE_DAYS = 28
"""The days before now whose pace the forecast goes by."""


@dataclass(frozen=True, slots=True)
class Some:
    """So many exceptions and the money at risk in them."""

    count: int
    pence: int


@dataclass(frozen=True, slots=True)
class OwnerQueue:
    """The exceptions of an owner in one currency over a time; what a person waived in it is resolved."""

    owner: str
    currency: str
    opening: Some
    new: Some
    resolved: Some
    closing: Some

    def empty_on(self, today: date) -> date | None:
        """The day on which nothing is left at the pace of these ``PACE_DAYS``; None where it does not get shorter."""
        pace = self.resolved.count - self.new.count
        if not self.closing.count:
            return today
        return today + timedelta(days=-(-self.closing.count * PACE_DAYS // pace)) if pace > 0 else None

    def told(self, some: Some) -> str:
        """A part of it for a person: ``2, £74.97``."""
        return f"{some.count}, {format_money(some.pence, self.currency)}"


def waiting_rows(waiting: Iterable[tuple[date, str, int, int]], today: date) -> list[dict[str, str | int]]:
    """Customers who wait for a refund (day of arrival, currency, returns, pence), by their clock (U-10)."""
    rows: list[dict[str, str | int]] = []
    for arrived_on, currency, returns, pence in sorted(waiting):
        clock = refund_clock(arrived_on)
        told = "over" if today >= clock.breach_on else "due soon" if today >= clock.warn_on else "in time"
        money = format_money(pence, currency)
        row: dict[str, str | int] = {"days waited": (today - arrived_on).days, "returns": returns, "to refund": money}
        rows.append({**row, "last day": str(clock.last_day), "clock": told})
    return rows


def queue_rows(month: Iterable[OwnerQueue], lately: Iterable[OwnerQueue], today: date) -> list[dict[str, str]]:
    """Each queue of a month, and when that of now (``lately``) will be empty."""
    ends = {(one.owner, one.currency): one.empty_on(today) or "not at the pace of the last 28 days" for one in lately}
    return [
        {
            "queue": one.owner,
            "opening": one.told(one.opening),
            "new": one.told(one.new),
            "resolved": one.told(one.resolved),
            "closing": one.told(one.closing),
            "empty on": str(ends.get((one.owner, one.currency), today)),
        }
        for one in month
    ]
