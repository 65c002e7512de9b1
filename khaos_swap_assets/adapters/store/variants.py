"""The variants that the shop lists, in our store.

Belongs here: keeping what one whole reading told. Stays out: reading (``adapters.storefront.variants``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import bulk, refunds
from khaos_swap_assets.adapters.storefront.records import SUBJECT_OF_VARIANT, Variant
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.records.stores import SEPARATOR

_OF_STORE = f"CASE WHEN {{0}} LIKE '%%{SEPARATOR}%%' THEN split_part({{0}}, '{SEPARATOR}', 1) ELSE '' END = %(store)s"


def replace(
    conn: psycopg.Connection[Any],
    variants: Sequence[Variant],
    faults: Sequence[RowFault],
    now: datetime,
    store: str = "",
) -> None:
    """Make these the only variants of a store, and these the only ones that could not be read."""
    conn.execute(f"DELETE FROM storefront.variants WHERE {_OF_STORE.format('variant_id')}".encode(), {"store": store})
    conn.execute(
        "UPDATE storefront.unreadable SET resolved_at = %(now)s WHERE resolved_at IS NULL "
        f"AND starts_with(subject, %(of)s) AND {_OF_STORE.format('substr(subject, length(%(of)s) + 1)')}".encode(),
        {"now": now, "of": SUBJECT_OF_VARIANT, "store": store},
    )
    refunds.keep_faults(conn, [], faults, now)
    rows = [(one.variant_id, one.sku, one.title, now) for one in variants]
    bulk.copy_rows(conn, "storefront.variants", ("variant_id", "sku", "title", "seen_at"), rows)
