"""Knocks of the storefront: the order is read at once, and its change is seen in that very run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.adapters.errors import PermanentError, TransientError
from khaos_swap_assets.adapters.store import arrivals, inbox
from khaos_swap_assets.adapters.store.arrivals import Knock
from khaos_swap_assets.stages.due import what_is_due
from khaos_swap_assets.stages.storefront import assets
from khaos_swap_assets.stages.storefront.sync import MOST_NAMED, sync_refunds
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED, MoneyTown
from khaos_swap_assets_tests.stages.town import a_return, called

POLLED = CONNECTED.model_copy(update={"poll_minutes": 60})
LEFT = "SELECT order_id, tries, consumed_at IS NULL FROM recon.inbox WHERE source = 'storefront' ORDER BY inbox_id"


@pytest.fixture
def town(database_url: str) -> MoneyTown:
    """A town whose shop is asked for its list once an hour, and was a moment ago."""
    town = MoneyTown(database_url)
    town.with_settings(storefront=POLLED)
    town.sync()
    town.shop.asked.clear()
    return town


def knocked(town: MoneyTown, number: int, refund_id: str = "", event: str = "refunds/create") -> None:
    body = {"refund_id": refund_id} if refund_id else {}
    knock = Knock("shop.example", event, "", body, town.now, "storefront", f"id{number}")
    with town.tools.store() as conn:
        arrivals.keep_knocks(conn, [knock])


def test_a_knock_is_due_at_once_and_reads_its_order_alone(town: MoneyTown) -> None:
    town.now += timedelta(minutes=1)
    town.shop.pay(1, 1000)
    knocked(town, 1, "F1")
    assert what_is_due(town.tools) == "knock of the storefront"
    sync_refunds(town.tools)
    assert (town.shop.named, town.shop.asked) == (["id1"], [])
    assert town.ask("SELECT refund_id FROM storefront.refunds") == [("F1",)]
    assert town.ask(LEFT) == [("id1", 0, False)]
    assert what_is_due(town.tools) != "knock of the storefront"


def test_money_that_knocks_lets_its_return_be_drafted_in_the_same_run(town: MoneyTown) -> None:
    town.sells_and_takes_back(a_return(1, order_id="id1", updated_at=town.now))
    town.sync(minutes=1)
    assert town.drafts() == {"R1": "held"}
    town.shop.pay(1, 1000)
    knocked(town, 1, "F1")
    town.sync(minutes=1)
    assert town.drafts() == {"R1": "ready"}


def test_a_cancelled_order_that_knocks_is_followed_in_khaos_in_the_same_run(town: MoneyTown) -> None:
    town.shop.cancel(1)
    knocked(town, 1, event="orders/cancelled")
    town.sync(minutes=1)
    assert town.ask("SELECT order_id FROM storefront.cancelled_orders") == [("id1",)]
    assert town.ask(LEFT) == [("id1", 0, False)]


def test_an_order_that_shows_nothing_new_yet_is_read_again_and_then_left_to_the_list(town: MoneyTown) -> None:
    town.shop.pay(1, 1000)
    town.shop.hidden.add("id1")
    knocked(town, 1, "F1")
    for tries, wait in enumerate([*inbox.TRY_AGAIN, timedelta(minutes=6)]):
        assert town.ask(LEFT) == [("id1", tries, True)]
        sync_refunds(town.tools)
        sync_refunds(town.tools)
        town.now += wait
    assert len(town.shop.named) == len(inbox.TRY_AGAIN) + 1
    assert what_is_due(town.tools) != "knock of the storefront"


def test_many_knocks_have_all_that_changed_since_the_last_look_read_without_waiting(town: MoneyTown) -> None:
    last_look = town.now
    town.now += timedelta(minutes=50)
    for number in range(1, MOST_NAMED + 2):
        town.shop.pay(number, 1000)
        knocked(town, number, f"F{number}")
    sync_refunds(town.tools)
    assert town.shop.asked == [last_look - timedelta(minutes=POLLED.overlap_minutes)]
    assert {row[2] for row in town.ask(LEFT)} == {False}


def test_a_shop_that_does_not_answer_keeps_its_knocks(town: MoneyTown) -> None:
    knocked(town, 1, "F1")
    town.shop.error = TransientError("no answer in time")
    with pytest.raises(TransientError):
        sync_refunds(town.tools)
    assert town.ask(LEFT) == [("id1", 0, True)]


def test_a_shop_that_refuses_is_asked_again_later_and_later(town: MoneyTown) -> None:
    knocked(town, 1, "F1")
    town.shop.error = PermanentError("not allowed")
    sync_refunds(town.tools)
    assert town.ask(LEFT) == [("id1", 1, True)]


def test_knocks_of_a_shop_that_is_connected_no_more_are_used_up(town: MoneyTown) -> None:
    knocked(town, 1, "F1")
    town.with_settings()
    called(assets.storefront_refunds, town)
    assert town.ask(LEFT) == [("id1", 0, False)]
