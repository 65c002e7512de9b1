"""Merchants in one Dagster: the same definitions under a name each, and nobody touches what is another's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import text

from khaos_swap_assets import automation, definitions, failures, housekeeping
from khaos_swap_assets.adapters import alerts
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import dagster_runs, embedded
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.running import dagster_parts, orphans
from khaos_swap_assets.stages.presenting import keys
from khaos_swap_assets_tests.stages.town import Town, a_return

Status = dg.DagsterRunStatus
NOW = datetime.now(UTC)
MERCHANTS = ("felwood", "oakham")


def test_a_name_stands_before_every_asset_and_in_every_pool_and_changes_nothing_else() -> None:
    plain, named = (definitions.build(Settings(merchant=merchant)) for merchant in ("", "felwood"))
    before, after = plain.resolve_asset_graph(), named.resolve_asset_graph()
    assert {key.with_prefix("felwood") for key in before.get_all_asset_keys()} == set(after.get_all_asset_keys())
    assert {(key.asset_key.with_prefix("felwood"), key.name) for key in before.asset_check_keys} == {
        (key.asset_key, key.name) for key in after.asset_check_keys
    }
    for key in before.get_all_asset_keys():
        one, other = before.get(key), after.get(key.with_prefix("felwood"))
        assert {parent.with_prefix("felwood") for parent in one.parent_keys} == set(other.parent_keys), key
        before_it = [f"felwood/{name}" for name in str(one.metadata.get("run_before", "")).split(", ") if name]
        assert other.metadata == {**one.metadata, **({"run_before": ", ".join(before_it)} if before_it else {})}
        assert (one.group_name, one.description, one.owners, one.kinds, one.tags, one.freshness_policy) == (
            other.group_name,
            other.description,
            other.owners,
            other.kinds,
            other.tags,
            other.freshness_policy,
        ), key
    assert pools(plain) == {"khaos", "swap"}
    assert pools(named) == {"khaos_felwood", "swap_felwood"}
    for job in ("sync", "standing_checks", "watch", "open_returns", "month_end", "housekeeping", "sign_month"):
        one_job, other_job = plain.resolve_job_def(job), named.resolve_job_def(job)
        assert {node.name for node in one_job.nodes} == {
            node.name.removeprefix("felwood__") for node in other_job.nodes
        }
        assert {**one_job.tags, "merchant": "felwood"} == other_job.tags


def pools(made: dg.Definitions) -> set[str]:
    return {pool for node in made.resolve_job_def("sync").nodes for pool in node.definition.pools}


def ops(made: dg.Definitions) -> dict[str, dict[str, Any]]:
    """Every op of a sync by its name, as it is but for its pool."""
    found = [node.definition for node in made.resolve_job_def("sync").nodes]
    return {
        one.name: {
            "compute_fn": one.compute_fn,
            "ins": [*one.input_dict],
            "outs": [*one.output_dict],
            "resources": one.required_resource_keys,
            "tags": one.tags,
            "retry_policy": one.retry_policy,
        }
        for one in found
        if isinstance(one, dg.OpDefinition)
    }


def test_what_an_asset_does_is_the_same_under_every_name() -> None:
    plain, named = (definitions.build(Settings(merchant=merchant)) for merchant in ("", "felwood"))
    assert ops(plain) == ops(named)


@pytest.fixture
def town(database_url: str) -> Town:
    """The first merchant's."""
    return Town(database_url).with_settings(merchant=MERCHANTS[0])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.mark.long
@pytest.mark.parametrize("job", ["sync", "standing_checks", "watch", "open_returns", "month_end"])
def test_every_job_writes_under_the_merchants_name_only(town: Town, instance: dg.DagsterInstance, job: str) -> None:
    town.sells_and_takes_back(a_return(1))
    resource = dg.ResourceDefinition.hardcoded_resource(town.tools)
    made = definitions.build(town.tools.settings, toolbox=resource)
    how: dict[str, Any] = {"partition_key": "2026-03"} if job == "month_end" else {}
    result = made.resolve_job_def(job).execute_in_process(instance=instance, **how)
    written = [event.asset_key for event in result.get_asset_materialization_events()]
    written += [one.asset_key for one in result.get_asset_check_evaluations()]
    assert written
    assert {key.path[0] for key in written if key} == {"felwood"}
    found = instance.get_latest_materialization_event(keys("reconciliation/returns", "felwood")[0])
    if job == "sync":
        assert found
        assert found.asset_materialization
        lineage = found.asset_materialization.metadata["dagster/column_lineage"].value
        assert isinstance(lineage, dg.TableColumnLineage)
        deps = {dep.asset_key.path[0] for found in lineage.deps_by_column.values() for dep in found}
        assert deps == {"felwood"}


