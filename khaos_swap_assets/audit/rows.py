"""One row of the reconciliation: a return, a Credit Note that no return has for certain, or money without a return.

Belongs here: the record, figures that follow from one row, and the plain words of statuses, steps and legs for people
who never saw the field names. Stays out: how a row comes about (``engine``) and how it is written (``writing``). Money
is minor units of the row's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from khaos_swap_assets.domain.judging.month_conditions import Timing
from khaos_swap_assets.domain.judging.statuses import UNRECONCILED, Status

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RowMonth:
    """What one London month (empty: no date) holds of a row; ``open_pence`` is not reconciled, without sign."""

    period: str
    refund_pence: int
    credited_pence: int
    open_pence: int


class AuditRow(NamedTuple):
    """``legs`` add up to the gap; ``day`` is the London day of the refund or note, from which the row ages.

    ``evidence`` says of each leg which field shows it. ``months`` add up to the row where payments of several months
    made its refund, and are empty where ``period`` holds all of it. ``open_pence`` is what of it the books do not show
    or show wrongly, without sign. ``timing`` are the days of payments and notes, ``decision`` who decided what and why.
    """

    rma: str
    return_id: str
    order_ref: str
    credit_note_codes: tuple[str, ...]
    currency: str
    refund_pence: int
    credited_pence: int
    status: Status
    matched_by: str = ""
    certainty: str = ""
    day: date | None = None
    vat_gap_pence: int | None = None
    legs: Mapping[str, int] = NOTHING
    evidence: Mapping[str, str] = NOTHING
    open_pence: int = 0
    months: tuple[RowMonth, ...] = ()
    timing: Timing = Timing()
    decision: str = ""

    @property
    def gap_pence(self) -> int:
        """Credited less refunded: positive when Khaos credits too much."""
        return self.credited_pence - self.refund_pence

    @property
    def period(self) -> str:
        """London month, empty where no date is known; of several payments that of the last."""
        return f"{self.day:%Y-%m}" if self.day else ""

    @property
    def by_month(self) -> tuple[RowMonth, ...]:
        """The row by month, payment by payment."""
        return self.months or (RowMonth(self.period, self.refund_pence, self.credited_pence, self.open_pence),)

    @property
    def is_unreconciled(self) -> bool:
        """True when somebody has to act."""
        return self.status in UNRECONCILED


def joined(values: Iterable[object]) -> str:
    """Several values of one cell."""
    return ";".join(map(str, values))


STATUS_WORDS = {
    "duplicate": "Credited twice",
    "ambiguous": "Fits in more than one way",
    "value_gap": "Amounts differ",
    "paid_twice": "Refunded twice",
    "credit_note_missing": "Refunded, no Credit Note",
    "credit_note_orphan": "Credit Note without a return",
    "refund_without_return": "Refunded, no return",
    "in_flight": "Not due yet",
    "decided": "Decided by a person",
    "within_tolerance": "Within tolerance",
    "matched": "Matched",
    "nothing_due": "Nothing due",
}
LEG_WORDS = {
    "goods": "Goods",
    "quantity": "Quantity",
    "tax": "Tax",
    "delivery": "Delivery",
    "discount": "Discount",
    "fee": "Return fee",
    "tender": "Gift card or store credit",
    "exchange": "Exchange",
    "fx": "Exchange rate",
    "rounding": "Rounding",
    "unexplained": "Not explained",
}
STEP_WORDS = {
    **LEG_WORDS,
    "in_flight": "Credit Note not due yet",
    "credit_note_missing": "Refunded, no Credit Note",
    "credit_note_orphan": "Credit Note without a return",
    "ambiguous": "Fits in more than one way",
    "refund_without_return": "Refunded, no return",
}
