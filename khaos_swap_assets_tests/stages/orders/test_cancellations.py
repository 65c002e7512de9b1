"""Cancelled orders on a real database: asked about until their end is known, told while they are trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.stages.due import local_reason, what_is_due
from khaos_swap_assets.stages.orders import assets
from khaos_swap_assets.stages.orders.cancellations import follow_cancellations
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, MoneyTown
from khaos_swap_assets_tests.stages.town import NOON, a_return, an_order, called, connect, some_settings

PROGRESS = "SELECT order_id, progress, stage_id FROM recon.cancellations ORDER BY 1"


@dataclass
class ShopTown(MoneyTown):
    """The town in which each sync follows what the shop cancelled."""

    def read(self) -> None:
        super().read()
        follow_cancellations(self.tools)

    def questions(self) -> list[list[str]]:
        """What Khaos was asked about by reference."""
        asked = [one.get("associated_refs") for what, one in self.khaos.asked if what == "status"]
        return [list(refs) for refs in asked if refs]


@pytest.fixture
def town(database_url: str) -> ShopTown:
    return ShopTown(database_url, some_settings(storefront=CONNECTED))


def cancelled(town: ShopTown, stage_id: int | None, number: int = 1) -> ShopTown:
    """Order <number> stands at a stage in Khaos, and the shop cancelled it."""
    town.khaos.sell(an_order(number, invoiced_on=None))
    if stage_id is not None:
        town.khaos.stages[f"SO{number}"] = stage_id
    town.shop.cancel(number)
    return town


def paid_back(town: ShopTown) -> ShopTown:
    """The shop paid order #LX1 back ten days ago."""
    town.shop.pay(1, 1000, at=NOON - timedelta(days=10))
    return town


def stop(town: ShopTown, number: int = 1) -> None:
    """Operations cancel the Sales Order in Khaos."""
    town.khaos.orders = [
        replace(one, is_cancelled=True) if one.so_code == f"SO{number}" else one for one in town.khaos.orders
    ]


def test_an_order_that_is_being_picked_is_told_until_khaos_shows_it_cancelled(town: ShopTown) -> None:
    cancelled(town, 12).sync()
    assert town.kinds() == {"cancelled_order_open": "#LX1"}
    assert town.ask(PROGRESS) == [("id1", "picking", 12)]
    town.sync()
    assert town.kinds() == {"cancelled_order_open": "#LX1"}
    stop(town)
    town.sync()
    assert town.kinds() == {}
    assert town.ask(PROGRESS) == [("id1", "cancelled", None)]


def test_its_exception_opens_before_the_rest_of_the_run_and_closes_with_it(town: ShopTown) -> None:
    cancelled(town, 12).read()
    opened = "SELECT kind, subject, owner FROM recon.exceptions WHERE closed_at IS NULL"
    assert town.ask(opened) == [("cancelled_order_open", "#LX1", "operations")]
    stop(town)
    town.now += timedelta(hours=1)
    town.read()
    assert town.ask(opened) == [("cancelled_order_open", "#LX1", "operations")]
    town.sync()
    assert town.ask(opened) == []


def test_one_that_left_all_the_same_is_told_until_a_return_of_it_is_known(town: ShopTown) -> None:
    cancelled(town, 13).sync()
    town.khaos.stages["SO1"] = 70
    town.sync()
    assert town.kinds() == {"cancelled_order_sent": "#LX1"}
    town.edit(a_return(1, status="Cancelled", refund_pence=0))
    town.sync()
    assert "cancelled_order_sent" in town.kinds()
    town.edit(a_return(1))
    town.sync()
    assert "cancelled_order_sent" not in town.kinds()


def test_money_back_for_an_order_that_was_not_sent_needs_no_return(town: ShopTown) -> None:
    paid_back(cancelled(town, 12)).sync()
    town.sync(hours=1)
    assert town.kinds() == {"cancelled_order_open": "#LX1"}
    stop(town)
    town.sync(hours=1)
    town.sync(hours=1)
    assert town.kinds() == {}


