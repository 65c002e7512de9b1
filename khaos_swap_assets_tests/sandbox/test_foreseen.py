"""One wrong SKU on parcels in transit, and the truth about codes that were sold lately or are listed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox import foreseen
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.storefront_books import ON
from khaos_swap_assets.sandbox.world import Plant, World


@pytest.fixture
def world() -> World:
    return build(1, 200)


def told(world: World) -> list[str]:
    return [one.sku for one in foreseen.truth(world, world.plants)]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_one_sku_holds_a_few_parcels_that_never_arrive(seed: int) -> None:
    plain, world = build(seed, 200), build(seed, 200)
    foreseen.add(world)
    fresh = [one for one in world.plants if one not in plain.plants]
    (cause,) = [one for one in fresh if one.kind == foreseen.KIND]
    children = [world.rmas[one.rma] for one in fresh if one.kind == "sku_unknown"]
    assert 1 <= len(children) <= foreseen.MOST_RETURNS
    assert {rma.lines[0].sku for rma in children} == {cause.sku}
    assert "#" in cause.sku
    assert {(rma.status, rma.delivered_at) for rma in children} == {("Open", None)}
    assert len(world.rmas) == len(plain.rmas)


def test_a_month_in_order_holds_no_other_wrong_code(world: World) -> None:
    foreseen.add(world)
    assert told(world) == []
    world.memory[ON] = "on"
    assert told(world) == []


def test_a_parcel_on_its_way_with_a_sku_that_is_no_stock_code_will_fail() -> None:
    world = build(5, 800)
    coming = [one.sku for one in world.plants if "not yet delivered" in one.why]
    assert len(coming) == 1
    assert told(world) == coming


def test_a_code_that_is_out_of_use_is_told_where_it_was_sold_lately(world: World) -> None:
    rma = next(iter(world.rmas.values()))
    order = next(one for one in world.orders.values() if one.order_name == rma.order_name)
    code = order.lines[0].stock_code
    world.items[code].is_discontinued = True
    assert told(world) == [code]
    world.plants.append(Plant("sku_discontinued", rma=rma.rma_number, sku=code))
    assert told(world) == []
    world.plants.pop()
    world.now += timedelta(days=120)
    assert told(world) == []
