"""A house of many merchants on nine machines, struck, measured, and with one merchant's Khaos dead.

Belongs here: the blows, the figures and the comparison at the end. Stays out: the machines (``cluster.house``). Size by
MERCHANTS, RETURNS, EVERY and MINUTES of the environment; 6 merchants with 2,000 returns each are the full size, and
vendors asked each 15 minutes, as a merchant has it: what is open is then not read anew in every sync.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.demo.outcome import broken_invariants
from khaos_swap_assets_tests.cluster import house
from khaos_swap_assets_tests.cluster.__main__ import size_here
from khaos_swap_assets_tests.cluster.house import WORKERS, Cluster, Size
from khaos_swap_assets_tests.prove.chaos import STUMBLES, in_words, lost, ours
from khaos_swap_assets_tests.running import LAUNCH, until

PATIENCE, RETURNS_A_SECOND = 300.0, 40
UP = 900.0
CUT_SECONDS, RESTART_SECONDS = 75.0, 10.0
FOUND_WITHIN = 60.0
BATCH, LEAST_GAIN = 4, 1.7
WINDOW, PAIRS, MOST_DELAY = 60.0, 3, 1.5
STILL = 10**6
QUIET = 10
AT_WORK = """
    SELECT run_id FROM recon.writers WHERE ended_at IS NULL AND fenced_at IS NULL AND worker LIKE %(worker)s
    AND beaten_at > clock_timestamp() - interval '10 seconds'
"""
FENCED = "SELECT extract(epoch FROM fenced_at), fenced_because FROM recon.writers WHERE run_id = %(run)s"
CLOSED = "SELECT status, end_time FROM runs WHERE run_id = %(run)s"
ENDED = "SELECT count(*) FROM runs WHERE run_id = ANY(%(runs)s) AND status IN ('SUCCESS', 'FAILURE')"
UNDER_WAY = "SELECT count(*) FROM runs WHERE status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED')"
WAITED = """
    SELECT r.end_time - extract(epoch FROM r.create_timestamp AT TIME ZONE 'UTC')
    FROM runs r JOIN run_tags t USING (run_id)
    WHERE r.pipeline_name = 'sync' AND r.status = 'SUCCESS' AND t.key = 'merchant' AND t.value <> %(dead)s
    AND r.end_time BETWEEN %(since)s AND %(until)s
"""
Figures = dict[str, Any]


def cluster() -> Figures:
    """A worker, a gateway, Redis and Dagster's machine killed or cut off in turn: 0 lost, 0 doubled, all complete."""
    with _running(size_here()) as found:
        return found if isinstance(found, dict) else Struck(found, random.Random(1)).run()


def cluster_pace() -> Figures:
    """Two workers of half a core do at least 1.7 times what one does, with vendors that answer in 300 ms."""
    with _running(
        replace(size_here(), every=STILL, cores=0.5, answer_ms=300, minutes=60, at_once=2 * len(WORKERS))
    ) as found:
        return found if isinstance(found, dict) else _pace(found)


def cluster_apart() -> Figures:
    """A merchant whose Khaos answers nobody delays no other: their p95 stays within 1.5 times, median of three."""
    with _running(replace(size_here(), every=10)) as found:
        return found if isinstance(found, dict) else _apart(found)


CLUSTER_PROOFS: Sequence[Callable[[], Figures]] = (cluster, cluster_pace, cluster_apart)


@contextmanager
def _running(size: Size) -> Iterator[Cluster | Figures]:
    """A cluster that is up, or why there is none."""
    if reason := house.missing():
        yield {"holds": None, "faults": [], "skipped": reason}
        return
    away = tempfile.TemporaryDirectory(prefix="khaos-swap-cluster-", dir="/tmp", ignore_cleanup_errors=True)
    with away as folder:
        Path(folder).chmod(0o711)
        with house.running(Path(folder), size, _say) as made:
            is_up = house.wait(made, UP, _say)
            yield made if is_up else {"holds": False, "faults": [f"it was not up after {UP:.0f} s"]}


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


