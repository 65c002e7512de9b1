"""A play over a sandbox and jobs made for the test: when it goes on, when it is quiet, and what it measures."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import dagster as dg
import httpx
import pytest

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.settings import PERIOD_START
from khaos_swap_assets.adapters.store.embedded import EmbeddedPostgres
from khaos_swap_assets.demo import rounds
from khaos_swap_assets.demo.environment import Place
from khaos_swap_assets.demo.rounds import WAITS, Play, Played
from khaos_swap_assets.stages.credit_notes import people
from khaos_swap_assets.stages.reconciliation.assets import months_from
from khaos_swap_assets_tests.stages.town import NOON, Town

pytestmark = pytest.mark.house

STILL = {"steps": 0, "pulled": 0, "sold": 0}


@dataclass
class House:
    """What the jobs did and shall do: ``failures`` of the next syncs, verdicts of the check, months closed."""

    syncs: int = 0
    failures: list[str] = field(default_factory=list)
    is_green: bool = True
    months: list[str] = field(default_factory=list)

    def definitions(self) -> dg.Definitions:
        @dg.asset
        def synced() -> None:
            self.syncs += 1
            if self.failures and (text := self.failures.pop(0)):
                raise KhaosSwapError(text)

        @dg.asset_check(asset=synced)
        def every_return_is_readable() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.is_green)

        @dg.asset(partitions_def=months_from(PERIOD_START))
        def closed(context: dg.AssetExecutionContext) -> None:
            self.months.append(context.partition_key)

        return dg.Definitions(
            assets=[synced, closed],
            asset_checks=[every_return_is_readable],
            jobs=[
                dg.define_asset_job("sync", dg.AssetSelection.assets(synced).without_checks()),
                dg.define_asset_job("standing_checks", dg.AssetSelection.checks(every_return_is_readable)),
                dg.define_asset_job("month_end", [closed]),
            ],
        )


@dataclass
class Sandbox:
    """The admin door: ``ticks`` are what the next rounds do, then nothing; ``calls`` is what was asked, in order."""

    now: datetime = NOON
    ticks: list[dict[str, int]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    is_down: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        door = request.url.path.removeprefix("/admin/")
        if self.is_down:
            return httpx.Response(500)
        if door == "advance":
            hours = json.loads(request.content)["hours"]
            self.now += timedelta(hours=hours)
            door = f"advance {hours:g}"
        self.calls += [door] if door != "clock" else []
        tick = STILL | self.ticks.pop(0) if door == "tick" and self.ticks else STILL
        return httpx.Response(200, json={"now": self.now.isoformat(), "did": tick, "actions": self.actions})


@dataclass
class Stage:
    """A play, and everything around it."""

    play: Play
    house: House
    sandbox: Sandbox
    said: list[str]
    due: list[str]


@pytest.fixture
def stage(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    house, sandbox, said, due = House(), Sandbox(), list[str](), list[str]()
    monkeypatch.setattr(rounds, "local_reason", lambda *_: due.pop(0) if due else "")
    door = httpx.Client(transport=httpx.MockTransport(sandbox.answer))
    place = Place(tmp_path, cast(EmbeddedPostgres, None), 1, 2)
    with dg.DagsterInstance.ephemeral() as instance:
        play = Play(place, Town(database_url).tools, house.definitions(), instance, said.append, door=door)
        yield Stage(play, house, sandbox, said, due)


def test_a_play_waits_until_it_is_quiet_then_lets_time_pass_three_times(stage: Stage) -> None:
    stage.play.run()
    hours = [f"advance {wait / timedelta(hours=1):g}" for wait in WAITS]
    quiet = ["tick", "tick"]
    assert stage.sandbox.calls == [*quiet, "script", *(call for hour in hours for call in (hour, *quiet))]
    assert stage.house.syncs == 4
    assert stage.play.place.clock_file.read_text() == (NOON + sum(WAITS, timedelta())).isoformat()
    assert stage.said[0].startswith("10 Mar 12:00 round 1: 0 exceptions")


@pytest.mark.parametrize(
    ("did", "due", "failures", "syncs"),
    [
        ([], [], [], 1),
        ([{}, {"steps": 1}], [], [], 2),
        ([{"steps": 2}, {"pulled": 1}, {"pulled": 1}], [], [], 3),
        ([{"sold": 3}, {"sold": 3}], [], [], 1),
        ([], ["3 returns are in line"], [], 2),
        ([], ["a document is out or ready"], [], 1),
        ([], [], ["Swap answers 500"], 2),
    ],
    ids=[
        "nothing happens",
        "something happens in the second round",
        "something happens in three",
        "that the shop sells on is no work",
        "something is due",
        "a document that waits for the channel alone is not due",
        "a run failed",
    ],
)
def test_a_play_goes_on_while_anything_is_left_to_do(
    stage: Stage, did: list[dict[str, int]], due: list[str], failures: list[str], syncs: int
) -> None:
    stage.sandbox.ticks, stage.house.failures = did, failures
    stage.due += due
    stage.play._until_quiet()
    assert stage.house.syncs == syncs


def test_a_failed_run_is_counted_and_its_reason_said(stage: Stage) -> None:
    stage.house.failures = ["Swap answers 500"]
    played = stage.play.run()
    assert played.failed_runs == 1
    assert stage.said[0].startswith("synced failed: ")
    assert stage.said[0].endswith("KhaosSwapError: Swap answers 500")


def test_too_many_failed_runs_end_the_play(stage: Stage) -> None:
    stage.house.failures = ["Swap answers 500"] * 20
    with pytest.raises(KhaosSwapError, match="6 runs failed; the reasons are above"):
        stage.play.run()
    assert stage.house.syncs == rounds.MOST_FAILURES + 1


def test_a_play_that_never_becomes_quiet_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "MOST_ROUNDS", 3)
    stage.sandbox.ticks = [{"steps": 1}] * 9
    with pytest.raises(KhaosSwapError, match="not quiet after 3 rounds"):
        stage.play.run()
    assert stage.house.syncs == 3


def test_a_sandbox_that_is_gone_ends_the_play(stage: Stage) -> None:
    stage.sandbox.is_down = True
    with pytest.raises(httpx.HTTPStatusError):
        stage.play.run()


def test_the_touched_months_are_closed_at_the_end_and_unknown_ones_are_not(stage: Stage) -> None:
    known = months_from(PERIOD_START).get_first_partition_key()
    with stage.play.tools.store() as conn:
        for period in (known, "1999-01"):
            conn.execute("INSERT INTO recon.touched_periods VALUES (%s, now())", (period,))
    stage.play.run()
    assert stage.house.months == [known]


def test_of_a_check_the_last_verdict_counts(stage: Stage) -> None:
    stage.house.is_green = False
    stage.play._job("standing_checks")
    assert stage.play.played.checks == {("every_return_is_readable", ""): False}
    stage.house.is_green = True
    stage.play._job("standing_checks")
    assert stage.play.played.checks == {("every_return_is_readable", ""): True}


def test_the_seconds_of_a_stage_add_up_over_the_runs(stage: Stage) -> None:
    stage.play._sync()
    once = stage.play.played.seconds["synced"]
    stage.play._sync()
    assert stage.play.played.seconds["synced"] > once > 0


def test_the_time_of_a_block_is_added_even_when_it_fails() -> None:
    played = Played(seconds={"sandbox": 5.0})
    with pytest.raises(KhaosSwapError), played.timed("sandbox"):
        raise KhaosSwapError("gone")
    assert played.seconds["sandbox"] > 5.0


def test_a_person_processes_what_khaos_left_half_done(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str, datetime]] = []

    def process(_conn: object, _khaos: object, reference: str, code: str, person: Any, *, now: datetime) -> Any:
        asked.append((reference, code, person.by, now))
        return None, "return RC1 was processed"

    monkeypatch.setattr(people, "process_return", process)
    stage.sandbox.actions = [{"reference": "RMA1", "return_code": "RC1"}, {"reference": "RMA2", "return_code": "RC2"}]
    stage.play._act()
    assert asked == [("RMA1", "RC1", rounds.PERSON.by, NOON), ("RMA2", "RC2", rounds.PERSON.by, NOON)]
    assert stage.said == ["RMA1: return RC1 was processed", "RMA2: return RC1 was processed"]


def test_a_person_is_told_of_a_document_whose_posting_has_ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def process(_conn: object, _khaos: object, reference: str, *_: object, **__: object) -> Any:
        raise people.ActionError(f"{reference} is refused")

    monkeypatch.setattr(people, "process_return", process)
    stage.sandbox.actions = [{"reference": "RMA1", "return_code": "RC1"}, {"reference": "RMA1", "return_code": "RC2"}]
    stage.play._act()
    assert stage.said == ["RMA1: RMA1 is refused"] * 2
