"""Laws of VAT to the penny: net and VAT add up, credits mirror sales, and no rounding leaves a penny behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.tax import (
    STANDARD_RATE,
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

pence = st.integers(0, 10**8)
rates = st.sampled_from([0, 5, 20, 19, 21, Decimal("5.5"), Decimal("17.5"), Decimal("8.875")])
parts = st.lists(st.integers(0, 10**6), max_size=8)


@settings(max_examples=50)
@given(pence, pence, rates)
def test_amounts_add_and_take_away_part_by_part(one: int, other: int, rate: Any) -> None:
    first, second = Amount.of(one, rate), Amount.of(other, rate)
    assert first + second - second == first
    total = first + second
    assert total.net_pence + total.vat_pence == total.gross_pence == one + other


@settings(max_examples=50)
@given(pence, rates)
def test_a_credit_at_the_rate_of_its_sale_claims_nothing_too_much(gross: int, rate: Any) -> None:
    assert overclaimed_pence(gross, rate, rate) == 0
    assert credit_of(gross, rate) == Amount.of(gross, rate)


@settings(max_examples=50)
@given(pence, rates)
def test_without_a_sale_all_vat_is_claimed_too_much(gross: int, rate: Any) -> None:
    assert credit_of(gross, None) == Amount(gross, gross, 0)
    assert overclaimed_pence(gross, rate, None) == Amount.of(gross, rate).vat_pence >= 0


@pytest.mark.parametrize(
    ("used", "sale", "too_much"), [(20, 0, 2000), (0, 20, -2000), (20, 5, 1429), (5, 20, -1429), (20, 20, 0)]
)
def test_the_wrong_rate_in_pence(used: int, sale: int, too_much: int) -> None:
    assert overclaimed_pence(12000, used, sale) == too_much


@settings(max_examples=50)
@given(pence, rates)
def test_two_ways_of_rounding_differ_in_ties_alone(gross: int, rate: Any) -> None:
    by_net, by_vat = Amount.of(gross, rate), Amount.of(gross, rate, "vat")
    assert abs(by_net.vat_pence - by_vat.vat_pence) == (1 if is_tie(gross, rate) else 0)


@settings(max_examples=50)
@given(pence)
def test_at_twenty_per_cent_every_sixth_amount_is_a_tie(gross: int) -> None:
    assert is_tie(gross, 20) == (gross % 6 == 3)


@pytest.mark.parametrize(
    ("lines", "gap", "expected"),
    [
        ([], 0, True),
        ([], 1, False),
        ([(1203, 20)], 1, True),
        ([(1203, 20)], -1, True),
        ([(1203, 20)], 2, False),
        ([(1203, 20), (1209, 20)], 2, True),
        ([(1200, 20)], 1, False),
        ([(1203, 0)], 1, False),
    ],
)
def test_a_gap_in_vat_is_rounding_only_by_a_penny_a_tie(lines: list[Any], gap: int, expected: bool) -> None:
    assert is_vat_rounding(lines, gap) is expected


@settings(max_examples=50)
@given(parts, rates)
def test_partial_credits_have_the_vat_of_their_sum(values: list[int], rate: Any) -> None:
    assert sum(vat_of_parts(values, rate)) == Amount.of(sum(values), rate).vat_pence


@settings(max_examples=50)
@given(parts, rates)
def test_each_partial_credit_is_within_a_penny_of_its_own_vat(values: list[int], rate: Any) -> None:
    for value, vat in zip(values, vat_of_parts(values, rate), strict=True):
        assert 0 <= vat <= value
        assert abs(vat - Fraction(value) * Fraction(rate) / (100 + Fraction(rate))) <= 1


goods = st.dictionaries(rates, st.integers(0, 10**6), max_size=4)


@settings(max_examples=50)
@given(pence, goods, st.sampled_from(["follow_goods", "standard"]))
def test_delivery_is_split_without_losing_a_penny(delivery: int, by_rate: Any, mode: Any) -> None:
    found = split_delivery(delivery, by_rate, mode)
    assert sum(amount.gross_pence for amount in found.values()) == delivery
    assert all(amount == Amount.of(amount.gross_pence, rate) for rate, amount in found.items())
    assert mode == "follow_goods" or set(found) == {STANDARD_RATE}


@pytest.mark.parametrize("by_rate", [{}, {0: 0}, {0: 0, 5: 0}])
def test_delivery_without_goods_of_value_is_at_the_standard_rate(by_rate: dict[Any, int]) -> None:
    assert split_delivery(600, by_rate, "follow_goods") == {20: Amount(600, 500, 100)}


def test_delivery_of_zero_rated_goods_holds_no_vat() -> None:
    assert split_delivery(600, {0: 5000, 20: 0}, "follow_goods")[0] == Amount(600, 600, 0)


@settings(max_examples=50)
@given(pence, pence, rates)
def test_what_is_credited_and_what_is_kept_are_the_sale(price: int, refund: int, rate: Any) -> None:
    credit, kept = keep_back(price, refund, rate)
    assert credit + kept == Amount.of(price, rate)


@settings(max_examples=50)
@given(st.integers(0, 10**7), st.decimals("0.01", "300", places=4), st.decimals("0.01", "300", places=4))
def test_the_loss_of_exchange_is_all_that_is_between_note_and_cash(minor: int, sale: Decimal, refund: Decimal) -> None:
    found = foreign_credit(minor, sale, refund, 20)
    assert found.amount.gross_pence + found.fx_loss_pence == found.cash_pence
    assert found.fx_loss_pence >= 0 if refund <= sale else found.fx_loss_pence <= 0


@pytest.mark.parametrize(("scale", "minor"), [(1, 19000), (100, 1900000), (1000, 19000000)])
def test_currencies_with_and_without_minor_units_come_to_the_same_pounds(scale: int, minor: int) -> None:
    found = foreign_credit(minor, Decimal(190), Decimal(200), 20, scale=scale)
    assert (found.amount, found.cash_pence, found.fx_loss_pence) == (Amount.of(10000, 20), 9500, -500)


@pytest.mark.parametrize(("sale", "refund"), [("0", "1"), ("1", "0"), ("-1", "1"), ("1", "-0.5")])
def test_a_rate_of_exchange_is_positive(sale: str, refund: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        foreign_credit(100, Decimal(sale), Decimal(refund), 20)


NOTE = Particulars(
    number="CN1",
    issued_on=date(2026, 3, 11),
    supplier_name="Larch & Fen",
    supplier_address="1 Mill Row",
    supplier_vat_number="GB123456789",
    customer_name="C",
    customer_address="2 Mill Row",
    invoice_number="I1",
    invoice_date=date(2026, 3, 1),
    description="Coat",
    reason="Returned",
    return_id="RMA1",
    vat_percent=20,
    net_pence=1000,
    vat_pence=200,
    total_pence=1200,
)


@pytest.mark.parametrize("name", [name for name in Particulars.__dataclass_fields__ if not name.endswith("_pence")])
def test_each_particular_is_missed_by_name(name: str) -> None:
    empty: Any = None if name in ("issued_on", "invoice_date", "vat_percent") else ""
    bare = replace(NOTE, **{name: empty})
    assert particulars_faults(bare, invoice_customer="C", note_customer="C") == (f"{name} is missing",)


@pytest.mark.parametrize(
    ("changes", "customer", "faults"),
    [
        ({}, "C", ()),
        ({"vat_percent": 0, "vat_pence": 0, "net_pence": 1200}, "C", ()),
        ({"total_pence": 1201}, "C", ("net and VAT do not add up to the total",)),
        ({"net_pence": None}, "C", ("net_pence is missing",)),
        ({}, None, ("the original invoice does not exist",)),
        ({}, "D", ("the original invoice is of another customer",)),
        (
            {"vat_pence": 0},
            "D",
            ("net and VAT do not add up to the total", "the original invoice is of another customer"),
        ),
    ],
)
def test_what_is_wrong_with_a_note(changes: dict[str, Any], customer: str | None, faults: tuple[str, ...]) -> None:
    assert particulars_faults(replace(NOTE, **changes), invoice_customer=customer, note_customer="C") == faults


@pytest.mark.parametrize(
    ("errors", "box6", "correction"),
    [
        ([], 0, "none"),
        ([0, 0], 0, "none"),
        ([5, -5], 0, "next_return"),
        ([1_000_000], 0, "next_return"),
        ([1_000_001], 0, "separate_notice"),
        ([-1_000_001], 0, "separate_notice"),
        ([2_000_000], 200_000_000, "next_return"),
        ([2_000_001], 200_000_000, "separate_notice"),
        ([5_000_001], 10**12, "separate_notice"),
        ([3_000_000, -2_500_000], 0, "next_return"),
    ],
)
def test_how_errors_of_vat_are_put_right(
    errors: list[int], box6: int, correction: Literal["none", "next_return", "separate_notice"]
) -> None:
    assert vat_errors(errors, box6).correction == correction


@settings(max_examples=50)
@given(st.lists(st.integers(-(10**7), 10**7), max_size=8), pence)
def test_errors_of_both_signs_are_kept_apart(errors: list[int], box6: int) -> None:
    found = vat_errors(errors, box6)
    assert min(found.over_pence, found.under_pence) >= 0
    assert found.net_pence == sum(errors)
    assert found == vat_errors(errors[::-1], box6)
