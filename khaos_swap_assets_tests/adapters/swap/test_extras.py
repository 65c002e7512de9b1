"""Amounts beside the refund: added up to the penny, and what cannot be read explains nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.swap.extras import Extras, read_extras


def item(price: Any = Decimal("45.00"), quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {"price": price, "quantity": quantity, **more}


@pytest.mark.parametrize(
    ("items", "pence"),
    [
        ([item()], 4500),
        ([item(quantity=2, discount=Decimal("5.00"))], 8500),
        ([item(), item("10.00")], 5500),
        ([item(quantity=None)], 0),
        ([item(quantity="2")], 0),
        ([item("n/a")], 0),
        ([item(-5)], 0),
        (["text", None, item()], 4500),
        (None, 0),
        ({"price": 5}, 0),
    ],
)
def test_goods_in_exchange(items: Any, pence: int) -> None:
    assert read_extras({"exchange_items": items}, "GBP") == Extras(exchange_pence=pence)


def test_taxes_and_duties_of_all_lines() -> None:
    line = {
        "refunded_non_inclusive_taxes": Decimal("1.50"),
        "refunded_duties": "3.00",
        "refunded_non_inclusive_duties": 2,
        "refunded_inclusive_taxes": 99,
    }
    found = read_extras({"products": [line, line, {"refunded_duties": None}]}, "GBP")
    assert found == Extras(taxes_on_top_pence=300, duties_pence=600, duties_on_top_pence=400)


def test_fees_of_all_labels() -> None:
    labels = [{"postage_fee": Decimal("2.95")}, {"postage_fee": 1}, {"postage_fee": -4}, {}, "text"]
    assert read_extras({"return_shipments": labels}, "GBP") == Extras(postage_pence=395)


@pytest.mark.parametrize(("currency", "pence"), [("GBP", 120000), ("JPY", 1200), ("KWD", 1200000)])
def test_minor_units_are_those_of_the_currency(currency: str, pence: int) -> None:
    assert read_extras({"exchange_items": [item(1200)]}, currency).exchange_pence == pence


def test_binary_noise_is_no_fault() -> None:
    found = read_extras({"products": [{"refunded_duties": Decimal("3.3000000000000003")}]}, "GBP")
    assert found.duties_pence == 330


amounts = st.none() | st.integers(-100, 100) | st.decimals(-100, 100, places=3) | st.sampled_from(["", "x", True, []])


@given(st.lists(st.fixed_dictionaries({"refunded_duties": amounts, "refunded_non_inclusive_duties": amounts})))
def test_no_duty_is_negative(products: list[dict[str, Any]]) -> None:
    found = read_extras({"products": products}, "GBP")
    assert min(found.duties_pence, found.duties_on_top_pence) >= 0
