"""What packs hold, and goods that are the same only once packs are opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.packs import Goods, Packs
from khaos_swap_assets.domain.records.stock_codes import StockCode

PACKS = Packs([StockCode("SET", "1", pack_components=(("HAT", 2), ("CAP", 1))), StockCode("HAT", "2")])


@pytest.mark.parametrize(
    ("goods", "opened"),
    [
        ((), ()),
        ((("HAT", 3),), (("HAT", 3),)),
        ((("SET", 2),), (("HAT", 4), ("CAP", 2))),
        ((("SET", 1), ("HAT", 1)), (("HAT", 2), ("CAP", 1), ("HAT", 1))),
    ],
)
def test_a_pack_counts_as_its_parts(goods: Goods, opened: Goods) -> None:
    assert PACKS.opened(goods) == opened
    assert Packs().opened(goods) == goods


@pytest.mark.parametrize(
    ("left", "right", "units"),
    [
        ((("SET", 1),), (("HAT", 2), ("CAP", 1)), 3),
        ((("SET", 2),), (("HAT", 4), ("CAP", 2)), 6),
        ((("SET", 1),), (("CAP", 1), ("HAT", 1), ("HAT", 1)), 3),
        ((("SET", 1),), (("SET", 1),), 0),
        ((("SET", 1),), (("HAT", 1), ("CAP", 1)), 0),
        ((("HAT", 1),), (("HAT", 1),), 0),
    ],
)
def test_the_same_goods_only_once_packs_are_opened(left: Goods, right: Goods, units: int) -> None:
    assert PACKS.opened_units(left, right) == units
    assert PACKS.opened_units(right, left) == units


@pytest.mark.parametrize(
    ("left", "right", "share"),
    [
        ((("SET", 1),), (("CAP", 9),), True),
        ((("SET", 1),), (("SET", 2),), True),
        ((("SET", 1),), (("BAG", 1),), False),
        ((("HAT", 1),), (("CAP", 1),), False),
        ((), (("HAT", 1),), False),
    ],
)
def test_goods_in_common_with_packs_closed_or_opened(left: Goods, right: Goods, share: bool) -> None:
    assert PACKS.share_goods(left, right) is share
    assert PACKS.share_goods(right, left) is share


@given(st.lists(st.tuples(st.sampled_from(["SET", "HAT", "CAP", "BAG"]), st.integers(1, 9))))
def test_no_unit_is_lost_and_opening_twice_is_opening_once(goods: list[tuple[str, int]]) -> None:
    opened = PACKS.opened(goods)
    assert sum(n for _, n in opened) == sum(n * (3 if code == "SET" else 1) for code, n in goods)
    assert PACKS.opened(opened) == opened


@pytest.mark.parametrize(
    ("noted", "asked", "is_of"),
    [
        ((("SET", 1), ("HAT", 2), ("CAP", 1)), (("SET", 1),), True),
        ((("HAT", 2), ("CAP", 1)), (("SET", 1),), True),
        ((("SET", 1),), (("CAP", 1), ("HAT", 2)), True),
        ((("SET", 2), ("HAT", 5), ("CAP", 2)), (("SET", 2), ("HAT", 1)), True),
        ((("SET", 1), ("HAT", 2), ("CAP", 1)), (("SET", 1), ("HAT", 2), ("CAP", 1)), True),
        ((("SET", 1), ("HAT", 2)), (("SET", 1),), False),
        ((("SET", 1),), (("SET", 2),), False),
        ((("HAT", 2),), (("SET", 1),), False),
    ],
)
def test_components_beside_their_pack_on_a_note_are_the_packs_own(noted: Goods, asked: Goods, is_of: bool) -> None:
    assert PACKS.is_of(noted, asked) is is_of
    assert PACKS.is_of(noted[::-1], asked[::-1]) is is_of
    assert Packs().is_of(noted, asked) is (noted == asked)