@dataclass
class Struck:
    """One series of blows, and what it came to."""

    made: Cluster
    rng: random.Random
    blows: list[Figures] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self) -> Figures:
        """Each blow in turn, recovery awaited; then all must be there, once."""
        for name, blow in (
            ("worker killed", self._worker_killed),
            ("worker cut off", self._worker_cut_off),
            ("gateway killed", self._gateway_killed),
            ("Redis killed", self._redis_killed),
            ("Dagster's machine cut off", self._core_cut_off),
        ):
            self._stumble()
            at, began = time.time(), time.monotonic()
            told = blow()
            is_back = until(partial(self._all_synced, at), self._patience, every=1)
            self.blows.append({"blow": name, "all_synced_seconds": round(time.monotonic() - began, 1), **told})
            _say(str(self.blows[-1]))
            if not is_back:
                self.faults.append(f"{name}: not every merchant had a sync within {self._patience:.0f} s")
        return self._verdict()

    @property
    def _patience(self) -> float:
        """Seconds until every merchant must have had a sync: more in a house of more returns, which reads them all."""
        return PATIENCE + self.made.size.merchants * self.made.size.returns / RETURNS_A_SECOND

    def _all_synced(self, since: float) -> bool:
        return all(self.made.is_served(name) and self.made.synced_since(name, since) for name in self.made.names)

    def _stumble(self) -> None:
        for name in self.made.names:
            with suppress(Exception):
                self.made.vendor(name, "faults", **{self.rng.choice(STUMBLES): self.rng.randint(1, 3)})

    def _worker_killed(self) -> Figures:
        busy, at = self._busy("work1"), time.time()
        self.made["work1"].kill()
        found = self._found(busy, at)
        self.made.restart("work1")
        return found

    def _worker_cut_off(self) -> Figures:
        busy, at = self._busy("work2"), time.time()
        self.made["work2"].cut()
        found = self._found(busy, at)
        time.sleep(max(0.0, CUT_SECONDS - (time.time() - at)))
        self.made["work2"].mend()
        return found | {"cut_seconds": CUT_SECONDS}

    def _busy(self, machine: str) -> tuple[str, str] | None:
        """A merchant, and a run of it that this machine works on now."""

        def look() -> tuple[str, str] | None:
            worker = f"%ks-{machine}"
            found = ((name, row[0]) for name in self.made.names for row in self.made.rows(name, AT_WORK, worker=worker))
            return next(found, None)

        answer: tuple[str, str] | None = until(look, PATIENCE, every=0.1)
        return answer

    def _found(self, busy: tuple[str, str] | None, at: float) -> Figures:
        """When the run of the lost machine was fenced and closed, in seconds after the blow."""
        if busy is None:
            return {"found": "no run was under way there"}
        name, run = busy
        until(lambda: self.made.rows("house_dagster", CLOSED, run=run)[0][0] in ("FAILURE", "SUCCESS"), PATIENCE)
        ((status, end_time),) = self.made.rows("house_dagster", CLOSED, run=run)
        ((fenced_at, because),) = self.made.rows(name, FENCED, run=run)
        found = {"fenced_seconds": round(float(fenced_at) - at, 1) if fenced_at else None, "because": because}
        if status == "FAILURE" and not (fenced_at and float(fenced_at) - at <= FOUND_WITHIN and end_time - at <= 90):
            self.faults.append(f"a lost machine was found late: {found}")
        return found | {"run": status, "closed_seconds": round(end_time - at, 1)}

    def _gateway_killed(self) -> Figures:
        self.made["gate1"].kill()
        until_ = time.monotonic() + RESTART_SECONDS
        silent = longest = 0.0
        while time.monotonic() < until_:
            asked = time.monotonic()
            served = all(self.made.is_served(name) for name in self.made.names)
            time.sleep(0.1)
            silent = 0.0 if served else silent + time.monotonic() - asked
            longest = max(longest, silent)
        self.made.restart("gate1")
        return {"door_silent_seconds": round(longest, 1)}

    def _redis_killed(self) -> Figures:
        self.made["redis"].kill()
        time.sleep(RESTART_SECONDS)
        self.made.restart("redis")
        return {"away_seconds": RESTART_SECONDS}

    def _core_cut_off(self) -> Figures:
        self.made["core"].cut()
        time.sleep(CUT_SECONDS)
        served = [name for name in self.made.names if self.made.is_served(name)]
        self.made["core"].mend()
        return {"cut_seconds": CUT_SECONDS, "gateways_went_on": len(served) == len(self.made.names)}

    def _verdict(self) -> Figures:
        due = {name: self.made.vendor(name, "ledger") for name in self.made.names}
        wrong = {name: ["nobody looked"] for name in due}

        def is_each_whole() -> bool:
            """Each was seen whole once: a return that arrives meanwhile is nowhere until its sync has ended."""
            wrong.update({name: self._wrong(name, due[name]) for name in due if wrong[name]})
            return not any(wrong.values())

        until(is_each_whole, self._patience, every=3)
        now = {name: self.made.vendor(name, "ledger") for name in self.made.names}
        doubled = sum(one["duplicates"] for one in now.values())
        self.faults += [f"{name}: {line}" for name, lines in wrong.items() for line in lines]
        return {
            "holds": not self.faults,
            "faults": self.faults,
            "merchants": len(due),
            "returns": sum(len(one["rmas"]) for one in due.values()),
            "notes_by_us": sum(len(ours(one)) for one in due.values()),
            "complete": sum(not lines for lines in wrong.values()),
            "doubled": doubled,
            "blows": self.blows,
        }

    def _wrong(self, name: str, due: Figures) -> list[str]:
        """What is lost or doubled of a merchant now; a sync that is under way may be about to mend it."""
        with database.connect(self.made.url(name), application="proof") as conn:
            return [*in_words(lost(conn, due)), *broken_invariants(conn, self.made.vendor(name, "ledger"))]


