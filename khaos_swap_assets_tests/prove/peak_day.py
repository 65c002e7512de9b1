"""A peak day: webhooks with repeats, out of order, unreadable and forged, while the gateway and PostgreSQL fall.

Belongs here: the sender with its log, what falls when, and comparing the end with the log. Stays out: both vendors'
stand-ins (``stages.town``). The sender repeats as swap.md §5.3 says: three times, after 1, 5 and 25 seconds.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks import sending
from benchmarks.gateway_load import ROOT, memory_mb, prepare
from khaos_swap_assets.adapters.store import database, embedded
from khaos_swap_assets.running.processes import answers, free_port
from khaos_swap_assets_tests.stages.town import Town, a_return, some_settings

REPEATS = (1.0, 5.0, 25.0)
DUPLICATES, OUT_OF_ORDER, UNREADABLE, FORGED = 0.20, 0.10, 0.02, 0.01
NO_CAP = 1_000_000
LINES = 40
EVENTS = ("returnCreated", "returnProcessed")


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send: what it is, and the return that it speaks of."""

    kind: str
    event: str
    return_id: str

    def body(self, now: int) -> bytes:
        """Made at each attempt, since each has its own token."""
        if self.kind == "unparseable":
            return f"{{ {self.return_id} is cut off".encode()
        if self.kind == "nameless":
            claims = {"iat": now, "exp": now + 300, "store_id": sending.STORE, "nonce": self.return_id}
            return json.dumps({"jwt": sending.token(claims), "what": "no name"}).encode()
        whole = sending.webhook(self.return_id, now=now, event=self.event)
        if self.kind != "forged":
            return whole
        told = json.loads(whole)
        told["jwt"] = told["jwt"].rpartition(".")[0] + "." + "A" * 43
        return json.dumps(told).encode()


@dataclass
class Log:
    """What the sender knows: attempts and answers by kind, keys that were attempted, keys that were accepted."""

    attempts: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    attempted: set[tuple[str, str]] = field(default_factory=set)
    accepted: set[tuple[str, str]] = field(default_factory=set)
    given_up: int = 0


def plan(messages: int, seed: int) -> tuple[list[Message], int]:
    """The messages in the order of sending, and how many returns they speak of."""
    rng = random.Random(seed)
    forged, unreadable = round(messages * FORGED), round(messages * UNREADABLE)
    repeats = round(messages * DUPLICATES)
    returns = (messages - forged - unreadable - repeats) // 2
    genuine = [Message("genuine", event, f"R{number + 1}") for number in range(returns) for event in EVENTS]
    order: list[tuple[float, Message]] = []
    for place, one in enumerate(genuine):
        late = rng.uniform(0, len(genuine) / 10) if rng.random() < OUT_OF_ORDER else 0.0
        order.append((place + late, one))
    order += [(rng.uniform(0, len(genuine)), one) for one in rng.choices(genuine, k=repeats)]
    strange = ["forged"] * forged + ["unparseable", "nameless"] * (unreadable // 2)
    order += [(rng.uniform(0, len(genuine)), Message(kind, EVENTS[0], f"X{n}")) for n, kind in enumerate(strange)]
    return [one for _, one in sorted(order, key=lambda pair: pair[0])], returns


@dataclass
class Gateway:
    """The gateway as a supervisor keeps it: killed, it comes back on the same port."""

    url: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    log: Path = Path(os.devnull)

    def start(self) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("KHAOS_SWAP_")} | {
            "KHAOS_SWAP_DATABASE_URL": self.url,
            "KHAOS_SWAP_GATEWAY_PORT": str(self.port),
            "KHAOS_SWAP_GATEWAY_SENDER_RATE": "10000",
            "KHAOS_SWAP_SWAP_WEBHOOK_SECRET": sending.SECRET,
            "KHAOS_SWAP_SWAP_STORE_ID": sending.STORE,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "khaos_swap_assets.gateway"], cwd=ROOT, env=env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def end(self, number: signal.Signals) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, number)
            self.process.wait(30)

    def is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/readyz")


async def send_all(
    port: int, messages: Iterable[Message], seconds: float, log: Log, show: Callable[[str], Any]
) -> None:
    """Send all messages evenly over the seconds on a few lines; each is repeated until it is answered or given up."""
    planned, began = list(messages), time.perf_counter()
    due = [(number * seconds / len(planned), number, 0) for number in range(len(planned))]
    heapq.heapify(due)
    inside = 0

    async def line() -> None:
        nonlocal inside
        wire = sending.Wire(port)
        while due or inside:
            if not due or due[0][0] > time.perf_counter() - began:
                await asyncio.sleep(0.01)
                continue
            _, number, tries = heapq.heappop(due)
            inside += 1
            show(planned[number].return_id)
            code = await _attempt(wire, planned[number], log)
            if not code or code >= 500:
                if tries < len(REPEATS):
                    heapq.heappush(due, (time.perf_counter() - began + REPEATS[tries], number, tries + 1))
                else:
                    log.given_up += 1
            inside -= 1
        wire.close()

    await asyncio.gather(*(line() for _ in range(LINES)))


async def _attempt(wire: sending.Wire, message: Message, log: Log) -> int:
    key = (message.event, message.return_id)
    log.attempts[message.kind] += 1
    log.attempted.add(key)
    code = await wire.post(message.body(int(time.time())))
    if code:
        log.answers[message.kind, code] += 1
    if code == 200 and message.kind == "genuine":
        log.accepted.add(key)
    return code


