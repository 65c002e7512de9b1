"""The assets of Khaos's documents: Sales Orders and Credit Notes as Khaos shows them.

Belongs here: ``khaos/sales_orders``, ``khaos/credit_notes`` and what they show. Stays out: reading (``sync``) and our
own documents (``stages.credit_notes``).
"""

from collections.abc import Iterator

import dagster as dg

from khaos_swap_assets.adapters.store import orders
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets.stages.presenting import keys, owned, table_metadata
from khaos_swap_assets.stages.toolbox import Toolbox

ORDERS = dg.AssetKey(["khaos", "sales_orders"])
NOTES = dg.AssetKey(["khaos", "credit_notes"])


@dg.multi_asset(
    name="khaos_documents",
    specs=[
        dg.AssetSpec(
            ORDERS,
            deps=keys("swap/returns swap/return_lines"),
            **owned("khaos", "finance", "khaos", "khaos"),
            description="Sales Orders that a return names, read once each within a budget, and the invoices that the "
            "status feed showed since.",
        ),
        dg.AssetSpec(
            NOTES,
            deps=keys("khaos/stock_codes"),
            **owned("khaos", "finance", "khaos", "khaos"),
            description="Every Credit Note as Khaos shows it, whoever made it: value, items, issued, allocated, "
            "cancelled. Our own documents are `credit_notes/postings`.",
        ),
    ],
)
def khaos_documents(toolbox: dg.ResourceParam[Toolbox]) -> Iterator[dg.MaterializeResult[None]]:
    """Read wanted orders and the status feed; both kinds come by the same feed."""
    synced = sync_orders(toolbox)
    with toolbox.store() as conn:
        waiting = orders.count_waiting(conn)
        yield dg.MaterializeResult(
            asset_key=ORDERS,
            metadata={
                "orders_read": synced.read,
                "not_found": synced.not_found,
                "statuses_changed": synced.statuses_changed,
                "unreadable": synced.unreadable,
                "orders_waiting": waiting["waiting"],
                "oldest_waits_since": str(waiting["oldest"] or "nothing waits"),
                **table_metadata(conn, "khaos.sales_orders", "seen_at"),
            },
        )
        yield dg.MaterializeResult(
            asset_key=NOTES,
            metadata={
                "notes_changed": synced.notes_changed,
                "without_items": synced.items_waiting,
                **table_metadata(conn, "khaos.credit_notes", "changed_at"),
            },
        )
