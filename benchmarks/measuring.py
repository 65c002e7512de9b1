"""How the benchmarks measure memory: the peak of this process by the kernel's own count.

Belongs here: counters. Stays out: what is measured (one module a benchmark, each with ``measure``).
"""

from __future__ import annotations

import gc
import re
import resource
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


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
