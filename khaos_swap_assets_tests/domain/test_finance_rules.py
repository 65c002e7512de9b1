"""The finance rules U-1 to U-16, U-20, U-21 and U-25 to U-28 with their own figures, each by its number."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from khaos_swap_assets.domain.judging.facts import Limits
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.judging.waterfall import Waterfall, explain
from khaos_swap_assets.domain.judging.waterfall_facts import CreditFacts, CreditLine, RefundedLine, RefundFacts
from khaos_swap_assets.domain.money.amounts import to_pence
from khaos_swap_assets.domain.money.periods import Clock, london_date, refund_clock
from khaos_swap_assets.domain.money.tax import Amount, split_delivery, vat_bounds
from khaos_swap_assets.domain.money.tolerance import Residual, Systematic, Tolerances, govern
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, Decision
from khaos_swap_assets.domain.policy.settlement import settle
from khaos_swap_assets.domain.policy.settlement_case import Posted, Sale
from khaos_swap_assets_tests.domain.cases import a_return, attributed, some_facts, verdict
from khaos_swap_assets_tests.domain.records import line, returned
from khaos_swap_assets_tests.domain.test_policy import decided as chosen


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
    assert vat_bounds(pence(gross), 20) == (pence(vat) - 1, pence(vat))
    assert pence(gross) % 6 == 3


@pytest.mark.parametrize(
    ("day", "told", "next_day"),
    [
        (11, "; last day for it 2025-06-16", date(2025, 6, 12)),
        (12, "; due soon, last day for it 2025-06-16", date(2025, 6, 17)),
        (16, "; due soon, last day for it 2025-06-16", date(2025, 6, 17)),
        (17, "; its last day was 2025-06-16: the 14 days from the refund are over", None),
    ],
)
def test_u3_a_missing_note_warns_and_breaches_on_its_days(day: int, told: str, next_day: date | None) -> None:
    paid = datetime(2025, 6, 3, 12, tzinfo=UTC)
    facts = some_facts(a_return(processed_at=paid, closed_at=paid, delivered_at=paid), mode="audit")
    found = judge(facts, Limits(arrival_days=365), datetime(2025, 6, day, 12, tzinfo=UTC))
    (problem,) = [one for one in found.problems if one.kind == "credit_note_missing"]
    assert problem.message == f"Refund of £50.00 and no Credit Note{told}"
    assert (london_date(found.next_due_at) if found.next_due_at and next_day else None) == next_day


def test_u4_a_note_is_of_the_customer_of_its_invoice() -> None:
    for code, expected in (("C1", []), ("", []), ("C2", [("CN1", 5000)])):
        found = verdict(some_facts(notes=(attributed(customer_code=code),), customer_code="C1")).problems
        assert [(one.subject, one.money_at_risk_pence) for one in found] == expected


def test_u6_a_full_return_reverses_the_method_of_its_sale() -> None:
    for mode in ("gross", "vat"):
        sale, credit = Amount.of(999, 20, mode), Amount.of(-999, 20, mode)
        assert credit == Amount(-sale.gross_pence, -sale.net_pence, -sale.vat_pence)


def test_u9_vat_on_delivery() -> None:
    goods: dict[Decimal | int, int] = {20: pence("56.85"), 0: pence("13.12")}
    assert split_delivery(395, goods, "follow_goods") == {
        20: amount("3.21", "2.68", "0.53"),
        0: amount("0.74", "0.74", "0.00"),
    }
    assert Amount.of(321, 20, "vat").vat_pence == 54
    assert split_delivery(395, goods, "standard") == {20: amount("3.95", "3.29", "0.66")}
    assert split_delivery(395, {0: 0}, "follow_goods") == {20: amount("3.95", "3.29", "0.66")}


def test_u10_a_consumer_is_refunded_in_14_days() -> None:
    """Goods back on 6 May are due on 20 May, with a warning at day 10; Swap tells no day of posting."""
    assert refund_clock(date(2025, 5, 6)) == Clock(date(2025, 5, 16), date(2025, 5, 20), date(2025, 5, 21))


def legs(found: Waterfall) -> dict[str, int]:
    return {leg.name: leg.pence for leg in found.legs}


def test_u14_a_split_tender_is_fully_explained() -> None:
    refund = RefundFacts(4000, (RefundedLine("SHIRT", 1, 6000),), gift_card_pence=2000)
    found = explain(refund, CreditFacts(6000, lines=(CreditLine("SHIRT", 1, 6000),)))
    assert (found.gap_pence, legs(found)) == (2000, {"tender": 2000})
    assert found.legs[0].evidence == ("refund: gift card",)
    assert Amount.of(6000, 20) == amount("60.00", "50.00", "10.00")


def test_u15_an_exchange_is_a_leg() -> None:
    returned = (RefundedLine("M", 1, 4500, "Exchange"),)
    note = CreditFacts(4500, lines=(CreditLine("M", 1, 4500),))
    assert legs(explain(RefundFacts(1500, returned, exchange_pence=3000), note)) == {"exchange": 3000}
    up = RefundFacts(0, returned, exchange_pence=6000, additional_payment_pence=1500)
    assert legs(explain(up, note)) == {"exchange": 4500}


def test_u20_four_hundred_pennies_of_one_sign_are_systematic() -> None:
    found = govern([Residual(f"CN{number:03d}", "rounding", 1) for number in range(400)], Tolerances())
    assert found.systematic == (Systematic("rounding", "GBP", 400, 400),)
    assert found.cleared == ()
    assert {rule for _, rule in found.refused} == {"systematic"}


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
    assert [broken for _, broken in found.refused] == ([rule] if rule else [])
    assert len(found.cleared) == (rule is None)


def test_u20_a_period_is_capped_at_25_pounds() -> None:
    some = [Residual(f"CN{number:04d}", "rounding", 5 * (-1) ** number, lines=5) for number in range(501)]
    found = govern(some, Tolerances())
    assert sum(abs(residual.pence) for residual, _ in found.cleared) == 2500
    assert [rule for _, rule in found.refused] == ["cap"]


U28_REFUND = RefundFacts(4060, (RefundedLine("COAT", 1, 5855),), fee_pence=295, gift_card_pence=1500)
U28_NOTE = CreditFacts(6250, lines=(CreditLine("COAT", 1, 5855),), delivery_pence=395)
CHARGED = CreditNotePolicy(
    label_fee=Decision(choice="charge_service", reason="r", approver="a", effective_on=date(2026, 1, 1))
)


@pytest.mark.parametrize("refund", [U28_REFUND, replace(U28_REFUND, lines=())])
def test_u28_the_waterfall(refund: RefundFacts) -> None:
    found = explain(refund, U28_NOTE, CHARGED)
    assert found.gap_pence == pence("21.90")
    assert legs(found) == {"tender": 1500, "delivery": 395, "fee": 295}
    assert found.pence("unexplained") == 0
    assert {leg.name: leg.verdict for leg in found.legs} == {"tender": "fine", "delivery": "error", "fee": "policy"}


def test_u2_a_later_payment_has_a_note_of_its_own_in_its_own_quarter() -> None:
    """£120.00 due: £50.00 on 30 March and £70.00 on 4 April are two notes, 100.00 and 20.00 together."""
    later = settle(
        returned(line("P1", 5000), refund_pence=12000),
        chosen(part_payment="credit_when_paid"),
        already=[Posted(("P1",), 5000)],
        sale=Sale(room_pence=7000),
    )
    assert [(part.stock_code, part.pence) for part in later.parts] == [("PART_PAYMENT", 7000)]
    first, second = Amount.of(5000, 20), Amount.of(later.value_pence, 20)
    net, vat = first.net_pence + second.net_pence, first.vat_pence + second.vat_pence
    assert Amount(5000 + later.value_pence, net, vat) == amount("120.00", "100.00", "20.00")


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
