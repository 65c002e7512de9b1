"""Runs of a killed house are told to have ended, on a real instance in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets.running import dagster_parts, health, installation
from khaos_swap_assets.running.orphans import Orphans

pytestmark = pytest.mark.house


@dg.op(pool="khaos")
def work() -> None:
    """Do nothing."""


@dg.job
def sync() -> None:
    work()


@pytest.fixture
def url(postgres: embedded.EmbeddedPostgres) -> str:
    return postgres.url("orphans")


@pytest.fixture
def env(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    home = dagster_parts.prepare_dagster_home(tmp_path)
    return {"DAGSTER_HOME": str(home), "KHAOS_SWAP_DAGSTER_URL": store.dagster_url(url)}


@pytest.fixture
def instance(url: str, env: Mapping[str, str]) -> Iterator[dg.DagsterInstance]:
    store.ensure(installation.dagster_database(url))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.get() as instance:
            yield instance


def test_only_runs_that_had_not_ended_are_closed_and_their_places_freed(
    instance: dg.DagsterInstance, url: str, env: Mapping[str, str], tmp_path: Path
) -> None:
    statuses = [dg.DagsterRunStatus[name] for name in ("NOT_STARTED", "STARTING", "STARTED", "CANCELING", "SUCCESS")]
    made = {status: instance.create_run_for_job(sync, status=status).run_id for status in statuses}
    storage = instance.event_log_storage
    storage.initialize_concurrency_limit_to_default("khaos")
    killed = made[dg.DagsterRunStatus.STARTED]
    assert storage.claim_concurrency_slot("khaos", killed, "step").is_claimed

    Orphans(installation.dagster_database(url), env, tmp_path).close_all()

    found = {status.value: run.status.value for status, one in made.items() if (run := instance.get_run_by_id(one))}
    closed = dict.fromkeys(("NOT_STARTED", "STARTING", "STARTED", "CANCELING"), "FAILURE")
    assert found == {"SUCCESS": "SUCCESS", **closed}
    assert storage.claim_concurrency_slot("khaos", "the next run", "step").is_claimed


def test_a_run_that_was_given_no_process_is_closed_and_one_that_has_one_or_is_new_is_not(
    instance: dg.DagsterInstance, url: str, env: Mapping[str, str], tmp_path: Path
) -> None:
    made = [instance.create_run_for_job(sync, status=dg.DagsterRunStatus.STARTING) for _ in range(3)]
    waiting, launched, new = made
    instance.report_engine_event("Started process for run (pid: 1).", launched)
    database = installation.dagster_database(url)
    with store.connect(database, application="tests") as conn:
        conn.execute(
            "UPDATE runs SET update_timestamp = update_timestamp - interval '61 seconds' WHERE run_id = ANY(%s)",
            ([waiting.run_id, launched.run_id],),
        )

    Orphans(database, env, tmp_path).close_lost()

    found = [run.status.value for one in (waiting, launched, new) if (run := instance.get_run_by_id(one.run_id))]
    assert found == ["FAILURE", "STARTING", "STARTING"]
    assert "it was given no process within 60 s; the next run does what is still undone" in str(
        instance.all_logs(waiting.run_id)
    )


def test_a_database_that_dagster_has_not_used_yet_has_none(postgres: embedded.EmbeddedPostgres, tmp_path: Path) -> None:
    orphans = Orphans(postgres.url("postgres"), {}, tmp_path)
    orphans.close_all()
    orphans.close_lost()
    assert health.daemon_beats(orphans.url)
