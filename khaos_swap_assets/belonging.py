"""Whose a run is: it begins only where its tags, its assets, this process and the database name one merchant.

Belongs here: that rule, asked before a run reads anything else. Stays out: where a run is sent (``running``), and
reading the database's mark (``adapters.store.mark``). An installation without merchants names none everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.running.celery_parts import QUEUE_TAG

MERCHANT = "merchant"
"""The tag of a run that says whose it is, by which the queue keeps one merchant from waiting for another."""
LOCATION = "its code location"
PARTS = 2
"""An asset's key without a merchant: whose truth it is, and what."""


def tags_of(settings: Settings | None) -> dict[str, str]:
    """The tags of a merchant's runs: whose they are, and where they are sent their queue. None without a merchant."""
    merchant = settings.merchant if settings else ""
    if not settings or not merchant:
        return {}
    return {MERCHANT: merchant, **({QUEUE_TAG: merchant} if settings.runs.are_sent else {})}


def require_one_merchant(run: dg.DagsterRun, instance: dg.DagsterInstance, merchant: str, marked: str) -> None:
    """Raise ``SettingsError`` with a line for all that does not name ``merchant``, as this process's settings do.

    ``marked`` is the merchant whose database it is.
    """
    claims = {"the mark of the database": {marked}, **_claims(run, instance)}
    if not merchant:
        del claims[LOCATION]
    wrong = [f"{what} {_named(one)}" for what, named in claims.items() for one in sorted(named - {merchant})]
    if wrong:
        raise SettingsError(
            f"run {run.run_id} was ended before it read anything: {PREFIX}MERCHANT of this process {_named(merchant)}, "
            f"but {'; '.join(wrong)}. Send it where its merchant's runs are worked on, or correct the settings there"
        )


def _named(merchant: str) -> str:
    return f"is {merchant}" if merchant else "names no merchant"


def _claims(run: dg.DagsterRun, instance: dg.DagsterInstance) -> dict[str, set[str]]:
    """Whatever of a run says whose it is, and whose it says: a run of single assets carries no tag of ours."""
    origin = run.remote_job_origin
    location = {origin.repository_origin.code_location_origin.location_name} if origin else set()
    is_tagged = MERCHANT in run.tags or not location
    prefixes = {key.path[0] if len(key.path) > PARTS else "" for key in _asset_keys(run, instance)}
    return {
        f"its tag {MERCHANT}": {run.tags.get(MERCHANT, "")} if is_tagged else set(),
        "the prefix of its assets": prefixes,
        LOCATION: location,
    }


def _asset_keys(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[dg.AssetKey]:
    """The assets that the run was planned with, by whoever planned it."""
    if run.execution_plan_snapshot_id:
        plan = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id)
        for key in (output.entity_key for step in plan.steps for output in step.outputs):
            if key is not None:
                yield key if isinstance(key, dg.AssetKey) else key.asset_key
