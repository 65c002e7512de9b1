"""From a knock to a document on offer: single events into the running demo, timed by the sender's clock.

Belongs here: the sender, and the share of each leg. Stays out: the demo's processes (``supervisor``, ``demo``). One
event is one genuine ``returnProcessed`` of a return of the sandbox that is ready but for its refund. Between events
the house comes to rest, then up to five seconds pass by chance, so that every phase of the sensor's clock is met. The
month end, which follows each sync and is no part of the way, is switched off: an idle house would only wait for it.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import uvicorn

from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.demo import environment
from khaos_swap_assets.demo.environment import DAGSTER, OURS, Place
from khaos_swap_assets.demo.live import Visit
from khaos_swap_assets.demo.once import month_before
from khaos_swap_assets.gateway.security import DEMO_SECRETS
from khaos_swap_assets.running import dagster_parts, processes, supervisor
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.sandbox import generator, scenarios
from khaos_swap_assets.sandbox.app import create_app
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.swap_webhooks import send_webhooks
from khaos_swap_assets.sandbox.world import Rma, World

P50, P95 = 9.0, 14.0
SENSOR_SECONDS = 5.0
PATIENCE = 180.0
MONTH_ENDS = "touched_months"
ACTIVE = "('QUEUED', 'NOT_STARTED', 'STARTING', 'STARTED')"
REST = (
    "SELECT NOT EXISTS (SELECT 1 FROM recon.inbox WHERE consumed_at IS NULL) "
    "AND NOT EXISTS (SELECT 1 FROM recon.worklist) "
    "AND NOT EXISTS (SELECT 1 FROM khaos.wanted_orders WHERE state = 'waiting') "
    "AND EXISTS (SELECT 1 FROM recon.watermarks WHERE source = 'swap/returns')"
)
MOMENTS = (
    "SELECT dagster_event_type, min(extract(epoch FROM timestamp))::float FROM event_logs WHERE run_id IN "
    "(SELECT run_id FROM runs WHERE pipeline_name = 'sync') AND timestamp >= to_timestamp(%s) AT TIME ZONE 'UTC' "
    "AND dagster_event_type IN ('PIPELINE_ENQUEUED', 'STEP_START') GROUP BY 1"
)


@dataclass(frozen=True, slots=True)
class Legs:
    """Seconds of one event: until a run was asked for, until its first asset began, until the document was on offer.

    A leg that was over before the event came is nought: a run that was under way already took it along.
    """

    sensor_wait: float
    run_start: float
    work: float

    @property
    def total(self) -> float:
        """From the sender's clock until on offer."""
        return self.sensor_wait + self.run_start + self.work


def figures_of(legs: Sequence[Legs]) -> dict[str, Any]:
    """Percentiles of the whole, the median of each leg, and its share of the sum."""
    totals, whole = sorted(one.total for one in legs), sum(one.total for one in legs)
    names = ("sensor_wait", "run_start", "work")
    parts = {name: sorted(getattr(one, name) for one in legs) for name in names}
    return {
        "events": len(legs),
        "p50_seconds": percentile(totals, 0.5),
        "p95_seconds": percentile(totals, 0.95),
        "longest_seconds": round(totals[-1], 1),
        "median_of_each_leg": {name: percentile(part, 0.5) for name, part in parts.items()},
        "share_of_each_leg": {name: round(sum(part) / whole, 2) for name, part in parts.items()},
    }


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    return round(ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)], 1)


def knock_to_posted(events: int = 50, seed: int = 1) -> dict[str, Any]:
    """Single events into the idle demo: on offer in 9 s at the median and in 14 s for 95 in 100; each offered once."""
    figures: dict[str, Any] = {}
    with house(events) as (place, children, sender):

        def work() -> int:
            sender.come_to_rest("the first event")
            switch_off(MONTH_ENDS, children[-1])
            figures.update(sender.run(random.Random(seed)))
            return 0

        supervisor.run(children, folder=place.folder, stop_last=place.postgres.stop, work=work, say=lambda _: None)
    faults = figures.pop("faults")
    for name, limit in (("p50_seconds", P50), ("p95_seconds", P95)):
        if figures[name] > limit:
            faults.append(f"{name} {figures[name]}, {limit} are allowed")
    return {"holds": not faults, "faults": faults, **figures}


def switch_off(sensor: str, dagster: processes.Child) -> None:
    """Stop a sensor by Dagster's own command, with the workspace and the environment of one of its processes."""
    workspace = Path(dagster.env["DAGSTER_HOME"]) / "workspace.yaml"
    command = [sys.executable, "-m", "dagster", "sensor", "stop", sensor, "-w", str(workspace)]
    env, home = {**os.environ, **dagster.env}, workspace.parent
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ready_world(events: int, now: datetime) -> tuple[World, list[tuple[Rma, int]]]:
    """A world of returns that lack nothing but their refund, and the pence that each will get."""
    world = generator.build(1, 0, now)
    maker, ready = Maker(world, random.Random(1), generator.ended_month(now)), []
    for _ in range(events):
        scenarios.approved_in_swap(maker)
        rma = maker.last_rma()
        ready.append((rma, rma.refund_pence))
        scenarios.reopen(rma)
    return world, ready


@contextmanager
def house(events: int) -> Iterator[tuple[Place, list[processes.Child], Sender]]:
    """The demo's processes over a sandbox in this one, in a folder of their own."""
    world, ready = ready_world(events, environment.wall_now())
    with opened(world) as (place, children, state):
        yield place, children, Sender(place, state, ready)


