"""The invented month: sizes, determinism, dates, and that every record agrees with every other."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, build, ended_month, trickle
from khaos_swap_assets.sandbox.maker import LONDON, net_of, order_ref, part_of
from khaos_swap_assets.sandbox.scenarios import CLEAN
from khaos_swap_assets.sandbox.trouble import SHOP_TROUBLE
from khaos_swap_assets.sandbox.trouble_after import AFTER_TROUBLE, SCRIPTED
from khaos_swap_assets.sandbox.unpaid import CLOSED, CREDITED
from khaos_swap_assets.sandbox.world import Rma, World, WorldLine

UNPAID = (CLOSED, CREDITED)
SEEDS = range(1, 6)
THE_END = timedelta(days=16)


def planted_rmas(world: World) -> set[str]:
    return {plant.rma for plant in world.plants} | set(world.scripts)


def clean(world: World) -> list[Rma]:
    return [rma for number, rma in world.rmas.items() if number not in planted_rmas(world)]


@pytest.fixture(scope="module")
def world() -> World:
    return build(1, 500)


@pytest.mark.parametrize("returns", [1, 10, 50, 200, 501])
def test_a_month_has_exactly_the_returns_asked_for(returns: int) -> None:
    assert len(build(3, returns).rmas) == returns


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    assert build(7, 120) == build(7, 120)
    assert build(7, 120) != build(8, 120)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_and_every_script_is_planted_in_two_hundred_returns(seed: int) -> None:
    world = build(seed, 200)
    assert {plant.kind for plant in world.plants} == {*SHOP_TROUBLE, *AFTER_TROUBLE, *UNPAID}
    assert set(world.scripts.values()) == set(SCRIPTED)


@pytest.mark.parametrize("returns", [200, 500, 2000])
def test_three_quarters_are_clean(returns: int) -> None:
    world = build(2, returns)
    assert 0.74 <= len(clean(world)) / returns <= 0.84


@pytest.mark.parametrize("seed", SEEDS)
def test_every_story_of_trouble_is_told_in_a_big_month(seed: int) -> None:
    counts = Counter(plant.kind for plant in build(seed, 2000).plants if plant.kind != CLOSED)
    assert len(set(counts.values())) == 1
    assert min(counts.values()) >= max(len(stories) for stories in {**SHOP_TROUBLE, **AFTER_TROUBLE}.values())


def test_a_plant_names_what_exists(world: World) -> None:
    for plant in world.plants:
        assert plant.why
        assert bool(plant.rma in world.rmas) != bool(plant.credit_note_code in world.notes)
        assert plant.kind.startswith("sku_") or not plant.sku
        if plant.kind.startswith("sku_"):
            assert plant.sku in {line.sku for line in world.rmas[plant.rma].lines}


def test_no_return_has_two_plants(world: World) -> None:
    names = [plant.rma for plant in world.plants if plant.rma and plant.kind != CREDITED]
    assert len(names) == len(set(names))
    assert not set(names) & set(world.scripts)


def test_scripted_returns_are_never_among_the_first(world: World) -> None:
    assert set(world.scripts) == set(list(world.rmas)[-len(world.scripts) :])


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        (datetime(2026, 7, 3, 9, tzinfo=UTC), "2026-05-31T23:00:00+00:00", "2026-06-30T23:00:00+00:00"),
        (datetime(2026, 1, 1, 0, tzinfo=UTC), "2025-12-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        (datetime(2026, 3, 31, 23, 30, tzinfo=UTC), "2026-03-01T00:00:00+00:00", "2026-03-31T23:00:00+00:00"),
    ],
)
def test_the_ended_month_is_londons(now: datetime, start: str, end: str) -> None:
    assert ended_month(now) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


def test_refunds_of_today_fall_in_the_month(world: World) -> None:
    start, end = ended_month(world.now)
    moments = [moment for rma in world.rmas.values() for moment in (rma.processed_at, rma.closed_at) if moment]
    assert moments
    assert all(start <= moment < end for moment in moments)
    assert world.post_from == date(2026, 6, 4)


def test_refunds_before_posting_began_are_noted_by_staff_or_planted(world: World) -> None:
    assert world.post_from
    noted = {note.associated_ref for note in world.notes.values()}
    missing = {plant.rma for plant in world.plants if plant.kind == "credit_note_missing"}
    early = {
        rma.rma_number
        for rma in world.rmas.values()
        if rma.closed_at and rma.closed_at.astimezone(LONDON).date() < world.post_from
    }
    assert early
    assert early == (early & noted) | missing


def test_times_are_whole_seconds_in_utc_and_in_order(world: World) -> None:
    for rma in world.rmas.values():
        for moment in (rma.created_at, rma.updated_at, rma.delivered_at, rma.closed_at, rma.inspect_at):
            assert moment is None or (moment.microsecond == 0 and moment.utcoffset() == timedelta())
        if rma.delivered_at and rma.inspect_at:
            assert rma.created_at < rma.delivered_at < rma.inspect_at
        assert rma.updated_at <= world.now or not rma.is_submitted


def test_clean_refunds_add_up_by_the_end_to_the_penny(world: World) -> None:
    ended = build(world.seed, 500)
    ended.now += THE_END
    apply_due(ended)
    for rma in clean(ended):
        if rma.status == "Closed":
            goods = sum(line.cost_pence for line in rma.lines)
            assert rma.refund_pence in (goods, goods - rma.handling_fee_pence)
            assert rma.refund_pence > 0
            assert {line.outcome for line in rma.lines} == {"Refund"}


def test_clean_returns_are_over_or_never_arrive_by_the_end(world: World) -> None:
    ended = build(world.seed, 500)
    ended.now += THE_END
    apply_due(ended)
    for rma in clean(ended):
        is_settled = rma.quality_control_status == "Approved" or (rma.inspect_at and rma.inspect_at <= ended.now)
        assert (rma.status == "Closed" and rma.delivered_at and is_settled) or rma.delivered_at is None, rma


def test_clean_returns_name_codes_that_their_one_order_sold(world: World) -> None:
    by_name: dict[str, list[str]] = {}
    for order in world.orders.values():
        by_name.setdefault(order.order_name, []).append(order.so_code)
    for rma in clean(world):
        codes = {code for line in rma.lines for code in by_name[line.original_order_name or rma.order_name]}
        assert len(codes) == 1
        order = world.orders[codes.pop()]
        sold = {line.stock_code: line for line in order.lines}
        assert order.urn == rma.urn
        assert order.issued_at
        assert order.currency == rma.currency
        for line in rma.lines:
            assert line.quantity <= sold[line.sku].quantity
            assert 0 < line.cost_pence <= sold[line.sku].gross_pence
            assert not world.items[line.sku].is_discontinued


def test_one_customer_has_one_return_unless_a_plant_pairs_them(world: World) -> None:
    paired = {world.rmas[plant.rma].urn for plant in world.plants if plant.kind in ("over_return", "customer_unknown")}
    counts = Counter(rma.urn for rma in world.rmas.values())
    assert all(count == 1 or urn in paired for urn, count in counts.items())


def test_codes_fit_and_most_rmas_fit_a_khaos_reference(world: World) -> None:
    assert all(len(urn) <= 10 for urn in world.customers)
    long = [rma for rma in world.rmas if len(rma) > 15]
    assert 0 < len(long) < len(world.rmas) / 5
    assert len({order.associated_ref for order in world.orders.values()}) >= len(world.orders) - 10


def test_items_of_watched_scripts_are_sold_once_and_returned_once(world: World) -> None:
    watched = [number for number, script in world.scripts.items() if script.startswith("wrong_type")]
    assert watched
    for number in watched:
        (line,) = world.rmas[number].lines
        assert sum(sold.stock_code == line.sku for order in world.orders.values() for sold in order.lines) == 1
        assert sum(other.sku == line.sku for rma in world.rmas.values() for other in rma.lines) == 1


def test_a_month_shows_what_an_apparel_merchant_has(world: World) -> None:
    lines = [line for rma in clean(world) for line in rma.lines]
    assert {order.currency for order in world.orders.values()} == {"GBP", "EUR"}
    assert any(len(order.lines) > 1 for order in world.orders.values())
    assert any(line.vat_percent == 0 for order in world.orders.values() for line in order.lines)
    assert any(order.delivery_gross_pence for order in world.orders.values())
    assert any(line.quantity > 1 and line.cost_pence % line.quantity for line in lines)
    assert any(rma.handling_fee_pence for rma in clean(world))
    assert any(line.condition == "Damaged" for line in lines)
    assert any("add_line" in changes for rma in clean(world) for _, changes in rma.steps)


def test_every_clean_story_has_weight() -> None:
    assert all(weight > 0 for weight, _ in CLEAN.values())


def test_a_trickle_adds_submitted_returns_that_close_within_a_minute() -> None:
    world = build(1, 20)
    before = set(world.rmas)
    trickle(world, 3)
    fresh = [rma for number, rma in world.rmas.items() if number not in before]
    assert [rma.is_submitted for rma in fresh] == [False] * 3
    world.now += timedelta(seconds=60)
    apply_due(world)
    assert {rma.status for rma in fresh} == {"Closed"}
    assert all(rma.refund_pence > 0 and rma.closed_at and rma.is_submitted for rma in fresh)


def test_trickles_never_reuse_a_code() -> None:
    world = build(1, 20)
    orders, rmas = len(world.orders), len(world.rmas)
    for _ in range(30):
        world.now += timedelta(seconds=10)
        trickle(world, 2)
    assert len(world.rmas) == rmas + 60
    assert len(world.orders) == orders + 60
    assert len({rma.return_id for rma in world.rmas.values()}) == len(world.rmas)


def test_a_trickle_is_the_same_for_the_same_world() -> None:
    first, second = build(4, 10), build(4, 10)
    trickle(first)
    trickle(second)
    assert first == second
    assert first.now == DEFAULT_NOW


@pytest.mark.parametrize(("name", "ref"), [("#LX10482", "KCCLX10482"), ("LX1", "KCCLX1"), ("#489434", "KCC489434")])
def test_order_ref(name: str, ref: str) -> None:
    assert order_ref(name) == ref


@pytest.mark.parametrize(("gross", "percent", "net"), [(6747, 20, 5623), (1200, 20, 1000), (1450, 0, 1450), (3, 20, 3)])
def test_net_is_half_up(gross: int, percent: int, net: int) -> None:
    assert net_of(gross, percent) == net


@pytest.mark.parametrize(("quantity", "pence"), [(1, 1166), (2, 2332), (3, 3499)])
def test_the_whole_line_costs_the_whole(quantity: int, pence: int) -> None:
    assert part_of(WorldLine("A", 3, 3499, 20, "1"), quantity) == pence
