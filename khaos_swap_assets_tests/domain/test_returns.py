"""Returns: when a refund counts as confirmed, and which lines speak for it."""

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets_tests.domain.records import REFUNDED_AT, line, returned


@pytest.mark.parametrize(
    ("changes", "is_confirmed"),
    [
        ({}, True),
        ({"processed_at": None}, False),
        ({"processed_at": None, "is_closing_proof": True}, True),
        ({"processed_at": None, "closed_at": None, "is_closing_proof": True}, False),
        ({"closed_at": None}, True),
        ({"processed_at": None, "closed_at": None}, False),
        ({"status": "Open"}, False),
        ({"status": "closed"}, False),
        ({"status": "Cancelled"}, False),
        ({"refund_pence": 0}, False),
        ({"refund_pence": -100}, False),
    ],
)
def test_a_refund_is_confirmed_when_closed_paid_and_worth_something(
    changes: dict[str, Any], is_confirmed: bool
) -> None:
    assert returned(line(), **changes).is_refund_confirmed is is_confirmed


@pytest.mark.parametrize("is_proof", [True, False])
def test_the_date_of_processing_is_the_refund_date(is_proof: bool) -> None:
    later = REFUNDED_AT + timedelta(days=1)
    assert returned(line(), closed_at=later, is_closing_proof=is_proof).refunded_at == REFUNDED_AT
    assert returned(line(), processed_at=later, is_closing_proof=is_proof).refunded_at == later


@pytest.mark.parametrize(
    ("status", "is_open"),
    [("Open", True), ("Needs Review", True), ("On Hold", True), ("?", True), ("Closed", False), ("Expired", False)],
)
def test_an_unknown_status_is_still_open(status: str, is_open: bool) -> None:
    assert returned(line(), status=status).is_open is is_open


def test_lines_are_told_apart_by_outcome() -> None:
    refund, swap, credit = line("A"), line("B", outcome="Exchange"), line("C", outcome="Store Credit")
    mixed = returned(refund, credit, swap, line("D", outcome="Exchange"))
    assert mixed.refund_lines == (refund,)
