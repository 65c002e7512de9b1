"""Where a refunds file is given, it is the money; Swap's figure is only what was said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Said
from khaos_swap_assets.audit.run import reconcile
from khaos_swap_assets.domain.refunds.payments import PaymentKinds
from khaos_swap_assets_tests.audit.files import COAT, Shop, evidence_of, kinds, row_of
from khaos_swap_assets_tests.audit.reading import read_inputs

GATEWAYS = [
    ("gift_card", True),
    ("gift card", True),
    ("shopify_store_credit", True),
    ("voucher", True),
    ("giftcard", True),
    ("store credit", True),
    ("Gift_Card", True),
    ("credit_card", False),
    ("paypal_credit", False),
    ("credit", False),
    ("shopify_payments", False),
    ("", False),
    ("Rewards", False),
]


@pytest.mark.parametrize(("gateway", "expected"), GATEWAYS)
def test_a_credit_card_is_money_and_store_credit_is_not(gateway: str, expected: bool) -> None:
    assert PaymentKinds().is_tender(gateway) is expected


@pytest.fixture
def shop() -> Shop:
    shop = Shop(refunds=[])
    shop.sold(1)
    shop.returned(1)
    return shop


def test_the_money_is_the_refund(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "20.00")
    result = shop.audited(tmp_path)
    row = row_of(result, "RMA1")
    assert (row.refund_pence, row.credited_pence, row.status) == (2000, 2499, "value_gap")
    assert ("refund_amount_differs", "RMA1") in kinds(result)
    assert result.summary.is_money_seen


def test_several_payments_add_up_and_the_last_one_dates_them(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "20.00")
    shop.paid(1, "4.99", refunded_at="2026-04-02T10:00:00Z")
    result = shop.audited(tmp_path, Span(date(2026, 4, 30)))
    row = row_of(result, "RMA1")
    assert (row.refund_pence, row.status, row.period) == (2499, "matched", "2026-04")
    assert kinds(result) == {("credited_in_another_month", "RMA1")}


def test_a_gift_card_explains_what_the_card_did_not_pay(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "10.00")
    shop.paid(1, "14.99", gateway="gift_card")
    result = shop.audited(tmp_path)
    row = row_of(result, "RMA1")
    assert (row.refund_pence, row.gap_pence, row.legs["tender"], row.legs["unexplained"]) == (1000, 1499, 1499, 0)
    assert row.status == "matched"
    assert kinds(result) == set()


@pytest.mark.parametrize("status", ["failed", "pending", "cancelled"])
def test_money_that_did_not_move_is_no_refund(tmp_path: Path, shop: Shop, status: str) -> None:
    shop.paid(1, "24.99", status=status)
    result = shop.audited(tmp_path)
    assert (row_of(result, "RMA1").refund_pence, row_of(result, "RMA1").status) == (0, "in_flight")
    assert kinds(result) == {("refund_not_paid", "RMA1")}


def test_money_without_a_return_is_told(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "24.99")
    shop.paid(1, "5.00", refund_id="rf_x", return_id="", order_ref="#LX500")
    shop.paid(1, "6.00", refund_id="rf_y", return_id="ret_gone", order_ref="#LX1")
    assert kinds(shop.audited(tmp_path)) == {
        ("refund_without_return", "#LX500/rf_x"),
        ("refund_without_return", "#LX1/rf_y"),
    }


@pytest.mark.parametrize("name", ["#LX1", "KCCLX1"])
def test_a_refund_may_name_the_order_only(tmp_path: Path, shop: Shop, name: str) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "24.99", return_id="", order_ref=name)
    result = shop.audited(tmp_path)
    assert (row_of(result, "RMA1").status, kinds(result)) == ("matched", set())


def test_two_returns_of_an_order_share_no_refund_by_guess(tmp_path: Path, shop: Shop) -> None:
    shop.returned(2, shopify_order_name="#LX1", cost="10.00")
    shop.paid(1, "12.00", refund_id="rf_odd", return_id="", order_ref="#LX1")
    shop.paid(1, "10.00", refund_id="rf_fits", return_id="", order_ref="#LX1")
    result = shop.audited(tmp_path)
    assert [row_of(result, rma).refund_pence for rma in ("RMA1", "RMA2")] == [1200, 1000]
    assert ("refund_amount_differs", "RMA1") in kinds(result)


def test_money_in_another_currency_is_told(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "24.99", currency="EUR")
    assert ("refund_currency_differs", "RMA1") in kinds(shop.audited(tmp_path))


APART = [(("20.00",), 499), (("12.00", "12.00"), 99)]


@pytest.mark.parametrize(("amounts", "gap"), APART)
def test_money_that_is_not_what_swap_says_explains_the_gap(
    tmp_path: Path, shop: Shop, amounts: tuple[str, ...], gap: int
) -> None:
    shop.credited("CN1", 1)
    for amount in amounts:
        shop.paid(1, amount)
    result = shop.audited(tmp_path)
    row = row_of(result, "RMA1")
    assert (row.gap_pence, row.legs["goods"], row.status) == (gap, gap, "value_gap")
    assert "refund: the money that moved beside Swap's refund value" in evidence_of(tmp_path, "RMA1")["goods"]
    assert ("refund_amount_differs", "RMA1") in kinds(result)


def test_a_refund_paid_twice_is_money_lost_and_nothing_to_credit(tmp_path: Path, shop: Shop) -> None:
    shop.credited("CN1", 1)
    for _ in range(2):
        shop.paid(1, "24.99")
    result = shop.audited(tmp_path)
    row = row_of(result, "RMA1")
    assert (row.status, row.refund_pence, row.gap_pence, row.open_pence) == ("paid_twice", 2499, 0, 2499)
    assert kinds(result) == {("refund_paid_twice", "RMA1")}


def test_a_refund_may_name_the_rma_and_no_currency(tmp_path: Path) -> None:
    shop = Shop(refunds=[])
    shop.sold(1, currency="EUR")
    shop.returned(1, customer_currency="EUR")
    shop.credited("CN1", 1, currency="EUR")
    shop.paid(1, "24.99", return_id="RMA1")
    paths = shop.write(tmp_path)
    assert paths.refunds is not None
    paths.refunds.write_text(paths.refunds.read_text().replace(",currency,", ",x,"))
    result = reconcile(read_inputs(paths, skips_bad_rows=False), Span(date(2026, 3, 31)))
    assert (row_of(result, "RMA1").status, kinds(result)) == ("matched", set())


@pytest.mark.parametrize(
    ("change", "is_settled"),
    [
        ({}, True),
        ({"order_ref": "", "associated_ref": "#LX7"}, True),
        ({"gross": "4.94", "delivery_gross": "4.94"}, False),
        ({"order_ref": "KCCLX8"}, False),
        ({"currency": "EUR"}, False),
        ({"created_on": "2026-01-12"}, False),
    ],
)
def test_goodwill_and_its_note_settle_each_other(
    tmp_path: Path, shop: Shop, change: dict[str, str], is_settled: bool
) -> None:
    a_goodwill(shop, "CN7", **change)
    result = shop.audited(tmp_path)
    strays = set() if is_settled else {("credit_note_orphan", "CN7"), ("refund_without_return", "#LX7/rf_7")}
    assert kinds(result) == strays
    rows = sorted((row.status, row.refund_pence, row.open_pence) for row in result.rows if not row.return_id)
    assert [row[0] for row in rows] == (["matched"] if is_settled else ["credit_note_orphan", "refund_without_return"])
    assert sum(row[1] for row in rows) == 495
    assert all(row[2] for row in rows) != is_settled


def test_of_two_notes_for_one_goodwill_the_second_is_told(tmp_path: Path, shop: Shop) -> None:
    a_goodwill(shop, "CN8", "CN7")
    assert kinds(shop.audited(tmp_path)) == {("credit_note_orphan", "CN8")}


@pytest.mark.parametrize(("price", "is_settled"), [("4.95", True), ("4.94", False)])
def test_u26_goodwill_beyond_what_was_paid_settles_nothing(
    tmp_path: Path, shop: Shop, price: str, is_settled: bool
) -> None:
    a_goodwill(shop, "CN7")
    next(row for row in shop.orders if row["order_ref"] == "KCCLX7")["unit_price_gross"] = price
    strays = set() if is_settled else {("credit_note_orphan", "CN7"), ("refund_without_return", "#LX7/rf_7")}
    assert kinds(shop.audited(tmp_path)) == strays


def test_u26_goodwill_beside_a_return_that_was_credited_in_full_settles_nothing(tmp_path: Path, shop: Shop) -> None:
    a_goodwill(shop, "CN7")
    shop.returned(7)
    shop.credited("CN8", 7)
    shop.paid(7, "24.99")
    assert {("credit_note_orphan", "CN7"), ("refund_without_return", "#LX7/rf_7")} <= kinds(shop.audited(tmp_path))


def a_goodwill(shop: Shop, *codes: str, **change: str) -> None:
    """Delivery of another order is refunded from its page and credited by hand, beside a return that is in step."""
    shop.credited("CN1", 1)
    shop.paid(1, "24.99")
    shop.sold(7)
    shop.sold(8)
    delivery = {"gross": "4.95", "net": "4.13", "stock_code": "", "quantity": "", "delivery_gross": "4.95"}
    for code in codes:
        shop.credited(code, 7, **{**delivery, "associated_ref": "delivery refund", **change})
    shop.paid(7, "4.95", refund_id="rf_7", return_id="", order_ref="#LX7")


@pytest.mark.parametrize("gross", ["24.99", "21.99"])
@pytest.mark.parametrize(("paid", "kind"), [("21.99", "paid_outside_storefront"), ("21.98", "refund_amount_differs")])
def test_an_earlier_extra_payment_that_went_back_elsewhere_is_no_value_gap(
    tmp_path: Path, gross: str, paid: str, kind: str
) -> None:
    shop = an_exchange_that_came_back(paid)
    shop.credited("CN2", 1, gross=gross, net="20.83" if gross == "24.99" else "18.33", associated_ref="RMA2")
    result = shop.audited(tmp_path)
    assert (kind, "RMA2") in kinds(result)
    assert (row_of(result, "RMA2").status == "matched") == (kind == "paid_outside_storefront")


def test_a_payment_line_proves_what_was_paid_outside(tmp_path: Path) -> None:
    shop = an_exchange_that_came_back("21.99")
    shop.credited("CN2", 1, associated_ref="RMA2")
    shop.paid(2, "3.00", gateway="stripe")
    assert "RMA2" not in {subject for _, subject in kinds(shop.audited(tmp_path))}


def an_exchange_that_came_back(paid: str) -> Shop:
    """Goods for which £3.00 were paid extra come back; the storefront pays the original order without a line."""
    shop = Shop(refunds=[])
    shop.sold(1)
    shop.sold(1, code=COAT, price="21.99")
    before = {"total_additional_payment": "3.00", "date_created": "2026-02-01T09:00:00Z"}
    shop.returned(1, sku=COAT, cost="21.99", outcome="Exchange", refund="0.00", **before)
    shop.returned(2, shopify_order_name="#LX1-EX")
    shop.returns[1]["products"][0]["original_order_name"] = "#LX1"
    shop.paid(1, paid, return_id="", order_ref="#LX1")
    return shop


UNKNOWN = ("payment_kind_unknown", "Rewards")


@pytest.mark.parametrize(
    ("said", "refund_pence", "told"),
    [
        ("", 2499, {UNKNOWN}),
        ("rewards:money", 2499, set()),
        ("Rewards:store_credit", 1999, set()),
        ("shopify_payments:gift_card", 500, {UNKNOWN}),
    ],
)
def test_a_payment_that_nobody_knows_is_money_until_finance_says_what_it_is(
    tmp_path: Path, shop: Shop, said: str, refund_pence: int, told: set[tuple[str, str]]
) -> None:
    shop.credited("CN1", 1)
    shop.paid(1, "19.99")
    shop.paid(1, "5.00", gateway="Rewards")
    inputs = read_inputs(shop.write(tmp_path), skips_bad_rows=False, said=Said(payment_kinds=PaymentKinds.of(said)))
    result = reconcile(inputs, Span(date(2026, 3, 31)))
    assert (row_of(result, "RMA1").refund_pence, row_of(result, "RMA1").status) == (refund_pence, "matched")
    assert kinds(result) == told
