"""Runs that Celery carries to a merchant's worker, with a real Redis; a worker that is lost is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import psycopg
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from psycopg.conninfo import make_conninfo

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, mark, writers
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.running import celery_parts, connections, dagster_parts, lost
from khaos_swap_assets.running.lost import Lost
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import free_port
from khaos_swap_assets_tests.running import House, until
from khaos_swap_assets_tests.test_belonging import JOB, planned

redis = pytest.importorskip("redis", reason="the packages of requirements/celery.txt are absent")
pytestmark = [
    pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is absent"),
    pytest.mark.house,
    # Each test makes a launcher anew, and Celery shares the tasks of one application with the next.
    pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateTaskNameWarning"),
]
PASSWORD = "password-of-redis"
OURS = "password-of-our-database"


class Broker:
    """A Redis that writes down what it was told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.port = free_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        words = ["--port", str(self.port), "--requirepass", PASSWORD, "--bind", "127.0.0.1"]
        self._argv = ["redis-server", *words, "--appendonly", "yes", "--dir", str(folder)]
        self.start()

    def start(self) -> None:
        self.server = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self.server.kill()
        self.server.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "redis")
    yield made
    made.kill()


class Spread:
    """A Dagster whose runs are sent to workers, and felwood's worker."""

    def __init__(self, env: Mapping[str, str], folder: Path, instance: dg.DagsterInstance) -> None:
        self.env, self.folder, self.instance = env, folder, instance
        self.redis = redis.Redis.from_url(env[celery_parts.URL])

    def send(self, merchant: str = "felwood", **more: Any) -> str:
        """A run of this merchant, on its way."""
        pointer = ModuleCodePointer(dagster_parts.MODULE, "defs", working_directory=str(self.folder))
        origin = JobPythonOrigin(JOB, RepositoryPythonOrigin(sys.executable, pointer))
        run = planned(self.instance, merchant, job_code_origin=origin, **more)
        self.instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
        return str(run.run_id)

    def status(self, run_id: str) -> str:
        run = self.instance.get_run_by_id(run_id)
        return run.status.value if run else "gone"

    def health(self, run_id: str) -> WorkerStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return self.instance.run_launcher.check_run_worker_health(run).status

    def ended(self, run_id: str) -> str:
        until(lambda: self.status(run_id) in ("SUCCESS", "FAILURE"), 90)
        return self.status(run_id)

    def said(self, run_id: str) -> str:
        return "\n".join(str(entry.dagster_event or entry.user_message) for entry in self.instance.all_logs(run_id))

    def worker(self, queue: str = "felwood") -> House:
        argv = [sys.executable, "-m", "khaos_swap_assets.running.run_worker"]
        return House(self.folder, [queue, "1"], self.env, argv)


@pytest.fixture
def spread(
    postgres: embedded.EmbeddedPostgres,
    database: psycopg.Connection[Any],
    database_url: str,
    broker: Broker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Spread]:
    url, folder = postgres.url("sent_runs"), tmp_path / "felwood"
    folder.mkdir()
    store.ensure(store.sibling_url(url, "sent_runs_dagster"))
    mark.ensure(database, "test")
    database.execute("UPDATE recon.installation SET merchant = 'felwood'")
    database.commit()
    env = {
        "KHAOS_SWAP_MERCHANT": "felwood",
        "KHAOS_SWAP_DATABASE_URL": make_conninfo("", **{**store.parts(database_url), "password": OURS}),
        "KHAOS_SWAP_SEAL_KEY": Sealer.new_key(),
        "KHAOS_SWAP_STARTED_BY": "test",
        "KHAOS_SWAP_DAGSTER_URL": store.dagster_url(url),
        celery_parts.URL: broker.url,
        "DAGSTER_HOME": str(dagster_parts.prepare_dagster_home(folder, is_of_many=True, are_sent=True)),
    }
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        yield Spread(env, folder, instance)


def test_a_run_waits_in_its_merchants_queue_whatever_its_tags_say_and_holds_no_secret(spread: Spread) -> None:
    spread.send(tags={celery_parts.QUEUE_TAG: "oakham", "merchant": "felwood"})
    queues = {key.decode().partition("\x06")[0]: key for key in spread.redis.keys("*") if b"binding" not in key}
    assert {*queues} == {"felwood"}
    message = spread.redis.lrange(queues["felwood"], 0, -1)[0].decode()
    secrets = (PASSWORD, OURS, spread.env["KHAOS_SWAP_SEAL_KEY"], spread.env["KHAOS_SWAP_DAGSTER_URL"])
    assert not [secret for secret in secrets if secret in message]


