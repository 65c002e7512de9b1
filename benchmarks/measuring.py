"""How the benchmarks measure: seconds by the monotonic clock, peak memory of this process by the kernel's own count.

Belongs here: clocks and counters. Stays out: what is measured (one module a benchmark, each with ``measure``).
"""

from __future__ import annotations

import gc
import re
import resource
import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TypeVar

Result = TypeVar("Result")

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def timed(work: Callable[[], Result], repeats: int = 3) -> tuple[float, Result]:
    """Median seconds of the repeats, and the last result."""
    seconds = []
    for _ in range(repeats):
        gc.collect()
        start = perf_counter()
        result = work()
        seconds.append(perf_counter() - start)
    return round(statistics.median(seconds), 3), result


def peak_mb(work: Callable[[], object]) -> int:
    """Peak resident memory of the whole process while ``work`` runs, in MB (10^6 bytes).

    Where the kernel does not let the count start afresh, the peak since the start of the process is given.
    """
    gc.collect()
    try:
        _CLEAR.write_text("5")
    except OSError:
        work()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 10**6
    work()
    peak = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    return int(peak[1]) * 1024 // 10**6 if peak else 0
