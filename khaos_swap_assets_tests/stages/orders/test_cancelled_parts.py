"""Units taken off orders on a real database: a task until Khaos shows the order without them, or they left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.domain.refunds.payments import RefundLine
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets_tests.stages.orders.test_cancellations import ShopTown
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED
from khaos_swap_assets_tests.stages.town import NOON, a_line, a_return, an_order, some_settings

OPEN, SENT, FINANCE = "cancelled_order_open", "cancelled_order_sent", "refund_without_return"
LONG_AGO = NOON - timedelta(days=10)


@pytest.fixture
def town(database_url: str) -> ShopTown:
    return ShopTown(database_url, some_settings(storefront=CONNECTED))


def taken_off(town: ShopTown, *, ordered: int = 2, stage_id: int = 12, sku: str = "HAT") -> ShopTown:
    """Of order #LX1 of so many HATs and a mug, which is being picked, the shop took a HAT off and paid it back."""
    town.khaos.sell(an_order(1, ("HAT", ordered), ("MUG", 1), invoiced_on=None))
    town.khaos.stages["SO1"] = stage_id
    line = RefundLine("7", sku, 1, 1000, 167, "CANCEL", ordered_quantity=ordered)
    town.shop.pay(1, 1000, at=LONG_AGO, lines=(line,))
    return town


def amend(town: ShopTown, units: int) -> None:
    """Operations leave so many HATs in the Sales Order."""
    lines = an_order(1, *([("HAT", units)] if units else ()), ("MUG", 1)).lines
    town.khaos.orders = [replace(one, lines=lines) for one in town.khaos.orders]


def looked(town: ShopTown) -> str:
    """Why the sensor would ask for a run."""
    town.do("INSERT INTO recon.watermarks VALUES ('swap/wide_sweep', %s) ON CONFLICT DO NOTHING", town.now)
    return what_is_due(town.tools)


@pytest.mark.parametrize("ordered", [2, 1])
def test_it_is_a_task_of_operations_until_khaos_shows_the_order_without_it(town: ShopTown, ordered: int) -> None:
    taken_off(town, ordered=ordered).sync()
    assert town.kinds()[OPEN] == "#LX1/HAT"
    town.sync(hours=1)
    assert town.kinds()[OPEN] == "#LX1/HAT"
    amend(town, ordered - 1)
    town.sync(hours=1)
    town.sync(hours=1)
    assert town.kinds() == {}


def test_money_that_is_more_than_the_units_stays_with_finance(town: ShopTown) -> None:
    taken_off(town)
    town.shop.refunds["F1"] = replace(town.shop.pay(1, 1200, at=LONG_AGO), lines=town.shop.refunds["F1"].lines)
    amend(town, 1)
    town.sync()
    town.sync(hours=1)
    assert town.kinds() == {FINANCE: "#LX1/F1"}


def test_sent_without_it_is_no_trouble_and_sent_with_it_asks_cx_for_a_return(town: ShopTown) -> None:
    taken_off(town).sync()
    town.khaos.stages["SO1"] = 70
    town.sync(hours=1)
    town.sync(hours=1)
    assert town.kinds() == {SENT: "#LX1/HAT", FINANCE: "#LX1/F1"}
    town.edit(a_return(1, a_line("MUG")))
    town.sync(hours=1)
    assert town.kinds()[SENT] == "#LX1/HAT"
    town.edit(a_return(1))
    town.sync(hours=1)
    assert SENT not in town.kinds()


def test_an_order_cancelled_as_a_whole_afterwards_is_told_as_a_whole(town: ShopTown) -> None:
    taken_off(town).sync()
    town.shop.cancel(1)
    town.sync(hours=1)
    assert town.kinds()[OPEN] == "#LX1"
    assert town.ask("SELECT * FROM recon.cancelled_parts") == []


def test_a_sku_that_is_no_stock_code_is_told_until_a_person_says_so(town: ShopTown) -> None:
    taken_off(town, sku="CAP").sync()
    amend(town, 0)
    town.sync(hours=1)
    assert town.kinds()[OPEN] == "#LX1/CAP"


@pytest.mark.parametrize("stage_id", [12, 70])
def test_an_order_of_which_khaos_shows_no_goods_proves_nothing(town: ShopTown, stage_id: int) -> None:
    taken_off(town).sync()
    town.khaos.orders = [replace(one, lines=()) for one in town.khaos.orders]
    town.khaos.stages["SO1"] = stage_id
    town.sync(hours=1)
    assert town.kinds()[OPEN if stage_id == 12 else SENT] == "#LX1/HAT"


def test_while_khaos_refuses_nothing_is_closed(town: ShopTown, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_off(town).sync()
    shown = town.khaos.export_order_status

    def refused(**asked: object) -> object:
        if asked.get("associated_refs"):
            raise PermanentError("Khaos refuses it")
        return shown(**asked)

    amend(town, 1)
    monkeypatch.setattr(town.khaos, "export_order_status", refused)
    for _ in range(2):
        town.sync(hours=1)
        assert town.kinds()[OPEN] == "#LX1/HAT"
    assert "cancelled" not in looked(town)
    town.khaos.broken_refs["KCCLX1"] = PermanentError("no lines today")
    monkeypatch.undo()
    town.sync(hours=6)
    assert town.kinds()[OPEN] == "#LX1/HAT"


def test_the_sensor_looks_again_and_not_before_the_first_month(town: ShopTown) -> None:
    taken_off(town).sync()
    town.do("UPDATE storefront.refunds SET judge_at = NULL")
    town.now += timedelta(minutes=2)
    assert looked(town) == "cancelled part to look at"


def test_one_taken_off_before_the_first_month_is_not_followed(town: ShopTown) -> None:
    taken_off(town)
    town.shop.refunds["F1"] = replace(town.shop.refunds["F1"], created_at=NOON - timedelta(days=900))
    town.sync()
    assert OPEN not in town.kinds()
    assert town.ask("SELECT * FROM recon.cancelled_parts") == []
