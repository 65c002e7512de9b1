"""The sandbox's storefront: what money moves when Swap processes a return, and what the adapter reads of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.storefront.client import StorefrontClient, connect
from khaos_swap_assets.adapters.storefront.records import RefundSweep
from khaos_swap_assets.adapters.storefront.variants import listed_variants
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import ON, is_processed, processed_at, settle
from khaos_swap_assets.sandbox.storefront_server import storefront_router
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.bridging import Bridge
from khaos_swap_assets_tests.sandbox.small import NOW, RMA, small_world

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def connected(world: World, **scripts: str) -> World:
    world.memory[ON] = "on"
    world.money_scripts |= scripts
    return world


def shop(**scripts: str) -> World:
    """The small world with its return processed an hour ago."""
    world = connected(small_world(), **scripts)
    rma = world.rmas[RMA]
    rma.processed_at = rma.closed_at = NOW - timedelta(hours=5)
    return world


def read(state: State, **changes: object) -> RefundSweep:
    return client_of(state, **changes).changed_since(LONG_AGO)


def client_of(state: State, **changes: object) -> StorefrontClient:
    app = FastAPI()
    app.include_router(storefront_router(Books(state)))
    given = {"url": "http://127.0.0.1/shop", "access_token": SecretStr(state.store_token), **changes}
    return connect(StorefrontSettings.model_validate(given), transport=Bridge(app), sleep=lambda _: None)


@pytest.fixture(scope="module")
def month() -> State:
    state = State(connected(build(3, 120)))
    state.world.now += timedelta(days=16)
    apply_due(state.world)
    settle(state.world)
    return state


def test_the_adapter_reads_every_refund_as_it_truly_is(month: State) -> None:
    sweep = read(month, page_size=25, nested_size=1)
    truth = month.world.store_refunds
    assert {one.record.refund_id for one in sweep.refunds} == set(truth)
    assert sweep.faults == ()
    for one in sweep.refunds:
        true = truth[one.record.refund_id]
        assert (one.record.order_id, one.record.order_name) == (true.order_id, true.order_name)
        assert (one.record.currency, one.record.return_ref) == (true.currency, true.return_ref)
        assert [part.amount_pence for part in one.record.transactions] == [part.amount_pence for part in true.payments]
        assert len(one.record.lines) == len(true.line_items)


def test_every_processed_return_is_paid_to_the_penny(month: State) -> None:
    read(month)
    paid: dict[str, int] = {}
    for refund in month.world.store_refunds.values():
        paid[refund.rma] = paid.get(refund.rma, 0) + sum(one.amount_pence for one in refund.payments)
    assert paid == {
        rma.rma_number: rma.refund_pence for rma in month.world.rmas.values() if is_processed(month.world, rma)
    }


def test_money_moves_after_swap_and_on_the_same_london_day(month: State) -> None:
    for refund in month.world.store_refunds.values():
        said = processed_at(month.world, month.world.rmas[refund.rma])
        later = month.world.rmas[refund.rma].updated_at
        assert said
        assert refund.created_at >= said
        assert london_date(refund.created_at) in {london_date(said), london_date(later)}


def test_some_refunds_go_partly_to_a_gift_card_and_some_name_their_return(month: State) -> None:
    refunds = month.world.store_refunds.values()
    assert 0 < sum(len(one.payments) == 2 for one in refunds) < len(refunds) / 3
    assert 0 < sum(bool(one.return_ref) for one in refunds) < len(refunds)


def test_the_same_seed_gives_the_same_refunds_and_moves_nothing_else() -> None:
    one, two, bare = connected(build(3, 60)), connected(build(3, 60)), build(3, 60)
    settle(one)
    settle(two)
    assert one.store_refunds == two.store_refunds
    assert (one.rmas, one.orders, one.notes, one.plants) == (bare.rmas, bare.orders, bare.notes, bare.plants)
    assert settle(bare) == []


def test_a_refund_is_made_once_and_a_higher_one_brings_the_difference() -> None:
    world = shop()
    assert [sum(part.amount_pence for part in one.payments) for one in settle(world)] == [8499]
    assert settle(world) == []
    world.rmas[RMA].refund_pence += 500
    world.rmas[RMA].updated_at = world.now - timedelta(hours=3)
    assert [sum(part.amount_pence for part in one.payments) for one in settle(world)] == [500]


@pytest.mark.parametrize(
    ("script", "amounts", "statuses"),
    [
        ("unpaid", [], set()),
        ("failed", [8499], {"FAILURE"}),
        ("short", [8399], {"SUCCESS"}),
        ("over", [8894], {"SUCCESS"}),
        ("twice", [8499, 8499], {"SUCCESS"}),
        ("currency", [8499], {"SUCCESS"}),
    ],
)
def test_each_script_moves_the_money_in_its_own_way(script: str, amounts: list[int], statuses: set[str]) -> None:
    world = shop(**{RMA: script})
    made = settle(world)
    assert [sum(part.amount_pence for part in one.payments) for one in made] == amounts
    assert {part.status for one in made for part in one.payments} == statuses
    assert {one.currency for one in made} <= ({"EUR"} if script == "currency" else {"GBP"})
    assert settle(world) == []


def test_a_late_refund_is_not_there_before_its_time() -> None:
    world = shop(**{RMA: "late"})
    assert settle(world) == []
    world.now += timedelta(days=2)
    (made,) = settle(world)
    assert made.created_at > NOW


@pytest.mark.parametrize("fault", ["store_429", "store_500", "store_throttled", "store_truncated"])
def test_the_client_outlives_each_fault(fault: str) -> None:
    state = State(shop())
    state.faults.arm(fault, 2)
    assert len(read(state).refunds) == 1
    assert state.faults.armed == {}


def test_a_fault_that_stays_fails_the_reading_whole() -> None:
    state = State(shop())
    state.faults.arm("store_throttled", -1)
    with pytest.raises(TransientError, match="THROTTLED"):
        read(state, retries=1)


def test_a_bucket_too_small_for_the_page_makes_the_pages_small(month: State) -> None:
    month.switches["store_plan"] = "tiny"
    try:
        assert read(month, page_size=50, nested_size=10, retries=10).pages > 20
    finally:
        month.switches.clear()


def test_an_order_that_drifts_out_of_a_page_is_read_in_the_next_sweep(month: State) -> None:
    month.faults.arm("store_page_drift", 1)
    short = read(month, page_size=100)
    whole = read(month, page_size=100)
    assert len(short.refunds) <= len(whole.refunds) == len(month.world.store_refunds)


def test_a_wrong_token_is_refused() -> None:
    with pytest.raises(PermanentError, match="401"):
        read(State(shop()), access_token=SecretStr("another-token"))


def test_a_refund_that_cannot_be_read_loses_only_itself() -> None:
    world = shop()
    (made,) = settle(world)
    made.is_broken = True
    sweep = read(State(world))
    assert (sweep.refunds, [one.subject for one in sweep.faults]) == ((), [f"refund {made.refund_id}"])


def test_the_variants_are_read_page_after_page() -> None:
    state = State(shop())
    found, faults = listed_variants(client_of(state, page_size=1))
    assert ({one.sku for one in found}, faults) == (set(state.world.items), [])
