"""The invented merchant's goods and shoppers: the same for the same seed, and nothing that Khaos could not hold."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox.catalogue import ADULT_SIZES, CHILD_SIZES, COLOURS, STYLES, customer, stock_items
from khaos_swap_assets_tests.sandbox.small import NOW

SEEDS = st.integers(0, 2**32)


def test_every_style_is_sold_in_every_colour_and_size() -> None:
    items = stock_items(Random(1), NOW)
    sizes = {20: len(ADULT_SIZES), 0: len(CHILD_SIZES)}
    assert len(items) == sum(len(COLOURS) * sizes[style[3]] for style in STYLES)
    assert Counter(item.stock_code.rsplit("-", 2)[0] for item in items) == {
        style[0]: len(COLOURS) * sizes[style[3]] for style in STYLES
    }


@pytest.mark.parametrize("name", ["stock_code", "stock_id", "other_ref", "barcode", "description"])
def test_whatever_names_an_item_names_it_alone(name: str) -> None:
    items = stock_items(Random(1), NOW)
    assert len({getattr(item, name) for item in items}) == len(items)


@given(SEEDS)
def test_a_seed_decides_the_levels_and_nothing_else(seed: int) -> None:
    once, again, other = (stock_items(Random(one), NOW) for one in (seed, seed, seed + 1))
    assert once == again
    assert [item.stock_code for item in once] == [item.stock_code for item in other]
    assert all(20 <= item.available <= 200 and item.quarantine == 0 for item in once)


def test_childrens_wear_is_zero_rated_and_only_that() -> None:
    for item in stock_items(Random(1), NOW):
        assert (item.vat_percent == 0) is item.stock_code.startswith("KID-"), item.stock_code


def test_goods_were_revised_long_before_the_month_so_that_nothing_of_it_is_news() -> None:
    assert {item.revised_at for item in stock_items(Random(1), NOW)} == {NOW - timedelta(days=90)}


def test_codes_fit_what_khaos_keeps_of_them() -> None:
    for item in stock_items(Random(1), NOW):
        assert re.fullmatch(r"[A-Z]{3}-[A-Z]{3}-[A-Z]{3}-[A-Z0-9]{1,2}", item.stock_code), item.stock_code
        assert re.fullmatch(r"\d{13}", item.barcode), item.barcode
        assert item.unit_gross_pence > 0


@given(SEEDS, st.integers(1, 999_999))
def test_a_shopper_has_a_code_of_at_most_ten_characters_that_its_number_makes_unique(seed: int, number: int) -> None:
    shopper = customer(Random(seed), number, "GBP")
    assert len(shopper.urn) <= 10
    assert shopper.urn.endswith(f"{number:06d}")
    assert shopper.email == shopper.email.lower()
    assert f".{number}@example.com" in shopper.email


@given(SEEDS)
def test_euro_shoppers_live_abroad_and_the_others_at_home(seed: int) -> None:
    abroad, at_home = customer(Random(seed), 1, "EUR"), customer(Random(seed), 1, "GBP")
    assert (abroad.country == "GB", abroad.currency) == (False, "EUR")
    assert (at_home.country, at_home.currency) == ("GB", "GBP")
