"""Packs that were sold: what a component costs, out of which line it comes back, and the caps of all returns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder, UnitClaim
from khaos_swap_assets.domain.records.packs import Packs, weights_of
from khaos_swap_assets.domain.records.sold_packs import candidates, chosen, opened, over_sold
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets_tests.domain.records import REFUNDED_AT, order

SET = StockCode("SET", "1", pack_components=(("HAT", 2), ("CAP", 1)))
PACKS = Packs([SET, StockCode("DUO", "2", pack_components=(("HAT", 2),))], {"SET": (2, 1), "DUO": (1,)})
UNPRICED = Packs([SET])


def sold(*lines: tuple[str, int, int], refs: str = "") -> SalesOrder:
    """An order of (Stock Code, units, pence) lines; each with the import reference of its place in ``refs``."""
    rows = [OrderLine(at, *line, import_ref=refs[at - 1 : at]) for at, line in enumerate(lines, 1)]
    return replace(order(), lines=tuple(rows))


def shares(one: SalesOrder, packs: Packs = PACKS, codes: str = "HAT CAP") -> list[tuple[str, int, int, str]]:
    told = opened(one, packs, codes.split())
    return [(part.line.stock_code, part.line.quantity, part.line.gross_pence, part.pack) for part in told]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("SET", 1, 6000)], [("HAT", 2, 4000, "SET"), ("CAP", 1, 2000, "SET")]),
        ([("SET", 1, 1000)], [("HAT", 2, 667, "SET"), ("CAP", 1, 333, "SET")]),
        (
            [("SET", 2, 6001), ("HAT", 1, 2500)],
            [("HAT", 4, 4001, "SET"), ("CAP", 2, 2000, "SET"), ("HAT", 1, 2500, "")],
        ),
        ([("SET", 1, 6000), ("HAT", 2, 0), ("CAP", 1, 0)], [("HAT", 2, 4000, "SET"), ("CAP", 1, 2000, "SET")]),
        ([("SET", 1, 6000), ("HAT", 3, 0)], [("HAT", 2, 4000, "SET"), ("CAP", 1, 2000, "SET"), ("HAT", 3, 0, "")]),
        ([("HAT", 2, 0)], [("HAT", 2, 0, "")]),
    ],
)
def test_a_pack_is_opened_and_its_price_shared(lines: list[tuple[str, int, int]], expected: list[Any]) -> None:
    assert shares(sold(*lines)) == expected
    for code in ("HAT", "CAP"):
        assert shares(sold(*lines), codes=code) == [part for part in expected if part[0] == code]


@given(st.integers(0, 10**6), st.integers(1, 9), st.lists(st.integers(0, 50), min_size=2, max_size=2).filter(any))
def test_shares_add_up_to_the_pack(pence: int, quantity: int, weights: list[int]) -> None:
    found = shares(sold(("SET", quantity, pence)), Packs([SET], {"SET": weights}))
    assert sum(share for _, _, share, _ in found) == pence


@pytest.mark.parametrize(
    ("proportions", "prices", "expected"),
    [
        (["0.75", "0.25"], {}, [750000, 250000]),
        (["0.75", "0.25"], {"HAT": 1, "CAP": 1}, [750000, 250000]),
        (["1"], {"HAT": 1000, "CAP": 500}, [2000, 500]),
        (["0", "0"], {"HAT": 1000, "CAP": 500}, [2000, 500]),
        (["-1", "2"], {"HAT": 1000, "CAP": 500}, [2000, 500]),
        ([], {"HAT": 1000}, []),
        ([], {}, []),
    ],
)
def test_proportions_as_pushed_go_before_own_prices(
    proportions: list[str], prices: dict[str, int], expected: list[int]
) -> None:
    assert weights_of(SET.pack_components, [Decimal(one) for one in proportions], prices) == expected


@pytest.mark.parametrize(
    ("lines", "refs", "code", "item", "cost", "told"),
    [
        ([("SET", 1, 6000)], "", "HAT", "", 2000, ["SET"]),
        ([("SET", 1, 6000)], "", "SET", "", 6000, [""]),
        ([("SET", 1, 6000), ("HAT", 1, 2500)], "ab", "HAT", "a", 2500, ["SET"]),
        ([("SET", 1, 6000), ("HAT", 1, 2500)], "ab", "HAT", "b", 2000, [""]),
        ([("SET", 1, 6000), ("HAT", 1, 2500)], "", "HAT", "", 2500, [""]),
        ([("SET", 1, 6000), ("HAT", 1, 2500)], "", "HAT", "", 2000, ["SET"]),
        ([("SET", 1, 6000), ("HAT", 1, 2500)], "", "HAT", "", 2200, ["SET", ""]),
        ([("SET", 1, 6000), ("HAT", 1, 2000)], "", "HAT", "", 2000, ["SET", ""]),
        ([("SET", 1, 6000), ("DUO", 1, 3000)], "", "HAT", "", 1500, ["DUO"]),
        ([("HAT", 1, 2000), ("HAT", 1, 2500)], "", "HAT", "", 2000, [""]),
        ([("HAT", 1, 2000), ("HAT", 1, 2500)], "", "HAT", "", 2200, ["", ""]),
        ([("SET", 1, 6000)], "", "BAG", "", 2000, []),
    ],
)
def test_out_of_which_sale_a_row_comes(
    lines: list[tuple[str, int, int]], refs: str, code: str, item: str, cost: int, told: list[str]
) -> None:
    able = candidates(sold(*lines, refs=refs), PACKS, code, item)
    assert [one.pack for one in chosen(able, 1, cost)] == told


def test_a_share_that_is_not_known_is_no_price() -> None:
    (one,) = candidates(sold(("SET", 1, 6000)), UNPRICED, "HAT", "")
    assert (one.is_priced, one.words) == (False, "line 1, in pack SET")


def claim(code: str, quantity: int, pence: int, number: int = 1) -> UnitClaim:
    at = REFUNDED_AT + timedelta(hours=number)
    return UnitClaim(f"R{number}", f"RMA{number}", at, code, quantity, pence)


ONE_SET = sold(("SET", 1, 6000))
TWO_SETS = sold(("SET", 2, 12001))


@pytest.mark.parametrize(
    ("one", "claims", "over"),
    [
        (ONE_SET, [claim("HAT", 1, 2000)], set()),
        (ONE_SET, [claim("HAT", 2, 4000), claim("CAP", 1, 2000, 2)], set()),
        (ONE_SET, [claim("HAT", 3, 4000)], {("R1", "HAT")}),
        (ONE_SET, [claim("HAT", 1, 2001)], {("R1", "HAT")}),
        (ONE_SET, [claim("SET", 1, 6000)], set()),
        (ONE_SET, [claim("SET", 1, 6001)], {("R1", "SET")}),
        (ONE_SET, [claim("SET", 1, 6000), claim("CAP", 1, 1, 2)], {("R2", "CAP")}),
        (ONE_SET, [claim("CAP", 1, 2000), claim("SET", 1, 6000, 2)], {("R2", "SET")}),
        (TWO_SETS, [claim("SET", 1, 6001), claim("SET", 1, 6000, 2)], set()),
        (TWO_SETS, [claim("SET", 1, 6001), claim("HAT", 2, 4000, 2), claim("CAP", 1, 2000, 3)], set()),
        (TWO_SETS, [claim("SET", 3, 12001)], {("R1", "SET")}),
        (sold(("SET", 1, 6000), ("HAT", 2, 0), ("CAP", 1, 0)), [claim("HAT", 2, 4000)], set()),
        (sold(("SET", 1, 6000), ("BAG", 1, 900)), [claim("BAG", 1, 901)], {("R1", "BAG")}),
    ],
)
def test_caps_count_the_units_and_the_money_of_packs(
    one: SalesOrder, claims: list[UnitClaim], over: set[tuple[str, str]]
) -> None:
    assert over_sold(claims, one, PACKS).keys() == over
    assert over_sold(list(reversed(claims)), one, PACKS).keys() == over


def test_without_a_known_share_only_units_and_the_whole_price_cap() -> None:
    assert over_sold([claim("CAP", 1, 6000)], ONE_SET, UNPRICED) == {}
    assert over_sold([claim("CAP", 2, 10)], ONE_SET, UNPRICED) == {("R1", "CAP"): 0}
