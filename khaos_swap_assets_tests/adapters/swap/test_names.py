"""The names of goods in Swap's raw JSON; what is damaged is no name."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.swap.names import read_names


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"product_name": "Wool hat", "variant_name": "Navy / M"}, "Wool hat – Navy / M"),
        ({"product_name": "Wool hat", "variant_name": "N/A"}, "Wool hat"),
        ({"product_name": None, "full_sku_description": "Wool hat Navy"}, "Wool hat Navy"),
        ({"product_name": ["x"], "variant_name": {}}, None),
        ({}, None),
    ],
)
def test_a_row_is_named_by_product_and_variant(row: dict[str, Any], name: str | None) -> None:
    assert read_names({"products": [{"product_id": "P1", **row}, "broken"]}) == ({"P1": name} if name else {})


@pytest.mark.parametrize("raw", [{}, {"products": None}, {"products": "x"}])
def test_without_products_there_are_no_names(raw: dict[str, Any]) -> None:
    assert read_names(raw) == {}