def _pace(made: Cluster) -> Figures:
    """What a house asks for when it is new (checks, months that ended, a first look at all) is through before."""
    _is_calm(made)
    both = _batch(made)
    made[WORKERS[1]].kill()
    _is_calm(made)
    one = _batch(made)
    gain = round(one / both, 2)
    faults = [] if gain >= LEAST_GAIN else [f"two workers do {gain} times what one does, {LEAST_GAIN} are asked for"]
    runs = BATCH * len(made.names)
    return {"holds": not faults, "faults": faults, "runs": runs, "one_seconds": one, "two_seconds": both, "gain": gain}


def _is_calm(made: Cluster) -> bool:
    """Every merchant had its first sync, and for a while nothing was under way: a new house pauses between its jobs."""
    quiet = [0]

    def look() -> bool:
        is_new = not all(made.synced_since(name, 0) for name in made.names)
        quiet[0] = 0 if is_new or made.rows("house_dagster", UNDER_WAY)[0][0] else quiet[0] + 1
        return quiet[0] >= QUIET

    calm = until(look, UP, every=1)
    _say("nothing is under way" if calm else "something is always under way")
    return bool(calm)


def _batch(made: Cluster) -> float:
    """Seconds until so many syncs of each merchant, asked for at once, have ended."""
    began = time.monotonic()
    asked = [made.ask_dagster(LAUNCH, of=name, job="sync")["launchRun"] for _ in range(BATCH) for name in made.names]
    runs = [one["run"]["runId"] for one in asked]
    until(lambda: made.rows("house_dagster", ENDED, runs=runs)[0][0] == len(runs), UP, every=0.5)
    return round(time.monotonic() - began, 1)


def _apart(made: Cluster) -> Figures:
    dead, ratios, seen = made.names[0], list[float](), list[Figures]()
    for _ in range(PAIRS):
        alive = _waited(made, dead)
        made.before_vendors(dead=dead)
        while_dead = _waited(made, dead)
        made.before_vendors()
        seen.append({"alive_p95": _p95(alive), "dead_p95": _p95(while_dead), "syncs": [len(alive), len(while_dead)]})
        ratios.append(seen[-1]["dead_p95"] / seen[-1]["alive_p95"])
        _say(str(seen[-1]))
    delay = round(statistics.median(ratios), 2)
    faults = [] if delay <= MOST_DELAY else [f"the others waited {delay} times as long, {MOST_DELAY} are allowed"]
    return {"holds": not faults, "faults": faults, "delay": delay, "pairs": seen}


def _waited(made: Cluster, dead: str) -> list[float]:
    """How long each sync of the others took that ended in the next while, from the moment that it was asked for."""
    since = time.time()
    time.sleep(WINDOW)
    rows = made.rows("house_dagster", WAITED, dead=dead, since=since, until=time.time())
    return [float(row[0]) for row in rows]


def _p95(seconds: Sequence[float]) -> float:
    return round(sorted(seconds)[max(0, int(len(seconds) * 0.95) - 1)], 2)
