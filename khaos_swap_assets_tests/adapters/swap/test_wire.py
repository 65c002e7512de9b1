"""A row becomes a record, or one fault with every reason; and what of it is kept."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.json_text import loads
from khaos_swap_assets.adapters.swap.records import ReadReturn, RowFault
from khaos_swap_assets.adapters.swap.wire import read_row
from khaos_swap_assets.domain.refunds.proof import Proof
from khaos_swap_assets_tests.adapters.swap.rows import STORE, dumps, product, row, settings


def read(raw: object, **changes: Any) -> ReadReturn:
    result = read_row(raw, settings(**changes))
    assert isinstance(result, ReadReturn), result
    return result


def fault(raw: object, **changes: Any) -> RowFault:
    result = read_row(raw, settings(**changes))
    assert isinstance(result, RowFault), result
    return result


def test_a_whole_row() -> None:
    record = read(loads(dumps(row()))).record
    assert (record.store_id, record.return_id, record.rma) == (STORE, "ret_1", "20001")
    assert (record.order_name, record.order_id) == ("#LX10482", "5903347716233")
    assert (record.status, record.delivery_status, record.quality_control_status) == ("Closed", "Delivered", "Approved")
    assert record.outcomes == ("Refund",)
    assert (record.refund_pence, record.handling_fee_pence, record.total_pence) == (8105, 395, 8105)
    assert record.closed_at == datetime(2026, 3, 9, 15, 41, 29, tzinfo=UTC)
    assert record.delivered_at == datetime(2026, 3, 6, 11, 20, tzinfo=UTC)
    assert record.is_refund_confirmed
    line = record.lines[0]
    assert (line.product_id, line.line_item_id, line.sku) == ("prd_1", "14200977300001", "MER-CRW-NVY-M")
    assert (line.quantity, line.cost_pence, line.currency, line.outcome) == (1, 8500, "GBP", "Refund")
    assert (line.return_id, line.original_order_name, line.reason) == ("ret_1", "#LX10482", "Fit")


@pytest.mark.parametrize(
    ("amount", "pence"),
    [
        (Decimal("81.05"), 8105),
        ("81.05", 8105),
        (" 81.05 ", 8105),
        (81, 8100),
        ("81", 8100),
        (Decimal("81.050"), 8105),
        (Decimal("81.05000000000001"), 8105),
        (Decimal("81.04999999999999"), 8105),
        (Decimal("8.105E+1"), 8105),
        (Decimal("-3.95"), -395),
        (0, 0),
        ("N/A", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_amounts_in_every_style(amount: Any, pence: int) -> None:
    assert read(row(handling_fee=amount)).record.handling_fee_pence == pence


def test_an_absent_amount_is_nothing() -> None:
    whole = row()
    del whole["handling_fee"]
    assert read(whole).record.handling_fee_pence == 0


@pytest.mark.parametrize(
    "amount", [Decimal("81.055"), Decimal("81.0500001"), "81,05", "£81.05", True, [81], {}, "NaN", 10**13, "1e9999"]
)
def test_an_amount_that_is_none_is_a_fault(amount: Any) -> None:
    assert fault(row(total=amount)).reason.startswith("total: ")


@pytest.mark.parametrize(
    ("currency", "amount", "pence"),
    [("JPY", 8105, 8105), ("KWD", Decimal("8.105"), 8105), ("eur", Decimal("8.1"), 810)],
)
def test_minor_units_follow_the_currency(currency: str, amount: Any, pence: int) -> None:
    plain = row(customer_currency=currency, total=amount, handling_fee=0, total_refund_value_customer_currency=amount)
    record = read(plain | {"products": [product(currency=currency, cost=amount)]}).record
    assert (record.currency, record.refund_pence, record.lines[0].cost_pence) == (currency.upper(), pence, pence)


@pytest.mark.parametrize(("basis", "pence"), [("line", 3001), ("unit", 9003)])
def test_cost_is_of_the_line_or_of_one_unit(basis: str, pence: int) -> None:
    raw = row(products=[product(item_count=3, cost=Decimal("30.01"))])
    assert read(raw, cost_basis=basis).record.lines[0].cost_pence == pence


@pytest.mark.parametrize("count", [2, "2", Decimal("2.0"), " 2 "])
def test_a_quantity_in_every_style(count: Any) -> None:
    assert read(row(products=[product(item_count=count)])).record.lines[0].quantity == 2


@pytest.mark.parametrize("count", [0, -1, Decimal("1.5"), "two", None, "", True, [], 100_001, "NaN", "Infinity"])
def test_a_quantity_that_is_none_is_a_fault(count: Any) -> None:
    assert fault(row(products=[product(item_count=count)])).reasons == (
        "products[0].item_count: is no whole number of units, at least 1",
    )


@pytest.mark.parametrize("nothing", [None, "", "N/A"])
def test_dates_may_be_nothing(nothing: str | None) -> None:
    names = ("date_created", "date_updated", "rma_processed", "date_closed", "delivered_date", "submission_date")
    record = read(row(**dict.fromkeys(names, nothing))).record
    assert {record.created_at, record.updated_at, record.processed_at, record.closed_at} == {None}
    assert not record.is_refund_confirmed


@pytest.mark.parametrize(("word", "is_paid"), [("Yes", True), ("true", True), ("Processed", True), ("No", False)])
def test_a_processed_marker_that_is_a_word_dates_nothing_and_may_be_proof(word: str, is_paid: bool) -> None:
    record = read(row(rma_processed=word)).record
    assert (record.processed_at, record.processed_word, record.refunded_at) == (None, word, None)
    assert Proof().on(record).refunded_at == (record.closed_at if is_paid else None)


@pytest.mark.parametrize("marker", ["N/A", "", None])
def test_a_closed_return_that_was_not_processed_is_not_paid_and_keeps_whom_it_names(marker: str | None) -> None:
    record = read(row(rma_processed=marker, processed_by="Sam Reyes")).record
    assert (Proof().on(record).refunded_at, record.processed_by) == (None, "Sam Reyes")
    assert Proof("closed").on(record).refunded_at == record.closed_at
    assert read(row(processed_by="Sam Reyes")).record.processed_by == ""


def test_the_marker_is_found_under_its_name_in_version_1() -> None:
    raw = {name: value for name, value in row(processed="9 Mar 2026, 15:41:29").items() if name != "rma_processed"}
    assert read(raw).record.refunded_at == datetime(2026, 3, 9, 15, 41, 29, tzinfo=UTC)
    assert read(raw).unknown_fields == ()


def test_a_processed_marker_that_is_a_damaged_date_is_a_fault() -> None:
    assert fault(row(rma_processed="99 Foo 2026")).reason.startswith("rma_processed: no date")


def test_the_submission_is_found_under_its_older_name() -> None:
    raw = row(submitted_at="2026-03-02T09:00:00Z")
    assert read(raw | {"submission_date": "N/A"}).record.submitted_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert read(raw).record.submitted_at == datetime(2026, 3, 2, 9, 16, 48, tzinfo=UTC)


def test_dates_without_zone_follow_the_setting() -> None:
    raw = row(date_closed="1 Jul 2025, 00:30:00")
    assert read(raw, date_zone="Europe/London").record.closed_at == datetime(2025, 6, 30, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("Closed", "Closed"),
        ("closed", "Closed"),
        (" NEEDS REVIEW ", "Needs Review"),
        ("Deleted", "Deleted"),
        (None, ""),
    ],
)
def test_statuses_are_an_open_set(told: str | None, kept: str) -> None:
    assert read(row(return_status=told)).record.status == kept


@pytest.mark.parametrize(
    ("types", "joined", "outcomes"),
    [
        (["Refund", "exchange"], "", ("Refund", "Exchange")),
        (None, "Refund, Exchange", ("Refund", "Exchange")),
        (None, "", ()),
        ([None, "", "Upcycle"], "", ("Upcycle",)),
    ],
)
def test_outcomes_as_list_or_as_text(types: Any, joined: str, outcomes: tuple[str, ...]) -> None:
    assert read(row(type=types, type_string=joined)).record.outcomes == outcomes


@pytest.mark.parametrize(
    ("sku", "kept"), [("47503J ", "47503J "), (" A", " A"), ("A", "A"), (47503, "47503"), (None, "")]
)
def test_a_sku_keeps_the_spaces_at_its_ends(sku: object, kept: str) -> None:
    record = read(row(products=[product(sku=sku)])).record
    assert record.lines[0].sku == kept


def test_numbers_serve_as_identifiers_and_an_empty_sku_is_no_fault() -> None:
    raw = row(rma_number=20417, order_id=5903347716233, products=[product(sku=None, product_id=90011)])
    record = read(raw).record
    assert (record.rma, record.order_id, record.lines[0].product_id, record.lines[0].sku) == (
        "20417",
        "5903347716233",
        "90011",
        "",
    )


def test_a_line_without_its_id_goes_by_the_order_line() -> None:
    assert read(row(products=[product(product_id="")])).record.lines[0].product_id == "14200977300001"


def test_the_currency_of_agreeing_lines_serves_where_the_header_has_none() -> None:
    assert read(row(customer_currency=None)).record.currency == "GBP"
    mixed = [product(1), product(2, currency="EUR")]
    assert "customer_currency: is no currency code" in fault(row(customer_currency="", products=mixed)).reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"return_id": ""}, "return_id: is empty"),
        ({"return_id": None}, "return_id: is empty"),
        ({"return_id": "a\x00b"}, "return_id: holds characters that are no text"),
        ({"rma_number": "N/A"}, "rma_number: is empty"),
        ({"store_id": "st_other"}, "store_id: is another store than KHAOS_SWAP_SWAP_STORE_ID"),
        ({"customer_currency": "pounds"}, "customer_currency: is no currency code"),
        ({"shopify_order_name": ["#1"]}, "shopify_order_name: is a list, not text"),
        ({"order_id": True}, "order_id: is a truth value, not text"),
        ({"products": None}, "products: is no list"),
        ({"products": {}}, "products: is no list"),
        ({"products": ["x"]}, "products[0]: is no object"),
        ({"products": [product(), product(2, cost="abc")]}, "products[1].cost: 'abc' is no amount of money"),
        ({"products": [product(currency="??")]}, "products[0].currency: is no currency code"),
        ({"products": [product(product_id="", shopify_line_item_id="")]}, "products[0].product_id: is empty"),
        ({"products": [product(), product()]}, "products: two lines carry the same product_id"),
        ({"date_closed": "Sep"}, "date_closed: no date that we can read, shaped like 'AAA'"),
        (
            {"total_refund_value_customer_currency": None},
            "total_refund_value_customer_currency: is empty on a closed return with refunded lines",
        ),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, Any], reason: str) -> None:
    assert fault(row(**changes)).reasons == (reason,)


def test_a_refund_value_may_be_empty_while_nothing_was_refunded() -> None:
    empty: dict[str, Any] = {"total_refund_value_customer_currency": None}
    assert read(row(return_status="Open", **empty)).record.refund_pence == 0
    assert read(row(products=[product(return_type="Exchange")], **empty)).record.refund_pence == 0


def test_all_reasons_are_told_at_once_and_none_repeats_a_value() -> None:
    raw = row(date_closed="Priya 12", products=[product(item_count=0, cost=True)], total="x", customer_currency="QQQQ")
    told = fault(raw)
    assert len(told.reasons) == 5
    assert "Priya" not in told.reason
    assert told.subject == "20001"


@pytest.mark.parametrize("raw", [None, "x", 7, [], {}, {"rma_number": None}, {"rma_number": " "}])
def test_a_row_without_rma_goes_by_its_hash(raw: object) -> None:
    told = fault(raw)
    assert told.subject == told.row_hash
    assert len(told.row_hash) == 64


def test_a_store_that_is_not_told_is_ours() -> None:
    assert read(row(store_id="")).record.store_id == STORE


def test_nothing_personal_is_kept() -> None:
    raw = row(
        customer_phone="07700 900123",
        contact={"email": "x@y.example", "kept": 1},
        tags="vip, priya.nolan@example.com",
        products=[product(shopper_note="my mother", gift_message="hi")],
    )
    kept = json.dumps(read(raw).raw)
    for word in (
        "Priya",
        "example.com",
        "y.example",
        "QQ123456C",
        "Leeds",
        "Mill Row",
        "07700",
        "track.",
        "returns.",
        "my mother",
    ):
        assert word not in kept
    assert {"customer_currency", "shipment_from_address_country", "total", "products"} <= set(read(raw).raw)
    assert read(raw).raw["tags"] == "vip, ***"
    assert read(raw).raw["contact"] == {"kept": 1}


def test_raw_is_plain_json_with_exact_amounts() -> None:
    assert json.loads(json.dumps(read(row(total=Decimal("81.050"))).raw))["total"] == "81.050"


def test_unknown_fields_are_kept_and_listed() -> None:
    told = read(row(loyalty_points=12, products=[product(colour="Navy"), product(2)]))
    assert told.unknown_fields == ("loyalty_points", "products.colour")
    assert told.raw["loyalty_points"] == 12
    assert told.raw["products"][0]["colour"] == "Navy"


def test_text_that_a_database_cannot_hold_is_replaced() -> None:
    raw = loads('{"a": "x\\u0000y\\ud800"}') | row(shipping_carrier="Royal\x00Mail")
    json.dumps(read(raw).raw, ensure_ascii=False).encode()
    assert read(raw).raw["shipping_carrier"] == "Royal\ufffdMail"


SAME: list[dict[str, Any]] = [
    {"date_updated": "10 Mar 2026, 00:00:00"},
    {"elapsed_days_delivery_closed": 9},
    {"customer_name": "P. Nolan-Reid"},
    {"billing_address": {"name": "moved"}},
    {"total": Decimal("81.050")},
]
OTHER: list[dict[str, Any]] = [
    {"return_status": "Open"},
    {"total": Decimal("81.06")},
    {"rma_processed": "N/A"},
    {"quality_control_status": "Missing"},
    {"loyalty_points": 1},
    {"is_green": True},
    {"is_green": 1},
    {"products": [product(item_count=2)]},
    {"products": []},
    {"products": [product(), product(2)]},
]


@pytest.mark.parametrize("changes", SAME, ids=str)
def test_what_is_no_change(changes: dict[str, Any]) -> None:
    assert read(row(**changes)).content_hash == read(row()).content_hash


def test_what_is_a_change_differs_each_from_each() -> None:
    hashes = {read(row(**changes)).content_hash for changes in [{}, *OTHER]}
    assert len(hashes) == len(OTHER) + 1


def test_the_order_of_lines_and_fields_is_no_change() -> None:
    lines = [product(1), product(2, sku="B")]
    forward, backward = row(products=lines), dict(reversed(row(products=lines[::-1]).items()))
    assert read(forward).content_hash == read(backward).content_hash


@pytest.mark.parametrize("text", ["", "{", '{"a": 1', "[1,]", "[" * 100_000, "\xff", "[{}," * 200_000])
def test_text_that_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)


def test_json_is_parsed_without_a_float() -> None:
    assert loads('{"a": 0.1, "b": 1e2, "c": NaN, "d": -Infinity, "e": 3}') == {
        "a": Decimal("0.1"),
        "b": Decimal("1E+2"),
        "c": "NaN",
        "d": "-Infinity",
        "e": 3,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted(row())), JSON, max_size=6),
    st.lists(st.dictionaries(st.sampled_from(sorted(product())), JSON), max_size=2),
)
def test_no_row_ever_raises(changes: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    products = [product(number) | line for number, line in enumerate(lines)]
    result = read_row(row(products=products) | changes, settings())
    if isinstance(result, ReadReturn):
        json.dumps(result.raw, ensure_ascii=False).encode()
        assert result.record.return_id
        assert all(line.quantity >= 1 for line in result.record.lines)
    else:
        assert result.reasons


@given(JSON)
def test_no_element_of_the_list_ever_raises(raw: object) -> None:
    assert isinstance(read_row(raw, settings()), RowFault)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "x@" * 500_000, "@" + "a." * 500_000, "9" * 1_000_000])
def test_a_long_text_costs_no_more_than_its_length(text: str) -> None:
    started = time.process_time()
    read(row(tags=text))
    assert time.process_time() - started < 5


def test_what_another_store_numbers_begins_with_its_name() -> None:
    told = loads(dumps(row(shopify_return_id="gid://shopify/Return/77", order_id=5903347716233)))
    result = read_row(told, settings().named("outlet"))
    assert isinstance(result, ReadReturn)
    record = result.record
    assert (record.store, record.return_id, record.rma) == ("outlet", "outlet:ret_1", "outlet:20001")
    assert (record.order_name, record.order_id) == ("outlet:#LX10482", "outlet:5903347716233")
    assert (record.lines[0].return_id, record.lines[0].original_order_name) == ("outlet:ret_1", "outlet:#LX10482")
    assert (record.lines[0].product_id, record.lines[0].sku) == ("prd_1", "MER-CRW-NVY-M")
    assert result.raw["shopify_return_id"] == "outlet:77"


def test_a_fault_of_another_store_names_it() -> None:
    result = read_row(row(date_closed="?"), settings().named("outlet"))
    assert isinstance(result, RowFault)
    assert result.subject == "outlet:20001"


@pytest.mark.parametrize("name", ["return_id", "rma_number", "shopify_order_name", "order_id"])
def test_a_row_of_the_first_store_that_looks_like_another_ones_is_a_fault(name: str) -> None:
    told = row() | {name: "outlet:1"}
    result = read_row(told, settings().named("", ["outlet"]))
    assert isinstance(result, RowFault)
    assert result.reason == f"{name}: begins like one of store outlet"
    assert isinstance(read_row(told, settings()), ReadReturn)
