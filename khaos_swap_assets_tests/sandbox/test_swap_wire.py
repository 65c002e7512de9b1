"""How a return looks on the wire, under each value of each switch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.swap_wire import Json, Spelling, return_wire
from khaos_swap_assets.sandbox.world import Rma, RmaLine, World
from khaos_swap_assets_tests.sandbox.small import JACKET, RMA, small_world

REQUIRED = """
rma_number return_id shopify_order_name order_id date_created date_updated intention_date type_string type
delivery_status return_status shipping_carrier tracking_number shipment_from_address_country
shipment_from_address_city shipment_from_address_state shipment_from_address_parcel_weight total handling_fee store_id
store_name customer_name customer_email customer_locale customer_currency total_additional_payment
total_credit_exchange_value total_refund_value_customer_currency total_store_credit_value_customer_currency
shop_now_revenue shop_later_revenue store_credit_revenue exchange_revenue refund_revenue shopify_order_date
rma_processed processed_by quality_control_status delivered_date tags return_shipments products exchange_items
"""
REQUIRED_OF_PRODUCTS = """
product_id shopify_product_id shopify_variant_id shopify_line_item_id order_number original_order_name date
product_name variant_name full_sku_description sku item_count cost return_type currency grams
"""


@pytest.fixture
def world() -> World:
    return small_world()


@pytest.fixture
def rma(world: World) -> Rma:
    return world.rmas[RMA]


def product(wire: Json, at: int = 0) -> Json:
    rows = wire["products"]
    assert isinstance(rows, list)
    row: Json = rows[at]
    return row


def test_every_required_field_is_there(world: World, rma: Rma) -> None:
    wire = return_wire(world, rma, Spelling())
    assert not set(REQUIRED.split()) - wire.keys()
    assert not set(REQUIRED_OF_PRODUCTS.split()) - product(wire).keys()


@pytest.mark.parametrize(
    ("style", "moment", "shown"),
    [
        ("engb", datetime(2025, 9, 23, 14, 52, 21, tzinfo=UTC), "23 Sept 2025, 14:52:21"),
        ("engb", datetime(2026, 3, 2, 9, 4, 5, tzinfo=UTC), "2 Mar 2026, 09:04:05"),
        ("engb", datetime(2026, 6, 2, 0, 30, tzinfo=timezone(timedelta(hours=1))), "1 Jun 2026, 23:30:00"),
        ("iso", datetime(2025, 9, 23, 14, 52, 21, tzinfo=UTC), "2025-09-23T14:52:21.000Z"),
    ],
)
def test_dates(style: str, moment: datetime, shown: str) -> None:
    assert Spelling(date_style=style).date(moment) == shown


@pytest.mark.parametrize(("style", "shown"), [("N/A", "N/A"), ("empty", ""), ("null", None)])
def test_a_missing_date(style: str, shown: object, world: World, rma: Rma) -> None:
    rma.closed_at = None
    assert return_wire(world, rma, Spelling(null_style=style))["date_closed"] == shown


@pytest.mark.parametrize(
    ("style", "pence", "shown"),
    [
        ("number", 8499, 84.99),
        ("string", 8499, "84.99"),
        ("string", 8500, "85.00"),
        ("string", -5, "-0.05"),
        ("number", 0, 0),
    ],
)
def test_amounts(style: str, pence: int, shown: object) -> None:
    assert Spelling(amount_style=style).amount(pence) == shown


@given(st.integers(-(10**11), 10**11))
def test_an_amount_on_the_wire_is_exact(pence: int) -> None:
    for style in ("number", "string"):
        text = json.dumps(Spelling(amount_style=style).amount(pence)).strip('"')
        assert Decimal(text) * 100 == pence


@given(st.integers(0, 10**9), st.integers(1, 40))
def test_rows_of_unit_costs_give_the_line_back(pence: int, quantity: int) -> None:
    spelling = Spelling(cost_basis="unit", amount_style="string")
    rows = spelling.rows(RmaLine("p", "l", "S", quantity, pence))
    assert sum(row.quantity for row in rows) == quantity
    assert sum(Decimal(str(spelling.cost(row))) * row.quantity * 100 for row in rows) == pence
    assert len({row.product_id for row in rows}) == len(rows) <= 2


def test_cost_is_the_lines_unless_switched(world: World, rma: Rma) -> None:
    rma.lines[0].quantity, rma.lines[0].cost_pence = 2, 17000
    assert product(return_wire(world, rma, Spelling()))["cost"] == 170
    assert product(return_wire(world, rma, Spelling(cost_basis="unit")))["cost"] == 85


def test_outcomes_and_money(world: World, rma: Rma) -> None:
    rma.lines.append(RmaLine("prd_2", "112", "WOOL-HAT", 1, 1000, outcome="Exchange"))
    rma.handling_fee_pence, rma.refund_pence = 250, 8249
    wire = return_wire(world, rma, Spelling())
    assert wire["type"] == ["Refund", "Exchange"]
    assert wire["type_string"] == "Refund, Exchange"
    money = ("total", "handling_fee", "refund_revenue", "exchange_revenue", "total_refund_value_customer_currency")
    assert [wire[name] for name in money] == [92.49, 2.5, 84.99, 10, 82.49]


def test_a_line_names_its_own_order_only_when_it_differs(world: World, rma: Rma) -> None:
    rma.lines[0].original_order_name = "#LX1"
    assert product(return_wire(world, rma, Spelling()))["original_order_name"] == "#LX1"
    rma.lines[0].original_order_name = ""
    assert product(return_wire(world, rma, Spelling()))["original_order_name"] == rma.order_name


def test_shipment_rows_carry_barcode_and_rate(world: World, rma: Rma) -> None:
    world.items[JACKET].barcode = "5060000077446"
    shipments = return_wire(world, rma, Spelling())["return_shipments"]
    assert isinstance(shipments, list)
    assert [(row["barcode"], row["tax_rate"]) for row in shipments[0]["items"]] == [("5060000077446", 0.2)]


@pytest.mark.parametrize(
    ("path", "value"),
    [("total_refund_value_customer_currency", "1O4.99"), ("products.0.item_count", "two"), ("products.0.cost", None)],
)
def test_broken_fields_replace_what_they_name(world: World, rma: Rma, path: str, value: object) -> None:
    rma.broken_fields[path] = value
    wire = return_wire(world, rma, Spelling())
    shown = wire[path] if "." not in path else product(wire)[path.rpartition(".")[2]]
    assert shown == value


def test_a_return_without_customer_item_or_lines_still_has_a_wire(world: World, rma: Rma) -> None:
    world.customers.clear()
    world.items.clear()
    assert return_wire(world, rma, Spelling())["customer_name"] == "Unknown Shopper"
    rma.lines.clear()
    assert return_wire(world, rma, Spelling())["products"] == []
