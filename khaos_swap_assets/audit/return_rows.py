"""The returns of a file: each with its line and its JSON, or, where nothing is odd in them, as columns.

Belongs here: their order, and what is told of any of them without making it. Stays out: reading (``returns_file``,
``plain_returns``) and what they are beside other files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import merge
from operator import itemgetter
from typing import Any, NamedTuple

from khaos_swap_assets.audit.plain_returns import PlainReturns
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.returns import CLOSED, Return


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One return, the line where it begins, and its JSON (which holds personal data: it goes nowhere)."""

    line: int
    record: Return
    raw: dict[str, Any]


class Head(NamedTuple):
    """What is told of so many ``returns`` alike: London day of the refund, currency, if it is worth any, and status."""

    paid_on: date | None
    currency: str
    is_paid: bool
    status: str
    returns: int = 1


class ReturnRows(Sequence[ReturnRow]):
    """The returns of a large text: ``plain`` ones as columns, from which one is made when it is asked for."""

    def __init__(
        self, plain: PlainReturns, others: Mapping[int, ReturnRow], read: Callable[[int, int], ReturnRow]
    ) -> None:
        self.plain, self.others, self._read, self._numbers = plain, list(others.values()), read, list(others)

    @classmethod
    def of(cls, rows: Sequence[ReturnRow]) -> ReturnRows:
        """Rows however they are kept: without columns, none is plain."""
        return rows if isinstance(rows, ReturnRows) else cls(PlainReturns(), dict(enumerate(rows)), lambda *at: rows[0])

    def __len__(self) -> int:
        return len(self.plain) + len(self.others)

    def __iter__(self) -> Iterator[ReturnRow]:
        return self._in_order(range(len(self.plain)))

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]

    def without(self, gone: Iterable[bool]) -> list[ReturnRow]:
        """All but some of the plain ones, in the order of the file."""
        return list(self._in_order([place for place, is_gone in enumerate(gone) if not is_gone]))

    def _in_order(self, places: Iterable[int]) -> Iterator[ReturnRow]:
        plain = self.plain
        made = ((plain.numbers[at], self._read(plain.at_lines[at], plain.places[at])) for at in places)
        return (row for _, row in merge(made, zip(self._numbers, self.others, strict=True), key=itemgetter(0)))


def heads(rows: ReturnRows, proven: Callable[[Return], Return]) -> Iterator[Head]:
    """What is told of each return, as its refund is ``proven``; those in columns stand first, day by day."""
    for (ordinal, currency), count in Counter(zip(rows.plain.paid_on, rows.plain.currencies, strict=True)).items():
        yield Head(paid_on=date.fromordinal(ordinal), currency=currency, is_paid=True, status=CLOSED, returns=count)
    for row in rows.others:
        one, moment = row.record, proven(row.record).refunded_at
        paid_on = london_date(moment) if moment else None
        yield Head(paid_on=paid_on, currency=one.currency, is_paid=bool(one.refund_pence), status=one.status)


def return_sums(rows: Sequence[ReturnRow]) -> Iterator[tuple[date | None, str, int]]:
    """For each return when something happened with it, its currency, and its refund in pence."""
    kept = ReturnRows.of(rows)
    days = {ordinal: date.fromordinal(ordinal) for ordinal in set(kept.plain.paid_on)}
    yield from zip(map(days.__getitem__, kept.plain.paid_on), kept.plain.currencies, kept.plain.pence, strict=True)
    for row in kept.others:
        one = row.record
        happened = one.refunded_at or one.submitted_at or one.created_at
        yield london_date(happened) if happened else None, one.currency, one.refund_pence