@contextmanager
def opened(
    world: World, *, storefront: bool = False, **more: str
) -> Iterator[tuple[Place, list[processes.Child], State]]:
    """The demo's processes over a sandbox of this world in this one; ``more`` are settings without their prefix."""
    outside = dict(os.environ)
    environment.forget_outside()
    with tempfile.TemporaryDirectory(prefix="khaos-swap-knock-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        place = environment.open_place(Path(folder), durable=True)
        post_from = world.post_from or world.now.date()
        env = environment.settings_of(
            place, period_start=month_before(post_from), post_from=post_from, is_live=True, storefront=storefront
        )
        env |= Visit(every=6).pace | {f"KHAOS_SWAP_{name}": value for name, value in more.items()}
        state, home = State(world), Path(env["DAGSTER_HOME"])
        children = [
            environment.gateway(place, env),
            *dagster_parts.dagster_children(
                home,
                "127.0.0.1",
                processes.free_port(),
                env,
                Orphans(place.postgres.url(DAGSTER), env, place.folder),
            ),
        ]
        try:
            with _serving(state, place):
                yield place, children, state
        finally:
            os.environ.update(outside)


@contextmanager
def _serving(state: State, place: Place) -> Iterator[None]:
    app = create_app(state, gateway_url=place.gateway_url)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=place.sandbox_port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)


@dataclass
class Sender:
    """Sends the events one at a time, watches for each document, and pulls them all in the end."""

    place: Place
    state: State
    ready: list[tuple[Rma, int]]
    legs: list[Legs] = field(default_factory=list)

    def run(self, rng: random.Random) -> dict[str, Any]:
        """Every event, then the figures."""
        for rma, pence in self.ready:
            self.come_to_rest(rma.rma_number)
            time.sleep(rng.uniform(0, SENSOR_SECONDS))
            self.legs.append(self._one(rma, pence))
        return figures_of(self.legs) | {"faults": self._faults()}

    def come_to_rest(self, before: str) -> None:
        """Wait until nothing waits and nothing runs."""
        self.until(self._is_at_rest, f"the house did not come to rest before {before}")

    def _one(self, rma: Rma, pence: int) -> Legs:
        sent_at = self.send(rma, pence)
        with self.open(OURS) as conn:
            query = "SELECT count(*) > 0 FROM recon.postings WHERE return_id = %s AND state = 'planned'"
            self.until(lambda: ask(conn, query, rma.return_id), f"{rma.rma_number} was not offered", every=0.02)
            offered_at = time.time()
        with self.open(DAGSTER) as conn:
            moments: dict[str, float] = dict(conn.execute(MOMENTS, (sent_at,)).fetchall())
        asked_at = moments.get("PIPELINE_ENQUEUED", sent_at)
        began_at = moments.get("STEP_START", asked_at)
        return Legs(asked_at - sent_at, began_at - asked_at, offered_at - began_at)

    def send(self, rma: Rma, pence: int) -> float:
        """Close and refund the return now; the moment at which its webhook left."""
        with self.state.lock:
            self.state.world.now = now = datetime.now(UTC).replace(microsecond=0)
            rma.steps = [(now, scenarios.closing(now.isoformat(), pence))]
            apply_due(self.state.world)
        sent_at = time.time()
        accepted = send_webhooks(self.state, self._post)
        assert accepted == 1, f"{rma.rma_number}: the webhook was not accepted"
        return sent_at

    def _post(self, body: dict[str, Any]) -> bool:
        answer = httpx.post(f"{self.place.gateway_url}/webhooks/swap", json=body, timeout=10, trust_env=False)
        return answer.is_success

    def _is_at_rest(self) -> bool:
        """Runs are looked for first: whatever one of them began meanwhile, its reason still waits."""
        with self.open(OURS) as conn, self.open(DAGSTER) as dagster:
            query = f"SELECT count(*) = 0 FROM runs WHERE status IN {ACTIVE}"
            return ask(dagster, query) and ask(conn, REST)

    def _faults(self) -> list[str]:
        """Each event is one posting of its value, and nothing else was posted."""
        with self.open(OURS) as conn:
            rows = conn.execute("SELECT rma, count(*), sum(value_pence)::bigint FROM recon.postings GROUP BY 1")
            found = {rma: (count, pence) for rma, count, pence in rows}
        wanted = {rma.rma_number: (1, pence) for rma, pence in self.ready}
        faults = [] if found == wanted else [f"offered {found}, wanted {wanted}"]
        customers = self.state.world.customers.values()
        names = {value for one in customers for value in (one.email, one.address1, one.postcode) if value}
        return faults + [
            f"{file.name} holds a secret or a name"
            for file in self.place.folder.glob("logs/*")
            if any(word in file.read_text(errors="replace") for word in (*DEMO_SECRETS.values(), *names))
        ]

    def open(self, name: str) -> psycopg.Connection[Any]:
        """A connection to one of the two databases."""
        conn = database.connect(self.place.postgres.url(name), application="proof")
        conn.autocommit = True
        return conn

    def until(self, question: Callable[[], bool], words: str, every: float = 0.2) -> None:
        """Wait until the answer is yes. Raises ``TimeoutError`` with the words after some minutes."""
        deadline = time.monotonic() + PATIENCE
        while not question():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{words} within {PATIENCE:.0f} s")
            time.sleep(every)


def ask(conn: psycopg.Connection[Any], query: str, *parameters: object) -> bool:
    row = conn.execute(query.encode(), parameters).fetchone()
    return bool(row and row[0])
