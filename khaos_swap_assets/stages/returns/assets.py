"""Assets of the return: what Swap holds, and what each line is in Khaos.

Belongs here: ``swap/returns``, ``swap/return_lines``, ``matched/return_lines`` and what they show, and
``warehouse/inspections``, which the gateway fills. Stays out: work (``sync``, ``matching``) and rules (``domain``).
"""

from collections.abc import Iterator

import dagster as dg

from khaos_swap_assets.stages.presenting import table_metadata
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets.stages.returns.sync import sync_returns
from khaos_swap_assets.stages.toolbox import Toolbox

RETURNS = dg.AssetKey(["swap", "returns"])
LINES = dg.AssetKey(["swap", "return_lines"])
MATCHED = dg.AssetKey(["matched", "return_lines"])
INSPECTIONS = dg.AssetKey(["warehouse", "inspections"])

inspections = dg.AssetSpec(
    INSPECTIONS,
    group_name="returns",
    owners=["team:operations"],
    kinds={"postgres"},
    tags={"truth": "warehouse"},
    description="What the warehouse found, unit by unit, as its benches post it to the gateway (`POST /inspections`). "
    "No run makes it. The warehouse is the truth for the condition of goods.",
)


@dg.multi_asset(
    name="swap_returns",
    specs=[
        dg.AssetSpec(
            RETURNS,
            group_name="returns",
            owners=["team:cx"],
            kinds={"postgres", "swap"},
            tags={"truth": "swap"},
            description="Every Return (RMA) as last read from Swap, one row each. Swap is the truth for the customer's "
            "return. Money is in minor units of the return's currency, times are UTC.",
        ),
        dg.AssetSpec(
            LINES,
            deps=[RETURNS],
            group_name="returns",
            owners=["team:cx"],
            kinds={"postgres", "swap"},
            tags={"truth": "swap"},
            description="Every returned product row with its raw SKU, quantity, cost and outcome.",
        ),
    ],
    op_tags={"vendor": "swap"},
)
def swap_returns(toolbox: dg.ResourceParam[Toolbox]) -> Iterator[dg.MaterializeResult[None]]:
    """Read what changed in Swap; both tables change in one transaction."""
    synced = sync_returns(toolbox)
    with toolbox.store() as conn:
        figures = {
            "read": synced.read,
            "changed": len(synced.changed),
            "unreadable": synced.unreadable,
            "knocks": synced.knocks,
            "is_drifted": synced.is_drifted,
        }
        yield dg.MaterializeResult(
            asset_key=RETURNS, metadata={**figures, **table_metadata(conn, "swap.returns", "changed_at")}
        )
        yield dg.MaterializeResult(
            asset_key=LINES,
            metadata={"changed": synced.lines, **table_metadata(conn, "swap.return_lines", "return_id")},
        )


@dg.asset(
    key=MATCHED,
    deps=[RETURNS, LINES, ["khaos", "stock_codes"], ["khaos", "sales_orders"], INSPECTIONS],
    group_name="matching",
    owners=["team:data_management"],
    kinds={"postgres"},
    tags={"truth": "ours"},
    description="Each return line with its Stock Code, its Sales Order line and where its units went. Only an exact "
    "match acts; a miss is a row with a reason and a suggestion, and holds back only its own return.",
)
def matched_return_lines(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Match every return in line."""
    found = match_waiting(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "recon.matched_lines", "return_id")
    return dg.MaterializeResult(
        metadata={
            "returns": found.returns,
            "lines": found.lines,
            "matched_lines": found.matched_lines,
            "problems": found.problems,
            **shown,
        }
    )
