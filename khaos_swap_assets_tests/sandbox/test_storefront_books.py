"""What money truly moves for one return: every penny once, at its time, by the script that was written for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox import storefront_books
from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.storefront_books import (
    INSTEAD,
    ON,
    is_processed,
    processed_at,
    settle,
    shopify_return_id,
    subject_of,
)
from khaos_swap_assets.sandbox.world import Rma, RmaLine, StoreRefund, World
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, small_world

DAY = timedelta(days=1)


def a_world(script: str = "", *, pence: int = 8499, seed: int = 7, at: datetime = NOW - DAY) -> World:
    """The small world with a shop, its return processed yesterday and three days gone by since."""
    world = small_world()
    world.seed, world.memory[ON] = seed, "yes"
    rma = world.rmas[RMA]
    rma.processed_at, rma.refund_pence = at, pence
    world.now = at + 3 * DAY
    if script:
        world.money_scripts[RMA] = script
    return world


def only_rma(world: World) -> Rma:
    return world.rmas[RMA]


def moved(refunds: list[StoreRefund]) -> int:
    return sum(one.amount_pence for refund in refunds for one in refund.payments if one.status == "SUCCESS")


def test_without_a_shop_no_money_moves() -> None:
    world = a_world()
    del world.memory[ON]
    assert settle(world) == []
    assert shopify_return_id(world, only_rma(world)) == ""


@pytest.mark.parametrize("changes", [{"status": "Open"}, {"refund_pence": 0}, {"processed_at": None}])
def test_a_return_that_is_not_processed_is_not_paid(changes: dict[str, object]) -> None:
    world = a_world()
    for name, value in changes.items():
        setattr(only_rma(world), name, value)
    assert not is_processed(world, only_rma(world))
    assert settle(world) == []


@pytest.mark.parametrize(
    ("processed", "closed", "expected"),
    [(NOW, NOW - DAY, NOW), (NOW - DAY, NOW, NOW - DAY), (None, NOW, None), (NOW, None, NOW), (None, None, None)],
)
def test_the_date_of_processing_counts(
    processed: datetime | None, closed: datetime | None, expected: datetime | None
) -> None:
    world = a_world()
    rma = only_rma(world)
    rma.processed_at, rma.closed_at = processed, closed
    assert processed_at(world, rma) == expected
    world.money_scripts[rma.rma_number] = INSTEAD
    assert processed_at(world, rma) == expected or closed


@given(st.integers(1, 50_000), st.integers(0, 10**6))
def test_every_penny_is_paid_once_whatever_the_means(pence: int, seed: int) -> None:
    world = a_world(pence=pence, seed=seed)
    made = settle(world)
    assert moved(made) == pence
    assert all(part.amount_pence > 0 for one in made for part in one.payments)
    assert settle(world) == []


@given(st.integers(0, 10**6), st.integers(0, 24 * 60 - 1))
def test_money_moves_after_swap_said_so_and_on_its_london_day(seed: int, minute: int) -> None:
    at = datetime(2026, 6, 10, tzinfo=LONDON) + timedelta(minutes=minute)
    (refund,) = settle(a_world(seed=seed, at=at))
    assert at <= refund.created_at
    assert refund.created_at.astimezone(LONDON).date() == at.date()
    assert {part.processed_at for part in refund.payments} == {refund.created_at}


@given(st.integers(1, 9_000), st.integers(1, 9_000))
def test_a_refund_that_grew_is_paid_by_its_difference(first: int, more: int) -> None:
    world = a_world(pence=first)
    settle(world)
    only_rma(world).refund_pence = first + more
    only_rma(world).updated_at = world.now
    world.now += DAY
    (later,) = settle(world)
    assert moved([later]) == more
    assert later.line_items == []
    assert len({one.refund_id for one in world.store_refunds.values()}) == 2


@pytest.mark.parametrize(
    ("script", "amounts", "status"),
    [
        ("unpaid", [], ""),
        ("short", [8399], "SUCCESS"),
        ("over", [8894], "SUCCESS"),
        ("failed", [8499], "FAILURE"),
        ("twice", [8499, 8499], "SUCCESS"),
        ("late", [8499], "SUCCESS"),
    ],
)
def test_each_script_moves_what_its_name_says(script: str, amounts: list[int], status: str) -> None:
    made = settle(a_world(script, pence=8499))
    assert [sum(part.amount_pence for part in one.payments) for one in made] == amounts
    assert {part.status for one in made for part in one.payments if part.gateway != "gift_card"} <= {status}


def test_what_was_paid_twice_has_numbers_of_its_own_and_names_no_return() -> None:
    first, second = settle(a_world("twice"))
    assert first.refund_id != second.refund_id
    assert {one.transaction_id for one in first.payments}.isdisjoint(one.transaction_id for one in second.payments)
    assert (second.return_ref, second.line_items) == ("", [])
    assert second.created_at - first.created_at == timedelta(hours=1)


@pytest.mark.parametrize("hours", [0, 19])
def test_a_late_one_is_not_there_on_the_day(hours: int) -> None:
    world = a_world("late")
    world.now = NOW - DAY + timedelta(hours=hours)
    assert settle(world) == []
    world.now = NOW - DAY + timedelta(hours=41)
    assert len(settle(world)) == 1


@pytest.mark.parametrize(("currency", "paid"), [("GBP", "EUR"), ("EUR", "GBP"), ("SEK", "GBP")])
def test_a_wrong_currency_is_another_one(currency: str, paid: str) -> None:
    world = a_world("currency")
    only_rma(world).currency = currency
    (refund,) = settle(world)
    assert refund.currency == paid
    assert {part.currency for part in refund.payments} == {paid}


def test_only_rows_to_refund_are_lines_of_the_refund() -> None:
    world = a_world()
    only_rma(world).lines.append(RmaLine("prd_2", "112", "WOOL-HAT", 1, 1000, outcome="Exchange"))
    (refund,) = settle(world)
    assert refund.line_items == [("111", "FELL-JKT-MOS-M", 1, 8499)]


def test_an_ambiguous_one_names_neither_rows_nor_return() -> None:
    for seed in range(10):
        world = a_world("ambiguous", seed=seed)
        (refund,) = settle(world)
        assert (refund.line_items, refund.return_ref) == ([], "")


def test_a_returned_exchange_is_paid_on_the_order_that_was_paid() -> None:
    world = a_world()
    rma = only_rma(world)
    rma.order_id, rma.order_name = "", "#EX-1"
    rma.lines[0].original_order_name = "#LX10482"
    (refund,) = settle(world)
    assert (refund.order_id, refund.order_name) == ("59", "#LX10482")
    assert subject_of(refund) == f"#LX10482/{refund.refund_id}"


def test_an_order_that_nobody_knows_keeps_the_name_that_swap_shows() -> None:
    world = a_world()
    only_rma(world).order_id, only_rma(world).order_name = "404", "#GONE"
    (refund,) = settle(world)
    assert (refund.order_id, refund.order_name) == ("404", "#GONE")


def test_while_people_watch_money_moves_within_seconds() -> None:
    world = a_world()
    world.memory[ON] = storefront_books.LIVE
    (refund,) = settle(world)
    assert timedelta(0) < refund.created_at - (NOW - DAY) < timedelta(seconds=10)
