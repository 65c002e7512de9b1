"""The asset of the money: what the storefront paid back.

Belongs here: ``storefront/refunds`` and what it shows. Stays out: the work (``sync``) and the rules (``domain``).
"""

import dagster as dg

from khaos_swap_assets.stages.presenting import table_metadata
from khaos_swap_assets.stages.storefront.sync import sync_refunds
from khaos_swap_assets.stages.toolbox import Toolbox

REFUNDS = dg.AssetKey(["storefront", "refunds"])
NOT_CONNECTED = (
    "No storefront is connected. A refund counts as confirmed when Swap says that it was processed, which does not "
    "prove that money moved. Set KHAOS_SWAP_STOREFRONT_URL to have every refund witnessed."
)


@dg.asset(
    key=REFUNDS,
    deps=[["swap", "returns"], ["swap", "return_lines"]],
    group_name="storefront",
    owners=["team:finance"],
    kinds={"postgres", "shopify"},
    tags={"truth": "storefront"},
    op_tags={"vendor": "storefront"},
    description="Every refund as last read from the storefront, with what its payments moved, when, and the return "
    "that it pays. Money is in minor units of the customer's currency, times are UTC. Where connected, the day the "
    "money moved is the date of the refund; where not, Swap's word stands and this says so.",
)
def storefront_refunds(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read what changed and link it."""
    if not toolbox.settings.storefront.is_connected:
        return dg.MaterializeResult(metadata={"connected": False, "witness": dg.MetadataValue.md(NOT_CONNECTED)})
    synced = sync_refunds(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "storefront.refunds", "changed_at")
    return dg.MaterializeResult(
        metadata={
            "connected": True,
            "orders_read": synced.orders,
            "refunds_read": synced.read,
            "changed": synced.changed,
            "unreadable": synced.unreadable,
            "linked_again": synced.judged,
            "without_return": synced.loose,
            **shown,
        }
    )
