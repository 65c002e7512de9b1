"""A tick when nothing changed: what the sensor's look costs, and a whole sync that finds nothing to do.

Both vendors answer from memory, over a history of 100,000 returns. Queries are counted at the connection.
"""

from __future__ import annotations

import statistics
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.history import build, empty_store
from benchmarks.stand_ins import FromMemorySwap
from benchmarks.tick import steps, tick, toolbox
from khaos_swap_assets.stages.due import what_is_due

HISTORY = 100_000
REPEATS = 5
LONGEST_LOOK = 1.0


class CountingCursor(psycopg.Cursor[Any]):
    """Counts what is executed through it, over all connections."""

    count = 0

    def execute(self, *given: Any, **named: Any) -> CountingCursor:
        """Count, then execute."""
        CountingCursor.count += 1
        super().execute(*given, **named)
        return self


def measure() -> dict[str, Any]:
    """Median seconds and number of queries of a look and of an idle sync; a look under a second is wanted."""
    with empty_store() as url:
        build(url, HISTORY)
        tools = toolbox(url, FromMemorySwap(), opened=_count)
        work, reasons = steps(), set[str]()
        tick(tools, work)
        look, looks = _measured(lambda: reasons.add(what_is_due(tools)))
        idle, queries = _measured(lambda: tick(tools, work))
    return {
        "history_returns": HISTORY,
        "seconds": look,
        "queries": looks,
        "idle_sync_seconds": idle,
        "idle_sync_queries": queries,
        "found_due": sorted(reasons - {""}),
        "is_met": look <= LONGEST_LOOK and reasons == {""},
    }


def _count(connection: psycopg.Connection[Any]) -> None:
    connection.cursor_factory = CountingCursor


def _measured(work: Any) -> tuple[float, int]:
    seconds = []
    before = CountingCursor.count
    for _ in range(REPEATS):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return round(statistics.median(seconds), 4), (CountingCursor.count - before) // REPEATS
