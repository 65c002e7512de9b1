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


def replace(
    conn: psycopg.Connection[Any], variants: Sequence[Variant], faults: Sequence[RowFault], now: datetime
) -> None:
    """Make these the only variants, and these the only ones that could not be read."""
    conn.execute("DELETE FROM storefront.variants")
    conn.execute(
        "UPDATE storefront.unreadable SET resolved_at = %s WHERE resolved_at IS NULL AND starts_with(subject, %s)",
        (now, SUBJECT_OF_VARIANT),
    )
    refunds.keep_faults(conn, [], faults, now)
    rows = [(one.variant_id, one.sku, one.title, now) for one in variants]
    bulk.copy_rows(conn, "storefront.variants", ("variant_id", "sku", "title", "seen_at"), rows)
