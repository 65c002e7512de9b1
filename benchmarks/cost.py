"""What returns cost: processor time of ours and of the database, events of Dagster, for a sync and for each change.

A sync of the real job on a Dagster instance over PostgreSQL, in this process, over 100,000 finished returns, vendors
answering from memory: with nothing changed, and with 1,000 changed returns. What both differ by is the price of the
changes. Time of the processor, not of the clock, so that whatever else the machine does counts for little.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

import dagster as dg
import psutil
from dagster._serdes import serialize_value

from benchmarks.history import NOW, build, empty_store, forget
from benchmarks.import_time import OURS, ROOT
from benchmarks.stand_ins import FromMemorySwap
from benchmarks.tick import CHANGED, toolbox
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.definitions import build as definitions
from khaos_swap_assets.resources import settled_in
from khaos_swap_assets.running.dagster_parts import prepare_dagster_home
from khaos_swap_assets.stages.toolbox import Toolbox

HISTORY = 100_000
REPEATS = 3
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
MOST_SECONDS_A_CHANGE = 0.02
"""Of the processor, ours and the database's together."""


@dataclass(frozen=True)
class Cost:
    """Of one sync: seconds of the processor in this process and in the server's, events and their bytes."""

    ours: float
    server: float
    events: int
    event_bytes: int


def measure() -> dict[str, Any]:
    """Medians of an idle sync and of one with changed returns, and what a start and a single change cost."""
    with empty_store() as url, _instance(url) as instance:
        build(url, HISTORY)
        swap = FromMemorySwap()
        tools, server = toolbox(url, swap), _server(url)
        syncs: dict[int, list[Cost]] = {0: [], CHANGED: []}
        for _ in range(REPEATS + 1):
            for changed, took in syncs.items():
                swap.shown = range(HISTORY + 1, HISTORY + 1 + changed)
                took.append(_sync(tools, instance, server))
                _forget(tools, swap.shown)
    idle, busy = (_median(took[1:]) for took in syncs.values())
    a_change = round((busy.ours + busy.server - idle.ours - idle.server) / CHANGED, 5)
    return {
        "history_returns": HISTORY,
        "changed_returns": CHANGED,
        "start_of_a_run_cpu_seconds": _start(),
        "idle_sync": vars(idle),
        "busy_sync": vars(busy),
        "cpu_seconds_a_change": a_change,
        "is_met": a_change <= MOST_SECONDS_A_CHANGE,
    }


@contextmanager
def _instance(url: str) -> Iterator[dg.DagsterInstance]:
    """Dagster over the same server, as an installation has it and a run uses it."""
    named = {"KHAOS_SWAP_DAGSTER_URL": database.dagster_url(url)}
    database.ensure(database.sibling_url(url, "khaos_swap_dagster"))
    with (
        tempfile.TemporaryDirectory(prefix="khaos-swap-bench-") as folder,
        patch.dict(os.environ, named),
        dg.DagsterInstance.from_config(str(prepare_dagster_home(Path(folder)))) as instance,
        settled_in(instance),
    ):
        yield instance


def _sync(tools: Toolbox, instance: dg.DagsterInstance, server: psutil.Process) -> Cost:
    resource = dg.ResourceDefinition.hardcoded_resource(tools)
    job = definitions(toolbox=resource).resolve_job_def("sync")
    before, began = _seconds(server), process_time()
    done = job.execute_in_process(instance=instance, run_config=QUIET)
    ours, theirs = process_time() - began, _seconds(server) - before
    told = [serialize_value(one) for one in instance.all_logs(done.run_id)]
    return Cost(ours, theirs, len(told), sum(map(len, told)))


def _forget(tools: Toolbox, shown: Sequence[int]) -> None:
    with tools.store() as conn:
        if shown:
            forget(conn, shown[0], shown[-1])
        conn.execute("UPDATE recon.watermarks SET reached_at = %s - interval '1 minute'", (NOW,))


def _server(url: str) -> psutil.Process:
    with database.connect(url, application="benchmark") as conn:
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        own = psutil.Process(row[0] if row else 0).parent()
    if own is None:
        raise AssertionError("the server has no process")
    return own


def _seconds(server: psutil.Process) -> float:
    """Of the processor, in the server, its processes and those that ended."""
    told = server.cpu_times()
    ended = told.user + told.system + told.children_user + told.children_system
    return float(ended + sum(sum(child.cpu_times()[:2]) for child in server.children()))


def _median(costs: Sequence[Cost]) -> Cost:
    ours, server, events, size = (statistics.median(column) for column in zip(*map(astuple, costs), strict=True))
    return Cost(round(ours, 3), round(server, 3), int(events), int(size))


def _start() -> float:
    """Seconds of the processor until the code location is imported in a fresh process: what a run begins with."""
    before = os.times()
    subprocess.run([sys.executable, "-c", OURS], cwd=ROOT, check=True, capture_output=True)
    after = os.times()
    return round(after.children_user + after.children_system - before.children_user - before.children_system, 2)
