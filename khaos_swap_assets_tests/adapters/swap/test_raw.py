"""Raw JSON as it is kept: nothing of the customer stays, and only what means something changes its hash."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.swap.raw import (
    PERSONAL,
    VOLATILE,
    cleaned,
    content_hash,
    storable,
    unknown_fields,
    without_personal_data,
)
from khaos_swap_assets_tests.adapters.swap.rows import product, row

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=6),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_personal_fields_are_cut_at_any_depth(name: str) -> None:
    found = without_personal_data({name: "Priya", "products": [{name: "Priya", "sku": "ABC"}]})
    assert found == {"products": [{"sku": "ABC"}]}


@pytest.mark.parametrize(
    "name", ["buyer_email", "phone2", "Mobile", "home_address", "zipcode", "first_name", "LastName", "gift_note", "url"]
)
def test_a_new_field_that_speaks_of_a_person_is_cut(name: str) -> None:
    assert without_personal_data({name: "x", "total": 5}) == {"total": 5}


@pytest.mark.parametrize("name", ["shipment_from_address_country", "store_name", "variant_name", "tax_title"])
def test_fields_of_the_contract_that_only_sound_personal_stay(name: str) -> None:
    assert without_personal_data({name: "GB"}) == {name: "GB"}


def test_mail_within_a_text_is_hidden() -> None:
    found = without_personal_data({"tags": ["ask priya.nolan@example.com, then bob@x.co"], "sku": "A@B"})
    assert found == {"tags": ["ask ***, then ***"], "sku": "A@B"}


def test_nothing_of_the_customer_is_left_in_a_whole_row() -> None:
    kept = json.dumps(storable(without_personal_data(row())))
    for word in ("Priya", "Nolan", "example.com", "QQ123456C", "Mill Row", "LS1", "Leeds", "07700", "track.example"):
        assert word not in kept


@settings(max_examples=40)
@given(json_values)
def test_cutting_and_cleaning_twice_is_as_good_as_once(value: Any) -> None:
    for step in (cleaned, without_personal_data, storable):
        assert step(step(value)) == step(value)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ({"k\x00": ["\udfff", 1, None]}, {"k\ufffd": ["\ufffd", 1, None]}),
        ("fine £", "fine £"),
    ],
)
def test_what_no_database_holds_is_replaced(value: Any, clean: Any) -> None:
    assert cleaned(value) == clean


def test_decimals_are_stored_to_the_last_digit() -> None:
    assert storable({"total": [Decimal("81.050"), {"n": Decimal("1E+3")}], "n": 1}) == {
        "total": ["81.050", {"n": "1E+3"}],
        "n": 1,
    }


@pytest.mark.parametrize("name", sorted(VOLATILE))
def test_swaps_own_counters_are_no_change(name: str) -> None:
    one, other = ({name: counted} for counted in "12")
    assert content_hash(row(1, **one)) == content_hash(row(1, **other))


CHANGES: list[dict[str, Any]] = [
    {"total": Decimal("81.06")},
    {"return_status": "Open"},
    {"rma_processed": None},
    {"products": [product(item_count=2)]},
    {"products": [product(), product()]},
    {"products": []},
    {"brand_new_field": 1},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_what_says_something_else_is_a_change(change: dict[str, Any]) -> None:
    assert content_hash(row(**change)) != content_hash(row())


def test_the_hash_of_a_line_is_not_blind_to_a_volatile_name() -> None:
    one, other = ({"products": [{"date_updated": day}]} for day in ("1", "2"))
    assert content_hash(one) != content_hash(other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (81, Decimal("81.00"), True),
        (0, Decimal("-0.00"), True),
        (Decimal("81.05"), Decimal("81.0500"), True),
        (81, "81", True),
        (81, 810, False),
        (1, True, False),
        (0, None, False),
        (Decimal("1E+400"), Decimal("1E+400"), True),
        (Decimal("1E+400"), Decimal("1E+401"), False),
    ],
)
def test_numbers_are_compared_by_value(one: Any, other: Any, same: bool) -> None:
    assert (content_hash({"total": one}) == content_hash({"total": other})) is same


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=4), json_values, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_fields_and_lines_is_no_change(fields: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            names = list(value)
            random.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        if isinstance(value, list):
            parts = [shuffled(part) for part in value]
            random.shuffle(parts)
            return parts
        return value

    assert content_hash(shuffled(fields)) == content_hash(fields)


def test_fields_that_no_contract_names_are_told_in_order() -> None:
    raw = row(zebra=1, alpha=2, products=[product(sparkle=1), product(sparkle=2, item_count=3), "no object"])
    assert unknown_fields(raw) == ("alpha", "products.sparkle", "zebra")
    assert unknown_fields(row()) == ()
    assert unknown_fields({"products": None}) == ()
