"""What Swap's raw JSON says about goods that the customer keeps.

Belongs here: reading status, tags and labels of one return, damaged parts as nothing. Stays out: what follows from
them (``goods.dispositions``). Source: contracts/swap.md §2.3 to §2.5, §7.3, §14.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khaos_swap_assets.adapters.swap.values import JsonRow
from khaos_swap_assets.domain.goods.dispositions import SwapMarks, words

MEMBERS = ("delivery_status", "tags", "products", "return_shipments", "delivered_date")


def read_told(raw: Mapping[str, Any]) -> SwapMarks:
    """The marks of a return as Swap sent it, or of those of its ``MEMBERS`` alone."""
    row = JsonRow(raw, [])
    products, labels = _rows(raw.get("products")), _rows(raw.get("return_shipments"))
    items = [_rows(label.get("items")) for label in labels]
    return SwapMarks(
        delivery_status=row.text("delivery_status").casefold() if row.has("delivery_status") else "",
        tags=_tags(raw),
        rows={_id(product): _tags(product) for product in products},
        labelled=frozenset(_id(item) for some in items for item in some),
        tells_labels=isinstance(raw.get("return_shipments"), list),
        has_blank_label=any(not some for some in items),
        has_arrived=row.has("delivered_date"),
    )


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _id(raw: Mapping[str, Any]) -> str:
    return JsonRow(raw, []).key("product_id", "shopify_line_item_id")


def _tags(raw: Mapping[str, Any]) -> frozenset[str]:
    """Tags in one text with commas, or as a list."""
    value = raw.get("tags")
    if isinstance(value, list):
        return words(",".join(tag for tag in value if isinstance(tag, str)))
    return words(JsonRow(raw, []).text("tags"))
