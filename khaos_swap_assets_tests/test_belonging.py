"""A run that is not one merchant's in every respect ends before it reads anything, and says what does not fit."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from khaos_swap_assets import definitions, resources
from khaos_swap_assets.adapters.settings import Settings, load_settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, mark
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.running import dagster_parts
from khaos_swap_assets_tests.running import until

pytestmark = pytest.mark.house

JOB = "standing_checks"
"""A job that asks our own tables alone, and so goes well on an empty database."""

OPEN = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def as_felwood(monkeypatch: pytest.MonkeyPatch, database_url: str, database: psycopg.Connection[Any]) -> None:
    """This process has felwood's settings and felwood's database."""
    monkeypatch.setenv("KHAOS_SWAP_MERCHANT", "felwood")
    monkeypatch.setenv("KHAOS_SWAP_DATABASE_URL", database_url)
    monkeypatch.setenv("KHAOS_SWAP_SEAL_KEY", Sealer.new_key())
    mark.ensure(database, "test")
    belongs_to(database, "felwood")


def belongs_to(database: psycopg.Connection[Any], merchant: str) -> None:
    database.execute("UPDATE recon.installation SET merchant = %s", (merchant,))
    database.commit()


def planned(instance: dg.DagsterInstance, merchant: str, job: str = JOB, **more: Any) -> dg.DagsterRun:
    """A run as the daemon makes it from what the merchant's code server told it."""
    made = definitions.build(Settings(merchant=merchant)).resolve_job_def(job)
    plan, place = create_execution_plan(made), origin(merchant or "khaos_swap", job)
    usual: dict[str, Any] = {
        "tags": dict(made.tags),
        "status": dg.DagsterRunStatus.STARTING,
        "remote_job_origin": place,
    }
    return instance.create_run_for_job(made, execution_plan=plan, **(usual | more))


def origin(location: str, job: str) -> RemoteJobOrigin:
    return RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__"), job)


def worked_on(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    """What became of the run in this process; it must have begun no step where it did not go well."""
    mine = definitions.build(load_settings()).resolve_job_def(run.job_name)
    result = execute_run(InMemoryJob(mine), run, instance)
    if result.success:
        return "went well"
    begun = [event for event in result.all_events if event.is_step_start]
    assert begun == [], "it began to work"
    (failed,) = [event for event in result.all_events if event.is_resource_init_failure or event.is_failure][:1]
    return str(failed.event_specific_data.error.to_string())  # type: ignore[union-attr]


@pytest.mark.usefixtures("as_felwood")
def test_its_own_run_goes_well(instance: dg.DagsterInstance) -> None:
    assert worked_on(instance, planned(instance, "felwood")) == "went well"


@pytest.mark.usefixtures("as_felwood")
def test_its_steps_share_connections(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, connect = list[str](), store.connect

    def counted(url: str, *, application: str) -> psycopg.Connection[Any]:
        opened.append(application)
        return connect(url, application=application)

    monkeypatch.setattr(store, "connect", counted)
    run = planned(instance, "felwood")
    assert worked_on(instance, run) == "went well"
    assert 1 <= opened.count(f"dagster run {run.run_id}") <= 2, "one for its work, one for its signs of life"


def test_dagsters_questions_share_connections_while_a_run_lasts_and_keep_none(
    postgres: embedded.EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker to whom runs are sent outlives them: what each left would add up."""
    url = postgres.url("belonging")
    place = store.sibling_url(url, "belonging_dagster")
    store.ensure(place)
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", store.dagster_url(url))
    with (
        store.connect(place, application="tests") as conn,
        dg.DagsterInstance.from_config(str(dagster_parts.prepare_dagster_home(tmp_path))) as instance,
    ):
        conn.autocommit = True

        def those_open() -> set[int]:
            return {pid for (pid,) in conn.execute(OPEN).fetchall()}

        for _ in range(2):
            with resources.settled_in(instance):
                instance.get_runs()
                held = those_open()
                instance.get_runs()
                assert those_open() == held != set(), "a second question came by the connection of the first"
            assert until(lambda: not those_open(), 10)
            instance.get_runs()
            assert until(lambda: not those_open(), 10)


def test_what_is_loaded_is_set_apart_from_the_collector_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[object]()
    monkeypatch.setattr(gc, "get_freeze_count", lambda: len(done))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("apart"))
    monkeypatch.setattr(gc, "set_threshold", done.append)
    resources.set_apart()
    resources.set_apart()
    assert done == ["apart", resources.YOUNG_OBJECTS]


@pytest.mark.usefixtures("as_felwood")
def test_a_run_of_chosen_assets_carries_no_tag_and_goes_well(instance: dg.DagsterInstance) -> None:
    assert worked_on(instance, planned(instance, "felwood", tags={})) == "went well"


@pytest.mark.usefixtures("as_felwood")
@pytest.mark.parametrize(
    ("job", "told"),
    [
        (JOB, "its tag merchant is oakham; the prefix of its assets is oakham; its code location is oakham"),
        ("housekeeping", "its tag merchant is oakham; its code location is oakham"),
    ],
)
def test_another_merchants_run_reads_nothing(instance: dg.DagsterInstance, job: str, told: str) -> None:
    said = worked_on(instance, planned(instance, "oakham", job))
    assert "was ended before it read anything: KHAOS_SWAP_MERCHANT of this process is felwood, but " in said
    assert f"but {told}. Send it where" in said


@pytest.mark.usefixtures("as_felwood")
def test_one_word_that_names_another_is_enough(instance: dg.DagsterInstance) -> None:
    run = planned(instance, "felwood", tags={"merchant": "oakham"})
    assert "but its tag merchant is oakham. " in worked_on(instance, run)
    other = planned(instance, "felwood", remote_job_origin=origin("oakham", JOB))
    assert "but its code location is oakham. " in worked_on(instance, other)


@pytest.mark.usefixtures("as_felwood")
@pytest.mark.parametrize(("marked", "told"), [("oakham", "is oakham"), ("", "names no merchant")])
def test_a_database_that_is_anothers_is_not_read(
    instance: dg.DagsterInstance, database: psycopg.Connection[Any], marked: str, told: str
) -> None:
    belongs_to(database, marked)
    assert f"but the mark of the database {told}. " in worked_on(instance, planned(instance, "felwood"))


@pytest.mark.usefixtures("as_felwood")
def test_an_installation_without_merchants_works_on_nobody_elses_run(
    instance: dg.DagsterInstance, database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KHAOS_SWAP_MERCHANT")
    belongs_to(database, "")
    assert worked_on(instance, planned(instance, "")) == "went well"
    said = worked_on(instance, planned(instance, "felwood"))
    assert "of this process names no merchant, but its tag merchant is felwood; the prefix of its assets is f" in said
