"""The assets of our Credit Notes: the draft, and the document that was posted of it.

Belongs here: ``credit_notes/drafts``, ``credit_notes/postings`` and what they show. Stays out: the work (``drafting``,
``posting``) and the rules (``engine``, ``domain``).
"""

import dagster as dg

from khaos_swap_assets.stages.credit_notes.allocation import read_allocations
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets.stages.credit_notes.stopping import feed_problems
from khaos_swap_assets.stages.pictures import credit_by_day
from khaos_swap_assets.stages.presenting import table_metadata
from khaos_swap_assets.stages.toolbox import Toolbox


@dg.asset(
    key=["credit_notes", "drafts"],
    deps=[
        ["swap", "returns"],
        ["swap", "return_lines"],
        ["matched", "return_lines"],
        ["storefront", "refunds"],
        ["khaos", "sales_orders"],
        ["khaos", "credit_notes"],
    ],
    group_name="credit_notes",
    owners=["team:finance"],
    kinds={"postgres"},
    tags={"truth": "ours"},
    description="The Credit Note that each confirmed refund asks for, to the penny, or every reason why there is none "
    "yet. A pure function of the matched lines and the original order.",
)
def credit_note_drafts(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Draft every return in line."""
    drafted = draft_waiting(toolbox)
    with toolbox.store() as conn:
        shown = table_metadata(conn, "recon.drafts", "drafted_at")
    figures = {"returns": drafted.returns, "ready": drafted.ready, "held": drafted.held, "covered": drafted.covered}
    return dg.MaterializeResult(metadata={**figures, **shown})


@dg.asset(
    key=["credit_notes", "postings"],
    deps=[
        ["credit_notes", "drafts"],
        ["swap", "returns"],
        ["swap", "return_lines"],
        ["matched", "return_lines"],
        ["storefront", "refunds"],
        ["khaos", "stock_codes"],
        ["khaos", "sales_orders"],
        ["khaos", "credit_notes"],
        ["khaos", "stock_levels"],
        ["people", "decisions"],
    ],
    group_name="credit_notes",
    owners=["team:finance"],
    kinds={"postgres"},
    tags={"truth": "ours"},
    pool="khaos",
    description="Every document of ours and its witness: planned, out and in doubt, confirmed by a Credit Note seen "
    "in Khaos, or refused. Nothing is offered before Khaos was searched, and nothing is offered twice unseen.",
)
def credit_note_postings(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Search Khaos, settle what is out, plan what is ready."""
    posted = post(toolbox)
    asked = read_allocations(toolbox)
    with toolbox.store() as conn:
        problems = feed_problems(conn, settings=toolbox.settings, now=toolbox.now())
        shown = table_metadata(conn, "recon.postings", "planned_at")
        chart = credit_by_day(conn, toolbox.now())
    return dg.MaterializeResult(
        metadata={
            "searched_customers": posted.searched,
            "attributed": posted.attributed,
            "ambiguous": posted.ambiguous,
            "allocations_asked": asked,
            **{f"outcome_{name}": count for name, count in sorted(posted.outcomes.items())},
            "feed": dg.MetadataValue.md("\n".join(f"- {line}" for line in problems) or "Nothing stops the feed."),
            **({"value_by_day": chart} if chart else {}),
            **shown,
        }
    )