def run_of(instance: dg.DagsterInstance, merchant: str, job: str, status: Status, **more: Any) -> str:
    """A run as the daemon makes it, of the merchant's code location."""
    origin = RemoteJobOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(merchant), "__repository__"), job_name=job
    )
    made = create_run_for_test(instance, job_name=job, status=status, remote_job_origin=origin, **more)
    return str(made.run_id)


def test_a_merchant_waits_for_its_own_runs_only(town: Town, instance: dg.DagsterInstance) -> None:
    run_of(instance, "oakham", "sync", Status.STARTED)
    run_of(instance, "oakham", "sync", Status.SUCCESS)
    assert not automation.is_active(instance, "sync", town.tools)
    context = dg.build_sensor_context(instance=instance)
    assert automation.sync_ended(context, town.tools) == dg.SkipReason("no sync has ended since the last verdicts")
    run_of(instance, "felwood", "sync", Status.STARTED)
    assert automation.is_active(instance, "sync", town.tools)
    run_of(instance, "felwood", "sync", Status.SUCCESS)
    assert isinstance(automation.sync_ended(context, town.tools), dg.SensorResult)


def test_a_merchant_is_told_of_its_own_failures_only(
    town: Town, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(_: Settings, __: str, body: str) -> bool:
        sent.append(body)
        return True

    monkeypatch.setattr(alerts, "send", send)
    monkeypatch.setattr(failures, "MOST", 2)

    def fail(merchant: str) -> None:
        run = instance.get_run_by_id(run_of(instance, merchant, "sync", Status.STARTED))
        assert run
        instance.report_run_failed(run, f"{merchant} fell")

    def look(cursor: str | None) -> str | None:
        context = dg.build_sensor_context(instance, cursor)
        failures.failed_runs(context, town.tools)
        return context.cursor

    fail("oakham")
    cursor = look(None)
    for _ in range(5):
        fail("oakham")
    fail("felwood")
    for _ in range(4):
        cursor = look(cursor)
    assert sent == ["felwood fell"]


@pytest.fixture
def shared(
    postgres: embedded.EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """A Dagster of several merchants on a real database."""
    url = postgres.url("merchants")
    store.ensure(store.sibling_url(url, "merchants_dagster"))
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", store.dagster_url(url))
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_parts.prepare_dagster_home(tmp_path)))
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        yield instance


def aged(instance: dg.DagsterInstance, run_id: str, days: int) -> str:
    when = {"run_id": run_id, "at": (NOW - timedelta(days=days)).replace(tzinfo=None)}
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        connection.execute(text("UPDATE runs SET create_timestamp = :at WHERE run_id = :run_id"), when)
        connection.execute(text("UPDATE event_logs SET timestamp = :at WHERE run_id = :run_id"), when)
    return run_id


def test_a_merchants_housekeeping_leaves_the_others_runs_and_each_keeps_the_newest_of_its_months(
    shared: dg.DagsterInstance, town: Town
) -> None:
    old = {}
    for merchant in MERCHANTS:
        for name, days in (("older", 80), ("newest", 70)):
            run = run_of(shared, merchant, "month_end", Status.SUCCESS, tags={"dagster/partition": "2026-03"})
            old[merchant, name] = aged(shared, run, days - 20 * (merchant == "oakham"))
        old[merchant, "plain"] = aged(shared, run_of(shared, merchant, "sync", Status.SUCCESS), 60)
        shared.report_engine_event("it goes on", shared.get_run_by_id(old[merchant, "newest"]))
        aged(shared, old[merchant, "newest"], 50)
    town.now = NOW
    events = dict.fromkeys(MERCHANTS, 0)
    before = len(shared.all_logs(old["oakham", "newest"]))
    done = housekeeping.housekeeping().execute_in_process(instance=shared, resources={"toolbox": town.tools})
    left = {run.run_id for run in shared.get_runs()} - {done.run_id}
    gone = {old["felwood", "older"], old["felwood", "plain"]}
    assert left == {*old.values()} - gone
    events = {merchant: len(shared.all_logs(old[merchant, "newest"])) for merchant in MERCHANTS}
    assert events == {"felwood": 0, "oakham": before}
    assert before > 0


def test_a_merchants_lost_runs_are_closed_and_the_others_go_on(shared: dg.DagsterInstance, tmp_path: Path) -> None:
    runs = {merchant: run_of(shared, merchant, "sync", Status.STARTED) for merchant in MERCHANTS}
    url = store.sibling_url(str(shared.event_log_storage.postgres_url), "merchants_dagster").replace("+psycopg2", "")  # type: ignore[attr-defined]
    assert dagster_runs.are_any_unfinished(url, "felwood")
    assert orphans.close("felwood") == 1
    assert not dagster_runs.are_any_unfinished(url, "felwood")
    assert dagster_runs.are_any_unfinished(url, "oakham")
    found = {merchant: run.status for merchant, one in runs.items() if (run := shared.get_run_by_id(one))}
    assert found == {"felwood": Status.FAILURE, "oakham": Status.STARTED}
