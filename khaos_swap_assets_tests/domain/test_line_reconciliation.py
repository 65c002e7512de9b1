"""Many lines at once: equal to the slow oracle, exact to the penny, and strict about what it takes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.judging.line_reconciliation import LEGS, SUMS, Reconciled, reconcile_lines
from khaos_swap_assets_tests.domain.line_oracle import CreditRow, ReturnRow, line_rows, return_rows

RETURN_COLUMNS = ["rma", "stock_code", "quantity", "refund_pence"]
CREDIT_COLUMNS = ["rma", "credit_note_code", "stock_code", "quantity", "gross_pence"]

rmas = st.sampled_from(["RMA1", "RMA2", "RMA-3", "ümlaut"])
codes = st.sampled_from(["A", "B", "a", " A"])
numbers = st.integers(-3, 5)
pence = st.integers(-9999, 99999)
return_rows_ = st.lists(st.tuples(rmas, codes, numbers, pence), max_size=12)
credit_rows_ = st.lists(st.tuples(rmas, st.sampled_from(["N1", "N2", "N3"]), codes, numbers, pence), max_size=12)


def frames(returns: list[ReturnRow], credits_: list[CreditRow]) -> tuple[pd.DataFrame, pd.DataFrame]:
    types = {"quantity": "int64", "refund_pence": "int64", "gross_pence": "int64"}
    left = pd.DataFrame(returns, columns=RETURN_COLUMNS)
    right = pd.DataFrame(credits_, columns=CREDIT_COLUMNS)
    return (
        left.astype({name: types.get(name, "str") for name in RETURN_COLUMNS}),
        right.astype({name: types.get(name, "str") for name in CREDIT_COLUMNS}),
    )


def reconciled(returns: list[ReturnRow], credits_: list[CreditRow]) -> Reconciled:
    return reconcile_lines(*frames(returns, credits_))


def as_rows(frame: pd.DataFrame, *key: str) -> dict[Any, dict[str, Any]]:
    rows: list[dict[Any, Any]] = frame.astype({"status": "str"}).to_dict("records")
    return {tuple(row.pop(name) for name in key) if len(key) > 1 else row.pop(key[0]): row for row in rows}


@given(return_rows_, credit_rows_)
def test_it_equals_the_oracle_and_every_leg_adds_up(returns: list[ReturnRow], credits_: list[CreditRow]) -> None:
    found = reconciled(returns, credits_)
    expected = line_rows(returns, credits_)
    assert as_rows(found.lines, "rma", "stock_code") == expected
    assert as_rows(found.returns, "rma") == return_rows(expected)
    for frame in (found.lines, found.returns):
        assert (frame["credited_pence"] - frame["refund_pence"] == frame["gap_pence"]).all()
        assert (frame[list(LEGS)].sum(axis=1) == frame["gap_pence"]).all()


@given(return_rows_, credit_rows_, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_lines_does_not_matter(returns: list[ReturnRow], credits_: list[CreditRow], random: Any) -> None:
    before = reconciled(returns, credits_)
    random.shuffle(returns)
    random.shuffle(credits_)
    after = reconciled(returns, credits_)
    assert as_rows(after.lines, "rma", "stock_code") == as_rows(before.lines, "rma", "stock_code")
    assert as_rows(after.returns, "rma") == as_rows(before.returns, "rma")


@pytest.mark.parametrize(
    ("returned", "credited", "status", "legs"),
    [
        ((2, 5000), (2, 5000), "matched", (0, 0, 0, 0)),
        ((2, 5000), (2, 4900), "value_gap", (0, -100, 0, 0)),
        ((2, 5000), (1, 2500), "quantity_gap", (-2500, 0, 0, 0)),
        ((3, 1000), (2, 666), "quantity_gap", (-334, 0, 0, 0)),
        ((1, 5000), (2, 10000), "quantity_gap", (5000, 0, 0, 0)),
        ((2, 5000), (1, 5000), "quantity_gap", (-2500, 2500, 0, 0)),
        ((2, 5000), None, "credit_missing", (0, 0, -5000, 0)),
        (None, (2, 5000), "refund_missing", (0, 0, 0, 5000)),
    ],
)
def test_one_line(
    returned: tuple[int, int] | None, credited: tuple[int, int] | None, status: str, legs: tuple[int, ...]
) -> None:
    found = reconciled(
        [("RMA1", "A", *returned)] if returned else [], [("RMA1", "N1", "A", *credited)] if credited else []
    )
    (row,) = found.lines.to_dict("records")
    assert row["status"] == status
    assert tuple(row[name] for name in LEGS) == legs


@pytest.mark.parametrize(
    ("credits_", "status", "notes"),
    [
        ([], "credit_note_missing", 0),
        ([("R", "N1", "A", 1, 500), ("R", "N1", "B", 1, 500)], "matched", 1),
        ([("R", "N1", "A", 1, 500), ("R", "N2", "B", 1, 500)], "matched", 2),
        ([("R", "N1", "A", 1, 600), ("R", "N1", "B", 1, 400)], "lines_differ", 1),
        ([("R", "N1", "A", 1, 500)], "value_gap", 1),
        ([("R", "N1", "A", 2, 1000), ("R", "N1", "B", 1, 501)], "value_gap", 1),
        ([("R", "N1", "A", 1, 500), ("R", "N1", "B", 1, 500), ("R", "N2", "B", 1, 500)], "duplicate", 2),
        ([("R", "N1", "A", 1, 500), ("R", "N2", "B", 1, 400)], "value_gap", 2),
    ],
)
def test_one_return(credits_: list[CreditRow], status: str, notes: int) -> None:
    (row,) = reconciled([("R", "A", 1, 500), ("R", "B", 1, 500)], credits_).returns.to_dict("records")
    assert (row["status"], row["credit_notes"]) == (status, notes)


def test_notes_of_one_key_are_named_once_and_sorted() -> None:
    credits_ = [("R", "N2", "A", 1, 1), ("R", "N1", "A", 1, 1), ("R", "N2", "A", 1, 1), ("R", "N3", "B", 1, 1)]
    lines = as_rows(reconciled([], credits_).lines, "rma", "stock_code")
    assert lines["R", "A"]["credit_note_code"] == "N1, N2"
    assert lines["R", "B"]["credit_note_code"] == "N3"


def test_text_is_compared_character_by_character() -> None:
    found = reconciled([("R", "A", 1, 1)], [("R", "N", "a", 1, 1), ("R", "N", "A ", 1, 1)])
    assert list(found.lines["stock_code"]) == ["A", "a", "A "]


def test_nothing_gives_nothing_with_all_columns() -> None:
    found = reconciled([], [])
    assert len(found.lines) == len(found.returns) == 0
    assert list(found.lines.columns) == ["rma", "stock_code", "status", "credit_note_code", *SUMS]
    assert list(found.returns.columns) == ["rma", "status", "credit_notes", *SUMS]


def test_no_column_holds_python_objects() -> None:
    found = reconciled([("R", "A", 1, 1)], [("R", "N", "B", 1, 1)])
    assert not [name for frame in (found.lines, found.returns) for name in frame if frame[name].dtype == object]


def test_text_held_as_python_objects_is_taken_too() -> None:
    left, right = frames([("R", "A", 1, 5)], [("R", "N", "A", 1, 5)])
    found = reconcile_lines(left.astype({"rma": object}), right.astype({"stock_code": object}))
    assert list(found.lines["status"]) == ["matched"]


def test_large_sums_stay_exact() -> None:
    big = 2**53 + 1
    (row,) = reconciled([("R", "A", 1, big)], [("R", "N", "A", 1, 1)]).lines.to_dict("records")
    assert row["gap_value_pence"] == 1 - big


@pytest.mark.parametrize("column", ["quantity", "refund_pence"])
def test_a_fraction_is_refused(column: str) -> None:
    left, right = frames([("R", "A", 1, 5)], [])
    with pytest.raises(TypeError, match=f"{column} is float64: whole numbers"):
        reconcile_lines(left.astype({column: "float64"}), right)


@pytest.mark.parametrize("column", ["rma", "stock_code", "credit_note_code"])
def test_missing_text_is_refused(column: str) -> None:
    left, right = frames([], [("R", "N", "A", 1, 5)])
    right[column] = pd.Series([None], dtype="str")
    with pytest.raises(ValueError, match=f"{column}: 1 values are missing"):
        reconcile_lines(left, right)
