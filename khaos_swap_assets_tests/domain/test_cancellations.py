"""How far Khaos is with a cancelled order, stage by stage (khaos.md §4.1), and what is trouble."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from khaos_swap_assets.domain.goods.cancellations import (
    CancelledOrder,
    OrderProgress,
    OrderStage,
    Progress,
    problems_of,
    progress_of,
    stage_words,
)

ORDER = CancelledOrder("1", "#LX1", datetime(2026, 7, 1, 9, 30, tzinfo=UTC), "CUSTOMER", 16_998, "GBP")


def stage(stage_id: int | None, code: str = "SO1", *, is_cancelled: bool = False) -> OrderStage:
    return OrderStage(code, is_cancelled, stage_id)


@pytest.mark.parametrize(
    ("stage_id", "progress"),
    [
        *((one, "waiting") for one in (9, 10, 11, 17, 18, 19, 21)),
        *((one, "picking") for one in (12, 13, 14, 15, 16, 20)),
        *((one, "sent") for one in (70, 71, 72, 73)),
        (None, "waiting"),
        (42, "waiting"),
    ],
)
def test_every_stage_says_how_far_it_is(stage_id: int | None, progress: Progress) -> None:
    assert progress_of([stage(stage_id)]).progress == progress


@pytest.mark.parametrize(
    ("orders", "found"),
    [
        ([], OrderProgress("not_found")),
        ([stage(12, is_cancelled=True)], OrderProgress("cancelled", ("SO1",))),
        ([stage(None, is_cancelled=True), stage(13, "SO2")], OrderProgress("picking", ("SO1", "SO2"), 13)),
        # What can still be stopped counts before what has left, and the furthest of it.
        ([stage(70), stage(9, "SO2")], OrderProgress("waiting", ("SO1", "SO2"), 9)),
        ([stage(9), stage(12, "SO2")], OrderProgress("picking", ("SO1", "SO2"), 12)),
        ([stage(70), stage(71, "SO2")], OrderProgress("sent", ("SO1", "SO2"), 71)),
        ([stage(70), stage(12, "SO2", is_cancelled=True)], OrderProgress("sent", ("SO1", "SO2"), 70)),
    ],
)
def test_several_sales_orders_of_one_reference_are_one_order(orders: list[OrderStage], found: OrderProgress) -> None:
    assert progress_of(orders) == found


@pytest.mark.parametrize(
    ("progress", "has_return", "told"),
    [
        ("not_found", False, []),
        ("cancelled", False, []),
        ("waiting", False, ["cancelled_order_open"]),
        ("waiting", True, ["cancelled_order_open"]),
        ("picking", False, ["cancelled_order_open"]),
        ("sent", False, ["cancelled_order_sent"]),
        ("sent", True, []),
    ],
)
def test_what_is_trouble(progress: Progress, has_return: bool, told: list[str]) -> None:
    found = list(problems_of(ORDER, OrderProgress(progress, ("SO1",), 12), has_return=has_return))
    assert [one.kind for one in found] == told
    assert {(one.subject, one.money_at_risk_pence, one.currency) for one in found} <= {("#LX1", 16_998, "GBP")}


def test_it_says_when_why_and_how_far_in_london_time() -> None:
    (problem,) = problems_of(ORDER, OrderProgress("picking", ("SO1",), 13), has_return=False)
    assert problem.message == (
        "cancelled in the shop on 2026-07-01 at 10:30 (customer), and Sales Order SO1 is still open in Khaos: packing"
    )
    assert problem.owner == "operations"
    (tried,) = problems_of(ORDER, OrderProgress("picking", ("SO1",), 13), has_return=False, attempt="Khaos refused")
    assert tried.message == f"{problem.message}; Khaos refused"


@pytest.mark.parametrize(
    ("stage_id", "words"), [(None, "not invoiced"), (12, "picking"), (42, "stage 42"), (70, "sent"), (71, "sent")]
)
def test_a_stage_in_words(stage_id: int | None, words: str) -> None:
    assert stage_words(stage_id) == words
