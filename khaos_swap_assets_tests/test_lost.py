"""Runs on other machines that give no sign of life: found in less than a minute, fenced, then closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, writers
from khaos_swap_assets.heartbeat import BEAT_SECONDS
from khaos_swap_assets.running import dagster_parts, lost, watching
from khaos_swap_assets.running.lost import Lost
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets_tests.test_prefixing import run_of

Status = dg.DagsterRunStatus


class Closing(Orphans):
    """Notes what would be closed, in place of a process of its own that takes seconds."""

    closed: list[tuple[list[str], str]]

    def close_these(self, run_ids: Sequence[str], reason: str) -> None:
        self.closed.append((list(run_ids), reason))


class Watch:
    """The look at felwood's runs, with a clock that moves by hand."""

    def __init__(self, url: str, dagster_url: str, instance: dg.DagsterInstance, folder: Path) -> None:
        self.url, self.instance, self.now = url, instance, 1000.0
        self.orphans = Closing(dagster_url, {}, folder, "felwood")
        self.orphans.closed = []
        self.lost = Lost(url, self.orphans, lambda: self.now)

    def look(self, seconds: float) -> list[tuple[list[str], str]]:
        """Look every five seconds for so long; what was closed then."""
        before = len(self.orphans.closed)
        for _ in range(int(seconds // watching.ASK_SECONDS)):
            self.now += watching.ASK_SECONDS
            self.lost.look()
        return self.orphans.closed[before:]

    def begun(self, merchant: str = "felwood") -> writers.Token:
        run_id = run_of(self.instance, merchant, "sync", Status.STARTED)
        with store.connect(self.url, application="tests") as conn:
            return writers.begin(conn, run_id, "process 7 of run1")

    def beat(self, token: writers.Token) -> None:
        with store.connect(self.url, application="tests") as conn:
            writers.beat(conn, token)

    def fenced(self) -> dict[str, str]:
        with store.connect(self.url, application="tests") as conn:
            rows = conn.execute("SELECT run_id, fenced_because FROM recon.writers WHERE fenced_at IS NOT NULL")
            return dict(rows.fetchall())


@pytest.fixture
def watch(
    postgres: embedded.EmbeddedPostgres, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watch]:
    url = postgres.url("lost_runs")
    store.ensure(store.sibling_url(url, "lost_runs_dagster"))
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", store.dagster_url(url))
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_parts.prepare_dagster_home(tmp_path)))
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        yield Watch(database_url, store.sibling_url(url, "lost_runs_dagster"), instance, tmp_path)


def test_a_lost_host_is_found_in_less_than_a_minute() -> None:
    looks = 2 * watching.ASK_SECONDS
    assert BEAT_SECONDS + lost.LOST_SECONDS + looks < 60


def test_who_falls_silent_is_fenced_and_closed_and_the_others_go_on(watch: Watch) -> None:
    silent, alive, other = watch.begun(), watch.begun(), watch.begun("oakham")
    assert watch.look(lost.LOST_SECONDS) == []
    watch.beat(alive)
    (closed,) = watch.look(watching.ASK_SECONDS)
    assert closed[0] == [silent.run_id]
    assert closed[1].startswith(f"process 7 of run1 gave no sign of life for {lost.LOST_SECONDS:.0f} s, last at ")
    assert watch.fenced() == {silent.run_id: closed[1], other.run_id: lost.CLOSED}
    watch.beat(alive)


def test_a_run_that_fell_before_its_first_sign_is_closed_too(watch: Watch) -> None:
    run_id = run_of(watch.instance, "felwood", "sync", Status.STARTED)
    run_of(watch.instance, "felwood", "sync", Status.STARTING)
    run_of(watch.instance, "oakham", "sync", Status.STARTED)
    assert watch.look(lost.LOST_SECONDS) == []
    assert watch.look(watching.ASK_SECONDS) == [
        ([run_id], f"its worker gave no sign of life for {lost.LOST_SECONDS:.0f} s")
    ]


def test_a_run_that_dagster_closed_and_that_goes_on_is_fenced(watch: Watch) -> None:
    token = watch.begun()
    run = watch.instance.get_run_by_id(token.run_id)
    assert run
    watch.instance.report_run_failed(run, "it took too long")
    for _ in range(9):
        assert watch.look(watching.ASK_SECONDS) == []
        if not watch.fenced():
            watch.beat(token)
    assert watch.fenced() == {token.run_id: lost.CLOSED}


def test_after_a_time_in_which_nobody_could_look_every_run_has_its_time_anew(watch: Watch) -> None:
    watch.begun()
    assert watch.look(lost.LOST_SECONDS) == []
    watch.now += 600
    assert watch.look(lost.LOST_SECONDS) == []
    assert watch.fenced() == {}
    assert len(watch.look(watching.ASK_SECONDS)) == 1
