"""The assets of the stock leg.

Belongs here: ``khaos/stock_levels`` and ``khaos/stock_adjustments``. Stays out: the work (``levels``, ``adjustments``).
"""

import dagster as dg

from khaos_swap_assets.stages.presenting import table_metadata
from khaos_swap_assets.stages.stock.adjustments import adjust_stock
from khaos_swap_assets.stages.stock.levels import sync_levels
from khaos_swap_assets.stages.toolbox import Toolbox


@dg.asset(
    key=["khaos", "stock_levels"],
    deps=[["credit_notes", "drafts"], ["khaos", "stock_codes"]],
    group_name="stock",
    owners=["team:operations"],
    kinds={"postgres", "khaos"},
    tags={"truth": "khaos"},
    description="Units available to sell, for the Stock Codes of goods on their way back: seen before a document is "
    "offered and after it was issued. Khaos shows no physical stock.",
)
def stock_levels(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Read the levels that matter now."""
    synced = sync_levels(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "khaos.stock_levels", "observed_at")
    figures = {"asked": synced.asked, "changed": synced.changed, "pushed": synced.pushed}
    return dg.MaterializeResult(metadata={**figures, **shown})


@dg.asset(
    key=["khaos", "stock_adjustments"],
    deps=[
        ["credit_notes", "drafts"],
        ["credit_notes", "postings"],
        ["khaos", "credit_notes"],
        ["khaos", "stock_codes"],
        ["khaos", "stock_levels"],
    ],
    group_name="stock",
    owners=["team:operations"],
    kinds={"postgres"},
    tags={"truth": "ours"},
    description="Each unit's way back: sellable goods to the available stock, damaged goods to quarantine, missing "
    "goods nowhere. The document that carries it is one witness, the level a second where no sale intervened.",
)
def stock_adjustments(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Follow every stock move."""
    adjusted = adjust_stock(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "recon.stock_moves", "changed_at")
    figures = {
        "due": adjusted.due,
        "offered": adjusted.offered,
        "confirmed": adjusted.confirmed,
        "judged": adjusted.judged,
    }
    return dg.MaterializeResult(metadata={**figures, **shown})
