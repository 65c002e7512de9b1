"""Processes that come and go beside a house: each has its own fate, and what falls comes again with pauses."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from khaos_swap_assets.running import guests
from khaos_swap_assets.running.guests import Guests
from khaos_swap_assets.running.processes import Child, Process
from khaos_swap_assets_tests.running import until

STAYS = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
FALLS = "print('the port is taken', flush=True); raise SystemExit(75)"


def child(name: str, code: str = STAYS) -> Child:
    return Child(name, [sys.executable, "-S", "-c", code], stop_seconds=0.2)


class Inn:
    """Guests over a list that a test changes, and what was said of them."""

    def __init__(self, folder: Path) -> None:
        self.wanted: dict[str, Child] = {}
        self.said: list[str] = []
        self.alerts: list[str] = []
        self.guests = Guests(
            lambda: dict(self.wanted), folder, self.said.append, lambda title, body: self.alerts.append(title)
        )

    def wants(self, *children: Child) -> None:
        self.wanted = {one.name: one for one in children}

    def here(self) -> dict[str, Process]:
        return {one.child.name: one for one in self.guests.present()}

    def until(self, question: Callable[[], bool]) -> bool:
        def tended() -> bool:
            self.guests.tend()
            return question()

        return bool(until(tended, 20, every=0.01))


@pytest.fixture
def inn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inn]:
    monkeypatch.setattr(guests, "FIRST_PAUSE_SECONDS", 0.05)
    inn = Inn(tmp_path)
    yield inn
    for process in inn.guests.present():
        process.send(signal.SIGKILL)
        assert until(process.is_gone, 20, every=0.01)


def test_one_comes_and_another_goes_and_the_third_notices_nothing(inn: Inn) -> None:
    stays, goes, comes = child("stays"), child("goes"), child("comes")
    inn.wants(stays, goes)
    assert inn.until(lambda: {*inn.here()} == {"stays", "goes"})
    before = inn.here()["stays"].pid
    inn.wants(stays, comes)
    assert inn.until(lambda: {*inn.here()} == {"stays", "comes"})
    assert inn.here()["stays"].pid == before
    assert inn.said == [f"{name}: is brought up" for name in ("stays", "goes")] + [
        "goes: is taken down",
        "comes: is brought up",
    ]


def test_one_whose_description_changed_is_ended_and_started_anew(inn: Inn) -> None:
    inn.wants(child("felwood", DEAF))
    assert inn.until(lambda: "deaf" in inn.here()["felwood"].last_words())
    before = inn.here()["felwood"].pid
    inn.wants(replace(child("felwood"), env={"AS_OF": "later"}))
    inn.guests.tend()
    assert inn.here()["felwood"].pid == before, "the old one is still leaving, so the new one waits"
    assert inn.until(lambda: "felwood" in inn.here() and inn.here()["felwood"].pid != before)


def test_one_that_falls_comes_again_with_growing_pauses_and_is_told_of_once_it_is_a_habit(inn: Inn) -> None:
    stays, falls = child("stays"), child("falls", FALLS)
    inn.wants(stays, falls)
    assert inn.until(lambda: len(inn.alerts) == 2)
    assert inn.said[2] == "falls ended with code 75: the port is taken; starting it again in 0 s"
    assert sum("is brought up" in line for line in inn.said) >= 5
    assert set(inn.alerts) == {"falls does not stay up"}
    assert sum("stays" in line for line in inn.said) == 1
    inn.wants(stays)
    assert inn.until(lambda: {*inn.here()} == {"stays"})


def test_nobody_comes_before_their_pause_is_over(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "FIRST_PAUSE_SECONDS", 60.0)
    inn.wants(child("falls", FALLS))
    assert inn.until(lambda: len(inn.said) == 2 and not inn.here())
    inn.guests.tend()
    assert inn.here() == {}
