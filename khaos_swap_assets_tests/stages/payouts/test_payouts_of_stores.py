"""Payouts of two shops of one merchant, whose payouts, lines and orders are numbered alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.settings_stores import Store
from khaos_swap_assets.adapters.settings_swap import SwapSettings
from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.adapters.swap.client import SwapClient
from khaos_swap_assets.domain.records.stores import OrderNaming, qualified
from khaos_swap_assets.stages.due import local_reason
from khaos_swap_assets.stages.payouts.comparing import due_since, read_payouts
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.adapters.storefront.shop import Json, balance
from khaos_swap_assets_tests.lending import lend
from khaos_swap_assets_tests.stages.payouts.town import READ, PayingTown
from khaos_swap_assets_tests.stages.storefront.shop import Shop
from khaos_swap_assets_tests.stages.town import NOON, Swap, a_return, an_order, some_settings
from khaos_swap_assets_tests.stages.two_stores import OUTLET, twin


@dataclass
class TwoShops(PayingTown):
    """A return of ten pounds in each store, paid back by the shop of each."""

    outlet: Swap = field(default_factory=Swap)
    other_shop: Shop = field(default_factory=lambda: Shop(store=OUTLET))

    @property
    def tools(self) -> Toolbox:
        def shop_of(settings: StorefrontSettings) -> StorefrontClient:
            return cast(StorefrontClient, self.other_shop if settings.store else self.shop)

        def swap_of(settings: SwapSettings) -> SwapClient:
            return cast(SwapClient, self.outlet if settings.store else self.swap)

        return replace(super().tools, open_swap_of=swap_of, open_storefront_of=shop_of)


def of_both(first: StorefrontSettings) -> Settings:
    found = some_settings(storefront=first)
    found.swap = found.swap.named("", [OUTLET])
    own = {"url": "https://outlet.example", "access_token": SecretStr("u")}
    shop = READ.model_copy(update=own).named(OUTLET)
    found._further = (Store(OUTLET, SwapSettings(store_id="S2").named(OUTLET), shop, OrderNaming(OUTLET, "OUT{0}")),)
    return found


@pytest.fixture
def town(database_url: str) -> TwoShops:
    made = TwoShops(database_url, of_both(READ))
    made.swap.put(a_return(1, order_id="id1"))
    made.outlet.put(twin(1, order_id="id1"))
    made.khaos.sell(an_order(1), an_order(1, so_code="SX1", associated_ref="OUTLX1", customer_code="C9"))
    paid_at = NOON - timedelta(days=1)
    made.shop.pay(1, 1000, payment="TA", at=paid_at)
    own = {"order_name": qualified(OUTLET, "#LX1"), "order_id": qualified(OUTLET, "id1")}
    made.other_shop.pay(1, 1000, qualified(OUTLET, "F1"), payment="TB", at=paid_at, **own)
    for _ in range(3):
        made.sync()
        made.pull()
    return made


def line(payment: str) -> Json:
    return balance(1) | {"sourceOrderTransactionId": payment}


def test_payouts_that_are_numbered_alike_are_two_and_each_is_beside_its_own_refund(town: TwoShops) -> None:
    town.shop.pay_out(1, line("TA"))
    town.other_shop.pay_out(1, line("TB"))
    town.sync()
    rows = town.ask("SELECT payout_id, place, refund_key, return_id FROM recon.payout_refunds ORDER BY 1")
    assert rows == [("1", "matched", "TA", "R1"), ("outlet:1", "matched", "TB", "outlet:R1")]
    assert town.kinds() == {}
    assert town.other_shop.pages.count("1") == 1
    town.sync()
    assert town.other_shop.pages.count("1") == 1, "it is known"


def test_a_refund_of_a_shop_whose_payouts_nobody_could_read_is_not_missed(town: TwoShops) -> None:
    town.shop.pay_out(1, line("TA"))
    town.other_shop.payout_errors[""] = PermanentError("ACCESS_DENIED")
    town.do("DELETE FROM recon.watermarks WHERE starts_with(source, 'storefront/payouts') AND source ~ 'outlet'")
    town.sync(days=9)
    town.sync(minutes=1)
    assert town.kinds() == {"source_refused": "Storefront payouts of outlet"}


def test_a_refund_that_no_payout_of_its_own_shop_holds_is_missed(town: TwoShops) -> None:
    town.shop.pay_out(1, line("TA"))
    town.sync(days=9)
    town.sync(minutes=1)
    assert town.kinds() == {"refund_not_in_payout": "outlet:#LX1"} | town.kinds()
    assert town.ask("SELECT refund_key FROM recon.payout_refunds WHERE place = 'missing'") == [("TB",)]


def test_one_shops_outage_holds_up_no_other(town: TwoShops) -> None:
    town.other_shop.payout_errors[""] = PermanentError("ACCESS_DENIED")
    town.shop.pay_out(1, line("TA"))
    assert read_payouts(town.tools).changed == 1
    asked = len(town.other_shop.pages)
    read_payouts(town.tools)
    assert len(town.other_shop.pages) == asked, "it pauses"


def test_it_is_time_when_it_is_for_any_shop(database_url: str) -> None:
    town = TwoShops(database_url, of_both(READ.model_copy(update={"payout_minutes": 240})))
    read_payouts(town.tools)

    def due() -> tuple[list[bool], str]:
        with lend(town.url) as conn:
            each = [due_since(conn, one, town.now) is not None for one in town.settings.by_store]
            return each, local_reason(conn, town.settings, town.now)

    assert due() == ([False, True], "time to read payouts"), "the outlet's are always due"
    town.do("DELETE FROM recon.watermarks WHERE source = 'storefront/payouts'")
    assert due() == ([True, True], "time to read payouts")
