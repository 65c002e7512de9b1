"""The rows of the reconciliation: a return, a Credit Note that no return has for certain, or money without a return.

Belongs here: the record, figures that follow from one row, what is plainly in step as rows among all others, and the
plain words of statuses, steps and legs for people who never saw the field names. Stays out: how a row comes about
(``engine``, ``in_step``) and how it is written (``writing``). Money is minor units of the row's currency.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from khaos_swap_assets.adapters.files.written import OWN, Alike
from khaos_swap_assets.audit.in_step import InStep
from khaos_swap_assets.domain.judging.month_conditions import Timing
from khaos_swap_assets.domain.judging.value_conditions import UNRECONCILED, WORST_FIRST, Status
from khaos_swap_assets.domain.judging.waterfall import LEGS

NO_LEGS = {str(leg): 0 for leg in LEGS}
MATCHED: Status = "matched"
BY_REFERENCE, CERTAIN, SUGGESTED = "reference", "certain", "suggested"
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class RowMonth:
    """What one London month (empty: no date) holds of a row; ``open_pence`` is not reconciled, without sign."""

    period: str
    refund_pence: int
    credited_pence: int
    open_pence: int


class AuditRow(NamedTuple):
    """``legs`` add up to the gap; ``day`` is the London day of the refund or note, from which the row ages.

    ``months`` add up to the row where payments of several months made its refund, and are empty where ``period`` holds
    all of it. ``open_pence`` is what of it the books do not show or show wrongly, without sign. ``timing`` are the days
    of payments and notes, ``decision`` who decided what and why.
    """

    currency: str
    refund_pence: int
    credited_pence: int
    status: Status
    rma: str = ""
    return_id: str = ""
    order_ref: str = ""
    credit_note_codes: tuple[str, ...] = ()
    matched_by: str = ""
    certainty: str = ""
    day: date | None = None
    vat_gap_pence: int | None = None
    legs: Mapping[str, int] = NO_LEGS
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

    @property
    def turn(self) -> tuple[int, int, str, str, tuple[str, ...], str]:
        """Where it stands among others: the worst status first, then the most money."""
        size = -max(abs(self.gap_pence), self.open_pence)
        status = WORST_FIRST.index(self.status)
        return status, size, self.rma, self.return_id, self.credit_note_codes, self.order_ref


def joined(values: Iterable[object]) -> str:
    """Several values of one cell."""
    return ";".join(map(str, values))


class Rows:
    """All rows of a report in order: ``judged`` ones, and among them those ``in_step`` whose day the span ``holds``.

    ``own`` are the cells in which one in step differs from another, column by column; days of it are shown as ISO.
    """

    def __init__(self, judged: Sequence[AuditRow], in_step: Sequence[InStep], holds: Callable[[date], bool]) -> None:
        self.judged, self.in_step = judged, in_step
        self._shown = some = [one for one in in_step if holds(one.paid_on)]
        self._places = [bisect_left(some, row.turn, key=lambda one: _row(one).turn) for row in judged]
        days = {day for one in some for day in (one.paid_on, one.made_on)}
        shown, months = {day: day.isoformat() for day in days}, {day: f"{day:%Y-%m}" for day in days}
        self.own: Mapping[str, Sequence[Any]] = {
            "rma": [one.rma for one in some],
            "return_id": [one.return_id for one in some],
            "order_ref": [one.order_ref for one in some],
            "credit_note_codes": [one.note_code for one in some],
            "currency": [one.currency for one in some],
            "refund_pence": (pence := [one.pence for one in some]),
            "credited_pence": pence,
            "day": [one.paid_on for one in some],
            "period": [months[one.paid_on] for one in some],
            "paid_on": [shown[one.paid_on] for one in some],
            "credited_on": [shown[one.made_on] for one in some],
        }

    def __len__(self) -> int:
        return len(self.judged) + len(self._shown)

    def __iter__(self) -> Iterator[AuditRow]:
        return self._in_order(self.judged, map(_row, self._shown))

    def cells(
        self, cells_of: Callable[[AuditRow], Sequence[Any]], own: Mapping[int, Iterable[Any]]
    ) -> Iterator[Sequence[Any] | Alike]:
        """The cells of each row; ``own`` are those of rows in step by their place, beside which they are alike."""

        def base(one: InStep) -> tuple[Any, ...]:
            return tuple(OWN if place in own else cell for place, cell in enumerate(cells_of(_row(one))))

        kinds = [(one.currency, one.has_vat) for one in self._shown]
        bases = {kind: base(one) for kind, one in dict(zip(kinds, self._shown, strict=True)).items()}
        alike = map(Alike, map(bases.__getitem__, kinds), zip(*own.values(), strict=True))
        return self._in_order(map(cells_of, self.judged), alike)

    def _in_order(self, judged: Iterable[Told], in_step: Iterator[Told]) -> Iterator[Told]:
        """What is told of each row, one after the other: each of the judged ones is placed among those in step."""
        done = 0
        for place, one in zip(self._places, judged, strict=True):
            yield from islice(in_step, place - done)
            yield one
            done = place
        yield from in_step

    @property
    def months(self) -> Mapping[str, Mapping[str, int]]:
        """The pence of the rows in step by currency and London month."""
        found = defaultdict[str, Counter[str]](Counter)
        for one, month in zip(self._shown, self.own["period"], strict=True):
            found[one.currency][month] += one.pence
        return found


def _row(one: InStep) -> AuditRow:
    return AuditRow(
        rma=one.rma,
        return_id=one.return_id,
        order_ref=one.order_ref,
        credit_note_codes=(one.note_code,),
        currency=one.currency,
        refund_pence=one.pence,
        credited_pence=one.pence,
        status=MATCHED,
        matched_by=BY_REFERENCE,
        certainty=CERTAIN,
        day=one.paid_on,
        vat_gap_pence=0 if one.has_vat else None,
        legs=NO_LEGS,
        timing=Timing(((one.paid_on, one.pence),), ((one.made_on, one.pence),)),
    )


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
STEP_WORDS = {**LEG_WORDS, **STATUS_WORDS, "in_flight": "Credit Note not due yet"}
