"""What is plainly in step as rows of the report, each made when it is asked for.

Belongs here: these rows among all others, and their sums. Stays out: which they are (``in_step``) and what the report
does with a row (``summary``, ``writing``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import overload

from khaos_swap_assets.audit.engine import Span, order_of
from khaos_swap_assets.audit.in_step import InStep
from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.domain.judging.month_conditions import Timing
from khaos_swap_assets.domain.judging.statuses import Status
from khaos_swap_assets.domain.judging.waterfall import LEGS

MATCHED: Status = "matched"
BY_REFERENCE, CERTAIN = "reference", "certain"
NO_LEGS = {str(leg): 0 for leg in LEGS}


@dataclass(slots=True)
class Sums:
    """Rows in step of one currency: how many, and their pence by London month."""

    count: int = 0
    pence_of: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


class Rows(Sequence[AuditRow]):
    """All rows of a report in order: ``judged`` ones, and among them those in step that lie in the span."""

    def __init__(self, judged: Sequence[AuditRow], in_step: InStep | None = None, span: Span | None = None) -> None:
        self.judged, self.in_step = judged, in_step or InStep()
        days = map(date.fromordinal, self.in_step.paid_on)
        self._numbers = [number for number, day in enumerate(days) if span is None or span.holds(day)]

    def __len__(self) -> int:
        return len(self.judged) + len(self._numbers)

    def __iter__(self) -> Iterator[AuditRow]:
        """One after the other; those in step are in order, so that each of the judged ones is placed among them."""
        done = 0
        for row in self.judged:
            place = done if self._is_before(row, done) else self._place(row, done)
            yield from map(self._row, self._numbers[done:place])
            yield row
            done = place
        yield from map(self._row, self._numbers[done:])

    def _is_before(self, row: AuditRow, place: int) -> bool:
        return place == len(self._numbers) or order_of(row) < order_of(self._row(self._numbers[place]))

    def _place(self, row: AuditRow, done: int) -> int:
        return bisect_left(self._numbers, order_of(row), lo=done, key=lambda number: order_of(self._row(number)))

    @overload
    def __getitem__(self, at: int) -> AuditRow: ...

    @overload
    def __getitem__(self, at: slice) -> list[AuditRow]: ...

    def __getitem__(self, at: int | slice) -> AuditRow | list[AuditRow]:
        return list(self)[at]

    @property
    def sums(self) -> Mapping[str, Sums]:
        """The sums of the rows in step, by currency."""
        found: defaultdict[str, Sums] = defaultdict(Sums)
        some = self.in_step
        for number in self._numbers:
            one = found[some.currencies[number]]
            one.count += 1
            one.pence_of[f"{date.fromordinal(some.paid_on[number]):%Y-%m}"] += some.pence[number]
        return found

    def _row(self, number: int) -> AuditRow:
        some, pence = self.in_step, self.in_step.pence[number]
        day, made_on = date.fromordinal(some.paid_on[number]), date.fromordinal(some.made_on[number])
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
            timing=Timing(((day, pence),), ((made_on, pence),)),
        )
