"""The live demo under blows: whatever runs is killed in random order while returns come in and both vendors stumble.

Belongs here: who restarts the supervisor (as the unit of docs/operations.md does), what is killed, how it is seen to be
back, and the comparison at the end. Stays out: how the house does it. Killed are each child, the postmaster, a backend
of the database, a run's worker, and the supervisor with everything below it.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from khaos_swap_assets.adapters.errors import WRONG
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.demo.live import environment_of
from khaos_swap_assets.demo.outcome import broken_invariants
from khaos_swap_assets.running.processes import answers, free_port

MINUTES = 15
RETURNS = 60
RESTART_SECONDS = 10
PATIENCE = 180.0
PAUSE = (2.0, 10.0)
CHILDREN = {
    "sandbox": "khaos_swap_assets.sandbox",
    "gateway": "khaos_swap_assets.gateway",
    "code-server": "grpc",
    "webserver": "khaos_swap_assets.ui",
    "daemon": "dagster._daemon",
}
TARGETS = (*CHILDREN, "postmaster", "backend", "worker", "supervisor")
STUMBLES = (
    "swap_500",
    "swap_429",
    "swap_truncated",
    "swap_webhook_lost",
    "khaos_500",
    "khaos_truncated",
    "channel_lost_acknowledgement",
    "channel_response_lost",
    "channel_duplicate_pull",
)
SYNCED = "SELECT count(*) FROM runs WHERE pipeline_name = 'sync' AND status = 'SUCCESS' AND start_time > %s"
UNREAD = (
    "SELECT made.rma FROM unnest(%s::text[]) AS made (rma) "
    "WHERE NOT EXISTS (SELECT FROM swap.returns r WHERE r.rma = made.rma) "
    "AND NOT EXISTS (SELECT FROM swap.unreadable u WHERE u.subject = made.rma)"  # planted, and told as unreadable
)
UNSEEN = (
    "SELECT made.code FROM unnest(%s::text[]) AS made (code) "
    "WHERE NOT EXISTS (SELECT FROM recon.postings WHERE credit_note_code = made.code AND state = 'confirmed')"
)
PACE = ("--every", "20")
MOST_NAMED = 5


def chaos(minutes: float | None = None, seed: int = 1) -> dict[str, Any]:
    """15 minutes of kills, or HOURS: 0 lost, 0 doubled, all back without a person; the worst time of each is told."""
    hours = os.environ.get("HOURS")
    length = 60 * (minutes if minutes is not None else 60 * float(hours) if hours else MINUTES)
    away = tempfile.TemporaryDirectory(prefix="khaos-swap-chaos-", dir="/tmp", ignore_cleanup_errors=True)
    with away as folder, _unit(Path(folder)) as unit:
        return Chaos(unit, random.Random(seed)).run(length)


@dataclass
class Unit:
    """The live demo, started again as the service of docs/operations.md is."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    ended_at: float | None = None
    exits: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start the demo; what it says goes to a file."""
        argv = [sys.executable, "-m", "khaos_swap_assets.cli.commands", "demo", "--port", str(self.port), *PACE]
        with (self.folder / "house.log").open("ab") as log:
            self.process = subprocess.Popen([*argv, "--returns", str(RETURNS)], cwd=self.folder, stdout=log, stderr=log)
        self.ended_at = None

    def tend(self) -> None:
        """What systemd does: an end other than by a wrong setting is followed by a start, after its pause."""
        code = self.process.poll() if self.process else None
        if code is None:
            return
        if self.ended_at is None:
            self.ended_at = time.monotonic()
            self.exits.append(code)
        if code != WRONG and time.monotonic() - self.ended_at > RESTART_SECONDS:
            self.start()

    def child(self, name: str) -> psutil.Process | None:
        """The running process of a target, None while there is none."""
        with suppress(psutil.Error, OSError, ValueError):
            return self._find(name)
        return None

    def _find(self, name: str) -> psutil.Process | None:
        if self.process is None or self.process.poll() is not None:
            return None
        house = psutil.Process(self.process.pid)
        if name == "supervisor":
            return house
        if name in ("postmaster", "backend"):
            pid_file = self.folder / ".khaos-swap-demo" / "postgres" / "postmaster.pid"
            server = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            if name == "postmaster":
                return server
            return _any(server.children(), re.compile(r"postgres: postgres khaos_swap"))
        if name == "worker":
            return _any(house.children(recursive=True), re.compile("spawn_main"))
        return _any(house.children(), re.compile(re.escape(CHILDREN[name])))


def _any(processes: list[psutil.Process], words: re.Pattern[str]) -> psutil.Process | None:
    found = [one for one in processes if one.status() != psutil.STATUS_ZOMBIE and words.search(" ".join(one.cmdline()))]
    return random.choice(found) if found else None


@contextmanager
def _unit(folder: Path) -> Iterator[Unit]:
    unit = Unit(folder)
    unit.start()
    try:
        yield unit
    finally:
        if unit.process is not None and unit.process.poll() is None:
            unit.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                unit.process.wait(30)


def ours(ledger: dict[str, Any]) -> list[str]:
    """The Credit Notes of a ledger that Khaos made of our documents."""
    return [note["code"] for note in ledger["notes"] if note["made_by"] == "channel"]


def lost(conn: psycopg.Connection[Any], due: dict[str, Any]) -> dict[str, list[str]]:
    """Returns that Swap had and we do not, Credit Notes of ours in Khaos that no posting knows; by what is wrong."""
    asked = {
        "returns were not read": (UNREAD, due["rmas"]),
        "Credit Notes of ours are not witnessed": (UNSEEN, ours(due)),
    }
    found = {words: conn.execute(query.encode(), (codes,)).fetchall() for words, (query, codes) in asked.items()}
    return {words: [row[0] for row in rows] for words, rows in found.items() if rows}


def in_words(missed: dict[str, list[str]]) -> list[str]:
    """How many there are of each, and the first of them by name: their database is gone when this is read."""
    return [f"{len(codes)} {words}: {', '.join(codes[:MOST_NAMED])}" for words, codes in missed.items()]


def _worst(by_name: dict[str, list[dict[str, Any]]], what: str) -> dict[str, float]:
    return {name: max(one[what] for one in struck) for name, struck in by_name.items() if struck}


@dataclass
class Chaos:
    """One series of blows on one unit, and what it came to."""

    unit: Unit
    rng: random.Random
    blows: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self, seconds: float) -> dict[str, Any]:
        """Come up, be struck until the time and the round in which it ends are over, come to rest, compare."""
        if not self._until(lambda: self._answers() and self._synced_since(0.0), PATIENCE * 2):
            return {"holds": False, "faults": ["the demo did not come up"], "said": self._said()}
        until, targets = time.monotonic() + seconds, list(TARGETS)
        while not self.faults and (targets or time.monotonic() < until):
            targets = targets or list(TARGETS)
            self._strike(targets.pop(self.rng.randrange(len(targets))))
            self._rest(self.rng.uniform(*PAUSE))
        return self._verdict()

    def _strike(self, name: str) -> None:
        """Kill one while a vendor stumbles; wait until all answer and a sync that began since went well."""
        victim = self._until(lambda: self.unit.child(name), 60)
        if not victim:
            return
        self._stumble()
        at, began = time.time(), time.monotonic()
        with suppress(psutil.NoSuchProcess):
            victim.kill()
        answered = self._until(lambda: self._is_replaced(name, victim) and self._answers(), PATIENCE)
        back = time.monotonic() - began
        synced = answered and self._until(lambda: self._synced_since(at), PATIENCE)
        seconds = {"back_seconds": round(back, 1), "synced_seconds": round(time.monotonic() - began, 1)}
        self.blows.append({"killed": name, **seconds})
        if not synced:
            self.faults.append(f"{name} was killed and {'no sync went well' if answered else 'not all was back'} "
                               f"after {PATIENCE:.0f} s")  # fmt: skip

    def _is_replaced(self, name: str, victim: psutil.Process) -> bool:
        if name in ("worker", "backend"):
            return True
        now = self.unit.child(name)
        return now is not None and now != victim

    def _answers(self) -> bool:
        urls = (
            f"{self._env['KHAOS_SWAP_GATEWAY_PUBLIC_URL']}/readyz",
            f"http://127.0.0.1:{self.unit.port}/server_info",
        )
        return all(self.unit.child(name) for name in CHILDREN) and all(map(answers, urls))

    def _synced_since(self, at: float) -> bool:
        with psycopg.connect(self._database("_dagster")) as conn:
            row = conn.execute(SYNCED.encode(), (at,)).fetchone()
        return bool(row and row[0])

    def _stumble(self) -> None:
        with suppress(httpx.HTTPError):
            httpx.post(f"{self._sandbox}/admin/faults", json={self.rng.choice(STUMBLES): self.rng.randint(1, 3)})

    def _verdict(self) -> dict[str, Any]:
        """Whether all that was there when the blows ended arrived; returns go on coming, so it is never all of now."""
        due = self._until(self._ledger, PATIENCE) or {"rmas": [], "notes": []}
        is_at_rest = self._until(lambda: not self._wrong(due), PATIENCE, every=2.0)
        missed, broken = ({}, []) if is_at_rest else (self._lost(due), self._broken())
        by_name = {name: [one for one in self.blows if one["killed"] == name] for name in TARGETS}
        unstruck = [f"{name} was never struck" for name, struck in by_name.items() if not struck]
        faults = [*self.faults, *in_words(missed), *broken, *(unstruck if self.blows and not self.faults else [])]
        return {
            "holds": not faults,
            "faults": faults,
            "returns": len(due["rmas"]),
            "notes_by_us": len(ours(due)),
            "lost": sum(map(len, missed.values())),
            "doubled": self._ledger()["duplicates"],
            "blows": {name: len(struck) for name, struck in by_name.items()},
            "worst_back_seconds": _worst(by_name, "back_seconds"),
            "worst_synced_seconds": _worst(by_name, "synced_seconds"),
            "exits_of_the_supervisor": self.unit.exits,
        }

    def _wrong(self, due: dict[str, Any]) -> list[str]:
        """What is lost or doubled now; a sync that is under way may be about to mend it."""
        return [*in_words(self._lost(due)), *self._broken()]

    def _broken(self) -> list[str]:
        ledger = self._ledger()
        with database.connect(self._database(), application="proof") as conn:
            return broken_invariants(conn, ledger)

    def _lost(self, due: dict[str, Any]) -> dict[str, list[str]]:
        with psycopg.connect(self._database()) as conn:
            return lost(conn, due)

    def _ledger(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self._sandbox}/admin/ledger", timeout=30).json()
        return found

    @property
    def _env(self) -> dict[str, str]:
        return environment_of(self.unit.folder / ".khaos-swap-demo")

    @property
    def _sandbox(self) -> str:
        return self._env["KHAOS_SWAP_SWAP_URL"].removesuffix("/returns-api")

    def _database(self, suffix: str = "") -> str:
        url = self._env["KHAOS_SWAP_DATABASE_URL"]
        return database.sibling_url(url, f"{database.parts(url)['dbname']}{suffix}")

    def _said(self) -> list[str]:
        return (self.unit.folder / "house.log").read_text(errors="replace").splitlines()[-20:]

    def _rest(self, seconds: float) -> None:
        self._until(lambda: False, seconds)

    def _until(self, question: Callable[[], Any], seconds: float, every: float = 0.5) -> Any:
        """Ask until the answer is true, tending the unit; what cannot be asked now counts as no."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.unit.tend()
            with suppress(Exception):  # whatever is asked may be down, or in the middle of coming up
                if answer := question():
                    return answer
            time.sleep(every)
        return None
