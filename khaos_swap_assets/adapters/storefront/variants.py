"""Reading the variants that the shop lists: their SKUs are what customers will send back.

Belongs here: their fields. Stays out: paging and errors (``client``) and what a SKU is (``records.stock_codes``).
Fields as Shopify documents them for the Admin GraphQL API, version 2026-10: ``ProductVariant`` (id, sku, displayName)
and ``Product.status``. A SKU is kept as it is spelled, with the spaces at its ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from khaos_swap_assets.adapters import texts
from khaos_swap_assets.adapters.storefront import queries
from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.adapters.storefront.records import SUBJECT_OF_VARIANT, Variant
from khaos_swap_assets.adapters.storefront.wire import FieldReading
from khaos_swap_assets.adapters.swap.raw import cleaned, content_hash
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.records.stores import qualified

LISTED = "ACTIVE"


def listed_variants(shop: StorefrontClient) -> tuple[list[Variant], list[RowFault]]:
    """Every variant of a product on sale, and those that cannot be read. Raises ``VendorError``: then nothing is."""
    found: dict[str, Variant] = {}
    faults: list[RowFault] = []
    for page in shop.every_page(queries.VARIANTS, "productVariants"):
        for raw in page:
            node, reading = cleaned(raw) if isinstance(raw, dict) else {}, FieldReading()
            one = _variant(node, reading)
            if reading.faults:
                faults.append(
                    RowFault(
                        texts.subject(f"{SUBJECT_OF_VARIANT}{qualified(shop.store, one.variant_id)}"),
                        content_hash(node),
                        tuple(reading.faults),
                    )
                )
            elif _is_listed(node):
                found[one.variant_id] = replace(one, variant_id=qualified(shop.store, one.variant_id))
    return list(found.values()), faults


def _variant(node: Mapping[str, Any], reading: FieldReading) -> Variant:
    sku, title = reading.key(node.get("sku"), "sku"), str(node.get("displayName") or "")
    return Variant(reading.number(node, "id", ""), sku, texts.subject(title))


def _is_listed(node: Mapping[str, Any]) -> bool:
    product = node.get("product")
    return isinstance(product, dict) and product.get("status") == LISTED
