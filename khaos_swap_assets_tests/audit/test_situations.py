"""Situations that merchants' files hold, each with what the books demand: statuses, what is told, the money found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets_tests.audit.files import COAT, Shop, kinds, row_of

Make = Callable[[], Shop]
MISSING, ORPHAN = "credit_note_missing", "credit_note_orphan"
SITUATIONS: list[tuple[Make, dict[str, str], set[str], int]] = []


def demands(rows: dict[str, str], told: set[str], open_pence: int) -> Callable[[Make], Make]:
    """What a situation has to come to: status by RMA or note, kinds of exception, pence not reconciled."""

    def keep(made: Make) -> Make:
        SITUATIONS.append((made, rows, told, open_pence))
        return made

    return keep


def a_shop(refund: str = "24.99", *, has_refunds: bool = False, **change: Any) -> Shop:
    """One shirt sold and returned."""
    shop = Shop(refunds=[] if has_refunds else None)
    shop.sold(1, **change.pop("sold", {}))
    shop.returned(1, refund=refund, **change)
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def two_notes_for_two_goods() -> Shop:
    shop = a_shop("84.99")
    shop.sold(1, code=COAT, price="60.00")
    coat = {"product_id": "p9", "sku": COAT, "item_count": 1, "cost": "60.00", "return_type": "Refund"}
    shop.returns[0]["products"].append(coat)
    shop.credited("CN1", 1)
    shop.credited("CN2", 1, gross="60.00", net="50.00", stock_code=COAT)
    return shop


@demands({"RMA1": "duplicate"}, {"credit_note_duplicate"}, 6000)
def one_of_two_notes_for_two_goods_was_made_twice() -> Shop:
    shop = two_notes_for_two_goods()
    shop.credited("CN3", 1, gross="60.00", net="50.00", stock_code=COAT)
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def store_credit_pays_a_part_and_the_note_is_the_whole() -> Shop:
    credit: dict[str, Any] = {"total_store_credit_value_customer_currency": "20.00"}
    shop = a_shop("40.00", cost="60.00", sold={"price": "60.00"}, **credit)
    shop.credited("CN1", 1, gross="60.00", net="50.00")
    return shop


@demands({"RMA1": "value_gap"}, {"value_gap", "outcome_needs_policy", "refund_not_explained"}, 2000)
def store_credit_pays_a_part_and_the_note_is_the_cash() -> Shop:
    shop = store_credit_pays_a_part_and_the_note_is_the_whole()
    shop.notes[0] |= {"gross": "40.00", "net": "33.33"}
    return shop


@demands({"RMA1": "value_gap"}, {"value_gap"}, 2499)
def a_note_for_one_of_two_units() -> Shop:
    shop = a_shop("49.98", cost="49.98", quantity=2, sold={"quantity": 2})
    shop.credited("CN1", 1)
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def a_component_comes_back_out_of_its_pack() -> Shop:
    shop = Shop(codes=[{"stock_code": "PACK", "pack_components": "MUG:2;TRAY:1"}, {"stock_code": "TRAY"}])
    shop.sold(1, code="PACK", price="30.00")
    shop.returned(1, sku="TRAY", cost="10.00")
    shop.credited("CN1", 1, stock_code="TRAY", gross="10.00", net="8.33")
    return shop


@demands({"RMA1": "value_gap"}, {"value_gap", "outcome_needs_policy"}, 600)
def a_bonus_on_store_credit_stands_on_the_note() -> Shop:
    credit: dict[str, Any] = {"outcome": "Store Credit", "total_credit_exchange_value": "66.00"}
    shop = a_shop("0.00", cost="60.00", sold={"price": "60.00"}, **credit)
    shop.credited("CN1", 1, gross="66.00", net="55.00")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def a_bonus_on_store_credit_is_not_on_the_note() -> Shop:
    shop = a_bonus_on_store_credit_stands_on_the_note()
    shop.notes[0] |= {"gross": "60.00", "net": "50.00"}
    return shop


@demands({"RMA1": "matched"}, {"vat_differs"}, 0)
def a_mixed_basket_is_credited_at_one_rate() -> Shop:
    shop = a_shop("66.00", cost="36.00", sold={"price": "36.00"})
    shop.sold(1, code=COAT, price="30.00", vat_rate="0")
    coat = {"product_id": "p9", "sku": COAT, "item_count": 1, "cost": "30.00", "return_type": "Refund"}
    shop.returns[0]["products"].append(coat)
    shop.credited("CN1", 1, gross="36.00", net="30.00")
    shop.credited("CN1", 1, gross="30.00", net="25.00", stock_code=COAT)
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def a_discount_stands_on_the_note_as_a_line() -> Shop:
    shop = a_shop("20.00", cost="20.00", sold={"price": "25.00", "discount_gross": "5.00"})
    shop.credited("CN1", 1, gross="25.00", net="20.83")
    shop.credited("CN1", 1, gross="-5.00", net="-4.17", stock_code="DISCOUNT")
    return shop


@demands({"RMA1": "value_gap"}, {"value_gap", "refund_not_explained"}, 395)
def delivery_is_refunded_and_not_credited() -> Shop:
    shop = a_shop("28.94", sold={"delivery_gross": "3.95"})
    shop.credited("CN1", 1)
    return shop


@demands({"RMA1": "matched", "RMA2": "value_gap"}, {"value_gap"}, 395)
def one_note_for_two_returns_credits_the_delivery_too() -> Shop:
    shop = a_shop(sold={"quantity": 2, "delivery_gross": "3.95"})
    shop.returned(2, shopify_order_name="#LX1")
    both = {"associated_ref": "RMA1 + RMA2", "quantity": "2", "delivery_gross": "3.95"}
    shop.credited("CN1", 1, gross="49.98", net="41.66", **both)
    return shop


@demands({"RMA1": "matched"}, {"credited_to_another_customer"}, 0)
def the_note_is_on_another_account() -> Shop:
    shop = a_shop()
    shop.credited("CN1", 1, customer_ref="C9")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def two_returns_have_one_rma_and_each_its_order() -> Shop:
    shop = a_shop()
    shop.sold(2)
    shop.returned(2, rma_number="RMA1")
    for number in (1, 2):
        shop.credited(f"CN{number}", number, associated_ref="RMA1")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def the_orders_file_lacks_the_order_that_both_name() -> Shop:
    shop = a_shop()
    shop.orders[0] |= {"order_ref": "KCCLX99"}
    shop.credited("CN1", 1)
    return shop


@demands({"RMA1": "credit_note_missing"}, {"credit_note_missing"}, 2499)
def a_note_is_taken_back_by_a_negative_one() -> Shop:
    shop = a_shop()
    shop.credited("CN1", 1)
    shop.credited("CN2", 1, gross="-24.99", net="-20.83", quantity="-1")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def a_note_is_taken_back_and_made_anew() -> Shop:
    shop = a_note_is_taken_back_by_a_negative_one()
    shop.credited("CN3", 1, created_on="2026-03-05")
    return shop


@demands({"RMA1": "in_flight"}, {"credited_without_refund"}, 0)
def a_note_stands_for_weeks_and_the_return_is_open() -> Shop:
    shop = a_shop(return_status="Open", date_closed="")
    shop.credited("CN1", 1)
    return shop


@demands({"RMA1": "in_flight"}, set(), 0)
def a_note_was_made_early_and_the_return_is_open() -> Shop:
    shop = a_note_stands_for_weeks_and_the_return_is_open()
    shop.notes[0]["created_on"] = "2026-03-18"
    return shop


@demands({"RMA1": "credit_note_missing"}, {"credit_note_missing"}, 2499)
def the_shop_puts_it_on_store_credit_and_nobody_credits_it() -> Shop:
    shop = a_shop(has_refunds=True)
    shop.paid(1, "24.99", gateway="shopify_store_credit")
    return shop


@demands({"RMA1": "value_gap"}, {"refund_amount_differs"}, 7000)
def a_part_of_the_refund_failed() -> Shop:
    shop = a_shop("120.00", cost="120.00", has_refunds=True, sold={"price": "120.00"})
    shop.credited("CN1", 1, gross="120.00", net="100.00")
    shop.paid(1, "50.00")
    shop.paid(1, "70.00", status="failed")
    return shop


@demands({"RMA1": "value_gap"}, {"value_gap", "refund_not_explained"}, 1500)
def money_is_kept_for_damage_and_credited_all_the_same() -> Shop:
    shop = a_shop("85.00", cost="100.00", sold={"price": "100.00"})
    shop.credited("CN1", 1, gross="100.00", net="83.33")
    return shop


@demands(
    {"RMA1": "ambiguous", "RMA2": "ambiguous", "": "ambiguous"}, {"credit_note_ambiguous", "credit_note_orphan"}, 4998
)
def one_note_names_the_returns_of_two_customers() -> Shop:
    shop = a_shop()
    shop.sold(2)
    shop.returned(2)
    shop.credited("CN1", 1, gross="49.98", net="41.65", quantity="2", associated_ref="RMA1 + RMA2")
    return shop


def an_exchange(refund: str, *, given: str = "30.00") -> Shop:
    """A shirt of £45.00 comes back for another one."""
    sent = [{"sku": COAT, "quantity": 1, "price": given, "discount": "0"}]
    shop = a_shop(refund, cost="45.00", sold={"price": "45.00"}, outcome="Exchange", exchange_items=sent)
    shop.credited("CN1", 1, gross="45.00", net="37.50")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def u15_an_exchange_pays_the_difference() -> Shop:
    return an_exchange("15.00")


@demands({"RMA1": "value_gap"}, {"exchange_overpaid"}, 3000)
def u15_an_exchange_is_paid_out_in_full() -> Shop:
    return an_exchange("45.00")


@demands({"RMA1": "value_gap"}, {"exchange_overpaid"}, 4500)
def u15_an_exchange_for_dearer_goods_is_paid_out_in_full() -> Shop:
    return an_exchange("45.00", given="60.00")


def u4_linen_shirt(**note: str) -> Shop:
    """The note CN-10457 of FINANCE_RULES U-4: one linen shirt, net 49.99, VAT 10.00, total 59.99, a month later."""
    shop = a_shop("59.99", cost="59.99", sold={"price": "59.99"})
    shop.credited("CN-10457", 1, **{"gross": "59.99", "net": "49.99", "created_on": "2026-03-02", **note})
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def u4_a_note_shows_what_it_has_to() -> Shop:
    return u4_linen_shirt()


@demands(
    {"RMA1": "credit_note_missing", "": "credit_note_orphan"}, {"credit_note_missing", "credit_note_orphan"}, 11998
)
def u4_a_note_is_older_than_its_invoice() -> Shop:
    return u4_linen_shirt(created_on="2026-01-05")


@demands({"RMA1": "matched"}, {"credited_to_another_customer"}, 0)
def u4_a_note_is_of_another_customer_than_its_invoice() -> Shop:
    return u4_linen_shirt(customer_ref="C9")


@demands({"RMA1": "matched"}, {"vat_differs"}, 0)
def u4_net_and_vat_of_a_note_do_not_make_its_total() -> Shop:
    return u4_linen_shirt(net="50.99")


def u26_two_shirts_with_a_discount(*grosses: str) -> Shop:
    """Two shirts of £24.99, £3.13 off in all, credited one by one."""
    shop = a_shop("46.85", cost="46.85", quantity=2, sold={"quantity": 2, "discount_gross": "3.13"})
    for number, gross in enumerate(grosses, 1):
        net = (int(gross.replace(".", "")) * 5 + 3) // 6
        shop.credited(f"CN{number}", 1, gross=gross, net=f"{net // 100}.{net % 100:02}")
    return shop


@demands({"RMA1": "matched"}, set(), 0)
def u26_two_notes_come_to_what_was_paid() -> Shop:
    return u26_two_shirts_with_a_discount("23.43", "23.42")


@demands({"RMA1": "value_gap"}, {"value_gap"}, 1)
def u26_two_notes_come_to_a_penny_more_than_was_paid() -> Shop:
    return u26_two_shirts_with_a_discount("23.43", "23.43")


@demands({"RMA1": "matched", "": "ambiguous"}, {"credit_note_orphan"}, 1)
def u26_a_third_note_of_a_penny_fails() -> Shop:
    return u26_two_shirts_with_a_discount("23.43", "23.42", "0.01")


@demands({"RMA1": "matched"}, {"credited_beyond_sale"}, 0)
def u26_notes_of_the_right_value_hold_a_unit_too_many() -> Shop:
    return u26_two_shirts_with_a_discount("23.43", "13.42", "10.00")


@pytest.mark.parametrize(
    ("made", "rows", "told", "open_pence"), SITUATIONS, ids=[made.__name__ for made, *_ in SITUATIONS]
)
def test_what_the_books_demand(
    tmp_path: Path, made: Make, rows: dict[str, str], told: set[str], open_pence: int
) -> None:
    result = made().audited(tmp_path)
    assert {row.rma: row.status for row in result.rows} == rows
    assert {kind for kind, _ in kinds(result)} == told
    assert sum(row.open_pence for row in result.rows) == open_pence


def test_the_causes_of_delivery_are_named(tmp_path: Path) -> None:
    alone = row_of(delivery_is_refunded_and_not_credited().audited(tmp_path / "a"), "RMA1")
    shared = row_of(one_note_for_two_returns_credits_the_delivery_too().audited(tmp_path / "b"), "RMA2")
    assert (alone.legs["delivery"], alone.legs["unexplained"]) == (-395, 0)
    assert (shared.legs["delivery"], shared.legs["unexplained"]) == (395, 0)


def test_no_advice_leads_to_a_second_credit_of_returns_that_a_note_names(tmp_path: Path) -> None:
    result = one_note_names_the_returns_of_two_customers().audited(tmp_path)
    found = {one.subject: one.suggestion for one in result.findings}
    assert found == {
        **dict.fromkeys(("RMA1", "RMA2"), "CN1 may credit several returns together; post none before that is decided"),
        "CN1": "RMA1, RMA2: decide which of them CN1 credits; post for none before that",
    }


def test_a_taken_back_note_is_named_on_the_first_page(tmp_path: Path) -> None:
    strips = a_note_is_taken_back_and_made_anew().audited(tmp_path).summary.strips
    (strip,) = [one for one in strips if one.kind == "credit-notes"]
    assert strip.notices == ("1 Credit Notes are taken back by a negative one; none counts: CN2 takes back CN1",)
