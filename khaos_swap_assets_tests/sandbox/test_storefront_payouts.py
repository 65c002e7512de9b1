"""The sandbox's payouts over real HTTP: kept once made, every payment in one of them, scripts with their truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.storefront.client import connect
from khaos_swap_assets.adapters.storefront.payouts import payouts_since
from khaos_swap_assets.adapters.storefront.records import PayoutSweep
from khaos_swap_assets.domain.payouts.records import REFUND
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_truth import planted
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import settle
from khaos_swap_assets.sandbox.storefront_payouts import GATEWAY, HIDDEN, STRANGE, pay_out
from khaos_swap_assets.sandbox.storefront_schema import in_shop
from khaos_swap_assets.sandbox.storefront_server import storefront_router
from khaos_swap_assets.sandbox.storefront_trouble import connect as connect_shop
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.running import serving

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
KINDS = {"payout_without_refund", "payout_amount_differs", "payout_total_differs", "refund_not_in_payout"}


@dataclass
class Shop:
    """The sandbox's storefront on a port of this process."""

    url: str
    state: State

    def read(self, known: dict[str, str] | None = None, **changes: object) -> PayoutSweep:
        token = SecretStr(self.state.store_token)
        settings = StorefrontSettings.model_validate({"url": self.url, "access_token": token, "retries": 1, **changes})
        shop = connect(settings, sleep=lambda _: None)
        try:
            return payouts_since(shop, LONG_AGO, (known or {}).get)
        finally:
            shop.close()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    world = build(3, 60)
    connect_shop(world)
    world.now += timedelta(days=16)
    apply_due(world)
    state, app = State(world), FastAPI()
    app.include_router(storefront_router(Books(state)))
    with serving(app) as port:
        yield Shop(f"http://127.0.0.1:{port}/shop", state)


def test_every_payment_is_in_one_payout_to_the_penny_but_for_the_scripts(shop: Shop) -> None:
    sweep = shop.read(page_size=7)
    world = shop.state.world
    lines = Counter(
        line.transaction_id for one in sweep.payouts for line in one.record.lines if line.kind.lower() == REFUND
    )
    moved = {
        part.transaction_id: refund
        for refund in world.store_refunds.values()
        for part in refund.payments
        if part.gateway == GATEWAY and part.status == "SUCCESS" and part.processed_at
    }
    hidden = {key for key, refund in moved.items() if world.money_scripts.get(refund.rma) == HIDDEN}
    recent = {key for key, one in moved.items() if one.created_at > world.now - timedelta(days=1)}
    assert set(moved) - hidden - recent <= set(lines)
    assert not hidden & set(lines)
    assert set(lines.values()) == {1}
    assert {one.record.apart_pence for one in sweep.payouts} == {0, -100}
    assert STRANGE in {line.kind for one in sweep.payouts for line in one.record.lines}
    assert sum(line.fee_pence for one in sweep.payouts for line in one.record.lines) > 0
    assert (sweep.faults, dict(sweep.refused)) == ((), {})


def test_payouts_are_made_once_and_kept(shop: Shop, tmp_path: Path) -> None:
    first = shop.read()
    again = shop.read({one.record.payout_id: one.content_hash for one in first.payouts})
    assert (again.payouts, again.seen) == ((), first.seen)
    keeper = Keeper(tmp_path / "world.db")
    keeper.save_all(shop.state.world)
    kept = keeper.load()
    keeper.close()
    assert kept
    assert kept.store_payouts == shop.state.world.store_payouts
    assert pay_out(kept, in_shop) == []


def test_each_kind_of_difference_is_planted_with_its_truth(shop: Shop) -> None:
    shop.read()
    assert {plant.kind for plant in planted(shop.state.world)} >= KINDS


@pytest.mark.parametrize("seed", [1, 2])
def test_what_nobody_asked_for_is_no_trouble(seed: int) -> None:
    world: World = build(seed, 60)
    connect_shop(world)
    settle(world)
    assert not KINDS & {plant.kind for plant in planted(world)}


def test_it_denies_payouts_and_mixes_their_lines_on_request(shop: Shop) -> None:
    shop.state.faults.arm("store_payouts_denied")
    with pytest.raises(PermanentError, match="ACCESS_DENIED"):
        shop.read()
    whole = shop.read()
    shop.state.faults.arm("store_payouts_mixed")
    sweep = shop.read()
    (reason,) = sweep.refused.values()
    assert reason == "its lines hold one of payout 1: nothing of it was taken"
    assert len(sweep.payouts) == len(whole.payouts) - 1


@pytest.mark.parametrize("fault", ["store_throttled", "store_429", "store_500", "store_truncated"])
def test_a_stumble_of_the_shop_is_outlived(shop: Shop, fault: str) -> None:
    whole = shop.read()
    shop.state.faults.arm(fault)
    assert len(shop.read().payouts) == len(whole.payouts)


def test_a_shop_with_few_points_is_asked_in_small_pages(shop: Shop) -> None:
    whole = shop.read()
    shop.state.switches["store_plan"] = "tiny"
    try:
        assert len(shop.read(page_size=200).payouts) == len(whole.payouts)
    finally:
        shop.state.switches.clear()
