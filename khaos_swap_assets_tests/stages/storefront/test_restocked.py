"""Units that the storefront took back into its own stock: told where Khaos keeps the stock, or nobody had looked."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inspections, worklist
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.judging.money_conditions import without_return
from khaos_swap_assets.domain.refunds.payments import RefundLine
from khaos_swap_assets.stages.storefront import assets
from khaos_swap_assets_tests.domain.payments import a_refund
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, MoneyTown
from khaos_swap_assets_tests.stages.town import a_line, a_return, called, some_settings

KIND = "storefront_restocked"
SHOP_KEEPS = CONNECTED.model_copy(update={"stock_master": "storefront"})


def restocked(quantity: int = 2, how: str = "RETURN", location: str = "77") -> RefundLine:
    return RefundLine("L-HAT", "HAT", quantity, 1000 * quantity, 167, how, location)


def told(town: MoneyTown) -> list[tuple[Any, ...]]:
    query = "SELECT subject, message, money_at_risk_pence FROM recon.exceptions WHERE kind = %s AND closed_at IS NULL"
    return town.ask(query, KIND)


@pytest.fixture
def town(database_url: str) -> MoneyTown:
    """A return of two HATs, which came back and nobody looked at, paid by the shop."""
    town = MoneyTown(database_url, some_settings(storefront=CONNECTED))
    line = a_line("HAT", 2, 2000, line_item_id="L-HAT")
    town.sells_and_takes_back(a_return(1, line, order_id="id1", quality_control_status="Pending"))
    return town


def inspect(town: MoneyTown, condition: str, units: int) -> None:
    with town.tools.store() as conn:
        seen = Inspection(f"I-{condition}-{units}", "RMA1", "HAT", "L-HAT", condition, units, town.now, "Kim")
        inspections.save(conn, seen, town.now)
        worklist.queue(conn, "match", ["R1"])


def test_where_khaos_keeps_the_stock_every_restocked_unit_is_told_with_its_value_and_place(town: MoneyTown) -> None:
    town.shop.pay(1, 2000, lines=(restocked(),))
    town.sync()
    assert told(town) == [
        (
            "RMA1",
            "Restocked in the storefront, where Khaos puts the goods back too: 2 x HAT at location 77 with refund F1",
            2000,
        )
    ]
    inspect(town, "Sellable", 2)
    town.sync()
    assert len(told(town)) == 1
    verdict = called(assets.no_refund_restocks_the_shop, town)
    assert (verdict.passed, verdict.metadata["open"].value) == (False, 1)


@pytest.mark.parametrize("how", ["NO_RESTOCK", "CANCEL", "", "A_NEW_WORD"])
def test_what_was_not_restocked_is_no_trouble(town: MoneyTown, how: str) -> None:
    town.shop.pay(1, 2000, lines=(restocked(how=how),))
    town.sync()
    assert told(town) == []
    assert called(assets.no_refund_restocks_the_shop, town).passed


@pytest.mark.parametrize(("condition", "units", "pence"), [("Sellable", 1, 1000), ("Damaged", 2, 2000)])
def test_where_the_shop_keeps_it_those_are_told_that_nobody_found_sellable(
    town: MoneyTown, condition: str, units: int, pence: int
) -> None:
    town.with_settings(storefront=SHOP_KEEPS)
    town.shop.pay(1, 2000, lines=(restocked(),))
    town.sync()
    assert [row[2] for row in told(town)] == [2000]
    assert "which nobody found sellable: 2 x HAT" in told(town)[0][1]
    inspect(town, condition, units)
    town.sync()
    assert [row[2] for row in told(town)] == [pence]
    inspect(town, "Sellable", 2)
    town.sync()
    assert [row[2] for row in told(town)] == ([] if condition == "Sellable" else [pence])


def test_returns_before_the_start_and_money_of_nobody_are_not_judged(town: MoneyTown) -> None:
    town.with_settings(storefront=CONNECTED, post_from=town.today())
    town.shop.pay(1, 2000, lines=(restocked(),))
    town.shop.pay(7, 1000, lines=(restocked(1),))
    town.sync()
    assert told(town) == []


def test_money_without_a_return_says_what_it_did_with_goods() -> None:
    stopped, back = restocked(2, "CANCEL"), restocked(1)
    assert without_return(a_refund("F1", lines=(stopped, back)), ()).message.endswith(
        "asked for it; 2 x HAT taken off the order before dispatch; 1 x HAT restocked in the storefront"
    )
    assert without_return(a_refund("F1"), ()).message.endswith("asked for it")