def peak_day(messages: int = 20_000, seconds: float = 300.0, kills: int = 5, seed: int = 1) -> dict[str, Any]:
    """20,000 webhooks in 5 minutes, the gateway killed 5 times, PostgreSQL restarted: each return is posted once."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-peak-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        server = embedded.start(place / "postgres", durable=True)
        gateway = Gateway(prepare(server), log=place / "gateway.log")
        peak = _Peak(place, server, gateway, seconds, kills)
        try:
            return peak.run(*plan(messages, seed))
        finally:
            gateway.end(signal.SIGKILL)
            peak.server.stop()


@dataclass
class _Peak:
    folder: Path
    server: embedded.EmbeddedPostgres
    gateway: Gateway
    seconds: float
    kills: int
    log: Log = field(default_factory=Log)

    def run(self, messages: list[Message], returns: int) -> dict[str, Any]:
        town = self._town(returns)
        self.gateway.start()
        self._until(self.gateway.is_ready)
        sender = threading.Thread(target=self._send, args=(messages, town), daemon=True)
        accidents = threading.Thread(target=self._let_fall, daemon=True)
        sender.start()
        accidents.start()
        failed_runs = 0
        while sender.is_alive():
            failed_runs += not self._sync(town)
            time.sleep(0.2)
        accidents.join()
        memory = memory_mb(psutil.Process(self.gateway.process.pid)) if self.gateway.process else 0
        rounds = self._until_quiet(town, returns)
        return self._verdict(town, returns) | {"failed_runs": failed_runs, "rounds": rounds, "memory_mb": memory}

    def _town(self, returns: int) -> Town:
        now = datetime.now(UTC)
        town = Town(self.gateway.url, some_settings(
            daily_document_cap=NO_CAP, daily_value_cap_pounds=NO_CAP, page_documents=1_000
        ), now)  # fmt: skip
        town.sells_and_takes_back(*(replace(a_return(n + 1), updated_at=now) for n in range(returns)))
        town.swap.hidden = {f"R{number + 1}" for number in range(returns)}
        return town

    def _send(self, messages: list[Message], town: Town) -> None:
        asyncio.run(send_all(self.gateway.port, messages, self.seconds, self.log, town.swap.hidden.discard))

    def _let_fall(self) -> None:
        """The gateway falls evenly often; the database restarts in the middle."""
        for number in range(self.kills):
            time.sleep(self.seconds / (self.kills + 1))
            if number == self.kills // 2:
                self._restart_database()
            self.gateway.end(signal.SIGKILL)
            self.gateway.start()

    def _restart_database(self) -> None:
        self.server.stop()
        self.server = embedded.start(self.folder / "postgres", durable=True)

    def _sync(self, town: Town) -> bool:
        """One run and one pull; a run that an outage broke is done again by the next one."""
        try:
            town.now = datetime.now(UTC)
            town.sync(seconds=0)
            town.pull()
        except Exception:  # that run is red; what matters is the state afterwards
            return False
        return True

    def _until_quiet(self, town: Town, returns: int) -> int:
        for number in range(1, 60):
            self._sync(town)
            if len(town.khaos.notes) >= returns and self._count("SELECT count(*) FROM recon.postings "
                                                                "WHERE state <> 'confirmed'") == 0:  # fmt: skip
                return number
        return 0

    def _verdict(self, town: Town, returns: int) -> dict[str, Any]:
        kept = set(self._rows("SELECT event, return_id FROM recon.inbox WHERE source = 'swap'"))
        confirmed = self._count("SELECT count(DISTINCT return_id) FROM recon.postings WHERE state = 'confirmed'")
        refused = dict(self._rows(
            "SELECT (reason LIKE 'the token%')::text, sum(times)::int FROM recon.refused_messages GROUP BY 1"
        ))  # fmt: skip
        nameless = self._count("SELECT count(*) FROM recon.inbox WHERE source = 'swap_unreadable'")
        log = self.log
        claims = {
            "an accepted webhook was lost": log.accepted <= kept,
            "the inbox holds what was never sent": kept <= {key for key in log.attempted if key[1].startswith("R")},
            "a return was not read": self._count("SELECT count(*) FROM swap.returns") == returns,
            "a return has no confirmed posting": confirmed == returns,
            "a return was posted twice": len(town.khaos.notes) == returns,
            "forged ones are not counted right": self._fits("forged", 401, refused.get("true", 0)),
            "unparseable ones are not counted right": self._fits("unparseable", 400, refused.get("false", 0)),
            "nameless ones are not counted right": self._fits("nameless", 200, nameless),
            "the gateway answered with an error of its own": not [c for _, c in log.answers if c >= 500 and c != 503],
            "a log line holds a name or a secret": not self._said_too_much(),
        }
        faults = [fault for fault, holds in claims.items() if not holds]
        answers = {f"{kind} {code}": times for (kind, code), times in sorted(log.answers.items())}
        figures = {
            "returns": returns,
            "knocks_kept": len(kept),
            "accepted": len(log.accepted),
            "given_up": log.given_up,
        }
        return {"holds": not faults, "faults": faults, **figures, "attempts": dict(log.attempts), "answers": answers}

    def _fits(self, kind: str, code: int, counted: int) -> bool:
        """Counted at least once for each answer, and at most once for each attempt: an answer may have been lost."""
        return self.log.answers[kind, code] <= counted <= self.log.attempts[kind]

    def _said_too_much(self) -> bool:
        said = self.gateway.log.read_text(errors="replace").lower()
        return any(word in said for word in ("priya", "nolan", "example.com", sending.SECRET, "eyj"))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with database.connect(self.gateway.url, application="proof") as conn:
            return conn.execute(query.encode()).fetchall()

    def _count(self, query: str) -> int:
        return int(self._rows(query)[0][0])

    def _until(self, question: Callable[[], bool], patience: float = 60) -> None:
        until = time.monotonic() + patience
        while not question() and time.monotonic() < until:
            time.sleep(0.05)
