from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.khaos_prices import half_up, net_mode_line, net_of_gross, share

PENNY = Decimal(1)


@pytest.mark.parametrize(
    ("gross", "vat", "net"),
    [(6747, 20, 5623), (8499, 20, 7083), (1000, 0, 1000), (105, 5, 100), (0, 20, 0), (3, 20, 3)],
)
def test_net_of_a_gross_line(gross: int, vat: int, net: int) -> None:
    assert net_of_gross(gross, vat) == net


@pytest.mark.parametrize(
    ("unit", "quantity", "vat", "expected"),
    [(8499, 1, 20, (7083, 8500)), (2499, 3, 20, (6249, 7499)), (1000, 2, 0, (2000, 2000)), (1200, 1, 20, (1000, 1200))],
)
def test_net_mode_rounds_the_unit_first(unit: int, quantity: int, vat: int, expected: tuple[int, int]) -> None:
    assert net_mode_line(unit, quantity, vat) == expected


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_half_up_is_decimal_half_up(numerator: int, denominator: int) -> None:
    exact = (Decimal(numerator) / Decimal(denominator)).quantize(PENNY, ROUND_HALF_UP)
    assert half_up(numerator, denominator) == int(exact)


@given(st.integers(0, 10**7), st.integers(1, 500))
def test_the_whole_share_is_the_whole(total: int, units: int) -> None:
    assert share(total, units, units) == total
