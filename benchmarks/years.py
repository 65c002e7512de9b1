"""What grows with the years: a tick, a month's end, the lists and housekeeping over 100,000 returns and over many more.

Both histories have 2,000 returns a day, so the month is the same and the past is longer. ``RETURNS=10000000`` names
the size of the long one. Ticks and the rest over the two take turns, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from time import perf_counter
from typing import Any

import psycopg

from benchmarks.history import NOW, build, empty_store, forget
from benchmarks.stand_ins import FromMemorySwap
from benchmarks.tick import CHANGED, steps, tick, toolbox
from khaos_swap_assets.adapters.store import arrivals, audit_log, desk_lists, exceptions
from khaos_swap_assets.adapters.store.desk_lists import QueueFilter
from khaos_swap_assets.stages.reconciliation.month_end import close_month

SIZES = (100_000, int(os.environ.get("RETURNS", "1000000")))
REPEATS = 5
DEAREST_RATIO = 1.3
# Of milliseconds a ratio says nothing: so much more may be the machine's.
NOISE_SECONDS = 0.02
MONTH = "2026-05"
LARGEST = 8


def measure() -> dict[str, Any]:
    """Median seconds of each over the long history and the short one, and what the long one holds on disk."""
    with empty_store() as short, empty_store() as long:
        benches = [_Bench(url, size) for url, size in zip((short, long), SIZES, strict=True)]
        for _ in range(REPEATS + 1):
            for bench in benches:
                bench.take()
        held = [held_by(bench.url) for bench in benches]
    ours, theirs = (bench.medians for bench in reversed(benches))
    ratios = {name: ratio(theirs[name], ours[name]) for name in ours}
    more = SIZES[1] - SIZES[0]
    return {
        "history_returns": SIZES,
        "seconds": ours,
        "seconds_over_the_short_history": theirs,
        "ratios": ratios,
        "database_mb": round(held[1]["database"] / 1e6),
        "mb_a_100_000_returns": round((held[1]["database"] - held[0]["database"]) / more / 10),
        "largest_mb": {name: round(size / 1e6) for name, size in list(held[1].items())[1 : LARGEST + 1]},
        "is_met": max(ratios.values()) <= DEAREST_RATIO,
    }


def ratio(short: float, long: float) -> float:
    """How much dearer it is over the long history; 1 where the difference is noise."""
    return 1.0 if long - short <= NOISE_SECONDS else round(long / short, 2)


class _Bench:
    """A store with a history of ``size`` returns, and what was done over it; the first of each only warms up."""

    def __init__(self, url: str, size: int) -> None:
        build(url, size)
        self.url, swap = url, FromMemorySwap()
        swap.shown = range(size + 1, size + 1 + CHANGED)
        self.tools, self.steps, self.shown = toolbox(url, swap), steps(), swap.shown
        self.took: dict[str, list[float]] = defaultdict(list)

    def take(self) -> None:
        """Each once; what the tick wrote is taken out again."""
        self._timed("tick", lambda: tick(self.tools, self.steps))
        with self.tools.store() as conn:
            forget(conn, self.shown[0], self.shown[-1])
            conn.execute("UPDATE recon.watermarks SET reached_at = %s - interval '1 minute'", (NOW,))
        self._timed("month_end", lambda: close_month(self.tools, MONTH))
        for name, ask in LISTS.items():
            with self.tools.store() as conn:
                self._timed(name, lambda ask=ask, conn=conn: ask(conn))  # type: ignore[misc]

    def _timed(self, name: str, work: Callable[[], object]) -> None:
        began = perf_counter()
        work()
        self.took[name].append(perf_counter() - began)

    @property
    def medians(self) -> dict[str, float]:
        """Seconds of each."""
        return {name: round(statistics.median(some[1:]), 4) for name, some in self.took.items()}


def _forgotten(conn: psycopg.Connection[Any]) -> None:
    """What a night forgets of what came in; nothing is a month old at the end, so each turn finds the same."""
    before = NOW - timedelta(days=5_000)
    arrivals.forget_refused(conn, before)
    arrivals.forget_used(conn, before)


LISTS: Mapping[str, Callable[[psycopg.Connection[Any]], object]] = {
    "list_of_returns": lambda conn: desk_lists.newest(conn, 100, store=None, is_open=False),
    "list_of_open_returns": lambda conn: desk_lists.newest(conn, 100, store=None, is_open=True),
    "list_of_exceptions": lambda conn: list(exceptions.open_exceptions(conn, limit=100)),
    "queue_of_the_desk": lambda conn: (
        desk_lists.page(conn, QueueFilter(owner="finance", shows="now"), None, 51, NOW),
        desk_lists.sums(conn, QueueFilter(), NOW),
    ),
    "search_of_the_desk": lambda conn: desk_lists.returns_of(conn, "RMA77", 200),
    "log_of_a_posting": lambda conn: audit_log.of_document(conn, "posting RMA77"),
    "housekeeping": _forgotten,
}


def held_by(url: str) -> dict[str, int]:
    """Bytes of the database, then of its tables with their indexes, the largest first."""
    with psycopg.connect(url) as conn:
        whole = conn.execute("SELECT 'database', pg_database_size(current_database())").fetchall()
        tables = conn.execute(
            "SELECT relid::regclass::text, pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY 2 DESC"
        ).fetchall()
    return dict([*whole, *tables])
