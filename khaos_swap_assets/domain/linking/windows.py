"""How many days may lie between a Credit Note and what it is laid beside: every window of linking, with its reason.

Belongs here: the days, each with why they are so many. Stays out: what a window decides (``linking.evidence``,
``linking.witness``). Days are London's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DayWindow:
    """A note may be made ``before`` to ``after`` days from ``since``; without ``after`` on any later day."""

    since: str
    before: int
    after: int | None
    reason: str

    def holds(self, made_on: date, since: date) -> bool:
        """True for a note that was made within the window."""
        days = (made_on - since).days
        return -self.before <= days and (self.after is None or days <= self.after)


REFUND = DayWindow(
    "the refund",
    3,
    30,
    "Staff credit when the parcel is here, up to a weekend before the money moves, and within a month after it. Of two "
    "returns that fit, one is clearly nearer only where it is nearer by more than the days before.",
)
HANDED_OUT = DayWindow(
    "the day on which our document was handed out",
    1,
    30,
    "Khaos writes days without a zone, so that a day's difference proves nothing; a document that Khaos holds for more "
    "than a month is for a person.",
)
INVOICE = DayWindow(
    "the invoice of the goods",
    1,
    None,
    "Nothing is credited before it was sold; the zones of the two systems' days are not documented, so that a day's "
    "difference proves nothing.",
)
