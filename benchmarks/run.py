"""Run the benchmarks: ``python benchmarks/run.py [NAME ...]`` prints one JSON line each; exit 1 if one is not met.

Belongs here: the list and the printing. A benchmark is a module of this folder with ``measure() -> dict`` that says
in ``is_met`` whether its aim is reached; to add one, add its name to ``BENCHMARKS``.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BENCHMARKS = (
    "rejudge",
    "tick",
    "idle_tick",
    "import_time",
    "gateway_load",
    "growth",
    "audit_year",
    "large_workbook",
    "audit_lines",
    "desk_lists",
    "custody",
    "open_returns",
    "merchants",
    "cost",
    "years",
)


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, or all; 2 for a name that does not exist."""
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    results = [run(name) for name in names or BENCHMARKS]
    return 0 if all(result.get("is_met", True) for result in results) else 1


def run(name: str) -> dict[str, Any]:
    """Measure one and print its line at once."""
    result = importlib.import_module(f"benchmarks.{name}").measure()
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": name, **result, **machine}), flush=True)
    return dict(result)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main(sys.argv[1:]))
