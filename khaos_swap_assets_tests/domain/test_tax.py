"""Laws of VAT to the penny: net and VAT add up, credits mirror sales, and no rounding leaves a penny behind."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.tax import STANDARD_RATE, Amount, VatErrors, split_delivery, vat_bounds

pence = st.integers(0, 10**8)
rates = st.sampled_from([0, 5, 20, 19, 21, Decimal("5.5"), Decimal("17.5"), Decimal("8.875")])
parts = st.lists(st.integers(0, 10**6), max_size=8)


@settings(max_examples=50)
@given(pence, rates, st.sampled_from(["gross", "vat"]))
def test_the_parts_of_an_amount_add_up_to_it(gross: int, rate: Any, mode: Any) -> None:
    found = Amount.of(gross, rate, mode)
    assert found.net_pence + found.vat_pence == found.gross_pence == gross
    assert Amount.of(-gross, rate, mode) == Amount(-gross, -found.net_pence, -found.vat_pence)


@settings(max_examples=50)
@given(pence, rates)
def test_two_ways_of_rounding_differ_in_ties_alone(gross: int, rate: Any) -> None:
    by_net, by_vat = Amount.of(gross, rate), Amount.of(gross, rate, "vat")
    assert (by_net.vat_pence, by_vat.vat_pence) == vat_bounds(gross, rate)
    assert by_vat.vat_pence - by_net.vat_pence in (0, 1)


@settings(max_examples=50)
@given(pence)
def test_at_twenty_per_cent_every_sixth_amount_is_a_tie(gross: int) -> None:
    least, most = vat_bounds(gross, 20)
    assert (least < most) == (gross % 6 == 3)


@settings(max_examples=50)
@given(pence, rates, st.integers(1, 40))
def test_each_row_of_a_line_is_rounded_by_half_a_penny_at_most(gross: int, rate: Any, units: int) -> None:
    least, most = vat_bounds(gross, rate, units)
    exact = gross * Fraction(rate) / (100 + Fraction(rate))
    assert exact - Fraction(units, 2) <= least <= most <= exact + Fraction(units, 2)
    assert least <= Amount.of(gross, rate).vat_pence <= most


@pytest.mark.parametrize(
    ("gross", "rate", "units", "bounds"),
    [
        (999, 20, 1, (166, 167)),
        (245, 20, 1, (41, 41)),
        (490, 20, 2, (82, 82)),
        (1200, 20, 2, (200, 200)),
        (2000, 20, 2, (333, 334)),
        (2997, 20, 3, (498, 501)),
        (14152, 20, 3, (2358, 2359)),
        (1600, 20, 4, (266, 268)),
        (14152, 5, 3, (674, 675)),
        (14152, 0, 3, (0, 0)),
        (0, 20, 0, (0, 0)),
        (100_000_000, 20, 10**9, (0, 33_333_333)),
    ],
)
def test_vat_of_a_line_in_one_row_or_in_several(gross: int, rate: int, units: int, bounds: tuple[int, int]) -> None:
    assert vat_bounds(gross, rate, units) == bounds


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


@pytest.mark.parametrize(
    ("over", "under", "box6", "route"),
    [
        (0, 0, None, "none"),
        (1_240_000, 0, 180_000_000, "next_return"),
        (1_900_000, 0, 180_000_000, "separate_notice"),
        (1_000_000, 0, None, "next_return"),
        (1_000_001, 0, None, "box6_not_given"),
        (0, 1_240_000, 180_000_000, "next_return"),
        (3_000_000, 2_500_000, 0, "next_return"),
        (5_000_001, 0, 10**12, "separate_notice"),
    ],
)
def test_u21_the_size_of_net_errors_says_where_they_are_corrected(
    over: int, under: int, box6: int | None, route: str
) -> None:
    """£10,000, or 1 % of box 6 (£1,800,000: £18,000) up to £50,000."""
    assert VatErrors(over, under, box6).route == route
