"""Housekeeping on a real Dagster database: what is old goes in batches, and each month keeps its evidence for ever."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text

from khaos_swap_assets import housekeeping
from khaos_swap_assets.adapters.store import dagster_log, embedded, months
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.running import dagster_parts
from khaos_swap_assets_tests.stages.town import Town, some_settings
from khaos_swap_assets_tests.test_cli_upgrade import dropped, made

pytestmark = pytest.mark.house

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2026-01", end_date="2027-01", fmt="%Y-%m")
NOW = datetime.now(UTC)


@dg.asset(partitions_def=MONTHS, check_specs=[dg.AssetCheckSpec("adds_up", asset="month")])
def month(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    context.log.info('a person wrote "level": 30, here')
    context.log.warning("worth a look")
    if context.run.tags.get("fails"):
        raise RuntimeError("no")
    yield dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


@dg.asset
def plain() -> None:
    """Something without months."""


@pytest.fixture
def instance(
    postgres: embedded.EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    url = postgres.url("housekeeping")
    store.ensure(store.sibling_url(url, "housekeeping_dagster"))
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", store.dagster_url(url))
    monkeypatch.setattr(dagster_log, "BATCH", 2)
    with dg.DagsterInstance.from_config(str(dagster_parts.prepare_dagster_home(tmp_path))) as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        sql(instance, "TRUNCATE asset_check_executions")
        yield instance


def sql(instance: dg.DagsterInstance, query: str, **given: Any) -> list[Any]:
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        found = connection.execute(text(query), given)
        return [row[0] for row in found] if found.returns_rows else []


def play(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, days: int, **options: Any) -> str:
    """Materialise an asset so many days ago; the run's id."""
    run_id = dg.materialize([asset], instance=instance, raise_on_error=False, **options).run_id
    when = {"run_id": run_id, "at": (NOW - timedelta(days=days)).replace(tzinfo=None)}
    sql(instance, "UPDATE runs SET create_timestamp = :at WHERE run_id = :run_id", **when)
    sql(instance, "UPDATE event_logs SET timestamp = :at WHERE run_id = :run_id", **when)
    sql(instance, "UPDATE asset_check_executions SET create_timestamp = :at WHERE run_id = :run_id", **when)
    return run_id


def clean(instance: dg.DagsterInstance, town: Town, now: datetime = NOW) -> None:
    town.now = now
    done = housekeeping.housekeeping().execute_in_process(instance=instance, resources={"toolbox": town.tools})
    assert done.success
    instance.delete_run(done.run_id)


def kinds(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    found = sql(instance, "SELECT dagster_event_type FROM event_logs WHERE run_id = :run_id", run_id=run_id)
    return {kind or "log" for kind in found}


@pytest.fixture
def town(database_url: str) -> Town:
    return Town(database_url)


def test_old_runs_go_and_each_month_keeps_its_newest_run_and_its_evidence(
    instance: dg.DagsterInstance, town: Town
) -> None:
    replaced = [play(instance, month, 50 - number, partition_key="2026-05") for number in range(3)]
    may = play(instance, month, 45, partition_key="2026-05")
    june = play(instance, month, 44, partition_key="2026-06")
    failed = play(instance, month, 43, partition_key="2026-06", tags={"fails": "yes"})
    once, newest = play(instance, plain, 42), play(instance, plain, 41)
    young = play(instance, plain, 29)
    clean(instance, town)
    left = {run.run_id for run in instance.get_runs()}
    assert left == {may, june, failed, young}
    assert left.isdisjoint({*replaced, once, newest})
    assert instance.get_materialized_partitions(month.key) == {"2026-05", "2026-06"}
    verdicts = sql(instance, "SELECT run_id FROM asset_check_executions WHERE execution_status = 'SUCCEEDED'")
    assert set(verdicts) == {may, june}


def test_what_is_newest_stays_though_nothing_ran_for_long(instance: dg.DagsterInstance, town: Town) -> None:
    newest = [play(instance, plain, days) for days in (400, 399)][-1]
    clean(instance, town)
    assert [run.run_id for run in instance.get_runs()] == [newest]


def test_passing_events_go_early_and_results_verdicts_and_warnings_stay(
    instance: dg.DagsterInstance, town: Town
) -> None:
    old, young = (play(instance, month, days, partition_key=f"2026-0{days}") for days in (8, 6))
    before = kinds(instance, old)
    assert before >= {"STEP_OUTPUT", "ENGINE_EVENT", "log"}
    clean(instance, town)
    assert kinds(instance, young) == before
    after = kinds(instance, old)
    assert after == before - set(dagster_log.OF_PASSAGE)
    assert after >= {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_START", "STEP_SUCCESS"}
    lines = sql(instance, "SELECT event FROM event_logs WHERE run_id = :old AND dagster_event_type IS NULL", old=old)
    assert [("worth a look" in line, "a person" in line) for line in lines] == [(True, False)]


def test_logs_go_with_their_runs_and_lost_folders_follow(instance: dg.DagsterInstance, town: Town) -> None:
    gone, kept = (play(instance, plain, days) for days in (60, 50))
    storage = Path(instance.storage_directory())
    lost, fresh = "a-run-that-is-gone", "a-run-that-begins"
    for name in (gone, kept, lost, fresh):
        (storage / name / "compute_logs").mkdir(parents=True, exist_ok=True)
    two_days_ago = (NOW - timedelta(days=2)).timestamp()
    for name in (kept, lost):
        os.utime(storage / name / "compute_logs", (two_days_ago, two_days_ago))
    (storage / "history").mkdir(exist_ok=True)
    clean(instance, town)
    there = {name for name in (gone, kept, lost, fresh, "history") if (storage / name).exists()}
    assert there == {kept, fresh, "history"}


def test_a_run_under_way_is_never_deleted(instance: dg.DagsterInstance, town: Town) -> None:
    active = play(instance, plain, 60)
    play(instance, plain, 50)
    sql(instance, "UPDATE runs SET status = 'STARTED' WHERE run_id = :run_id", run_id=active)
    clean(instance, town)
    assert instance.has_run(active)


def test_months_to_come_get_their_parts_and_old_ones_are_set_apart_where_that_is_wished(
    instance: dg.DagsterInstance, postgres: embedded.EmbeddedPostgres
) -> None:
    url = made(postgres.url("housekeeping_months"))
    town = Town(url, some_settings())
    clean(instance, town)
    assert town.ask("SELECT 1 FROM pg_inherits WHERE inhparent = 'recon.audit_log'::regclass OFFSET 3") != []
    town = Town(url, some_settings(keep_months=24))
    for years, apart in ((1, []), (3, ["audit_log", "stock_level_history"])):
        clean(instance, town, NOW.replace(day=1) + timedelta(days=366 * years))
        with town.tools.store() as conn:
            assert [table for table in months.PARTED if months.parts(conn, table, attached=False)] == [
                table for table in months.PARTED if table.split(".")[1] in apart
            ]
    dropped(url)
