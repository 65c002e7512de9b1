"""The asset of Sales Orders and Credit Notes as Khaos shows them.

Belongs here: ``khaos/sales_orders`` and what it shows. Stays out: reading (``sync``).
"""

import dagster as dg

from khaos_swap_assets.adapters.store import orders
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets.stages.presenting import table_metadata
from khaos_swap_assets.stages.toolbox import Toolbox


@dg.asset(
    key=["khaos", "sales_orders"],
    deps=[["swap", "return_lines"]],
    group_name="khaos",
    owners=["team:finance"],
    kinds={"postgres"},
    tags={"truth": "khaos"},
    description="Sales Orders that a return names, read once each within a budget, and the status feed: invoices "
    "issued since, and every Credit Note, whoever made it.",
)
def sales_orders(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read wanted orders and the status feed."""
    synced = sync_orders(toolbox)
    with toolbox.store() as conn:
        waiting = orders.count_waiting(conn)
        shown = table_metadata(conn, "khaos.sales_orders", "seen_at")
    return dg.MaterializeResult(
        metadata={
            "orders_read": synced.read,
            "not_found": synced.not_found,
            "statuses_changed": synced.statuses_changed,
            "notes_changed": synced.notes_changed,
            "unreadable": synced.unreadable,
            "orders_waiting": waiting["waiting"],
            "credit_notes_without_items": synced.items_waiting,
            "oldest_waits_since": str(waiting["oldest"] or "nothing waits"),
            **shown,
        }
    )
