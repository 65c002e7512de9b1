"""A tick when nothing changed: what the sensor's look costs, and a whole sync that finds nothing to do.

Both vendors answer from memory, over a history of 100,000 and of 1,000,000 returns. Queries are counted at the
connection; those of a look are a handful, each by an index.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.history import build, empty_store
from benchmarks.stand_ins import FromMemorySwap
from benchmarks.tick import SIZES, steps, tick, toolbox
from khaos_swap_assets.adapters.store.database import AtOnce
from khaos_swap_assets.stages.due import what_is_due

REPEATS = 5
LONGEST_LOOK = 1.0
DEAREST_RATIO = 1.3
# Of milliseconds a ratio says nothing: so much more may be the machine's.
NOISE_SECONDS = 0.02


class CountingCursor(AtOnce):
    """Counts what is executed through it, over all connections."""

    count = 0

    def execute(self, *given: Any, **named: Any) -> CountingCursor:
        """Count, then execute."""
        CountingCursor.count += 1
        super().execute(*given, **named)
        return self


def measure() -> dict[str, Any]:
    """Median seconds and number of queries of a look and of an idle sync, over the long history and the short one.

    Wanted: over the long history both cost what they cost over the short one: the look by as many queries, the sync by
    no more (the rows of a small table are counted for the UI, those of a big one are known). Looks and syncs over the
    two take turns, so that whatever else the machine does hits both.
    """
    with empty_store() as first, empty_store() as second:
        benches = [_Bench(url, size) for url, size in zip((first, second), SIZES, strict=True)]
        for _ in range(REPEATS):
            for bench in benches:
                bench.take()
    short, long = (bench.figures() for bench in benches)
    dearer = max(_ratio(short[name], long[name]) for name in ("seconds", "idle_sync_seconds"))
    same = all(short[name] == long[name] for name in ("queries", "found_due"))
    no_more = same and long["idle_sync_queries"] <= short["idle_sync_queries"]
    return {
        "history_returns": SIZES,
        **long,
        "over_the_short_history": short,
        "ratio": dearer,
        "is_met": dearer <= DEAREST_RATIO and no_more and not long["found_due"] and long["seconds"] <= LONGEST_LOOK,
    }


class _Bench:
    """A store with a history of ``size`` returns, the looks and the idle syncs over it; a first sync only warms up."""

    def __init__(self, url: str, size: int) -> None:
        build(url, size)
        self.tools, self.steps = toolbox(url, FromMemorySwap(), opened=_count), steps()
        self.reasons: set[str] = set()
        self.looks: list[tuple[float, int]] = []
        self.syncs: list[tuple[float, int]] = []
        tick(self.tools, self.steps)

    def take(self) -> None:
        """One look and one sync."""
        self.looks.append(_measured(lambda: self.reasons.add(what_is_due(self.tools))))
        self.syncs.append(_measured(lambda: tick(self.tools, self.steps)))

    def figures(self) -> dict[str, Any]:
        """Medians, and whatever was found due."""
        (look, looks), (sync, queries) = (
            map(statistics.median, zip(*took, strict=True)) for took in (self.looks, self.syncs)
        )
        return {
            "seconds": round(look, 4),
            "queries": looks,
            "idle_sync_seconds": round(sync, 4),
            "idle_sync_queries": queries,
            "found_due": sorted(self.reasons - {""}),
        }


def _ratio(short: float, long: float) -> float:
    return 1.0 if long - short <= NOISE_SECONDS else round(long / short, 2)


def _count(connection: psycopg.Connection[Any]) -> None:
    connection.cursor_factory = CountingCursor


def _measured(work: Callable[[], object]) -> tuple[float, int]:
    before, start = CountingCursor.count, perf_counter()
    work()
    return perf_counter() - start, CountingCursor.count - before
