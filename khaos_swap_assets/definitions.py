"""The code location on one screen.

Belongs here: which assets, checks, jobs, sensors and schedules there are. Stays out: everything else.
"""

from __future__ import annotations

import os

import dagster as dg

from khaos_swap_assets import automation, resources
from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.completeness import assets as completeness
from khaos_swap_assets.stages.completeness import checks as completeness_checks
from khaos_swap_assets.stages.completeness import watch
from khaos_swap_assets.stages.credit_notes import assets as credit_notes
from khaos_swap_assets.stages.credit_notes import checks as credit_note_checks
from khaos_swap_assets.stages.orders import assets as orders
from khaos_swap_assets.stages.reconciliation import assets as reconciliation
from khaos_swap_assets.stages.reconciliation import checks as reconciliation_checks
from khaos_swap_assets.stages.returns import assets as returns
from khaos_swap_assets.stages.returns import checks as return_checks
from khaos_swap_assets.stages.shadow import assets as shadow
from khaos_swap_assets.stages.shadow import checks as shadow_checks
from khaos_swap_assets.stages.stock import assets as stock
from khaos_swap_assets.stages.stock import checks as stock_checks
from khaos_swap_assets.stages.stock_codes import assets as stock_codes
from khaos_swap_assets.stages.storefront import assets as storefront
from khaos_swap_assets.stages.storefront import checks as storefront_checks

STARTED_BY = "KHAOS_SWAP_STARTED_BY"


def build(*, toolbox: object = None) -> dg.Definitions:
    """Assemble the code location; ``toolbox`` overrides the resource."""
    return dg.Definitions(
        assets=_watched(
            returns.swap_returns,
            returns.matched_return_lines,
            stock_codes.stock_codes,
            orders.sales_orders,
            stock.stock_levels,
            stock.stock_adjustments,
            storefront.storefront_refunds,
            credit_notes.credit_note_drafts,
            credit_notes.khaos_credit_notes,
            reconciliation.reconciliation_returns,
            reconciliation.reconciliation_exceptions,
            completeness.reconciliation_completeness,
            completeness.reconciliation_latency,
            shadow.reconciliation_shadow_score,
            watch.reconciliation_watch,
            reconciliation.month_end,
        ),
        asset_checks=[
            *return_checks.CHECKS,
            *storefront_checks.CHECKS,
            *credit_note_checks.CHECKS,
            *stock_checks.CHECKS,
            *reconciliation_checks.CHECKS,
            *completeness_checks.CHECKS,
            *watch.CHECKS,
            *shadow_checks.CHECKS,
        ],
        jobs=automation.JOBS,
        sensors=automation.SENSORS,
        schedules=automation.SCHEDULES,
        resources={"toolbox": toolbox or resources.toolbox},
    )


def _watched(*assets: dg.AssetsDefinition) -> list[dg.AssetsDefinition]:
    """The assets; an unpartitioned one turns red by itself when no run makes it: a backfilled month proves nothing."""
    fresh = dg.FreshnessPolicy.time_window(fail_window=watching.STALE_AFTER)
    return [
        one if one.partitions_def else one.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=fresh))
        for one in assets
    ]


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads. Raises ``SettingsError`` when nothing set the environment up."""
    if not os.environ.get(STARTED_BY):
        raise SettingsError(
            "Khaos Swap is not started by dagster dev: run `khaos-swap up`, or `make demo` to look around"
        )
    return build()
