"""To which return a row of the warehouse's file belongs: one open line takes it, anything else is a question."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.bench_rows import BenchRow, OpenLine, numbered, tie
from khaos_swap_assets.domain.goods.dispositions import Inspection

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def a_row(quantity: int = 1, condition: str = "Sellable", rma: str = "", order: str = "#LX1") -> BenchRow:
    return BenchRow(2, order, rma, "HAT", condition, quantity)


def waits(units: int, rma: str = "RMA1", line: str = "L1") -> OpenLine:
    return OpenLine(f"R-{rma}", rma, "#LX1", line, "HAT", units)


def told(rows: list[BenchRow], *lines: OpenLine) -> list[Inspection | str]:
    return [found for _, found in tie(numbered(rows), {("LX1", "HAT"): lines}, "Kim", NOW)]


@pytest.mark.parametrize("order", ["#LX1", "LX1", " LX1 "])
def test_a_row_goes_to_the_only_open_line(order: str) -> None:
    (found,) = told([a_row(2, order=order)], waits(2))
    assert isinstance(found, Inspection)
    assert (found.rma, found.line_item_id, found.quantity, found.condition) == ("RMA1", "L1", 2, "Sellable")
    assert (found.inspected_at, found.inspected_by) == (NOW, "Kim")


@pytest.mark.parametrize(
    ("rows", "lines", "question"),
    [
        ([a_row()], [], "no return of order #LX1 holds this SKU"),
        ([a_row(rma="RMA9")], [waits(1)], "no return of order #LX1 and return RMA9 holds this SKU"),
        ([a_row()], [waits(0)], "every unit of it in RMA1 was inspected before"),
        ([a_row()], [waits(1), waits(1, "RMA2")], "2 lines of RMA1, RMA2 wait for it: which?"),
        ([a_row()], [waits(1), waits(1, line="L2")], "2 lines of RMA1 wait for it: which?"),
        ([a_row(3)], [waits(2)], "3 were found and 2 of RMA1 wait: is it more than the return says?"),
        ([a_row(2), a_row(1)], [waits(2)], "every unit of it in RMA1 was inspected before"),
    ],
)
def test_anything_else_is_a_question(rows: list[BenchRow], lines: list[OpenLine], question: str) -> None:
    assert told(rows, *lines)[-1] == question


def test_a_named_return_and_one_that_is_done_leave_no_doubt() -> None:
    (named,) = told([a_row(rma="RMA2")], waits(1), waits(1, "RMA2"))
    (left,) = told([a_row()], waits(0), waits(1, "RMA2"))
    assert [one.rma for one in (named, left) if isinstance(one, Inspection)] == ["RMA2", "RMA2"]


def test_equal_rows_are_apart_in_a_file_and_the_same_in_the_next() -> None:
    first, again = (dict(numbered([a_row(), a_row(), a_row(condition="Damaged")])) for _ in range(2))
    assert len(first) == 3
    assert first == again


@given(
    st.lists(st.builds(a_row, quantity=st.integers(1, 3), rma=st.sampled_from(["", "RMA1", "RMA2"]))), st.integers(0, 5)
)
def test_no_line_ever_gets_more_than_waited_for_it(rows: list[BenchRow], units: int) -> None:
    found = told(rows, waits(units), waits(2, "RMA2"))
    assert len(found) == len(rows)
    for rma, most in (("RMA1", units), ("RMA2", 2)):
        assert sum(one.quantity for one in found if isinstance(one, Inspection) and one.rma == rma) <= most
