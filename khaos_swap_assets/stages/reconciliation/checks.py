"""Checks of the reconciliation: the month-end report in sentences, with the legs of the worst gaps.

Belongs here: standing checks on the assets of this stage, and what they show. Stays out: the conditions
(``judging.conditions``) and how a leg is found (``judging.waterfall``).
"""

import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta

import dagster as dg

from khaos_swap_assets.adapters.store import Conn, monthly, verdicts
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.judging import month_conditions
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date, london_month, month_bounds
from khaos_swap_assets.domain.reporting import month_open
from khaos_swap_assets.domain.reporting.month_open import PACE_DAYS, mark_rows, queue_rows, signed_words
from khaos_swap_assets.domain.reporting.refund_story import NOT_COLLECTED
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.checking import StandingCheck, exceptions_check, with_sources
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table, gap_row, of_merchant
from khaos_swap_assets.stages.reconciliation.assets import MONTH_END
from khaos_swap_assets.stages.reconciliation.governing import in_force
from khaos_swap_assets.stages.reconciliation.month_end import accrual_table, vat_posted_table
from khaos_swap_assets.stages.toolbox import Toolbox

VALUE_KINDS = (
    "value_gap",
    "vat_differs",
    "credit_note_incomplete",
    "credited_without_sale",
    "credited_to_another_customer",
    "credited_beyond_sale",
    "credit_note_duplicate",
    "differences_systematic",
)

refunds_equal_credit_notes = exceptions_check(
    "refunds_equal_credit_notes",
    "reconciliation/returns",
    VALUE_KINDS,
    "What Khaos credits is what Swap refunded, return by return, to the penny or within the tolerances, at the VAT of "
    "the sale.",
    lambda conn, _: {"legs": legs_of_open(conn, VALUE_KINDS)},
)


refunds_are_credited_in_their_month = exceptions_check(
    "refunds_are_credited_in_their_month",
    "reconciliation/returns",
    (month_conditions.KIND,),
    "Each refund is credited in the London month in which it was paid, so that its VAT falls into the right period.",
)


def _sources(conn: Conn, tools: Toolbox) -> dg.AssetCheckResult:
    """Compare each source's watermark with the clock."""
    reached = watching.sources(conn, tools.settings, tools.now())
    stale = watching.stale(reached, tools.now())
    return dg.AssetCheckResult(
        passed=not stale,
        description=f"not read lately: {', '.join(stale)}" if stale else "all read lately",
        metadata={source.replace("/", "_"): str(moment or "never") for source, moment in reached.items()},
    )


sources_are_fresh = StandingCheck(
    "reconciliation/returns",
    "sources_are_fresh",
    "Swap, Khaos's catalogue, Khaos's documents and a connected storefront were each read within the last 26 hours, so "
    "green elsewhere means nothing is wrong, and not that nobody looked. When red: look at the failed runs and "
    "`preflight`.",
    _sources,
)


def of_months(months: dg.PartitionsDefinition, merchant: str = "") -> dg.AssetChecksDefinition:
    """``refunds_reconcile`` over these months: each keeps its own verdict. Dagster calls that a preview."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.asset_check(
            asset=of_merchant(MONTH_END, merchant),
            name="refunds_reconcile",
            partitions_def=months,
            description="Of this month's refunds every penny is credited by issued Credit Notes, its leg is as it "
            "should be or within the tolerances, or a named person waived it. What is on its way stands apart; it is "
            "carried over to the month in which it should be gone (14 days from the refund), and is red after that. "
            "When red: work through the table from the top; each row says whose turn it is and what to do.",
        )(refunds_reconcile)


def refunds_reconcile(
    context: dg.AssetCheckExecutionContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.AssetCheckResult:
    """Compare the month's refunds with its issued notes."""
    period, now = context.partition_key, toolbox.now()
    with toolbox.store() as conn:
        rows, shifted = monthly.apart(conn, period), monthly.shifted(conn, period)
        today, next_month = (london_month(moment) for moment in (now, month_bounds(period)[1]))
        red, at_close = (month_open.blocking(rows, month) for month in (today, max(today, next_month)))
        signatures = monthly.signatures(conn, period)
        waived = month_open.waived_words(month_open.waived_of(rows))
        words = (month_open.shifted_words(shifted), month_open.carried_words(rows, period), waived)
        beside = [*filter(None, (*words, signed_words(signatures)))]
        found = dg.AssetCheckResult(
            passed=not red,
            description=f"{period}: {'; '.join([_verdict(red), *beside])}",
            metadata={
                "marks": as_table(mark_rows(monthly.marked(conn, period), signatures)),
                "by_cause": as_table(month_open.by_cause(rows, shifted)),
                "worst": as_table([_for_people(row, is_red=True) for row in red[:WORST_ROWS]]),
                "not_red": as_table([_for_people(row, is_red=False) for row in rows if row not in red][:WORST_ROWS]),
                "if_closed_now": "; ".join([_verdict(at_close), *beside]),
                "queues": as_table(_queues(conn, period, now)),
                "tolerance": in_force(conn, toolbox.settings, period, now).words,
                "vat_as_posted": dg.MetadataValue.md(vat_posted_table(conn, period)),
                "accrual": dg.MetadataValue.md(accrual_table(conn, toolbox.settings, period)),
                "legs": legs_of_month(conn, [period]),
            },
        )
        return with_sources(conn, toolbox, found)


def _queues(conn: Conn, period: str, now: datetime) -> list[dict[str, str]]:
    lately = monthly.flow(conn, now - timedelta(days=PACE_DAYS), now)
    return queue_rows(monthly.flow(conn, *month_bounds(period)), lately, london_date(now))


def _verdict(red: Sequence[month_open.Apart]) -> str:
    found = [(abs(row.apart_pence), row.currency) for row in red]
    return f"apart: {month_open.counted(found)}" if red else "every refund is credited, or accounted for"


def _for_people(row: month_open.Apart, *, is_red: bool) -> dict[str, str]:
    """One row as its owner reads it: what comes first is what they look for."""
    kind = KINDS.get(row.open_kinds[0]) if row.open_kinds else None
    is_late = is_red and row.cause == "on its way"
    action = kind.action if kind else NOT_COLLECTED if is_late else ""
    refunded, issued = (format_money(pence, row.currency) for pence in (row.refund_pence, row.issued_pence))
    return {
        "rma": row.rma,
        "apart": format_money(row.apart_pence, row.currency),
        "why": f"{row.cause}, gone by {row.gone_by}" if row.cause == "on its way" else row.cause,
        "owner": row.owner or ", ".join(row.waived_by) or ("operations" if is_late else ""),
        "what": row.message or f"Refund {refunded}, issued {issued}",
        "what_to_do": action,
    }


CHECKS = [refunds_equal_credit_notes, refunds_are_credited_in_their_month, sources_are_fresh]


def legs_of_open(conn: Conn, kinds: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 returns with the most money at risk in open exceptions of ``kinds``."""
    return as_table([gap_row(row) for row in verdicts.at_risk(conn, kinds, WORST_ROWS)])


def legs_of_month(conn: Conn, periods: Sequence[str]) -> dg.MetadataValue:
    """Of the 20 largest gaps of these months."""
    return as_table([gap_row(row) for row in monthly.largest_gaps(conn, periods, WORST_ROWS)])
