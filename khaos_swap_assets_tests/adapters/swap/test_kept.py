"""Reading what Swap marks as kept: every spelling of tags, and damage that tells nothing."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.swap.kept import read_told
from khaos_swap_assets.domain.goods.dispositions import SwapMarks

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, SwapMarks("", NONE, {})),
        ({"delivery_status": "N/A", "tags": None, "products": "?", "return_shipments": "?"}, SwapMarks("", NONE, {})),
        (
            {"delivery_status": " Green Return ", "tags": "VIP, Keep It", "delivered_date": "1 Mar 2026, 10:00:00"},
            SwapMarks("green return", frozenset({"vip", "keep it"}), {}, has_arrived=True),
        ),
        (
            {"products": [{"product_id": "P1", "tags": ["Keep it", 3]}, {"product_id": 7}, "?"], "tags": ["a, b"]},
            SwapMarks("", frozenset({"a", "b"}), {"P1": frozenset({"keep it"}), "7": NONE}),
        ),
        (
            {"return_shipments": [{"items": [{"product_id": "P1"}, {"shopify_line_item_id": "L2"}]}]},
            SwapMarks("", NONE, {}, frozenset({"P1", "L2"}), tells_labels=True),
        ),
        ({"return_shipments": [{"items": None}]}, SwapMarks("", NONE, {}, tells_labels=True, has_blank_label=True)),
        ({"return_shipments": [], "delivered_date": "N/A"}, SwapMarks("", NONE, {}, tells_labels=True)),
    ],
)
def test_marks_are_read(raw: dict[str, Any], expected: SwapMarks) -> None:
    assert read_told(raw) == expected
