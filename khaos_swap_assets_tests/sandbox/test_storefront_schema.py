"""The shop's answers, asked in GraphQL: pages that lose and repeat nothing, money in two currencies, whole ids."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from graphql import graphql_sync
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.storefront_schema import SCHEMA, Shop, connection, money
from khaos_swap_assets.sandbox.world import Payment, StoreRefund, World
from khaos_swap_assets_tests.sandbox.small import JACKET, NOW, small_world

ORDERS = """query ($first: Int, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query) {
    pageInfo { hasNextPage endCursor }
    nodes { id name updatedAt refunds { id createdAt return { id } totalRefundedSet { presentmentMoney { amount } }
      transactions(first: 1) { pageInfo { hasNextPage } nodes { id status amountSet { shopMoney { amount } } } }
      refundLineItems(first: 5) { nodes { quantity lineItem { id sku }
        subtotalSet { presentmentMoney { amount } } totalTaxSet { presentmentMoney { amount } } } } } } } }"""


def a_world(**changes: Any) -> World:
    """The small world with one refund by two means of payment."""
    world = small_world()
    parts = [Payment(f"T{at}", "paypal", pence, "GBP", NOW) for at, pence in enumerate((500, 700))]
    made: dict[str, Any] = {"return_ref": "77", "line_items": [("111", JACKET, 1, 1200)], **changes}
    world.store_refunds["F1"] = StoreRefund("F1", "59", "#LX10482", "GBP", NOW - timedelta(hours=1), parts, **made)
    return world


def ask(world: World, text: str = ORDERS, *, drifts: bool = False, **given: Any) -> dict[str, Any]:
    shop = Shop(world, ("read_orders",), drifts=drifts)
    found = graphql_sync(SCHEMA, text, shop, variable_values={"first": 10, **given})
    assert found.errors is None, found.errors
    return found.data or {}


def only_refund(world: World) -> dict[str, Any]:
    (order,) = ask(world)["orders"]["nodes"]
    (refund,) = order["refunds"]
    return dict(refund)


def test_an_order_is_as_new_as_its_newest_refund() -> None:
    (order,) = ask(a_world())["orders"]["nodes"]
    assert (order["id"], order["name"]) == ("gid://shopify/Order/59", "#LX10482")
    assert order["updatedAt"] == "2026-07-03T08:00:00Z"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 1),
        ("updated_at:>='2026-07-03T08:00:00Z'", 1),
        ("updated_at:>2026-07-03T08:00:00+00:00", 1),
        ("updated_at:>='2026-07-03T08:00:01Z'", 0),
        ("updated_at:>='2026-07-03T09:00:00+01:00'", 1),
    ],
)
def test_orders_since_a_moment(query: str, count: int) -> None:
    assert len(ask(a_world(), query=query)["orders"]["nodes"]) == count


def test_what_is_to_come_is_not_shown() -> None:
    world = a_world()
    world.store_refunds["F1"].created_at = NOW + timedelta(seconds=1)
    assert ask(world)["orders"]["nodes"] == []


def test_a_refund_tells_its_total_its_return_and_its_lines() -> None:
    refund = only_refund(a_world())
    assert refund["id"] == "gid://shopify/Refund/F1"
    assert refund["return"] == {"id": "gid://shopify/Return/77"}
    assert refund["totalRefundedSet"]["presentmentMoney"]["amount"] == "12.00"
    (line,) = refund["refundLineItems"]["nodes"]
    assert line["lineItem"] == {"id": "gid://shopify/LineItem/111", "sku": JACKET}
    assert [line[name]["presentmentMoney"]["amount"] for name in ("subtotalSet", "totalTaxSet")] == ["12.00", "2.00"]


def test_payments_that_do_not_fit_a_page_are_said_to_follow() -> None:
    payments = only_refund(a_world())["transactions"]
    assert payments["pageInfo"]["hasNextPage"] is True
    assert [one["id"] for one in payments["nodes"]] == ["gid://shopify/OrderTransaction/T0"]


def test_a_refund_that_names_no_return_says_none_and_a_broken_one_has_no_date() -> None:
    refund = only_refund(a_world(return_ref="", is_broken=True))
    assert (refund["return"], refund["createdAt"]) == (None, None)


@pytest.mark.parametrize(("key", "expected"), [("F1", "gid://shopify/Refund/F1"), ("F2", None)])
def test_a_refund_is_found_by_its_id(key: str, expected: str | None) -> None:
    text = f'{{ node(id: "gid://shopify/Refund/{key}") {{ id }} }}'
    graphql = graphql_sync(SCHEMA, text, Shop(a_world(), ()))
    assert graphql.errors is None
    assert (graphql.data or {})["node"] == ({"id": expected} if expected else None)


def test_the_scopes_are_those_of_the_token() -> None:
    text = "{ currentAppInstallation { accessScopes { handle } } }"
    assert ask(a_world(), text)["currentAppInstallation"] == {"accessScopes": [{"handle": "read_orders"}]}


@given(st.lists(st.integers(), max_size=30), st.integers(1, 12))
def test_pages_give_every_entry_once_and_in_order(entries: list[int], first: int) -> None:
    found: list[int] = []
    after: str | None = None
    while True:
        page = connection(entries, first, after)
        found += page["nodes"]
        assert len(page["nodes"]) <= first
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == entries


def test_an_order_drifts_out_of_a_later_page_only() -> None:
    world = a_world()
    for number in range(3):
        copy = small_world().orders["SO48213"]
        copy.order_id, copy.order_name = f"6{number}", f"#LX{number}"
        world.orders[f"SO{number}"] = copy
    whole = [one["name"] for one in ask(world)["orders"]["nodes"]]
    first = ask(world, first=2, drifts=True)["orders"]
    second = ask(world, first=2, after=first["pageInfo"]["endCursor"], drifts=True)["orders"]
    assert [one["name"] for one in first["nodes"]] == whole[:2]
    assert [one["name"] for one in second["nodes"]] == whole[3:]


@given(st.integers(0, 10**7))
def test_pounds_are_the_shops_money_as_they_are(pence: int) -> None:
    bag = money(pence, "GBP")
    assert bag["shopMoney"] == bag["presentmentMoney"] == {
        "amount": f"{pence // 100}.{pence % 100:02}", "currencyCode": "GBP"
    }  # fmt: skip


@pytest.mark.parametrize(("pence", "shop"), [(118, "1.00"), (0, "0.00"), (1, "0.01"), (11_800, "100.00")])
def test_euros_are_fewer_pounds(pence: int, shop: str) -> None:
    bag = money(pence, "EUR")
    assert bag["presentmentMoney"]["currencyCode"] == "EUR"
    assert bag["shopMoney"] == {"amount": shop, "currencyCode": "GBP"}


def test_the_shop_lists_what_it_sells_and_archives_what_is_out_of_use() -> None:
    world = a_world()
    item = world.items[JACKET]
    item.is_discontinued = True
    query = (
        "{ productVariants(first: 50) { pageInfo { hasNextPage } nodes { id sku displayName product { status } } } }"
    )
    shown = {one["sku"]: one for one in ask(world, query)["productVariants"]["nodes"]}
    assert shown.keys() == world.items.keys()
    assert shown[JACKET] == {
        "id": f"gid://shopify/ProductVariant/{item.stock_id}",
        "sku": JACKET,
        "displayName": item.description,
        "product": {"status": "ARCHIVED"},
    }
    assert {one["product"]["status"] for sku, one in shown.items() if sku != JACKET} == {"ACTIVE"}
