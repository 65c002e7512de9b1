"""Judging every return of a history again from PostgreSQL, as after a change of the rules, the policy or a tolerance.

Everything is in line at once; facts are loaded, judged and kept batch by batch. Over two lengths of history: returns a
second must not fall with it, nor memory grow.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from benchmarks.history import build, empty_store
from benchmarks.measuring import peak_mb
from benchmarks.stand_ins import FromMemorySwap
from benchmarks.tick import toolbox
from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.stages.reconciliation.judging import reconcile_waiting

SIZES = (10_000, 200_000)
MOST_SECONDS_RATIO = 1.3
MOST_MB_MORE = 60


def measure() -> dict[str, Any]:
    """Returns a second and peak MB over each history; the longer one costs no more a return and little more memory."""
    told = [_judged(size) for size in SIZES]
    (short, short_mb), (long, long_mb) = told
    ratio = round(long / SIZES[1] / (short / SIZES[0]), 2)
    return {
        "returns": SIZES,
        "seconds": long,
        "returns_a_second": [round(size / seconds) for size, (seconds, _) in zip(SIZES, told, strict=True)],
        "ratio_a_return": ratio,
        "peak_mb": [short_mb, long_mb],
        "is_met": ratio <= MOST_SECONDS_RATIO and long_mb <= short_mb + MOST_MB_MORE,
    }


def _judged(returns: int) -> tuple[float, int]:
    """Seconds and peak MB of judging every return of a history of this length."""
    with empty_store() as url:
        build(url, returns)
        tools = toolbox(url, FromMemorySwap())
        with tools.store() as conn:
            worklist.queue_all(conn, "reconcile")
        began = perf_counter()
        peak = peak_mb(lambda: _all_of(tools, returns))
        return round(perf_counter() - began, 3), peak


def _all_of(tools: Any, returns: int) -> None:
    done = reconcile_waiting(tools)
    if done.returns != returns:
        raise RuntimeError(f"{done.returns} returns were judged, {returns} stand in the history")
