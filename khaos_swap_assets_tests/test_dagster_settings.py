"""Tests of ``dagster.yaml`` on a real instance in a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType

from khaos_swap_assets import definitions
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets.running import dagster_parts
from khaos_swap_assets.ui.webserver import dagster_app
from khaos_swap_assets_tests.running import runs, serving

ROOT = Path(__file__).parent.parent
FALL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'settings_test_dagster'"


@pytest.fixture
def instance(
    postgres: embedded.EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    url = postgres.url("settings_test")
    store.ensure(store.sibling_url(url, "settings_test_dagster"))
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", store.dagster_url(url))
    with dg.DagsterInstance.from_config(str(dagster_parts.prepare_dagster_home(tmp_path))) as instance:
        yield instance


def test_dagster_lives_in_postgres_through_the_driver_it_can_use(instance: dg.DagsterInstance) -> None:
    assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
    assert type(instance.run_storage).__name__ == "PostgresRunStorage"
    assert type(instance.schedule_storage).__name__ == "PostgresScheduleStorage"
    assert instance.get_runs() == []


def test_runs_are_queued_and_taken_up_within_a_second(instance: dg.DagsterInstance) -> None:
    assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
    assert instance.run_coordinator.dequeue_interval_seconds == 1  # type: ignore[attr-defined]


def test_a_pool_has_one_place_for_each_op(instance: dg.DagsterInstance) -> None:
    pools = instance.get_concurrency_config().pool_config
    assert pools.default_pool_limit == 1
    assert pools.pool_granularity is not None
    assert pools.pool_granularity.value == "op"
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default("khaos")
    claims = [storage.claim_concurrency_slot("khaos", run, "step") for run in ("run-a", "run-b")]
    assert [claim.is_claimed for claim in claims] == [True, False]


def test_killed_runs_are_noticed_and_give_their_place_back(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_runtime_seconds == 900
    assert instance.get_settings("run_monitoring")["free_slots_after_run_end_seconds"] == 60
    assert not instance.run_retries_enabled


def test_freshness_is_on_and_telemetry_off(instance: dg.DagsterInstance) -> None:
    assert instance.get_settings("freshness") == {"enabled": True}
    assert not instance.telemetry_enabled


@pytest.mark.parametrize("kind", [InstigatorType.SCHEDULE, InstigatorType.SENSOR])
def test_ticks_are_not_kept_for_ever(instance: dg.DagsterInstance, kind: InstigatorType) -> None:
    days = instance.get_tick_retention_settings(kind)
    assert all(0 < kept <= 30 for kept in days.values())


def test_logs_of_runs_lie_in_the_data_folder(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    path = instance.compute_log_manager.get_log_metadata(["run", "compute_logs", "step"]).stdout_location
    assert path is not None
    assert path.startswith(str(tmp_path))
    assert instance.storage_directory().startswith(str(tmp_path))


def test_the_workspace_names_the_definitions_that_dagsters_own_tools_may_load() -> None:
    workspace = (ROOT / "workspace.yaml").read_text()
    assert f"module_name: {definitions.__name__}\n" in workspace
    assert f"location_name: {dagster_parts.LOCATION}\n" in workspace


def test_the_ui_answers_at_once_when_its_database_is_back(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: embedded.EmbeddedPostgres
) -> None:
    home = tmp_path / "dagster_home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    (home / "workspace.yaml").write_text("load_from: []\n")
    with dagster_app(home / "workspace.yaml") as app, serving(app) as port:
        assert runs(port) == []
        with store.connect(postgres.url("postgres"), application="tests") as connection:
            assert connection.execute(FALL).fetchall(), "the UI keeps no line, so this shows nothing"
        assert runs(port) == []
