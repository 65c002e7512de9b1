"""What is plainly in step as rows of the report, each made when it is asked for.

Belongs here: these rows among all others, and their sums. Stays out: which they are (``in_step``) and what the report
does with a row (``summary``, ``writing``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import compress, islice
from typing import Any, TypeVar

from khaos_swap_assets.adapters.files.written import OWN, Alike
from khaos_swap_assets.audit.engine import Span, order_of
from khaos_swap_assets.audit.in_step import InStep
from khaos_swap_assets.audit.rows import AuditRow, RowMonth
from khaos_swap_assets.domain.judging.month_conditions import Timing
from khaos_swap_assets.domain.judging.statuses import Status
from khaos_swap_assets.domain.judging.waterfall import LEGS

MATCHED: Status = "matched"
BY_REFERENCE, CERTAIN = "reference", "certain"
NO_LEGS = {str(leg): 0 for leg in LEGS}
Told = TypeVar("Told")


class Rows:
    """All rows of a report in order: ``judged`` ones, and among them those in step that lie in the span.

    ``own`` are the cells in which one in step differs from another, column by column; days of it are shown as ISO.
    """

    def __init__(self, judged: Sequence[AuditRow], in_step: InStep | None = None, span: Span | None = None) -> None:
        self.judged, self.in_step = judged, in_step or InStep()
        is_in = [span is None or span.holds(day) for day in self.in_step.paid_on]
        some = InStep(*(list(compress(getattr(self.in_step, one.name), is_in)) for one in fields(InStep)))
        self._shown, self._numbers = some, range(len(some))
        self._places = [
            bisect_left(self._numbers, order_of(row), key=lambda one: order_of(self._row(one))) for row in judged
        ]
        days = {*some.paid_on, *some.made_on}
        shown, months = {day: day.isoformat() for day in days}, {day: f"{day:%Y-%m}" for day in days}
        self.own: Mapping[str, Sequence[Any]] = {
            "rma": some.rmas,
            "return_id": some.return_ids,
            "order_ref": some.order_refs,
            "credit_note_codes": some.note_codes,
            "currency": some.currencies,
            "refund_pence": some.pence,
            "credited_pence": some.pence,
            "day": some.paid_on,
            "period": [months[day] for day in some.paid_on],
            "paid_on": [shown[day] for day in some.paid_on],
            "credited_on": [shown[day] for day in some.made_on],
        }

    def __len__(self) -> int:
        return len(self.judged) + len(self._numbers)

    def __iter__(self) -> Iterator[AuditRow]:
        return self._in_order(self.judged, map(self._row, self._numbers))

    def cells(
        self, cells_of: Callable[[AuditRow], Sequence[Any]], own: Mapping[int, Iterable[Any]]
    ) -> Iterator[Sequence[Any] | Alike]:
        """The cells of each row; ``own`` are those of rows in step by their place, beside which they are alike."""

        def base(number: int) -> tuple[Any, ...]:
            return tuple(OWN if place in own else cell for place, cell in enumerate(cells_of(self._row(number))))

        kinds = list(zip(self._shown.currencies, self._shown.has_vat, strict=True))
        bases = {kind: base(number) for kind, number in dict(zip(kinds, self._numbers, strict=True)).items()}
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
    def months(self) -> Mapping[str, Sequence[RowMonth]]:
        """The pence of the rows in step by London month, of each currency."""
        found, some = Counter[tuple[str, str]](), self._shown
        for currency, month, pence in zip(some.currencies, self.own["period"], some.pence, strict=True):
            found[currency, month] += pence
        by_currency = defaultdict[str, list[RowMonth]](list)
        for (currency, month), pence in found.items():
            by_currency[currency].append(RowMonth(month, pence, pence, 0))
        return by_currency

    def _row(self, number: int) -> AuditRow:
        some, pence, day = self._shown, self._shown.pence[number], self._shown.paid_on[number]
        return AuditRow(
            rma=some.rmas[number],
            return_id=some.return_ids[number],
            order_ref=some.order_refs[number],
            credit_note_codes=(some.note_codes[number],),
            currency=some.currencies[number],
            refund_pence=pence,
            credited_pence=pence,
            status=MATCHED,
            matched_by=BY_REFERENCE,
            certainty=CERTAIN,
            day=day,
            vat_gap_pence=0 if some.has_vat[number] else None,
            legs=NO_LEGS,
            timing=Timing(((day, pence),), ((some.made_on[number], pence),)),
        )
