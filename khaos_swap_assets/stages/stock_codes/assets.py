"""The asset of Stock Codes.

Belongs here: ``khaos/stock_codes`` and what it shows. Stays out: reading (``sync``).
"""

from dataclasses import asdict

import dagster as dg

from khaos_swap_assets.stages.presenting import asset, owned, result
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
    return result(toolbox, asdict(sync_stock_codes(toolbox)), "khaos.stock_codes", "changed_at")
