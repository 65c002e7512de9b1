"""The assets of our Credit Notes: the draft, and the document that was posted of it; and the checks of every note.

Belongs here: ``credit_notes/drafts``, ``credit_notes/postings`` and what they show. Stays out: the work (``drafting``,
``posting``) and the rules (``engine``, ``domain``).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from khaos_swap_assets.domain.records.returns import hold_words
from khaos_swap_assets.stages.checking import exceptions_check
from khaos_swap_assets.stages.credit_notes.allocation import read_allocations
from khaos_swap_assets.stages.credit_notes.drafting import draft_waiting
from khaos_swap_assets.stages.credit_notes.posting import post
from khaos_swap_assets.stages.credit_notes.stopping import feed_problems
from khaos_swap_assets.stages.presenting import asset, credit_by_day, owned, result, table_metadata
from khaos_swap_assets.stages.toolbox import Toolbox


@asset(
    "credit_notes/drafts",
    deps="people/decisions swap/returns swap/return_lines matched/return_lines storefront/refunds khaos/sales_orders "
    "khaos/credit_notes",
    **owned("credit_notes", "finance", "ours"),
    description="The Credit Note that each confirmed refund asks for, to the penny, or every reason why there is none "
    "yet. A pure function of the matched lines and the original order.",
)
def credit_note_drafts(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Draft every return in line."""
    return result(toolbox, asdict(draft_waiting(toolbox)), "recon.drafts", "drafted_at", _why, json=["reasons"])


@asset(
    "credit_notes/postings",
    deps="credit_notes/drafts swap/returns swap/return_lines matched/return_lines storefront/refunds "
    "khaos/stock_codes khaos/sales_orders khaos/credit_notes khaos/stock_levels people/decisions",
    **owned("credit_notes", "finance", "ours"),
    pool="khaos",
    description="Every document of ours and its witness: planned, out and in doubt, confirmed by a Credit Note seen "
    "in Khaos, or refused. Nothing is offered before Khaos was searched, and nothing is offered twice unseen.",
)
def credit_note_postings(toolbox: dg.ResourceParam[Toolbox]) -> dg.MaterializeResult[None]:
    """Search Khaos, settle what is out, plan what is ready."""
    with toolbox.writing_to_khaos() as writer:
        posted = post(writer)
    asked = read_allocations(toolbox)
    with toolbox.store() as conn:
        problems = feed_problems(conn, settings=toolbox.settings, now=toolbox.now())
        chart = credit_by_day(conn, toolbox.now())
        return dg.MaterializeResult(
            metadata={
                "customers": posted.searched,
                "attributed": posted.attributed,
                "ambiguous": posted.ambiguous,
                "allocations": asked,
                **{f"outcome_{name}": count for name, count in sorted(posted.outcomes.items())},
                "feed": dg.MetadataValue.md("\n".join(f"- {line}" for line in problems) or "Nothing stops the feed."),
                **({"value_by_day": chart} if chart else {}),
                **table_metadata(conn, "recon.postings", "planned_at", _state),
            }
        )


def _why(row: Mapping[str, Any]) -> dict[str, str]:
    """The state of a draft, and what holds it."""
    return {"state": row["state"], "why": "; ".join(text for _, text in row["reasons"])}


def _state(row: Mapping[str, Any]) -> dict[str, str]:
    doubt = f": {row['doubt']}" if row["doubt"] else ""
    return {"state": f"{hold_words(row['state'])}{doubt}"}


CHECKS = [
    exceptions_check(
        "every_confirmed_refund_has_one_credit_note",
        "khaos/credit_notes",
        ["credit_note_missing", "credit_note_ambiguous", "credit_note_duplicate"],
        "Every confirmed refund has one Credit Note, or is on its way to one.",
    ),
    exceptions_check(
        "no_credit_note_without_a_refund",
        "khaos/credit_notes",
        ["credit_note_orphan"],
        "Every Credit Note in Khaos belongs to a return.",
    ),
    exceptions_check(
        "no_posting_is_in_doubt",
        "credit_notes/postings",
        ["posting_in_doubt", "posting_refused"],
        "Every document that left was witnessed in Khaos within the limit, and none was refused.",
    ),
    exceptions_check(
        "every_credit_note_is_issued_and_allocated",
        "khaos/credit_notes",
        ["credit_note_not_issued", "credit_note_unallocated"],
        "Every Credit Note was issued and its credit no longer stands open on the customer's account.",
    ),
    exceptions_check(
        "every_refund_can_be_drafted",
        "credit_notes/drafts",
        ["refund_not_explained", "outcome_needs_policy", "exchange_overpaid"],
        "Every confirmed refund is explained by its lines, and its outcome has a policy.",
    ),
]
