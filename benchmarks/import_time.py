"""What every run pays before its first step: importing the code location, beside importing Dagster and pandas alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[1]
OURS = "import khaos_swap_assets.definitions"
BARE = "import dagster, pandas"
REPEATS = 5


def measure() -> dict[str, Any]:
    """Median seconds of fresh processes, taken in turns, and their ratio; at most 1.3 is wanted."""
    for code in (OURS, BARE):
        _seconds(code)
    pairs = [(_seconds(OURS), _seconds(BARE)) for _ in range(REPEATS)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = round(ours / bare, 2)
    return {"seconds": round(ours, 3), "dagster_pandas_seconds": round(bare, 3), "ratio": ratio, "is_met": ratio <= 1.3}


def _seconds(code: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    return perf_counter() - start
