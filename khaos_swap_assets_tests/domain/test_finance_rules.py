"""The finance rules U-1 to U-16, U-20, U-21 and U-25 to U-28 with their own figures, each by its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest

from khaos_swap_assets.domain.goods.values import Outcome, StockEffect, Whereabouts, stock_effect
from khaos_swap_assets.domain.judging.waterfall import (
    CreditFacts,
    CreditLine,
    RefundFacts,
    RefundLine,
    Waterfall,
    explain,
)
from khaos_swap_assets.domain.money.allocation import Credited, SoldLine, credit_due, excesses, freeze, khaos_line
from khaos_swap_assets.domain.money.amounts import split_gross, spread, to_pence
from khaos_swap_assets.domain.money.tax import (
    Amount,
    Particulars,
    credit_of,
    foreign_credit,
    is_tie,
    is_vat_rounding,
    keep_back,
    overclaimed_pence,
    particulars_faults,
    split_delivery,
    vat_errors,
    vat_of_parts,
)
from khaos_swap_assets.domain.money.tax_dates import (
    Clock,
    NoteTiming,
    Payment,
    VatPeriods,
    decreases,
    note_clock,
    note_timing,
    refund_clock,
)
from khaos_swap_assets.domain.money.tolerance import Residual, Systematic, Tolerances, govern
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, Decision
from khaos_swap_assets.domain.policy.effects import (
    delivery_due,
    exchange,
    fee_documents,
    store_credit,
)
from khaos_swap_assets.domain.policy.settlement import settle
from khaos_swap_assets.domain.policy.settlement_case import Posted, Sale
from khaos_swap_assets_tests.domain.records import line, returned
from khaos_swap_assets_tests.domain.test_policy import decided as chosen

MONTHS, QUARTERS = VatPeriods(None), VatPeriods(3)


def pence(text: str) -> int:
    return to_pence(text, "GBP")


def amount(gross: str, net: str, vat: str) -> Amount:
    return Amount(pence(gross), pence(net), pence(vat))


SPLIT_20 = [
    ("59.99", "49.99", "10.00"),
    ("50.00", "41.67", "8.33"),
    ("70.00", "58.33", "11.67"),
    ("9.99", "8.33", "1.66"),
    ("29.97", "24.98", "4.99"),
    ("21.86", "18.22", "3.64"),
    ("24.99", "20.83", "4.16"),
    ("34.99", "29.16", "5.83"),
    ("3.95", "3.29", "0.66"),
    ("7.95", "6.63", "1.32"),
    ("85.00", "70.83", "14.17"),
    ("15.00", "12.50", "2.50"),
    ("47.05", "39.21", "7.84"),
    ("2.95", "2.46", "0.49"),
    ("35.00", "29.17", "5.83"),
    ("2.45", "2.04", "0.41"),
]


@pytest.mark.parametrize(("gross", "net", "vat"), SPLIT_20)
def test_vectors_split_at_20_per_cent(gross: str, net: str, vat: str) -> None:
    assert Amount.of(pence(gross), 20) == amount(gross, net, vat)


@pytest.mark.parametrize(
    ("gross", "vat"),
    [("9.99", "1.67"), ("24.99", "4.17"), ("7.95", "1.33"), ("11.67", "1.95"), ("29.97", "5.00"), ("3.21", "0.54")],
)
def test_vectors_of_ties_with_the_vat_rounded(gross: str, vat: str) -> None:
    assert Amount.of(pence(gross), 20, "vat").vat_pence == pence(vat)
    assert Amount.of(pence(gross), 20).vat_pence == pence(vat) - 1
    assert is_tie(pence(gross), 20)
    assert pence(gross) % 6 == 3


def test_u1_the_tax_date_is_the_payment_date() -> None:
    approved, paid = date(2026, 1, 28), date(2026, 2, 2)
    found = decreases([Payment(paid, pence("59.99"))], MONTHS)
    assert found == {date(2026, 2, 28): amount("59.99", "49.99", "10.00")}
    assert decreases([], MONTHS) == {}
    assert note_timing(paid, [paid], MONTHS) == NoteTiming("", 0)
    assert note_timing(approved, [paid], MONTHS).problem == "other_period"
    assert note_timing(date(2026, 2, 9), [paid], MONTHS) == NoteTiming("", 7)
    assert note_timing(paid, [], MONTHS).problem == "no_payment"


def test_u2_part_payments_are_decreases_of_their_own() -> None:
    payments = [Payment(date(2026, 3, 30), pence("50.00")), Payment(date(2026, 4, 4), pence("70.00"))]
    found = decreases(payments, QUARTERS)
    assert found == {
        date(2026, 3, 31): amount("50.00", "41.67", "8.33"),
        date(2026, 6, 30): amount("70.00", "58.33", "11.67"),
    }
    first, second = found.values()
    assert first + second == amount("120.00", "100.00", "20.00")


@pytest.mark.parametrize(
    ("ends_in", "day", "end"),
    [
        (3, date(2026, 3, 31), date(2026, 3, 31)),
        (3, date(2026, 10, 1), date(2026, 12, 31)),
        (1, date(2026, 11, 30), date(2027, 1, 31)),
        (2, date(2027, 12, 1), date(2028, 2, 29)),
        (None, date(2026, 12, 5), date(2026, 12, 31)),
    ],
)
def test_u2_vat_periods(ends_in: int | None, day: date, end: date) -> None:
    assert VatPeriods(ends_in).end_of(day) == end


@pytest.mark.parametrize(("is_taxable", "is_duty"), [(True, True), (None, True), (False, False)])
def test_u3_the_14_days_begin_with_the_day_of_payment(is_taxable: bool | None, is_duty: bool) -> None:
    expected = Clock(date(2025, 6, 12), date(2025, 6, 16), date(2025, 6, 17), is_duty)
    assert note_clock(date(2025, 6, 3), is_taxable_person=is_taxable) == expected


NOTE = Particulars(
    number="CN-10457",
    issued_on=date(2025, 2, 2),
    supplier_name="Linen Ltd",
    supplier_address="1 Mill Lane",
    supplier_vat_number="GB123456789",
    customer_name="present",
    customer_address="present",
    invoice_number="INV-88121",
    invoice_date=date(2025, 1, 9),
    description='1 x "Linen shirt M"',
    reason="customer return RMA-5531",
    return_id="5531",
    vat_percent=20,
    net_pence=4999,
    vat_pence=1000,
    total_pence=5999,
)


@pytest.mark.parametrize(
    ("changes", "invoice_customer", "faults"),
    [
        ({}, "C1", ()),
        (
            {"supplier_vat_number": "", "vat_percent": None},
            "C1",
            ("supplier_vat_number is missing", "vat_percent is missing"),
        ),
        ({"total_pence": 6000}, "C1", ("net and VAT do not add up to the total",)),
        ({"vat_percent": 0, "vat_pence": 0, "net_pence": 5999}, "C1", ()),
        ({}, None, ("the original invoice does not exist",)),
        ({}, "C2", ("the original invoice is of another customer",)),
    ],
)
def test_u4_what_a_note_must_show(
    changes: dict[str, Any], invoice_customer: str | None, faults: tuple[str, ...]
) -> None:
    note = replace(NOTE, **changes)
    assert particulars_faults(note, invoice_customer=invoice_customer, note_customer="C1") == faults


def test_u5_the_rate_is_that_of_the_original_sale_line() -> None:
    assert credit_of(pence("30.00"), 0) == amount("30.00", "30.00", "0.00")
    assert overclaimed_pence(pence("30.00"), used_vat_percent=20, sale_vat_percent=0) == pence("5.00")


def test_u6_three_ties_have_four_plausible_answers() -> None:
    by_line = [split_gross(999, 20, mode)[1] * 3 for mode in ("vat", "gross")]
    on_total = [split_gross(2997, 20, mode)[1] for mode in ("vat", "gross")]
    assert [*by_line, *on_total] == [501, 498, 500, 499]
    lines: list[tuple[int, Decimal | int]] = [(999, 20)] * 3
    assert all(is_vat_rounding(lines, vat - 498) for vat in (*by_line, *on_total))
    assert not is_vat_rounding(lines, 4)
    assert Amount.of(245, 20) == Amount.of(245, 20, "vat") == amount("2.45", "2.04", "0.41")
    assert not is_vat_rounding([(245, 20)], 1)


def test_u6_a_full_return_reverses_the_method_of_its_sale() -> None:
    for mode in ("gross", "vat"):
        sale, credit = Amount.of(999, 20, mode), Amount.of(-999, 20, mode)
        assert sale + credit == Amount(0, 0, 0)


BASKET = [SoldLine("1", "COAT", 1, 3999), SoldLine("2", "SHIRT", 1, 2499), SoldLine("3", "BOOK", 1, 1499, 0)]


def test_u7_an_order_discount_is_spread_by_selling_price() -> None:
    paid = freeze(BASKET, 1000)
    assert [line.order_discount_pence for line in paid] == [500, 313, 187] == spread(1000, [3999, 2499, 1499])
    assert [line.paid_pence for line in paid] == [3499, 2186, 1312]
    assert sum(line.paid_pence for line in paid) == 6997
    refund = credit_due(paid[1], 1)
    assert Amount.of(refund, 20) == amount("21.86", "18.22", "3.64")
    assert Amount.of(2499, 20) - Amount.of(refund, 20) == amount("3.13", "2.61", "0.52")


def test_u7_the_meal_deal_of_hmrc() -> None:
    """£15 of goods for £10: 4.00, 1.00, 1.00 and 4.00."""
    prices = [600, 150, 150, 600]
    paid = freeze([SoldLine(ref, ref, 1, price) for ref, price in zip("ABCD", prices, strict=True)], 500)
    assert [line.paid_pence for line in paid] == [400, 100, 100, 400]


def test_u8_partial_refunds_add_up_to_what_was_paid() -> None:
    (line,) = freeze([SoldLine("1", "SOCK", 3, 1200)], 101)
    assert line.paid_pence == pence("34.99")
    done: list[Credited] = []
    for _ in range(3):
        done.append(Credited("1", 1, credit_due(line, 1, done)))
    refunds = [one.gross_pence for one in done]
    assert refunds == [1166, 1167, 1166]
    assert vat_of_parts(refunds, 20) == [194, 195, 194]
    by_khaos = [Amount.of(one, 20).vat_pence for one in refunds]
    assert by_khaos == [194, 194, 194]
    assert is_vat_rounding([(one, 20) for one in refunds], sum(by_khaos) - 583)


@pytest.mark.parametrize(
    ("back", "rule", "due"),
    [
        ("all", "if_all_goods_come_back", "3.95"),
        ("part", "if_all_goods_come_back", "0.00"),
        ("part", "as_refunded", "3.95"),
        ("faulty", "if_all_goods_come_back", "7.95"),
    ],
)
def test_u9_delivery_due(back: Literal["all", "part", "faulty"], rule: Any, due: str) -> None:
    assert delivery_due(pence("7.95"), pence("3.95"), back, rule) == pence(due)


def test_u9_vat_on_delivery() -> None:
    goods: dict[Decimal | int, int] = {20: pence("56.85"), 0: pence("13.12")}
    assert split_delivery(395, goods, "follow_goods") == {
        20: amount("3.21", "2.68", "0.53"),
        0: amount("0.74", "0.74", "0.00"),
    }
    assert Amount.of(321, 20, "vat").vat_pence == 54
    assert split_delivery(395, goods, "standard") == {20: amount("3.95", "3.29", "0.66")}
    assert split_delivery(395, {0: 0}, "follow_goods") == {20: amount("3.95", "3.29", "0.66")}


@pytest.mark.parametrize(
    ("received", "posted", "due"),
    [
        (date(2025, 5, 6), date(2025, 5, 1), date(2025, 5, 15)),
        (date(2025, 5, 6), None, date(2025, 5, 20)),
        (None, date(2025, 5, 1), date(2025, 5, 15)),
    ],
)
def test_u10_a_consumer_is_refunded_in_14_days(received: date | None, posted: date | None, due: date) -> None:
    found = refund_clock(received, posted)
    assert found
    assert found.last_day == due
    assert (due - found.warn_on).days == 4
    assert refund_clock(None, None) is None


def test_u11_money_kept_back_stays_taxed() -> None:
    credit, kept = keep_back(pence("100.00"), pence("85.00"), 20)
    assert credit == amount("85.00", "70.83", "14.17")
    assert kept == amount("15.00", "12.50", "2.50")
    assert credit + kept == Amount.of(10000, 20)


def test_u12_a_label_fee_reduces_the_refund_or_is_a_service() -> None:
    reduced = fee_documents(5000, 295, 20, "reduce_refund")
    charged = fee_documents(5000, 295, 20, "charge_service")
    assert reduced.note == amount("47.05", "39.21", "7.84")
    assert (charged.note, charged.invoice) == (amount("50.00", "41.67", "8.33"), amount("2.95", "2.46", "0.49"))
    assert charged.net_effect == reduced.net_effect == reduced.note


def test_u12_for_zero_rated_goods_the_choice_matters() -> None:
    assert fee_documents(5000, 295, 0, "reduce_refund").net_effect.vat_pence == 0
    assert fee_documents(5000, 295, 0, "charge_service").net_effect.vat_pence == -49


def test_u13_store_credit() -> None:
    credit = amount("-60.00", "-50.00", "-10.00")
    now = store_credit(6000, 20, "mpv_reduce_now")
    assert (now.now, now.liability_pence) == ((credit,), 6000)
    assert now.when_spent == (amount("60.00", "50.00", "10.00"),)
    zero_rated = store_credit(6000, 20, "mpv_reduce_now", spent_vat_percent=0)
    assert zero_rated.when_spent == (amount("60.00", "60.00", "0.00"),)
    neutral = store_credit(6000, 20, "spv_neutral")
    assert [movement.vat_pence for movement in neutral.now] == [-1000, 1000]
    assert neutral.when_spent == ()
    held = store_credit(6000, 20, "hold_until_spent", bonus_pence=600)
    assert (held.now, held.marketing_pence) == ((), 600)
    assert store_credit(6000, 20, "mpv_reduce_now", bonus_pence=600).now == (credit,)


def legs(found: Waterfall) -> dict[str, int]:
    return {leg.name: leg.pence for leg in found.legs}


def test_u14_a_split_tender_is_fully_explained() -> None:
    refund = RefundFacts(4000, (RefundLine("SHIRT", 1, 6000),), gift_card_pence=2000)
    found = explain(refund, CreditFacts(6000, lines=(CreditLine("SHIRT", 1, 6000),)))
    assert (found.gap_pence, legs(found)) == (2000, {"tender": 2000})
    assert found.legs[0].evidence == ("refund: gift card",)
    assert Amount.of(6000, 20) == amount("60.00", "50.00", "10.00")


@pytest.mark.parametrize(
    ("given", "note", "sale", "paid_back", "vat_effect"),
    [
        ("45.00", Amount(0, 0, 0), Amount(0, 0, 0), "0.00", "0.00"),
        ("30.00", amount("45.00", "37.50", "7.50"), amount("30.00", "25.00", "5.00"), "15.00", "-2.50"),
        ("60.00", amount("45.00", "37.50", "7.50"), amount("60.00", "50.00", "10.00"), "-15.00", "2.50"),
    ],
)
def test_u15_exchanges(given: str, note: Amount, sale: Amount, paid_back: str, vat_effect: str) -> None:
    found = exchange(4500, pence(given), 20)
    assert (found.note, found.sale) == (note, sale)
    assert (found.paid_back_pence, found.vat_effect_pence) == (pence(paid_back), pence(vat_effect))


@pytest.mark.parametrize(
    ("given", "refund", "fault"),
    [
        (3000, 1500, ""),
        (3000, 4500, "full_value"),
        (3000, 1400, "other_value"),
        (6000, 0, ""),
        (4500, 4500, "full_value"),
    ],
)
def test_u15_the_refund_is_compared_with_the_difference(given: int, refund: int, fault: str) -> None:
    assert exchange(4500, given, 20).refund_fault(refund) == fault


def test_u15_an_exchange_is_a_leg() -> None:
    returned = (RefundLine("M", 1, 4500, "Exchange"),)
    note = CreditFacts(4500, lines=(CreditLine("M", 1, 4500),))
    assert legs(explain(RefundFacts(1500, returned, exchange_pence=3000), note)) == {"exchange": 3000}
    up = RefundFacts(0, returned, exchange_pence=6000, additional_payment_pence=1500)
    assert legs(explain(up, note)) == {"exchange": 4500}


def test_u16_a_foreign_sale_is_reversed_at_its_own_rate() -> None:
    found = foreign_credit(12000, Decimal("1.2000"), Decimal("1.1800"), 20)
    assert found.amount == amount("100.00", "83.33", "16.67")
    assert (found.cash_pence, found.fx_loss_pence) == (pence("101.69"), pence("1.69"))
    assert Amount.of(found.cash_pence, 20).vat_pence == pence("16.95")
    refund = RefundFacts(10169, (RefundLine("COAT", 1, 10000),), fx_loss_pence=169)
    assert legs(explain(refund, CreditFacts(10000, lines=(CreditLine("COAT", 1, 10000),)))) == {"fx": -169}
    with pytest.raises(ValueError, match="positive"):
        foreign_credit(1, Decimal(0), Decimal(1), 20)


def test_u20_four_hundred_pennies_of_one_sign_are_systematic() -> None:
    found = govern([Residual(f"CN{number:03d}", "rounding", 1) for number in range(400)], Tolerances())
    assert found.systematic == (Systematic("rounding", "GBP", 400, 400),)
    assert found.cleared == ()
    assert {refused.rule for refused in found.refused} == {"systematic"}


@pytest.mark.parametrize(
    ("residual", "rule"),
    [
        (Residual("CN1", "rounding", 1), None),
        (Residual("CN1", "rounding", -2), "line"),
        (Residual("CN1", "rounding", 5, lines=5), None),
        (Residual("CN1", "rounding", 6, lines=9), "document"),
        (Residual("CN1", "unexplained", 1), "no_account"),
    ],
)
def test_u20_line_document_and_account(residual: Residual, rule: str | None) -> None:
    found = govern([residual], Tolerances())
    assert [refused.rule for refused in found.refused] == ([rule] if rule else [])
    assert len(found.cleared) == (rule is None)


def test_u20_a_period_is_capped_at_25_pounds() -> None:
    some = [Residual(f"CN{number:04d}", "rounding", 5 * (-1) ** number, lines=5) for number in range(501)]
    found = govern(some, Tolerances())
    assert found.cleared_pence == {"GBP": 2500}
    assert [refused.rule for refused in found.refused] == ["cap"]
    assert govern(some[:1], Tolerances(), {"GBP": 2496}).cleared == ()


@pytest.mark.parametrize(
    ("error", "correction"),
    [("12400.00", "next_return"), ("19000.00", "separate_notice"), ("9999.99", "next_return"), ("0.00", "none")],
)
def test_u21_the_size_of_a_vat_error(error: str, correction: str) -> None:
    assert vat_errors([pence(error)], pence("1800000.00")).correction == correction


def test_u21_over_and_under_claims_are_kept_apart() -> None:
    found = vat_errors([pence("20000.00"), -pence("8000.00"), pence("1.00")], pence("1000000.00"))
    assert (found.over_pence, found.under_pence, found.net_pence) == (2000100, 800000, 1200100)
    assert found.correction == "separate_notice"
    assert vat_errors([5_000_001], 10**12).correction == "separate_notice"


def test_u25_without_a_sale_there_is_no_vat_to_reduce() -> None:
    assert credit_of(pence("35.00"), None).vat_pence == 0
    assert overclaimed_pence(pence("35.00"), 20, None) == pence("5.83")
    assert decreases([Payment(date(2026, 1, 5), 3500, None)], MONTHS)[date(2026, 1, 31)].vat_pence == 0


def test_u26_caps_hold_over_all_notes() -> None:
    paid = freeze([SoldLine("1", "SHIRT", 2, 2499)], 313)
    assert paid[0].paid_pence == pence("46.85")
    first = Credited("1", 1, credit_due(paid[0], 1))
    second = Credited("1", 1, credit_due(paid[0], 1, [first]))
    assert (first.gross_pence, second.gross_pence) == (2343, 2342)
    assert excesses(paid, [first, second]) == ()
    (excess,) = excesses(paid, [first, second, Credited("1", 0, 1)])
    assert (excess.quantity, excess.pence) == (0, 1)
    assert credit_due(paid[0], 0, [first, second]) == 0
    with pytest.raises(ValueError, match="0 are left"):
        credit_due(paid[0], 1, [first, second])


@pytest.mark.parametrize(
    ("outcome", "effect"),
    [
        ("sellable", StockEffect(available=1, stock_pence=2200)),
        ("b_grade", StockEffect(non_sellable=1, stock_pence=1500, write_down_pence=700)),
        ("scrap", StockEffect(write_down_pence=2200)),
        ("lost", StockEffect(claim_pence=2200)),
    ],
)
def test_u27_stock_comes_back_at_its_cost(outcome: Outcome, effect: StockEffect) -> None:
    assert stock_effect(outcome, 2200, 1500) == effect


def test_u27_every_sold_unit_is_somewhere() -> None:
    somewhere = Whereabouts(kept=3, in_transit=1, received=1, sellable=2, non_sellable=1, scrapped=1, lost=1)
    assert somewhere.unaccounted(10) == 0
    assert somewhere.unaccounted(11) == 1


U28_REFUND = RefundFacts(4060, (RefundLine("COAT", 1, 5855),), fee_pence=295, gift_card_pence=1500)
U28_NOTE = CreditFacts(6250, lines=(CreditLine("COAT", 1, 5855),), delivery_pence=395)
CHARGED = CreditNotePolicy(
    label_fee=Decision(choice="charge_service", reason="r", approver="a", effective_on=date(2026, 1, 1))
)


@pytest.mark.parametrize("refund", [U28_REFUND, replace(U28_REFUND, lines=())])
def test_u28_the_waterfall(refund: RefundFacts) -> None:
    found = explain(refund, U28_NOTE, CHARGED)
    assert found.gap_pence == pence("21.90")
    assert legs(found) == {"tender": 1500, "delivery": 395, "fee": 295}
    assert found.unexplained_pence == 0
    assert {leg.name: leg.verdict for leg in found.legs} == {"tender": "fine", "delivery": "error", "fee": "policy"}
    assert found.correction() == amount("3.95", "3.29", "0.66")


def test_vectors_of_khaos_in_gross_and_net_mode() -> None:
    assert khaos_line(2499, 3, 20, "gross", 10) == amount("67.47", "56.23", "11.24")
    assert khaos_line(2083, 3, 20, "net", 10) == amount("67.49", "56.24", "11.25")


def test_u2_a_later_payment_has_a_note_of_its_own_in_its_own_quarter() -> None:
    """£120.00 due: £50.00 on 30 March and £70.00 on 4 April are two notes, 100.00 and 20.00 together."""
    later = settle(
        returned(line("P1", 5000), refund_pence=12000),
        chosen(part_payment="credit_when_paid"),
        already=[Posted(("P1",), 5000)],
        sale=Sale(room_pence=7000),
    )
    assert [(part.stock_code, part.pence) for part in later.parts] == [("PART_PAYMENT", 7000)]
    assert Amount.of(5000, 20) + Amount.of(later.value_pence, 20) == amount("120.00", "100.00", "20.00")


def test_u5_what_the_item_master_says_now_would_claim_five_pounds() -> None:
    assert Amount.of(3000, 20) == amount("30.00", "25.00", "5.00")
    assert (Amount.of(3000, 20) - credit_of(3000, 0)).vat_pence == pence("5.00")


def test_u7_at_list_price_the_vat_is_a_tie() -> None:
    assert Amount.of(2499, 20) == amount("24.99", "20.83", "4.16")
    assert Amount.of(2499, 20, "vat").vat_pence == pence("4.17")


def test_u9_the_note_holds_the_delivery_that_was_refunded() -> None:
    """Express £7.95, standard £3.95: all goods back give £3.95, faulty ones £7.95, and one of three lines none."""
    rule = chosen(delivery="if_all_goods_come_back").delivery.model_copy(update={"standard_pence": 395})
    policy = CreditNotePolicy(delivery=rule)
    for refunded, is_all_back, notes in ((395, True, 395), (795, True, 795), (0, False, 0), (0, True, 0)):
        found = settle(returned(line("P1", 6000), refund_pence=6000 + refunded), policy, sale=Sale(795, is_all_back))
        assert (found.faults, sum(part.pence for part in found.parts)) == ((), notes)
    part = settle(returned(line("P1", 6000), refund_pence=6395), policy, sale=Sale(795, is_all_back=False))
    assert [fault.kind for fault in part.faults] == ["refund_not_explained"]
    assert Amount.of(395, 20) == amount("3.95", "3.29", "0.66")
    assert (Amount.of(795, 20), Amount.of(795, 20, "vat").vat_pence) == (amount("7.95", "6.63", "1.32"), 133)


@pytest.mark.parametrize(
    ("rule", "note", "vat", "invoice"),
    [("reduce_refund", "47.05", "7.84", "0.00"), ("charge_service", "50.00", "8.33", "2.95")],
)
def test_u12_the_note_of_a_withheld_fee(rule: str, note: str, vat: str, invoice: str) -> None:
    found = settle(returned(line("P1", 5000), handling_fee_pence=295, refund_pence=4705), chosen(label_fee=rule))
    assert (found.value_pence, found.invoice_pence) == (pence(note), pence(invoice))
    assert Amount.of(found.value_pence, 20).vat_pence == pence(vat)
    assert found.beyond_pence == pence(note) - 4705


@pytest.mark.parametrize(
    ("rule", "credit", "note"),
    [
        ("hold_until_spent", 6000, 0),
        ("mpv_reduce_now", 6000, 6000),
        ("spv_neutral", 6000, 6000),
        ("mpv_reduce_now", 6600, 6000),
    ],
)
def test_u13_the_note_of_store_credit_never_holds_a_bonus(rule: str, credit: int, note: int) -> None:
    found = settle(
        returned(line("P1", 6000, outcome="Store Credit"), store_credit_pence=credit), chosen(store_credit=rule)
    )
    assert (found.value_pence, found.beyond_pence) == (note, note)
    assert found.undecided == (() if note else ("Store Credit",))


def test_u14_the_note_holds_what_the_gift_card_paid() -> None:
    found = settle(
        returned(line("P1", 6000), refund_pence=4000, store_credit_pence=2000), chosen(gift_card="credit_in_full")
    )
    assert (found.value_pence, found.money_pence, found.beyond_pence) == (6000, 4000, 2000)


@pytest.mark.parametrize(
    ("given", "extra", "refund", "note", "faults"),
    [
        (4500, 0, 0, 0, []),
        (3000, 0, 1500, 4500, []),
        (6000, 1500, 0, 4500, []),
        (3000, 0, 4500, 0, ["refund_not_explained"]),
    ],
)
def test_u15_the_note_of_an_exchange(given: int, extra: int, refund: int, note: int, faults: list[str]) -> None:
    """Even: none. Down and up: the returned goods in full. A payout of £45.00 for a difference of £15.00 is held."""
    policy = chosen(exchange="credit_returned_goods", extra_payment="sale_of_its_own")
    row = line("P1", 4500, outcome="Exchange")
    changes = {"exchange_pence": given, "additional_payment_pence": extra, "refund_pence": refund}
    found = settle(returned(row, **changes), policy)
    assert ([fault.kind for fault in found.faults], found.value_pence) == (faults, note)
    assert not note or Amount.of(note, 20) == amount("45.00", "37.50", "7.50")


def test_u16_the_note_is_in_the_currency_of_the_order() -> None:
    found = settle(returned(line("P1", 12000, currency="EUR"), currency="EUR"), CreditNotePolicy())
    assert (found.value_pence, found.beyond_pence) == (12000, 0)


def test_u28_two_decisions_leave_only_the_delivery_to_correct() -> None:
    """The note should be £58.55: £62.50 holds £3.95 of delivery that nobody refunded."""
    record = returned(line("P1", 5855), refund_pence=4060, handling_fee_pence=295, store_credit_pence=1500)
    found = settle(record, chosen(gift_card="credit_in_full", label_fee="charge_service"))
    assert (found.value_pence, found.beyond_pence, found.invoice_pence) == (5855, 1795, 295)
    assert 6250 - found.value_pence == pence("3.95")
