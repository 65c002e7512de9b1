"""The whole house over minutes or hours, idle and busy: the memory of each process, and what an hour adds on disk.

Belongs here: an idle and a busy stretch of one house, and the verdict on its memory. Stays out: the house and its
sender (``knock_to_posted``), the slope (``soak``). A new house first ends ``KEPT_RUNS`` and is busy for up to
``MINUTES``, since processes fill their caches with what they meet (that growth is told); memory is then judged from the
second third of a stretch on, and only over ``LEAST_MINUTES``: what a short stretch grows by says nothing of the next.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil

from khaos_swap_assets.adapters.store import sizes
from khaos_swap_assets.demo.environment import DAGSTER, OURS
from khaos_swap_assets.running import logs, supervisor
from khaos_swap_assets.running.dagster_parts import LOCATION
from khaos_swap_assets.running.processes import HOUSE, Child
from khaos_swap_assets_tests.prove.knock_to_posted import Sender, ask, house
from khaos_swap_assets_tests.prove.soak import slope
from khaos_swap_assets_tests.running import LAUNCH, ask_dagster

MINUTES = 15.0
WARM_UP = "warm_up"
LEAST_MINUTES = 10.0
LOOKS = 30
BUSY_SECONDS = 6.0
KEPT_RUNS = 130
"""A code server looks at each run that ended through a new engine, and SQLAlchemy keeps the queries of the last 128.

So it grows by 0.2 MB a run and 25 MB in all, and is full then.
"""
AT_ONCE = 10
MOST_MB_A_MINUTE = 0.5
"""Of one process: as in the soak of the gateway, 30 MB an hour."""
ENDED = "SELECT count(*) >= %s FROM runs WHERE pipeline_name = 'housekeeping' AND status = 'SUCCESS'"


@dataclass
class Stretch:
    """What was seen of one stretch: seconds, bytes added by what holds them, MB of each process at each look."""

    seconds: float
    added: Mapping[str, int]
    memory: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Bytes an hour, and memory at its beginning, its end and by the minute."""
        minutes = self.seconds / 60
        steady = {name: seen[len(seen) // 3 :] for name, seen in self.memory.items()}
        a_minute = {name: slope(seen) * (LOOKS / minutes) for name, seen in steady.items()}
        return {
            "minutes": round(minutes, 1),
            "mb_an_hour": {what: round(size / 10**6 * 3600 / self.seconds, 2) for what, size in self.added.items()},
            "mb_an_hour_in_all": round(sum(self.added.values()) / 10**6 * 3600 / self.seconds, 2),
            "mb_of_processes": {name: [seen[0], seen[-1]] for name, seen in self.memory.items()},
            "mb_a_minute": {name: round(growth, 3) for name, growth in a_minute.items()},
        }


def house_soak(minutes: float = 0.0) -> dict[str, Any]:
    """Idle, then busy, 15 minutes each or ``HOURS``, of a house that is warm: none grows by over 0.5 MB a minute."""
    minutes = minutes or 60 * float(os.environ.get("HOURS") or MINUTES / 60)
    return judged({name: stretch.figures() for name, stretch in measure(minutes).items()})


def judged(figures: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The figures of each stretch and which process grew in it."""
    faults = [
        f"{name}: {process} grows by {growth} MB a minute"
        for name, told in figures.items()
        if name != WARM_UP and told["minutes"] >= LEAST_MINUTES
        for process, growth in told["mb_a_minute"].items()
        if growth > MOST_MB_A_MINUTE
    ]
    return {"holds": not faults, "faults": faults, **figures}


def measure(minutes: float) -> dict[str, Stretch]:
    """A new house warms up, then an idle stretch of it, then a busy one: a refunded return every six seconds."""
    found: dict[str, Stretch] = {}
    warm_up = min(minutes, MINUTES)
    events = round((warm_up + minutes) * 60 / BUSY_SECONDS)
    with house(events) as (place, children, sender):

        def work() -> int:
            sender.come_to_rest("the first stretch")
            if minutes >= LEAST_MINUTES:
                _end_runs(sender, next(child for child in children if child.name == "webserver"))
            left = list(sender.ready)
            found[WARM_UP] = _stretch(sender, children, warm_up, _refunds(sender, left))
            found["idle"] = _stretch(sender, children, minutes, lambda _: None)
            found["busy"] = _stretch(sender, children, minutes, _refunds(sender, left))
            return 0

        supervisor.run(children, folder=place.folder, stop_last=place.postgres.stop, work=work, say=lambda _: None)
    return found


def _refunds(sender: Sender, left: list[Any]) -> Callable[[float], None]:
    """Sends each return whose time has come, by the seconds since the stretch began, and takes it from ``left``."""
    whole = len(left)

    def act(seconds: float) -> None:
        while left and whole - len(left) < seconds / BUSY_SECONDS:
            sender.send(*left.pop(0))

    return act


def _stretch(sender: Sender, children: Sequence[Child], minutes: float, act: Callable[[float], None]) -> Stretch:
    before, began = _held(sender), time.monotonic()
    memory: dict[str, list[float]] = {child.name: [] for child in children}
    for look in range(LOOKS + 1):
        while (seconds := time.monotonic() - began) < look * minutes * 60 / LOOKS:
            act(seconds)
            time.sleep(0.2)
        for name, size in _memory(sender, children).items():
            memory[name].append(size)
    after = _held(sender)
    return Stretch(time.monotonic() - began, {what: after[what] - before.get(what, 0) for what in after}, memory)


def _end_runs(sender: Sender, webserver: Child) -> None:
    """Ask Dagster for runs of its cheapest job, some at once, until so many have ended as a code server keeps."""
    assert webserver.listens
    for asked in range(AT_ONCE, KEPT_RUNS + 1, AT_ONCE):
        for _ in range(AT_ONCE):
            ask_dagster(webserver.listens.url(""), LAUNCH, of=LOCATION, job="housekeeping")
        with sender.open(DAGSTER) as conn:
            sender.until(partial(ask, conn, ENDED, asked), f"{asked} runs did not end")


def _held(sender: Sender) -> dict[str, int]:
    with sender.open(OURS) as conn:
        return sizes.of_databases(conn) | logs.sizes(sender.place.folder)


def _memory(sender: Sender, children: Sequence[Child]) -> dict[str, float]:
    """MB of each child of the house; runs, which come and go, are not counted."""
    found = {}
    for process in psutil.Process().children():
        argv = process.cmdline()
        for child in children:
            if argv == list(child.argv) and process.environ().get(HOUSE) == str(sender.place.folder):
                found[child.name] = round(process.memory_info().rss / 10**6, 1)
    return found
