"""The code location on one screen, as Dagster's own tools load it: all is shown, nothing can run.

Belongs here: which assets, checks, jobs, sensors and schedules there are. Stays out: everything else. ``started`` has
the same with its settings, for the processes that ``khaos-swap`` runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from khaos_swap_assets import automation, lineage, not_started, resources, signing
from khaos_swap_assets.adapters.settings import PERIOD_START
from khaos_swap_assets.belonging import tags_of
from khaos_swap_assets.prefixing import prefixed
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.checking import judged_together
from khaos_swap_assets.stages.completeness import assets as completeness
from khaos_swap_assets.stages.completeness import watch
from khaos_swap_assets.stages.credit_notes import assets as credit_notes
from khaos_swap_assets.stages.orders import assets as orders
from khaos_swap_assets.stages.payouts import assets as payouts
from khaos_swap_assets.stages.reconciliation import assets as reconciliation
from khaos_swap_assets.stages.reconciliation import checks as reconciliation_checks
from khaos_swap_assets.stages.returns import assets as returns
from khaos_swap_assets.stages.shadow import assets as shadow
from khaos_swap_assets.stages.stock import assets as stock
from khaos_swap_assets.stages.stock_codes import assets as stock_codes
from khaos_swap_assets.stages.storefront import assets as storefront

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings


STANDING = (
    *returns.CHECKS,
    *storefront.CHECKS,
    *credit_notes.CHECKS,
    *stock.CHECKS,
    *orders.CHECKS,
    *payouts.CHECKS,
    *reconciliation_checks.CHECKS,
    *completeness.CHECKS,
    *watch.CHECKS,
    *shadow.CHECKS,
)
"""Every check but that of a month."""


def build(settings: Settings | None = None, *, toolbox: object = None) -> dg.Definitions:
    """Assemble the code location; without ``settings`` nothing starts by itself, and what is started says how to start.

    ``toolbox`` overrides the resource.
    """
    months = reconciliation.months_from(settings.period_start if settings else PERIOD_START)
    merchant, tags = settings.merchant if settings else "", tags_of(settings)
    return dg.Definitions(
        assets=_specified(
            months,
            merchant,
            returns.inspections,
            reconciliation.decisions,
            returns.swap_returns,
            returns.matched_return_lines,
            stock_codes.stock_codes,
            *orders.ASSETS,
            *stock.ASSETS,
            *storefront.ASSETS,
            credit_notes.credit_note_drafts,
            credit_notes.credit_note_postings,
            reconciliation.reconciliation_returns,
            *payouts.ASSETS,
            returns.open_returns,
            reconciliation.reconciliation_exceptions,
            completeness.reconciliation_completeness,
            completeness.reconciliation_latency,
            shadow.reconciliation_shadow_score,
            watch.reconciliation_watch,
            reconciliation.month_end,
        ),
        asset_checks=[judged_together(STANDING, merchant), reconciliation_checks.of_months(months, merchant)],
        jobs=[*automation.jobs(merchant, tags), signing.sign_month(months, tags)],
        sensors=automation.sensors(settings.sensor_seconds if settings else 1, is_started=settings is not None),
        schedules=automation.schedules(is_started=settings is not None),
        resources={"toolbox": toolbox or (resources.ToolboxResource() if settings else not_started.NotStarted())},
    )


def _specified(
    months: dg.PartitionsDefinition[str], merchant: str, *assets: dg.AssetsDefinition | dg.AssetSpec
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets with their tables: that of the month over ``months``; any other turns red when no run makes it.

    No freshness of a month: one that a backfill made proves nothing. Nor of what no run makes.
    """
    fresh = dg.FreshnessPolicy.time_window(fail_window=watching.STALE_AFTER)

    def specify(spec: dg.AssetSpec) -> dg.AssetSpec:
        is_monthly = spec.partitions_def is not None
        more = {"partitions_def": months} if is_monthly else {"freshness_policy": fresh}
        return _with_tables(spec.replace_attributes(**more), merchant)

    told = [
        _with_tables(one, merchant) if isinstance(one, dg.AssetSpec) else one.map_asset_specs(specify) for one in assets
    ]
    return [prefixed(one, merchant) for one in told]


def _with_tables(spec: dg.AssetSpec, merchant: str) -> dg.AssetSpec:
    return spec.merge_attributes(metadata=lineage.shown(spec.key, merchant))


@dg.definitions
def defs() -> dg.Definitions:
    """What ``dagster dev``, ``dagster definitions validate`` and ``dg`` load; no environment is read."""
    return build()
