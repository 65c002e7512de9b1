"""Checks of the flow itself: nothing is missing, and nothing is slow.

Belongs here: the verdicts and their words. Stays out: comparing and gathering (``comparing``, ``adapters.store``).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import dagster as dg

from khaos_swap_assets.adapters.store import completeness, latency, worklist
from khaos_swap_assets.adapters.store.completeness import Day, Traffic
from khaos_swap_assets.stages.completeness.comparing import WIDE
from khaos_swap_assets.stages.presenting import WORST_ROWS, as_table
from khaos_swap_assets.stages.toolbox import Toolbox

COMPLETENESS = dg.AssetKey(["reconciliation", "completeness"])
LATENCY = dg.AssetKey(["reconciliation", "latency"])
STALE_AFTER = timedelta(hours=26)
SHOWN = timedelta(days=30)
SILENCE = timedelta(days=3)
ENOUGH_RETURNS = 5
OBJECTIVE = timedelta(minutes=5)
WINDOW = timedelta(days=7)


@dg.asset_check(
    asset=COMPLETENESS,
    name="nothing_is_missing",
    description="Swap's own count of returns agrees with ours on every day of a month, compared within 26 hours: "
    "quiet then means that nothing happened, and not that nothing arrived. When red: the table names the days; returns "
    "that were missing are read again at once, so look why they were: webhooks in Swap's dashboard, failed runs.",
)
def nothing_is_missing(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
    """Judge the comparison, its age, and the silence of webhooks."""
    now = toolbox.now()
    hears = bool(toolbox.settings.swap.webhook_secret.get_secret_value())
    with toolbox.store() as conn:
        days = completeness.days(conn, (now - SHOWN).date())
        compared_at = worklist.trusted(conn, WIDE, now)
        traffic = completeness.traffic(conn, now - SILENCE)
    faults = find_faults(days, compared_at, traffic, now, hears_webhooks=hears)
    short = [day for day in days if day.short]
    return dg.AssetCheckResult(
        passed=not faults,
        severity=dg.AssetCheckSeverity.ERROR if short else dg.AssetCheckSeverity.WARN,
        description="; ".join(faults) or all_is_well(days, traffic),
        metadata={
            "missing": sum(day.short for day in days),
            "days_compared": len(days),
            "webhooks_in_3_days": traffic.knocks,
            "returns_changed_in_3_days": traffic.changed,
            "compared_at": str(compared_at or "never"),
            "worst": as_table([_row(day) for day in sorted(short, key=lambda day: -day.short)[:WORST_ROWS]]),
        },
    )


def find_faults(
    days: Sequence[Day], compared_at: datetime | None, traffic: Traffic, now: datetime, *, hears_webhooks: bool
) -> list[str]:
    """Why it cannot be said that nothing is missing, one sentence each."""
    faults = []
    if compared_at is None or compared_at < now - STALE_AFTER:
        faults.append("Swap was not asked for its counts within 26 hours: nothing may have arrived")
    elif not days:
        faults.append("Swap tells no counts, so nothing can be proven")
    if short := sum(day.short for day in days):
        faults.append(f"{short} returns that Swap counts are not in the mirror")
    if hears_webhooks and not traffic.knocks and traffic.submitted >= ENOUGH_RETURNS:
        faults.append(f"nothing arrived: no webhook in 3 days, yet {traffic.submitted} returns were submitted")
    return faults


def all_is_well(days: Sequence[Day], traffic: Traffic) -> str:
    """What green means today, in one sentence."""
    held = sum(day.told for day in days)
    happened = f"{traffic.changed} changed in 3 days" if traffic.changed else "nothing happened in 3 days"
    return f"all {held} returns that Swap counts in a month are here; {happened}, {traffic.knocks} webhooks"


@dg.asset_check(
    asset=LATENCY,
    name="returns_are_on_offer_in_time",
    description="Of the documents offered in the past seven days, 95 in 100 were on offer within 5 minutes of the last "
    "gate to open (Swap's change or the inspection). When red: the table shows at which step the slow ones waited.",
)
def returns_are_on_offer_in_time(toolbox: dg.ResourceParam[Toolbox]) -> dg.AssetCheckResult:
    """Compare the past week's 95th percentile with the objective."""
    now = toolbox.now()
    with toolbox.store() as conn:
        offered, p50, p95 = latency.since(conn, now - WINDOW)
        slowest = latency.slowest(conn, now - WINDOW, WORST_ROWS)
    return dg.AssetCheckResult(
        passed=p95 <= OBJECTIVE.total_seconds(),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{offered} offered in 7 days, half within {p50} s, 95 in 100 within {p95} s",
        metadata={"offered": offered, "p50_seconds": p50, "p95_seconds": p95, "worst": as_table(slowest)},
    )


def _row(day: Day) -> dict[str, object]:
    told = {"day": day.day, "told": day.told, "mirrored": day.mirrored, "missing": day.short}
    return {**told, "read_again": day.mended, "rmas": ", ".join(day.missing_rmas)}


CHECKS = [nothing_is_missing, returns_are_on_offer_in_time]
