"""Money: exact in and out, exact splitting, the vectors of the finance rules."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.amounts import (
    exponent_of,
    format_money,
    from_pence,
    spread,
    to_pence,
    unit_values,
)
from khaos_swap_assets.domain.money.tax import Amount, Mode

AMOUNTS = st.integers(1 - 10**13, 10**13 - 1)
CURRENCIES = st.sampled_from(["GBP", "EUR", "USD", "JPY", "KWD"])


@pytest.mark.parametrize(
    ("value", "currency", "pence"),
    [
        ("12.34", "GBP", 1234),
        (" 12.3 ", "GBP", 1230),
        ("-0.05", "EUR", -5),
        ("+7", "GBP", 700),
        (".5", "GBP", 50),
        ("12.5000", "GBP", 1250),
        ("1e2", "GBP", 10000),
        ("0E-50", "GBP", 0),
        (Decimal("-0.00"), "GBP", 0),
        (Decimal("34.99"), "gbp", 3499),
        (85, "GBP", 8500),
        (0, "GBP", 0),
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("9999999999999.99", "GBP", 999999999999999),
    ],
)
def test_an_amount_becomes_pence(value: Decimal | str | int, currency: str, pence: int) -> None:
    assert to_pence(value, currency) == pence


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("12.345", "GBP"),
        ("0.5", "JPY"),
        ("NaN", "GBP"),
        ("Infinity", "GBP"),
        (Decimal("NaN"), "GBP"),
        (Decimal("sNaN"), "GBP"),
        (Decimal("-Infinity"), "GBP"),
        ("1e14", "GBP"),
        ("1e999", "GBP"),
        (Decimal("1E+999999"), "GBP"),
        (Decimal("1E-999999"), "GBP"),
        (10**13, "GBP"),
        ("", "GBP"),
        ("N/A", "GBP"),
        ("1,234.00", "GBP"),
        ("1_000", "GBP"),
        ("£5", "GBP"),
        ("５", "GBP"),
        ("5", ""),
        ("5", "POUND"),
        ("5", "G1P"),
    ],
)
def test_what_is_no_exact_amount_is_refused(value: Decimal | str | int, currency: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals|currency"):
        to_pence(value, currency)


@pytest.mark.parametrize("value", [12.5, True, None, b"5"])
def test_money_is_never_a_float_or_a_truth_value(value: object) -> None:
    with pytest.raises(TypeError, match="money"):
        to_pence(value, "GBP")  # type: ignore[arg-type]


def test_an_error_shows_only_the_start_of_a_long_text() -> None:
    with pytest.raises(ValueError, match="no amount") as caught:
        to_pence("x" * 5000, "GBP")
    assert len(str(caught.value)) < 100


@given(AMOUNTS, CURRENCIES)
def test_pence_survive_the_way_out_and_back(pence: int, currency: str) -> None:
    amount = from_pence(pence, currency)
    assert to_pence(amount, currency) == pence
    assert to_pence(str(amount), currency) == pence
    assert -int(amount.as_tuple().exponent) == exponent_of(currency)


@pytest.mark.parametrize(
    ("pence", "currency", "text"),
    [
        (1234, "GBP", "£12.34"),
        (1234, "EUR", "€12.34"),
        (1234, "USD", "12.34 USD"),
        (-5, "GBP", "-£0.05"),
        (-5, "usd", "-0.05 USD"),
        (0, "GBP", "£0.00"),
        (123456789, "GBP", "£1,234,567.89"),
        (1500, "JPY", "1,500 JPY"),
        (-1500, "", "-1500"),
    ],
)
def test_money_is_written_for_people(pence: int, currency: str, text: str) -> None:
    assert format_money(pence, currency) == text


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (1000, [3999, 2499, 1499], [500, 313, 187]),
        (10, [1, 1, 1], [4, 3, 3]),
        (11, [1, 1, 1], [4, 4, 3]),
        (-10, [1, 1, 1], [-4, -3, -3]),
        (5, [0, 7, 0], [0, 5, 0]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
        (1, [1, 2], [0, 1]),
    ],
)
def test_spreading_goes_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert spread(total, weights) == parts


def test_the_discount_of_the_finance_rules_leaves_the_paid_prices() -> None:
    prices = [3999, 2499, 1499]
    assert [price - share for price, share in zip(prices, spread(1000, prices), strict=True)] == [3499, 2186, 1312]


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [0]), (5, [3, -1]), (0, [-1])])
def test_spreading_over_nothing_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"spread|negative"):
        spread(total, weights)


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_spread_parts_add_up_and_stay_within_a_penny_of_their_share(total: int, weights: list[int]) -> None:
    parts = spread(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12).filter(any), st.data())
def test_a_share_of_less_than_the_whole_never_exceeds_its_weight(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    assert all(0 <= part <= weight for part, weight in zip(spread(total, weights), weights, strict=True))


@pytest.mark.parametrize(
    ("total", "quantity", "values"),
    [(3499, 3, [1166, 1167, 1166]), (4685, 2, [2343, 2342]), (9, 3, [3, 3, 3]), (0, 2, [0, 0]), (1, 3, [0, 1, 0])],
)
def test_units_are_valued_by_cumulative_rounding(total: int, quantity: int, values: list[int]) -> None:
    assert unit_values(total, quantity) == values


@given(st.integers(0, 10**9), st.integers(1, 200))
def test_units_add_up_and_differ_by_a_penny_at_most(total: int, quantity: int) -> None:
    values = unit_values(total, quantity)
    assert (len(values), sum(values)) == (quantity, total)
    assert max(values) - min(values) <= 1


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_line_without_units_has_no_unit_value(quantity: int) -> None:
    with pytest.raises(ValueError, match="no unit value"):
        unit_values(100, quantity)


SPLIT_AT_20 = [
    (5999, 4999, 1000), (5000, 4167, 833), (7000, 5833, 1167), (999, 833, 166), (2997, 2498, 499),
    (2186, 1822, 364), (2499, 2083, 416), (3499, 2916, 583), (395, 329, 66), (795, 663, 132),
    (8500, 7083, 1417), (1500, 1250, 250), (4705, 3921, 784), (295, 246, 49), (3500, 2917, 583),
    (245, 204, 41), (6747, 5623, 1124),
]  # fmt: skip


def split_gross(gross: int, percent: Decimal | int, mode: Mode = "gross") -> tuple[int, int]:
    """Net and VAT."""
    found = Amount.of(gross, percent, mode)
    assert found.gross_pence == gross
    return found.net_pence, found.vat_pence


@pytest.mark.parametrize(("gross", "net", "vat"), SPLIT_AT_20)
def test_gross_is_split_as_khaos_does(gross: int, net: int, vat: int) -> None:
    assert split_gross(gross, 20) == (net, vat)
    assert split_gross(-gross, 20) == (-net, -vat)


@pytest.mark.parametrize(("gross", "vat"), [(999, 167), (2499, 417), (795, 133), (1167, 195), (2997, 500), (321, 54)])
def test_rounding_the_vat_differs_in_ties_only(gross: int, vat: int) -> None:
    assert split_gross(gross, 20, "vat") == (gross - vat, vat)
    assert split_gross(gross, 20, "gross")[1] == vat - 1


@pytest.mark.parametrize(
    ("gross", "percent", "split"),
    [(3000, 0, (3000, 0)), (105, 5, (100, 5)), (12150, Decimal("21.5"), (10000, 2150)), (0, 20, (0, 0))],
)
def test_other_rates(gross: int, percent: Decimal | int, split: tuple[int, int]) -> None:
    assert split_gross(gross, percent) == split


def test_units_of_a_line_split_as_khaos_alone_would() -> None:
    assert [split_gross(value, 20)[1] for value in unit_values(3499, 3)] == [194, 194, 194]


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        split_gross(100, -20)


@given(AMOUNTS, st.integers(0, 100), st.sampled_from(["gross", "vat"]))
def test_net_and_vat_add_up_and_a_credit_mirrors_its_sale(gross: int, percent: int, mode: str) -> None:
    net, vat = split_gross(gross, percent, mode)  # type: ignore[arg-type]
    assert net + vat == gross
    assert split_gross(-gross, percent, mode) == (-net, -vat)  # type: ignore[arg-type]
