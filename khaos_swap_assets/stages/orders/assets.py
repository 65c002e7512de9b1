"""The assets of Khaos's documents: Sales Orders and Credit Notes as Khaos shows them, and orders that were cancelled.

Belongs here: ``khaos/sales_orders``, ``khaos/credit_notes``, ``reconciliation/cancellations`` and what they show. Stays
out: reading (``sync``, ``cancellations``) and our own documents (``stages.credit_notes``).
"""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, cancellations, orders
from khaos_swap_assets.domain.goods.cancellations import OPEN_KIND, SENT_KIND
from khaos_swap_assets.stages.checking import exceptions_check
from khaos_swap_assets.stages.orders.cancellations import follow_cancellations, race
from khaos_swap_assets.stages.orders.sync import sync_orders
from khaos_swap_assets.stages.presenting import PREVIEW_ROWS, as_table, asset, keys, of_merchant, owned, table_metadata
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
            asset_key=of_merchant(ORDERS, toolbox.settings.merchant),
            metadata={
                "orders_read": synced.read,
                "not_found": synced.not_found,
                "statuses": synced.statuses_changed,
                "unreadable": synced.unreadable,
                "orders_waiting": waiting["waiting"],
                "oldest_waits": str(waiting["oldest"] or "nothing waits"),
                **table_metadata(conn, "khaos.sales_orders", "seen_at"),
            },
        )
        yield dg.MaterializeResult(
            asset_key=of_merchant(NOTES, toolbox.settings.merchant),
            metadata={
                "notes_changed": synced.notes_changed,
                "without_items": synced.items_waiting,
                **table_metadata(conn, "khaos.credit_notes", "changed_at"),
            },
        )


NOT_CONNECTED = (
    "No storefront is connected, so nobody says which orders were cancelled. Set KHAOS_SWAP_STOREFRONT_URL to have "
    "every cancelled order followed until Khaos stops it."
)


@asset(
    "reconciliation/cancellations",
    deps="storefront/refunds khaos/sales_orders khaos/stock_codes swap/returns swap/return_lines",
    **owned("reconciliation", "operations", "ours"),
    pool="khaos",
    description="Orders that the shop cancelled, followed in Khaos until their Sales Orders are cancelled there too, "
    "or their goods have left; with `KHAOS_SWAP_KHAOS_CANCELS_ORDERS` Khaos is asked to cancel them. The race shows "
    "how far each was when a look saw it first. Times are UTC, totals are pence of the customer's currency.",
)
def reconciliation_cancellations(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Ask Khaos about cancelled orders whose end is not known."""
    with toolbox.writing_to_khaos() as writer:
        followed = follow_cancellations(writer)
    with toolbox.store() as conn:
        counted = _counted(conn)
        shown = {"race": as_table(race(conn, PREVIEW_ROWS)), **table_metadata(conn, "recon.cancellations", "asked_at")}
    told = {} if toolbox.settings.connected else {"witness": dg.MetadataValue.md(NOT_CONNECTED)}
    return dg.MaterializeResult(metadata={**asdict(followed), **counted, **told, **shown})


def _counted(conn: Conn) -> dict[str, int]:
    return {f"orders_{how}": count for how, count in cancellations.counts(conn).items()}


no_cancelled_order_is_being_picked = exceptions_check(
    "no_cancelled_order_is_being_picked",
    "reconciliation/cancellations",
    [OPEN_KIND, SENT_KIND],
    "Every order that the connected shop cancelled is cancelled in Khaos too, or its goods are expected back. Without "
    "a storefront nobody says which orders were cancelled, and it proves nothing.",
    lambda conn, _: _counted(conn),
)

ASSETS = [khaos_documents, reconciliation_cancellations]
CHECKS = [no_cancelled_order_is_being_picked]
