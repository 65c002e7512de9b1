"""What the shop is asked, how every list is read to its end, and how the client lives with its points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import PermanentError, SettingsError, TransientError
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.storefront.client import connect
from khaos_swap_assets_tests.adapters.storefront.shop import (
    TOKEN,
    Shop,
    client_of,
    error,
    line,
    listed,
    money,
    order,
    page,
    payment,
    refund,
)

MOMENT = datetime(2026, 3, 1, 10, 30, 5, tzinfo=UTC)


def ids(shop: Shop, **changes: Any) -> list[str]:
    return [one.record.refund_id for one in client_of(shop, **changes).changed_since(MOMENT).refunds]


def test_all_pages_are_read_by_their_cursors() -> None:
    shop = Shop([page([order(1, refund(1))], "c1"), page([order(2), order(3, refund(2), refund(3))])])
    sweep = client_of(shop, page_size=20, nested_size=5).changed_since(MOMENT)
    assert [one.record.refund_id for one in sweep.refunds] == ["1", "2", "3"]
    assert (sweep.orders, sweep.pages, sweep.faults) == (3, 2, ())
    wanted = "updated_at:>='2026-03-01T10:30:05Z'"
    assert shop.asked == [{"first": 20, "after": after, "nested": 5, "filter": wanted} for after in (None, "c1")]
    assert shop.headers[0]["x-shopify-access-token"] == TOKEN


def test_a_moment_of_another_zone_is_asked_in_utc() -> None:
    shop = Shop([page([])])
    client_of(shop).changed_since(MOMENT.astimezone(timezone(timedelta(hours=5))))
    assert shop.asked[0]["filter"] == "updated_at:>='2026-03-01T10:30:05Z'"


def test_the_lists_of_a_refund_are_read_to_their_end() -> None:
    split = refund(1, transactions=listed(payment(1, "4.00"), cursor="t1"), refundLineItems=listed(line(7), cursor="l"))
    rest = [
        {"data": {"node": {"transactions": listed(payment(2, "5.00"), cursor="t2")}}},
        {"data": {"node": {"transactions": listed(payment(3, "1.00"))}}},
        {"data": {"node": {"refundLineItems": listed(line(8))}}},
    ]
    shop = Shop([page([order(1, split)]), *rest])
    (read,) = client_of(shop, nested_size=1).changed_since(MOMENT).refunds
    assert [one.amount_pence for one in read.record.transactions] == [400, 500, 100]
    assert [one.line_item_id for one in read.record.lines] == ["7", "8"]
    assert [one.get("after") for one in shop.asked[1:]] == ["t1", "t2", "l"]
    assert {one["id"] for one in shop.asked[1:]} == {"gid://shopify/Refund/1"}


def test_a_refund_at_fault_loses_only_itself() -> None:
    broken = refund(2, createdAt="yesterday")
    sweep = client_of(Shop([page([order(1, refund(1), broken, None)])])).changed_since(MOMENT)
    assert [one.record.refund_id for one in sweep.refunds] == ["1"]
    assert [one.subject for one in sweep.faults] == ["refund 2", "refund of order #LX1"]


def test_cancelled_orders_come_with_the_refunds_and_one_at_fault_loses_only_itself() -> None:
    said = {"cancelledAt": "2026-03-01T09:59:00Z", "cancelReason": None, "totalPriceSet": money("5.00")}
    bad = order(2, refund(2)) | said | {"totalPriceSet": None}
    sweep = client_of(Shop([page([order(1, refund(1)) | said, bad, order(3)])])).changed_since(MOMENT)
    assert [one.order_name for one in sweep.cancelled] == ["#LX1"]
    assert [one.subject for one in sweep.faults] == ["cancelled order #LX2"]
    assert [one.record.refund_id for one in sweep.refunds] == ["1", "2"]


def test_a_refund_that_is_read_twice_counts_once() -> None:
    assert ids(Shop([page([order(1, refund(1))], "c1"), page([order(1, refund(1))])])) == ["1"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([page([order(1)], "c1"), page([order(2)], "c1")], "cursor repeats"),
        ([page([], "c1")], "empty, yet more"),
        ([{"data": {"orders": {"nodes": []}}}], "no list of orders with its pageInfo"),
        ([{"data": {"orders": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}}], "no cursor"),
        (
            [{"data": {"orders": listed(*({"id": f"{n}", "name": "#LX"} for n in range(5)))}}],
            "none of 5 orders.*no list of refunds",
        ),
        ([{"data": None}], "holds no data"),
        ([[]], "is no object"),
        ([{"errors": "[API] not available"}], "not available"),
        ([error("ACCESS_DENIED")], "scopes read_orders, read_returns"),
    ],
)
def test_an_answer_that_cannot_be_true_stops_the_reading(answers: list[Any], words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        client_of(Shop(answers)).changed_since(MOMENT)


ENDLESS = [page([order(1, refund(1, transactions=listed(payment(1), cursor="t1"))), order(2, refund(2))])]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": {"node": {"transactions": listed(payment(2), cursor="t1")}}}, "cursor repeats"),
        ({"data": {"node": None}}, "is gone"),
        (error("ACCESS_DENIED"), "scopes"),
    ],
)
def test_an_order_that_cannot_be_read_to_its_end_loses_itself_alone(answer: Any, words: str) -> None:
    sweep = client_of(Shop([*ENDLESS, answer])).changed_since(MOMENT)
    assert [one.record.refund_id for one in sweep.refunds] == ["2"]
    assert list(sweep.refused) == ["#LX1 1"]
    assert words in sweep.refused["#LX1 1"]


def test_one_order_is_asked_for_by_its_id() -> None:
    shop = Shop([page([order(1, refund(1))])])
    assert [one.record.refund_id for one in client_of(shop).of_order("1").refunds] == ["1"]
    assert shop.asked[0]["filter"] == "id:1"


def test_the_next_query_waits_until_its_points_are_there() -> None:
    shop = Shop([page([order(1)], "c1", requested=400, available=100), page([])])
    client_of(shop).changed_since(MOMENT)
    assert shop.slept == [pytest.approx((400 - 100) / 50)]


def test_a_throttled_query_waits_for_the_restore_rate_and_is_asked_again() -> None:
    shop = Shop([error("THROTTLED", requested=200, available=50), page([order(1, refund(1))])])
    assert ids(shop) == ["1"]
    assert shop.slept[0] == pytest.approx((200 - 50) / 50)
    assert len(shop.asked) == 2


@pytest.mark.parametrize("bad", [429, 500, 503, error("INTERNAL_SERVER_ERROR"), httpx.Response(200, text='{"da')])
def test_a_passing_fault_is_asked_again(bad: Any) -> None:
    shop = Shop([bad, page([order(1, refund(1))])])
    assert ids(shop) == ["1"]
    assert len(shop.asked) == 2


def test_a_fault_that_stays_is_told_after_the_last_repeat() -> None:
    shop = Shop([error("THROTTLED", requested=200, available=50)])
    with pytest.raises(TransientError, match="THROTTLED"):
        client_of(shop, retries=2).changed_since(MOMENT)
    assert len(shop.asked) == 3


def test_a_query_that_is_too_dear_is_asked_again_in_smaller_pages() -> None:
    dear = error("MAX_COST_EXCEEDED")
    shop = Shop([dear, dear, page([order(1)], "c1"), page([order(2, refund(1))])])
    assert ids(shop, page_size=40) == ["1"]
    assert [one["first"] for one in shop.asked] == [40, 20, 10, 10]


def test_a_query_dearer_than_the_bucket_ever_holds_shrinks_too() -> None:
    shop = Shop([error("THROTTLED", requested=1500, most=1000, available=1000), page([])])
    client_of(shop, page_size=40).changed_since(MOMENT)
    assert [one["first"] for one in shop.asked] == [40, 20]


def test_one_order_that_is_too_dear_is_told() -> None:
    shop = Shop([error("MAX_COST_EXCEEDED")])
    with pytest.raises(PermanentError, match="one order is too dear"):
        client_of(shop, page_size=4, nested_size=4).changed_since(MOMENT)
    assert [(one["first"], one["nested"]) for one in shop.asked] == [(4, 4), (2, 4), (1, 4), (1, 2), (1, 1)]


def test_a_wrong_token_says_which_setting_to_check_and_not_what_it_is() -> None:
    with pytest.raises(PermanentError, match="KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN") as caught:
        client_of(Shop([httpx.Response(401, json={"errors": f"bad token {TOKEN}"})])).changed_since(MOMENT)
    assert TOKEN not in str(caught.value)


def test_the_scopes_are_told() -> None:
    granted = {"currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}, {"handle": "read_returns"}]}}
    assert client_of(Shop([{"data": granted}])).scopes() == {"read_orders", "read_returns"}
    assert client_of(Shop([{"data": {"currentAppInstallation": None}}])).scopes() == frozenset()


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("", TOKEN, "KHAOS_SWAP_STOREFRONT_URL"),
        ("https://shop.example", "", "ACCESS_TOKEN: is required"),
        ("http://shop.example", TOKEN, "must be https"),
    ],
)
def test_a_storefront_that_is_half_connected_is_told(url: str, token: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        connect(StorefrontSettings(url=url, access_token=SecretStr(token)))


def test_an_app_that_may_not_see_locations_reads_all_else() -> None:
    denied = error("ACCESS_DENIED", "Access denied for location field")
    split = refund(1, refundLineItems=listed(line(7, restockType="RETURN"), cursor="l"))
    rest = {"data": {"node": {"refundLineItems": listed(line(8, restockType="CANCEL"))}}}
    shop = Shop([denied, page([order(1, split)]), rest])
    (read,) = client_of(shop).changed_since(MOMENT).refunds
    assert [one.restock_type for one in read.record.lines] == ["RETURN", "CANCEL"]
    assert ["location" in query for query in shop.queries] == [True, False, False]


def test_what_else_is_denied_is_told_with_the_scopes() -> None:
    shop = Shop([error("ACCESS_DENIED", "Access denied for refunds field")])
    with pytest.raises(PermanentError, match="read_orders"):
        client_of(shop).changed_since(MOMENT)
