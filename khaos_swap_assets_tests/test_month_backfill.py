"""Two months with opposite verdicts, kept through a run again, a backfill by Dagster's own daemon, and a restart."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration

from khaos_swap_assets import definitions
from khaos_swap_assets.stages.reconciliation.assets import MONTH_END
from khaos_swap_assets_tests.stages.town import NOON, Town, a_note, a_return
from khaos_swap_assets_tests.test_definitions import newest_verdicts, run

FEBRUARY, MARCH = "2026-02", "2026-03"
AT_ONCE: Any = {
    "run_launcher": {
        "module": "dagster._core.launcher.sync_in_memory_run_launcher",
        "class": "SyncInMemoryRunLauncher",
    },
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
    "telemetry": {"enabled": False},
}
"""Runs are made where and when they are asked for."""
towns: list[Town] = []


@dg.definitions
def location() -> dg.Definitions:
    """The code location over the town of the test that runs."""
    made = definitions.build(toolbox=dg.ResourceDefinition.hardcoded_resource(towns[-1].tools))
    return dg.Definitions.merge(made, dg.Definitions(executor=dg.in_process_executor))


@contextmanager
def started(home: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster on the storage of a folder; to leave and start again is a restart."""
    with dg.DagsterInstance.local_temp(str(home), overrides=AT_ONCE) as instance:
        yield instance


def backfill(instance: dg.DagsterInstance, *months: str) -> None:
    """What the daemon does for a backfill that a person launches on the page of the asset."""
    here = LoadableTargetOrigin(executable_path=sys.executable, module_name=__name__, attribute="location")
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(here, location_name="months"))
    with WorkspaceProcessContext(instance, target) as workspace:
        graph = workspace.create_request_context().asset_graph
        asked = PartitionBackfill.from_asset_partitions(
            "months", graph, months, [MONTH_END], NOON.timestamp(), {}, instance, False, None, None, None
        )
        instance.add_backfill(asked)
        for _ in range(10):
            list(execute_backfill_iteration(workspace, logging.getLogger(__name__)))
            if (done := instance.get_backfill("months")) and done.status != BulkActionStatus.REQUESTED:
                break
    assert done
    assert done.status == BulkActionStatus.COMPLETED_SUCCESS


def kept(instance: dg.DagsterInstance) -> dict[str | None, int]:
    """How many verdicts Dagster keeps of each month; one that was planned and never came would be a phantom."""
    key = dg.AssetCheckKey(MONTH_END, "refunds_reconcile")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
    assert {record.status.value for record in history} <= {"SUCCEEDED", "FAILED"}
    months = [record.partition for record in history]
    return {month: months.count(month) for month in months}


@pytest.mark.house
@pytest.mark.filterwarnings("ignore:.* is deprecated and will be removed in 2.0:DeprecationWarning")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine .*shutdown_asyncgens:RuntimeWarning"
)
def test_two_months_keep_opposite_verdicts_through_a_rerun_a_backfill_and_a_restart(
    database_url: str, tmp_path: Path
) -> None:
    towns.append(town := Town(database_url))
    in_february = {name: NOON - timedelta(days=20) for name in ("processed_at", "closed_at")}
    town.with_settings(mode="audit", post_from=None).sells_and_takes_back(a_return(1), a_return(2, **in_february))
    town.khaos.notes["CN1"] = a_note("CN1", associated_ref="RMA1")
    town.sync()
    opposite = {FEBRUARY: False, MARCH: True}
    with started(tmp_path) as instance:
        for month in (FEBRUARY, MARCH, FEBRUARY):
            run(town, instance, "month_end", partition_key=month)
        assert newest_verdicts(instance) == opposite
        backfill(instance, FEBRUARY, MARCH)
        assert newest_verdicts(instance) == opposite
    with started(tmp_path) as instance:
        assert newest_verdicts(instance) == opposite
        run(town, instance, "month_end", partition_key=MARCH)
        assert newest_verdicts(instance) == opposite
        assert kept(instance) == {FEBRUARY: 3, MARCH: 3}
