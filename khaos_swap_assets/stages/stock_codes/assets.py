"""The asset of Stock Codes.

Belongs here: ``khaos/stock_codes`` and what it shows. Stays out: reading (``sync``).
"""

import dagster as dg

from khaos_swap_assets.stages.presenting import asset, owned, table_metadata
from khaos_swap_assets.stages.stock_codes.sync import sync_stock_codes
from khaos_swap_assets.stages.toolbox import Toolbox


@asset(
    "khaos/stock_codes",
    **owned("khaos", "data_management", "khaos", "khaos"),
    description="Every Stock Code of Khaos with what may point at it: Other Ref, barcodes, pack components. Khaos is "
    "the truth for Stock Codes; a wrong one is corrected there.",
)
def stock_codes(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read the Stock Codes revised since the last look."""
    synced = sync_stock_codes(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "khaos.stock_codes", "changed_at")
    figures = {
        "asked": synced.asked,
        "changed": synced.changed,
        "unreadable": synced.unreadable,
        "was_due": synced.is_due,
        "pushed": synced.pushed,
    }
    return dg.MaterializeResult(metadata={**figures, **shown})
