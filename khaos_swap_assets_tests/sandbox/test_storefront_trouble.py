"""Trouble with the money of an invented month: planted with its truth, the same for the same seed, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from khaos_swap_assets.sandbox import storefront_trouble
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_truth import planted
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.storefront_books import (
    INSTEAD,
    LIVE,
    ON,
    RESTOCKED,
    is_processed,
    processed_at,
    settle,
)
from khaos_swap_assets.sandbox.unpaid import CLOSED
from khaos_swap_assets.sandbox.world import World

KINDS = {
    "refund_not_paid",
    "refund_amount_differs",
    "refund_currency_differs",
    "refund_paid_twice",
    "refund_ambiguous",
    "refund_without_return",
    "storefront_restocked",
}


def connected(seed: int, returns: int = 60, *, is_live: bool = False) -> World:
    world = build(seed, returns)
    storefront_trouble.connect(world, is_live=is_live)
    return world


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_kind_is_planted(seed: int) -> None:
    assert {plant.kind for plant in planted(connected(seed))} >= KINDS


def test_the_same_seed_plants_the_same() -> None:
    one, two = connected(2), connected(2)
    assert (one.plants, one.money_scripts) == (two.plants, two.money_scripts)


def test_the_month_is_as_large_and_has_the_same_other_trouble_as_without_a_shop() -> None:
    bare, world = build(2, 60), connected(2)
    assert len(world.rmas) == len(bare.rmas)
    instead = {number for number, script in world.money_scripts.items() if script == INSTEAD}
    others = [plant for plant in world.plants if plant.kind not in KINDS and not plant.order]
    assert others == [one for one in bare.plants if one.kind != CLOSED and one.rma not in instead]


def test_trouble_falls_only_on_returns_in_good_order_and_once_on_each() -> None:
    bare, world = build(3, 200), connected(3, 200)
    special = {plant.rma for plant in bare.plants} | bare.scripts.keys()
    instead = {number for number, script in world.money_scripts.items() if script == INSTEAD}
    assert special.isdisjoint(world.money_scripts.keys() - instead)
    assert instead <= {plant.rma for plant in bare.plants if plant.kind == CLOSED}
    told = Counter(plant.rma for plant in world.plants if plant.kind in KINDS and plant.rma)
    assert set(told.values()) == {1}
    for number in world.money_scripts:
        assert is_processed(world, world.rmas[number])


def test_two_ambiguous_returns_are_of_one_order_at_one_price_and_named_by_nobody() -> None:
    world = connected(1)
    settle(world)
    pair = [world.rmas[number] for number, script in world.money_scripts.items() if script == "ambiguous"]
    first, second = pair
    assert (first.order_id, first.refund_pence) == (second.order_id, second.refund_pence)
    refunds = [one for one in world.store_refunds.values() if one.order_id == first.order_id]
    assert len(refunds) == 2
    assert all(not (one.return_ref or one.line_items) for one in refunds)
    sold = next(order for order in world.orders.values() if order.order_id == first.order_id)
    assert sold.lines[0].quantity == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_staff_had_the_shop_restock_is_planted_and_nothing_else_is_restocked(seed: int) -> None:
    world = connected(seed)
    settle(world)
    told = {plant.rma for plant in world.plants if plant.kind == "storefront_restocked"}
    restocked = {one.rma: one for one in world.store_refunds.values() if one.restocked_at}
    assert restocked.keys() == told == {rma for rma, one in world.money_scripts.items() if one == RESTOCKED}
    assert all(one.line_items for one in restocked.values())


def test_money_of_an_unreadable_return_is_money_without_a_return() -> None:
    world = connected(1)
    settle(world)
    broken = [rma for rma in world.rmas.values() if rma.broken_fields and is_processed(world, rma)]
    told = {plant.refund for plant in world.plants if plant.why == "its return cannot be read"}
    refunds = {f"{one.order_name}/{one.refund_id}" for one in world.store_refunds.values()}
    assert len(told) == len(broken) > 0
    assert told <= refunds


def test_money_follows_within_seconds_while_people_watch() -> None:
    world = connected(1, is_live=True)
    assert world.memory[ON] == LIVE
    settle(world)
    plain = [one for one in world.store_refunds.values() if one.rma and one.rma not in world.money_scripts]
    for refund in plain:
        said = processed_at(world, world.rmas[refund.rma])
        assert said
        assert 0 < (refund.created_at - said).total_seconds() < 10


def test_a_kept_world_remembers_its_money(tmp_path: Path) -> None:
    world = connected(1)
    settle(world)
    keeper = Keeper(tmp_path / "world.sqlite")
    keeper.save_all(world)
    again = keeper.load()
    keeper.close()
    assert again
    assert (again.store_refunds, again.money_scripts) == (world.store_refunds, world.money_scripts)
    assert settle(again) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_shop_cancels_orders_of_every_fate_and_both_sides_say_so(seed: int) -> None:
    world = connected(seed, 200)
    cancelled = {one.order_name: one for one in world.orders.values() if one.shop_cancelled_at}
    told = {plant.order: plant.kind for plant in planted(world) if plant.order}
    fates = {told.get(name, "stopped"): one for name, one in cancelled.items()}
    assert fates.keys() == {"stopped", "cancelled_order_open", "cancelled_order_sent"}
    assert fates["stopped"].is_cancelled
    assert (fates["cancelled_order_open"].stage_id, fates["cancelled_order_open"].issued_at) == (12, None)
    assert fates["cancelled_order_sent"].issued_at
    assert cancelled.keys().isdisjoint({rma.order_name for rma in world.rmas.values()})


def test_a_line_taken_off_an_order_is_told_by_the_shop_and_picked_by_khaos() -> None:
    world = connected(1, 200)
    (refund,) = (one for one in world.store_refunds.values() if one.is_taken_off)
    order = world.orders[next(code for code, one in world.orders.items() if one.order_id == refund.order_id)]
    assert (order.stage_id, order.issued_at, order.shop_cancelled_at) == (12, None, None)
    told = {plant.kind for plant in planted(world) if refund.order_name in plant.order + plant.refund}
    assert told == {"cancelled_order_open", "refund_without_return"}
