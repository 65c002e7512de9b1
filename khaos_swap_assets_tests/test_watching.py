"""What a watcher finds: a database that went and came, a child that hangs, a chore that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from khaos_swap_assets.adapters.errors import HouseError, KhaosSwapError, StoreAwayError
from khaos_swap_assets.running import watching
from khaos_swap_assets.running.processes import Child
from khaos_swap_assets.running.watching import Watcher
from khaos_swap_assets_tests.running import until


class Earth:
    """A ground that a test moves."""

    def __init__(self) -> None:
        self.error: KhaosSwapError | None = None
        self.had_fallen = False
        self.looks = 0

    def look(self) -> bool:
        self.looks += 1
        if self.error is not None:
            raise self.error
        fell, self.had_fallen = self.had_fallen, False
        return fell

    def is_seen(self) -> bool:
        """Whether a whole look began and ended since."""
        before = self.looks
        return bool(until(lambda: self.looks > before + 1, 10, every=0.005))


@pytest.fixture
def earth() -> Earth:
    return Earth()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watch(earth: Earth, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watcher]]:
    """Starts a quick watcher, whose alerts are said too."""
    for name in ("LOOK_SECONDS", "LONGEST_PAUSE_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(watching, name, 0.01)
    monkeypatch.setattr(watching, "ALERT_AFTER_SECONDS", 0.05)
    started: list[Watcher] = []

    def start(*chores: Callable[[], None]) -> Watcher:
        started.append(Watcher(earth, said.append, lambda title, body: said.append(f"ALERT {title}: {body}"), chores))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_a_database_that_goes_is_said_once_told_when_it_stays_away_and_forgiven_when_it_is_back(
    earth: Earth, said: list[str], watch: Callable[..., Watcher]
) -> None:
    watcher = watch()
    assert earth.is_seen()
    assert not watcher.is_shaken()
    earth.error = StoreAwayError("nobody answers")
    assert until(lambda: any(line.startswith("ALERT") for line in said), 10, every=0.01)
    assert watcher.away == "nobody answers"
    earth.error = None
    assert until(lambda: not watcher.away, 10, every=0.01)
    assert watcher.is_shaken()
    assert said[0] == "nobody answers; waiting for it"
    assert said[1] == "ALERT the database is away: nobody answers; everything waits and goes on by itself"
    assert said[-1].startswith("the database answers again after")
    assert said.count(said[0]) == 1


def test_a_database_that_was_started_again_at_a_look_is_said(
    earth: Earth, said: list[str], watch: Callable[..., Watcher]
) -> None:
    watcher = watch()
    earth.had_fallen = True
    assert earth.is_seen()
    assert watcher.is_shaken()
    assert said == ["the database answers again after 0 s"]


def test_a_place_that_is_lost_ends_the_looking(earth: Earth, watch: Callable[..., Watcher]) -> None:
    watcher = watch()
    earth.error = HouseError("another house is there")
    assert until(lambda: watcher.lost, 10, every=0.01)
    assert watcher.lost is earth.error


def test_a_child_that_stops_answering_hangs_but_not_while_the_database_is_away(
    earth: Earth, watch: Callable[..., Watcher]
) -> None:
    answers = [True]
    child = Child("one", [], alive=lambda: answers[0], hang_seconds=0.2)
    watcher = watch()
    watcher.expect(child)
    assert earth.is_seen()
    assert not watcher.is_hung(child)
    answers[0] = False
    assert until(lambda: watcher.is_hung(child), 10, every=0.01)
    earth.error = StoreAwayError("nobody answers")
    assert until(lambda: watcher.away, 10, every=0.01)
    assert not watcher.is_hung(child)
    answers[0], earth.error = True, None
    assert until(lambda: not watcher.away, 10, every=0.01)
    assert not watcher.is_hung(child)


def test_a_look_under_way_is_over_once_it_was_waited_for(
    earth: Earth, watch: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []

    def look() -> bool:
        earth.looks += 1
        time.sleep(0.2)
        ended.append(earth.looks)
        return False

    monkeypatch.setattr(earth, "look", look)
    watcher = watch()
    assert until(lambda: earth.looks, 10, every=0.01)
    watcher.stop()
    watcher.wait()
    assert len(ended) == earth.looks


def test_a_chore_that_fails_is_said_and_done_again(said: list[str], watch: Callable[..., Watcher]) -> None:
    done: list[int] = []

    def chore() -> None:
        done.append(1)
        if len(done) == 1:
            raise ValueError("not today")

    watch(chore)
    assert until(lambda: len(done) > 2, 10, every=0.01)
    assert said == ["not today; trying again"]
