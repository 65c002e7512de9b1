"""Each story alone: what it makes, and what is true about it today and at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from khaos_swap_assets.sandbox import catalogue, scenarios
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, POST_FROM_DAY, RETURNS_MADE, STORE_ID, TROUBLE, ended_month
from khaos_swap_assets.sandbox.maker import LONDON, Maker
from khaos_swap_assets.sandbox.scenarios import CLEAN, Scenario
from khaos_swap_assets.sandbox.trouble_after import SCRIPTED
from khaos_swap_assets.sandbox.world import Rma, World

STORIES = [pytest.param(story, id=name) for name, (_, story) in CLEAN.items()]
TROUBLES = [
    pytest.param(kind, story, id=f"{kind}-{number}")
    for kind, stories in TROUBLE.items()
    for number, story in enumerate(stories)
]
SEEDS = range(8)


def maker_of(seed: int) -> Maker:
    month = ended_month(DEFAULT_NOW)
    rng = Random(seed)
    world = World(seed, DEFAULT_NOW, STORE_ID, post_from=month[0].astimezone(LONDON).date().replace(day=POST_FROM_DAY))
    world.items = {item.stock_code: item for item in catalogue.stock_items(rng, month[0])}
    return Maker(world, rng, month)


def told(story: Callable[[Maker], None], seed: int) -> tuple[World, Rma]:
    maker = maker_of(seed)
    story(maker)
    return maker.world, maker.last_rma()


def at_the_end(world: World) -> None:
    world.now += timedelta(days=16)
    apply_due(world)


@pytest.mark.parametrize("story", STORIES)
def test_a_clean_story_makes_one_return_and_plants_nothing(story: Scenario) -> None:
    for seed in SEEDS:
        world, _ = told(story, seed)
        assert len(world.rmas) == 1
        assert world.plants == []
        assert world.scripts == {}


@pytest.mark.parametrize(("kind", "story"), TROUBLES)
def test_a_story_of_trouble_plants_its_kind_once(kind: str, story: Scenario) -> None:
    for seed in SEEDS:
        maker = maker_of(seed)
        story(maker)
        assert [plant.kind for plant in maker.world.plants] == [kind]
        assert len(maker.world.rmas) == RETURNS_MADE.get(story, 1)


@pytest.mark.parametrize("script", SCRIPTED)
def test_a_scripted_return_can_be_posted_at_once(script: str) -> None:
    for seed in SEEDS:
        world, rma = told(SCRIPTED[script], seed)
        is_inspected = rma.inspect_at is not None and rma.inspect_at <= world.now
        assert world.scripts == {rma.rma_number: script}
        assert is_inspected or rma.quality_control_status == "Approved"
        assert rma.refund_pence == sum(line.cost_pence for line in rma.lines) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_euros_reach_order_return_and_customer(seed: int) -> None:
    world, rma = told(scenarios.refunded_in_euros, seed)
    orders = {order.currency for order in world.orders.values()}
    assert orders | {rma.currency, world.customers[rma.urn].currency} == {"EUR"}
    assert world.customers[rma.urn].country != "GB"
    assert len(rma.rma_number) > 15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fee_is_withheld_or_waived(seed: int) -> None:
    _, rma = told(scenarios.refunded_with_fee, seed)
    goods = sum(line.cost_pence for line in rma.lines)
    assert rma.handling_fee_pence > 0
    assert goods - rma.refund_pence in (0, rma.handling_fee_pence)


@pytest.mark.parametrize("seed", SEEDS)
def test_three_units_whose_pence_do_not_divide(seed: int) -> None:
    _, rma = told(scenarios.quantity_does_not_divide, seed)
    (line,) = rma.lines
    assert line.quantity == 3
    assert line.cost_pence % 3 == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_refunded_before_arrival_is_inspected_in_time(seed: int) -> None:
    world, rma = told(scenarios.refunded_before_arrival, seed)
    assert rma.status == "Closed"
    assert (rma.delivered_at, rma.inspect_at) == (None, None)
    at_the_end(world)
    assert rma.delivered_at is not None
    assert rma.inspect_at is not None
    assert timedelta() < rma.inspect_at - rma.delivered_at < timedelta(days=5)


@pytest.mark.parametrize("seed", SEEDS)
def test_refunded_later_is_open_today_and_sends_its_webhook(seed: int) -> None:
    world, rma = told(scenarios.refunded_later, seed)
    assert (rma.status, rma.refund_pence, rma.closed_at) == ("Open", 0, None)
    at_the_end(world)
    assert (rma.status, rma.refund_pence) == ("Closed", sum(line.cost_pence for line in rma.lines))
    assert world.webhooks_due == [("returnProcessed", rma.rma_number)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_second_refund_is_explained_by_its_new_line(seed: int) -> None:
    world, rma = told(scenarios.refunded_twice, seed)
    first = rma.refund_pence
    assert first == sum(line.cost_pence for line in rma.lines)
    at_the_end(world)
    assert len({line.product_id for line in rma.lines}) == 2
    assert rma.refund_pence - first == rma.lines[1].cost_pence > 0


@pytest.mark.parametrize(
    "story", [scenarios.noted_by_staff, scenarios.noted_by_staff_early, scenarios.noted_without_reference]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_note_comes_to_the_refund_and_follows_it(story: Scenario, seed: int) -> None:
    world, rma = told(story, seed)
    (note,) = world.notes.values()
    assert sum(line.gross_pence for line in note.lines) == rma.refund_pence
    assert [(line.stock_code, line.quantity) for line in note.lines] == [
        (line.sku, line.quantity) for line in rma.lines
    ]
    assert note.urn == rma.urn
    assert rma.closed_at is not None
    assert rma.closed_at < note.created_at < rma.closed_at + timedelta(days=1)
    assert note.associated_ref == ("" if story is scenarios.noted_without_reference else rma.rma_number)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_returned_exchange_names_its_original_order_on_its_lines(seed: int) -> None:
    world, rma = told(scenarios.returned_exchange, seed)
    (order,) = world.orders.values()
    assert rma.order_name != order.order_name
    assert {line.original_order_name for line in rma.lines} == {order.order_name}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_return_submitted_later_appears_with_its_webhook(seed: int) -> None:
    world, rma = told(scenarios.submitted_later, seed)
    apply_due(world)
    assert [one.is_submitted for one in world.rmas.values()] == [False]
    at_the_end(world)
    assert [one.is_submitted for one in world.rmas.values()] == [True]
    assert world.webhooks_due == [("returnCreated", rma.rma_number)]
    assert rma.delivered_at is None
