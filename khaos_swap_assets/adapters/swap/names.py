"""What Swap calls the goods of a return, in its raw JSON.

Belongs here: the name of each row, for people who hold the goods. Stays out: codes, by which alone anything acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from khaos_swap_assets.adapters.swap.values import JsonRow

MEMBER = "products"


def read_names(raw: Mapping[str, Any]) -> dict[str, str]:
    """By product id: product and variant in words; rows without any are left out."""
    products = raw.get(MEMBER)
    rows = [JsonRow(row, []) for row in products if isinstance(row, dict)] if isinstance(products, list) else []
    told = {row.key("product_id", "shopify_line_item_id"): _name(row) for row in rows}
    return {product_id: name for product_id, name in told.items() if name}


def _name(row: JsonRow) -> str:
    parts = [row.words(name) for name in ("product_name", "variant_name") if row.has(name)]
    return " – ".join(filter(None, parts)) or row.words("full_sku_description")