def test_a_worker_works_on_its_merchants_runs_and_on_no_other_that_went_astray(spread: Spread) -> None:
    worker = spread.worker()
    try:
        own = spread.send()
        assert spread.ended(own) == "SUCCESS", worker.said()
        assert until(lambda: spread.health(own) == WorkerStatus.SUCCESS, 20)
        astray = spread.send("oakham")
        (key,) = [key for key in spread.redis.keys("oakham*") if b"binding" not in key]
        assert spread.health(astray) == WorkerStatus.RUNNING, "what the broker does not know is no proof of a fall"
        spread.redis.rename(key, key.replace(b"oakham", b"felwood"))
        assert spread.ended(astray) == "FAILURE", worker.said()
        told = "was ended before it read anything: KHAOS_SWAP_MERCHANT of this process is felwood, but"
        assert told in spread.said(astray)
        assert "STEP_START" not in spread.said(astray)
    finally:
        worker.close()


def test_a_run_on_a_worker_opens_no_more_than_is_budgeted_keeps_it_and_a_worker_that_waits_opens_nothing(
    spread: Spread, database_url: str
) -> None:
    worker, seen, all_ours = spread.worker(), set[tuple[int, int]](), set[int]()
    try:
        run_id = spread.send()
        with store.connect(database_url, application="tests") as conn:
            conn.autocommit = True

            def is_over() -> bool:
                ours, dagster = opened(conn, run_id)
                all_ours.update(ours)
                seen.add((len(ours), dagster))
                return conn.execute("SELECT count(*) FROM recon.writers WHERE ended_at IS NOT NULL").fetchone() == (1,)

            assert until(is_over, 90, every=0.002), worker.said()
            assert spread.ended(run_id) == "SUCCESS", worker.said()
            assert until(lambda: opened(conn, run_id) == ([], 0), 20)
    finally:
        worker.close()
    assert 1 <= max(ours for ours, _ in seen) <= connections.A_RUN
    assert 1 <= max(dagster for _, dagster in seen) <= connections.A_RUN_OF_DAGSTER
    assert len(all_ours) <= connections.A_RUN + 1, "its steps share connections, with those of its beginning and end"


def opened(conn: psycopg.Connection[Any], run_id: str) -> tuple[list[int], int]:
    """Connections of the run to the merchant's database by their server processes, and how many are to Dagster's."""
    ours, dagster = conn.execute(
        "SELECT coalesce(array_agg(pid) FILTER (WHERE application_name = %s), '{}'), "
        "count(*) FILTER (WHERE datname = 'sent_runs_dagster') "
        "FROM pg_stat_activity",
        (f"khaos-swap {writers.APPLICATION.format(run_id=run_id)}",),
    ).fetchone() or ([], 0)
    return ours, dagster


def test_a_worker_outlives_a_broker_that_is_killed_and_loses_no_run(spread: Spread, broker: Broker) -> None:
    worker = spread.worker()
    try:
        assert spread.ended(spread.send()) == "SUCCESS", worker.said()
        broker.kill()
        broker.start()
        assert until(lambda: _answers(spread), 30)
        assert spread.ended(spread.send()) == "SUCCESS", worker.said()
    finally:
        worker.close()


def _answers(spread: Spread) -> bool:
    try:
        return bool(spread.redis.ping())
    except redis.exceptions.ConnectionError:
        return False


def test_a_worker_that_is_cut_off_loses_its_run_and_changes_nothing_when_it_comes_back(
    spread: Spread, database_url: str, monkeypatch: pytest.MonkeyPatch, database: psycopg.Connection[Any]
) -> None:
    monkeypatch.setattr(lost, "LOST_SECONDS", 3.0)
    url = store.sibling_url(spread.env["KHAOS_SWAP_DAGSTER_URL"].replace("+psycopg2", ""), "sent_runs_dagster")
    watch = Lost(database_url, Orphans(url, spread.env, spread.folder, "felwood"))
    worker = spread.worker()
    try:
        run_id = spread.send()
        with store.connect(database_url, application="tests") as conn:
            conn.autocommit = True
            assert until(lambda: run_id in writers.signs(conn), 90, every=0.02), worker.said()
        family = [psutil.Process(worker.process.pid), *psutil.Process(worker.process.pid).children(recursive=True)]
        for process in family:
            process.suspend()
        before = counted(database)

        def look() -> bool:
            watch.look()
            return spread.status(run_id) == "FAILURE"

        assert until(look, 60, every=1.0)
        assert "gave no sign of life for 3 s" in spread.said(run_id)
        for process in family:
            process.resume()
        assert until(lambda: f"run {run_id} was cut off" in spread.said(run_id), 60), spread.said(run_id)
        assert spread.status(run_id) == "FAILURE"
        assert counted(database) == before
        assert spread.ended(spread.send()) == "SUCCESS", "the worker goes on with the next run"
    finally:
        worker.close()


def counted(database: psycopg.Connection[Any]) -> list[Any]:
    rows = database.execute("SELECT * FROM recon.watermarks ORDER BY 1").fetchall()
    database.rollback()
    return rows