def test_money_back_for_one_that_was_sent_all_the_same_is_told_to_finance(town: ShopTown) -> None:
    paid_back(cancelled(town, 12)).sync()
    town.khaos.stages["SO1"] = 70
    town.sync(hours=1)
    town.sync(hours=1)
    assert town.kinds() == {"cancelled_order_sent": "#LX1", "refund_without_return": "#LX1/F1"}


@pytest.mark.parametrize(("stage_id", "is_stopped"), [(70, False), (12, True)])
def test_nothing_is_asked_once_nothing_can_change(town: ShopTown, stage_id: int, is_stopped: bool) -> None:
    cancelled(town, stage_id)
    if is_stopped:
        stop(town)
    town.sync()
    before = len(town.questions())
    assert before
    town.sync(hours=5)
    assert len(town.questions()) == before


def test_an_order_that_khaos_does_not_know_is_asked_about_ever_more_seldom(town: ShopTown) -> None:
    town.shop.cancel(9)
    for _ in range(16):
        town.sync(days=1)
    assert 8 < len(town.questions()) < 15
    assert town.kinds() == {}


def test_one_before_the_first_month_is_not_followed(town: ShopTown) -> None:
    town.khaos.sell(an_order(1, invoiced_on=None))
    town.shop.cancel(1, NOON - timedelta(days=900))
    town.sync()
    assert (town.ask(PROGRESS), town.questions()) == ([], [])
    town.do("INSERT INTO recon.cancellations VALUES ('id1', 'waiting', '{}', NULL, %s, %s)", town.now, town.now)
    town.sync(hours=1)
    assert town.questions() == []
    assert town.ask("SELECT next_ask_at FROM recon.cancellations") == [(None,)]


def test_a_refusal_is_told_and_the_rest_of_the_run_goes_on(town: ShopTown, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = town.khaos.export_order_status

    def refused(**asked: object) -> object:
        if asked.get("associated_refs"):
            raise PermanentError("Khaos refuses it")
        return shown(**asked)

    cancelled(town, 12)
    monkeypatch.setattr(town.khaos, "export_order_status", refused)
    town.sync()
    assert town.kinds() == {"source_refused": "Khaos ExportOrderStatusEx of cancelled orders"}
    town.do("INSERT INTO recon.cancellations VALUES ('id1', 'waiting', '{}', NULL, %s, %s)", town.now, town.now)
    with connect(town) as conn:
        assert "cancelled" not in local_reason(conn, town.settings, town.now)
    monkeypatch.undo()
    town.sync(hours=2)
    assert town.kinds() == {"cancelled_order_open": "#LX1"}


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda town: town.shop.cancel(2), "1 order cancelled"),
        (lambda town: setattr(town, "now", town.now + timedelta(minutes=2)), "cancelled order to look at"),
    ],
)
def test_the_sensor_sees_it(town: ShopTown, prepare: Callable[[ShopTown], None], reason: str) -> None:
    cancelled(town, 12).sync()
    town.do("INSERT INTO recon.watermarks VALUES ('swap/wide_sweep', %s) ON CONFLICT DO NOTHING", town.now)
    prepare(town)
    assert what_is_due(town.tools) == reason


def test_without_a_storefront_it_proves_nothing_and_says_so(database_url: str) -> None:
    town = ShopTown(database_url, some_settings())
    town.sync()
    shown = called(assets.reconciliation_cancellations, town).metadata
    assert "No storefront is connected" in shown["witness"].value
    with connect(town) as conn:
        assert local_reason(conn, town.settings, town.now) == ""


def test_the_asset_shows_the_race_and_the_check_its_owner(town: ShopTown) -> None:
    cancelled(town, 12).sync()
    shown = called(assets.reconciliation_cancellations, town).metadata
    assert "#LX1" in str(shown["race"])
    assert "picking" in str(shown["race"])
    verdict = called(assets.no_cancelled_order_is_being_picked, town)
    assert not verdict.passed
    assert verdict.metadata["open"].value == 1
