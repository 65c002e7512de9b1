"""Checks of the reconciliation: the month-end report in sentences.

Belongs here: standing checks on the assets of this stage. Stays out: the conditions (``judging.conditions``).
"""

import dagster as dg

from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.checking import exceptions_check, judge_open
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table
from khaos_swap_assets.stages.reconciliation.assets import MONTH_END, RETURNS
from khaos_swap_assets.stages.reconciliation.legs import legs_of_month, legs_of_open
from khaos_swap_assets.stages.reconciliation.month_end import month_of
from khaos_swap_assets.stages.toolbox import Toolbox

SHOWN = ("rma", "currency", "refund_pence", "credited_pence", "issued_pence", "gap_pence", "status")
MONTHLY_KINDS = ("value_gap", "credit_note_missing", "credit_note_duplicate", "credit_note_not_issued")

VALUE_KINDS = ("value_gap", "credit_note_duplicate", "differences_systematic")
# Nothing is left to do: the notes come to the refund, or legs that are as they should be or let be fill the gap.
DONE = "status IN ('matched', 'within_tolerance') AND issued_pence = credited_pence"

refunds_equal_credit_notes = exceptions_check(
    "refunds_equal_credit_notes",
    "reconciliation/returns",
    VALUE_KINDS,
    "What Khaos credits is what Swap refunded, return by return, to the penny or within the tolerances.",
    lambda conn: {"legs": legs_of_open(conn, VALUE_KINDS)},
)


@dg.asset_check(
    asset=RETURNS,
    name="sources_are_fresh",
    description="Swap, Khaos's catalogue, Khaos's documents and a connected storefront were each read within the last "
    "26 hours, so green elsewhere means nothing is wrong, and not that nobody looked. When red: look at the failed "
    "runs and `preflight`.",
)
def sources_are_fresh(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
    """Compare each source's watermark with the clock."""
    with toolbox.store() as conn:
        reached = watching.sources(conn, toolbox.settings, toolbox.now())
    stale = watching.stale(reached, toolbox.now())
    return dg.AssetCheckResult(
        passed=not stale,
        description=f"not read lately: {', '.join(stale)}" if stale else "all read lately",
        metadata={source.replace("/", "_"): str(moment or "never") for source, moment in reached.items()},
    )


@dg.asset_check(
    asset=MONTH_END,
    name="refunds_reconcile",
    description="Of this month's refunds every penny is credited by issued Credit Notes, or its leg is as it should be "
    "or within the tolerances. When red: work through the table from the top; each row says whose turn it is.",
)
def refunds_reconcile(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """Compare the month's refunds with its issued notes."""
    periods = list(context.partition_keys) if context.has_partition_key else []
    with toolbox.store() as conn:
        totals = {period: month_of(conn, period) for period in periods}
        results = [judge_open(conn, MONTHLY_KINDS, period) for period in periods]
        rows = conn.execute(
            f"SELECT {', '.join(SHOWN)} FROM recon.monthly WHERE period = ANY(%s) "
            f"AND refund_pence <> issued_pence AND NOT ({DONE}) "
            "ORDER BY abs(refund_pence - issued_pence) DESC, rma LIMIT %s",
            (periods, WORST_ROWS),
        ).fetchall()
        legs = legs_of_month(conn, periods)
    apart = {
        one.currency: one.issued_pence - one.refund_pence
        for some in totals.values()
        for one in some
        if one.refund_pence != one.issued_pence
    }
    return dg.AssetCheckResult(
        passed=not rows,
        description=f"{', '.join(periods)}: apart in {', '.join(apart) or 'nothing'}",
        metadata={
            **{f"not_issued_or_apart_pence_{currency}": pence for currency, pence in apart.items()},
            "open": sum(int(str(result.metadata["open"].value)) for result in results),
            "worst": as_table([dict(zip(SHOWN, row, strict=True)) for row in rows]),
            "legs": legs,
        },
    )


CHECKS = [refunds_equal_credit_notes, sources_are_fresh, refunds_reconcile]
