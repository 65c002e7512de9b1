"""Laws of VAT to the penny: net and VAT add up, credits mirror sales, and no rounding leaves a penny behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.tax import STANDARD_RATE, Amount, VatErrors, is_tie, split_delivery

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
def test_two_ways_of_rounding_differ_in_ties_alone(gross: int, rate: Any) -> None:
    by_net, by_vat = Amount.of(gross, rate), Amount.of(gross, rate, "vat")
    assert abs(by_net.vat_pence - by_vat.vat_pence) == (1 if is_tie(gross, rate) else 0)


@settings(max_examples=50)
@given(pence)
def test_at_twenty_per_cent_every_sixth_amount_is_a_tie(gross: int) -> None:
    assert is_tie(gross, 20) == (gross % 6 == 3)


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
