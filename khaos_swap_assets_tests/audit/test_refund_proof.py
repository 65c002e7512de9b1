"""Closed is not paid, in files: the live rule where the returns say which were processed, and else a word about it."""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.audit import writing
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets_tests.audit.files import Shop

SPAN = Span(date(2026, 3, 31))
DATE = "2026-03-02T15:00:00Z"
UNKNOWN = "The returns do not say which of them were processed (no rma_processed in the file, nor processed, as"


def of_one(folder: Path, *others: dict[str, Any], is_noted: bool = False, paid: str = "", **more: Any) -> Result:
    """The audit of RMA1, perhaps with its note and its money, beside other returns that have theirs."""
    shop = Shop()
    for number, changes in enumerate((more, *others), 1):
        shop.sold(number)
        shop.returned(number, **changes)
        if number > 1 or is_noted:
            shop.credited(f"CN{number}", number)
    if paid:
        shop.paid(1, "24.99", status=paid)
    return shop.audited(folder, SPAN)


def told(result: Result) -> set[str]:
    return {one.kind for one in result.findings if one.subject == "RMA1"}


def refunded_pence(result: Result) -> int:
    return next(row.refund_pence for row in result.rows if row.rma == "RMA1")


@pytest.mark.parametrize(
    ("marker", "is_paid"),
    [("", False), ("N/A", False), (None, False), ("Pending", False), (DATE, True), ("Yes", True), ("true", True)],
)
def test_where_the_field_is_there_the_live_rule_holds(tmp_path: Path, marker: str | None, is_paid: bool) -> None:
    bare = of_one(tmp_path / "bare", rma_processed=marker)
    noted = of_one(tmp_path / "noted", is_noted=True, rma_processed=marker)
    assert told(bare) == ({"credit_note_missing"} if is_paid else {"closed_without_refund"})
    assert told(noted) == (set() if is_paid else {"closed_without_refund", "credited_without_refund"})
    assert refunded_pence(bare) == (2499 if is_paid else 0)


def test_one_row_that_carries_it_makes_it_known_for_all(tmp_path: Path) -> None:
    result = of_one(tmp_path, {"rma_processed": DATE})
    assert (told(result), result.summary.is_proof_known) == ({"closed_without_refund"}, True)


def test_it_is_known_under_its_name_in_version_1(tmp_path: Path) -> None:
    assert told(of_one(tmp_path / "a", processed="N/A")) == {"closed_without_refund"}
    assert told(of_one(tmp_path / "b", processed=DATE)) == {"credit_note_missing"}


def test_a_field_that_no_row_carries_is_not_known_and_the_first_page_says_so(tmp_path: Path) -> None:
    result = of_one(tmp_path, is_noted=True)
    assert (told(result), refunded_pence(result)) == (set(), 2499)
    writing.write(result, tmp_path / "report")
    assert UNKNOWN in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))["closed_counts_as_refunded"]
    with zipfile.ZipFile(tmp_path / "report" / "report.xlsx") as book:
        assert UNKNOWN in book.read("xl/worksheets/sheet1.xml").decode()


def test_a_field_that_is_there_needs_no_such_word(tmp_path: Path) -> None:
    result = of_one(tmp_path, rma_processed=DATE)
    writing.write(result, tmp_path / "report")
    assert UNKNOWN not in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("state", "expected"), [("succeeded", "credit_note_missing"), ("failed", "refund_not_paid")])
def test_where_the_money_is_given_it_says_what_was_paid(tmp_path: Path, state: str, expected: str) -> None:
    result = of_one(tmp_path, rma_processed="N/A", paid=state)
    assert told(result) == {expected}
    assert result.summary.refunds_are == "A refund is money that moved, by the refunds file."
