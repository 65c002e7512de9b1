"""One refund of the storefront's JSON: money to the penny, dates in UTC, every fault named, nothing personal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from khaos_swap_assets.adapters.storefront.queries import ORDERS
from khaos_swap_assets.adapters.storefront.records import ReadRefund
from khaos_swap_assets.adapters.storefront.wire import read_cancelled, read_refund, tail
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets_tests.adapters.storefront.shop import line, listed, money, order, payment, refund


def read(**changes: Any) -> Refund:
    found = read_refund(order(1), refund(918, **changes))
    assert isinstance(found, ReadRefund), found
    return found.record


def faults(**changes: Any) -> tuple[str, ...]:
    found = read_refund(order(1), refund(918, **changes))
    assert isinstance(found, RowFault)
    return found.reasons


def test_a_refund_is_read_with_everything_that_it_shows() -> None:
    lines = listed(line(7, 2, "19.98"))
    one = read(refundLineItems=lines, **{"return": {"id": "gid://shopify/Return/77"}})
    assert (one.refund_id, one.order_id, one.order_name, one.return_ref) == ("918", "1", "#LX1", "77")
    assert (one.currency, one.total_pence, one.moved_pence) == ("GBP", 1000, 1000)
    assert one.moved_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert [(row.line_item_id, row.sku, row.quantity, row.subtotal_pence) for row in one.lines] == [
        ("7", "HAT", 2, 1998)
    ]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"restockType": "RETURN", "location": {"id": "gid://shopify/Location/77"}}, ("RETURN", "77", True, False)),
        ({"restockType": "LEGACY_RESTOCK", "location": None}, ("LEGACY_RESTOCK", "", True, False)),
        ({"restockType": "CANCEL"}, ("CANCEL", "", False, True)),
        ({"restockType": "NO_RESTOCK"}, ("NO_RESTOCK", "", False, False)),
        ({"restockType": "A_NEW_WORD"}, ("A_NEW_WORD", "", False, False)),
        ({"restockType": "RETURN", "quantity": 0}, ("RETURN", "", False, False)),
        ({}, ("", "", False, False)),
    ],
)
def test_what_the_shop_did_with_the_units_is_read(told: dict[str, Any], found: tuple[str, str, bool, bool]) -> None:
    (row,) = read(refundLineItems=listed(line(7, **told))).lines
    assert (row.restock_type, row.location_id, row.is_restocked, row.is_cancelled) == found


def test_how_many_units_were_ordered_is_read_where_the_shop_tells_it() -> None:
    told = line(7, lineItem={"id": "gid://shopify/LineItem/7", "sku": "HAT", "quantity": 3})
    assert [row.ordered_quantity for row in read(refundLineItems=listed(told, line(8))).lines] == [3, 0]


def test_what_looks_like_another_stores_is_a_fault_of_the_first_store() -> None:
    like = {**order(1), "name": "outlet:1"}
    cancelled = {**like, "cancelledAt": "2026-03-01T10:00:00Z", "totalPriceSet": money("1.00")}
    for found, place in (
        (read_refund(like, refund(918), others=["outlet"]), "order.name"),
        (read_cancelled(cancelled, others=["outlet"]), "name"),
    ):
        assert isinstance(found, RowFault)
        assert found.reasons == (f"{place}: begins like one of store outlet",)
    assert isinstance(read_refund(like, refund(918), others=["eu"]), ReadRefund)


def test_money_is_the_customers_and_the_shops_is_beside_it() -> None:
    paid = payment(1, amountSet=money("12.00", "EUR", shop="10.17"))
    one = read(totalRefundedSet=money("12.00", "EUR", shop="10.17"), transactions=listed(paid))
    (moved,) = one.moved
    assert (moved.amount_pence, moved.currency, moved.shop_pence, moved.shop_currency) == (1200, "EUR", 1017, "GBP")


@pytest.mark.parametrize(("sold_in", "sold"), [("EUR", (12000, 10000)), ("GBP", (0, 0)), ("", (0, 0))])
def test_the_rate_of_the_sale_is_that_of_an_order_in_the_refunds_currency(sold_in: str, sold: tuple[int, int]) -> None:
    bag = money("12.00", "EUR", shop="10.17")
    node = refund(918, totalRefundedSet=bag, transactions=listed(payment(1, amountSet=bag)))
    total = {"totalPriceSet": money("120.00", sold_in, shop="100.00")} if sold_in else {}
    found = read_refund({**order(1), **total}, node)
    assert isinstance(found, ReadRefund)
    assert (found.record.sold_pence, found.record.sold_shop_pence) == sold


def test_a_currency_without_decimals_has_whole_minor_units() -> None:
    paid = payment(1, amountSet=money("1200", "JPY", shop="6.00"))
    assert read(totalRefundedSet=money("1200.0", "JPY", shop="6.00"), transactions=listed(paid)).moved_pence == 1200


def test_delivery_that_went_back_is_its_own_figure() -> None:
    shipping = {
        "id": "gid://shopify/RefundShippingLine/3",
        "subtotalAmountSet": money("3.95"),
        "taxAmountSet": money("0"),
    }
    assert read(refundShippingLines=listed(shipping)).delivery_pence == 395


@pytest.mark.parametrize("word", ["SOMETHING_NEW", "", "VOID", "CHANGE"])
def test_an_unknown_kind_is_kept_and_moves_nothing(word: str) -> None:
    one = read(transactions=listed(payment(1, kind=word, status=word, gateway=f"gw {word}")))
    assert (one.transactions[0].kind, one.transactions[0].gateway) == (word, f"gw {word}")
    assert one.moved_pence == 0


@pytest.mark.parametrize("status", ["PENDING", "FAILURE", "ERROR", "AWAITING_RESPONSE", "UNKNOWN"])
def test_what_did_not_go_through_moved_nothing_and_is_told(status: str) -> None:
    one = read(transactions=listed(payment(1, "4.00", gateway="gift_card"), payment(2, "6.00", status=status)))
    assert (one.moved_pence, one.tender_pence) == (400, 400)
    assert one.stuck == (f"shopify_payments {status.lower()}",)


def test_a_payment_of_a_test_gateway_is_no_money() -> None:
    assert read(transactions=listed(payment(1, test=True))).moved_pence == 0


def test_a_refund_without_a_payment_moved_nothing() -> None:
    one = read(transactions=listed())
    assert (one.moved_pence, one.moved_at, one.stuck) == (0, None, ())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "id: is no id"),
        ({"createdAt": None}, "createdAt: is empty"),
        ({"createdAt": "tomorrow"}, "createdAt: no date"),
        ({"totalRefundedSet": None}, "totalRefundedSet: holds no presentmentMoney"),
        ({"totalRefundedSet": money("1O.00")}, "totalRefundedSet.presentmentMoney: '1O.00' is no amount"),
        ({"totalRefundedSet": money("10.005")}, "more decimals than GBP allows"),
        ({"totalRefundedSet": money("-1.00")}, "is negative"),
        ({"totalRefundedSet": money("10.00", "POUND")}, "no currency code"),
        ({"transactions": None}, "transactions: is no list"),
        ({"transactions": listed("x")}, "transactions[0]: is no object"),
        ({"transactions": listed(payment(1, amountSet=None))}, "transactions[0].amountSet: holds no"),
        ({"transactions": listed(payment(1, processedAt="x"))}, "transactions[0].processedAt: no date"),
        ({"transactions": listed(payment(1, amountSet=money("5", "EUR")))}, "transactions: are not all in GBP"),
        ({"refundLineItems": listed({**line(), "quantity": True})}, "refundLineItems[0].quantity: is no whole number"),
    ],
)
def test_every_fault_is_named_with_its_place(changes: dict[str, Any], reason: str) -> None:
    assert any(reason in one for one in faults(**changes)), faults(**changes)


def test_all_faults_are_told_and_not_the_first_alone() -> None:
    assert len(faults(createdAt=None, totalRefundedSet=None, transactions=None)) >= 3


@pytest.mark.parametrize("raw", [None, "x", 7, []])
def test_what_is_no_object_is_a_fault_of_its_order(raw: object) -> None:
    found = read_refund(order(1), raw)
    assert isinstance(found, RowFault)
    assert found.subject == "refund of order #LX1"


def test_a_change_of_any_figure_changes_the_hash() -> None:
    hashes = {
        read_refund(order(number), refund(1, **changes)).content_hash  # type: ignore[union-attr]
        for number, changes in ((1, {}), (2, {}), (1, {"totalRefundedSet": money("11.00")}))
    }
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("gid", "number"),
    [
        ("gid://shopify/Refund/918", "918"),
        ("gid://shopify/Return/7?x=1", "7"),
        ("918", "918"),
        (918, "918"),
        (None, ""),
        (True, ""),
        ("gid://shopify/Refund/", ""),
        ("a b", ""),
    ],
)
def test_the_number_of_a_global_id(gid: object, number: str) -> None:
    assert tail(gid) == number


CANCELLED = {"cancelledAt": "2026-03-01T09:59:00Z", "cancelReason": "CUSTOMER", "totalPriceSet": money("42.50")}


def test_an_order_is_cancelled_when_the_shop_says_so() -> None:
    assert read_cancelled(order(1)) is None
    at = datetime(2026, 3, 1, 9, 59, tzinfo=UTC)
    assert read_cancelled(order(1) | CANCELLED) == CancelledOrder("1", "#LX1", at, "CUSTOMER", 4250, "GBP")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cancelledAt": "yesterday"}, "cancelledAt: "),
        ({"cancelledAt": 7}, "cancelledAt: "),
        ({"cancelReason": ["x"]}, "cancelReason: is no text"),
        ({"totalPriceSet": None}, "totalPriceSet: holds no presentmentMoney"),
        ({"id": None}, "id: is no id"),
    ],
)
def test_a_cancelled_order_that_cannot_be_read_is_told(changes: dict[str, Any], reason: str) -> None:
    found = read_cancelled(order(1) | CANCELLED | changes)
    assert isinstance(found, RowFault)
    assert found.subject == "cancelled order #LX1"
    assert found.reasons[0].startswith(reason)


def test_nothing_personal_is_asked_for() -> None:
    for word in ("customer", "email", "phone", "address", "note", "staffMember", "displayName"):
        assert word not in ORDERS


def test_what_the_shop_of_another_store_numbers_begins_with_its_name() -> None:
    found = read_refund(order(1), refund(918), "outlet")
    assert isinstance(found, ReadRefund)
    told = found.record
    assert (told.refund_id, told.order_id, told.order_name) == ("outlet:918", "outlet:1", "outlet:#LX1")
    assert not told.return_ref or told.return_ref.startswith("outlet:")
    stopped = read_cancelled(order(1) | CANCELLED, "outlet")
    assert isinstance(stopped, CancelledOrder)
    assert (stopped.order_id, stopped.order_name) == ("outlet:1", "outlet:#LX1")
