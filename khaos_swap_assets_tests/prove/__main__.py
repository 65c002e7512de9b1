"""``python -m khaos_swap_assets_tests.prove [NAMES] [--out FILE]``: run the proofs, write one JSON.

Belongs here: the command line and the file. Stays out: the proofs. The file is written after each proof, so a long
series that is stopped leaves what it had. Exit 1 when a claim does not hold, 2 for a name that does not exist.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from khaos_swap_assets_tests.prove.proofs import PROOFS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named proofs, or all."""
    parser = argparse.ArgumentParser(prog="prove", description="Show every claim at full size; writes one JSON.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(PROOFS)}; all without a name")
    parser.add_argument("--out", type=Path, default=Path("proofs.json"), help="the file to write")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(PROOFS)):
        print(f"no such proof: {', '.join(unknown)}; there are {', '.join(PROOFS)}", file=sys.stderr)
        return 2
    report: dict[str, Any] = {"started_at": datetime.now(UTC).isoformat(), **_machine(), "proofs": {}}
    for name in options.names or PROOFS:
        report["proofs"][name] = _run(name)
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figures["holds"] for figures in report["proofs"].values()) else 1


def _run(name: str) -> dict[str, Any]:
    start = perf_counter()
    figures = PROOFS[name]()
    seconds = round(perf_counter() - start, 1)
    print(f"{name}: {'holds' if figures['holds'] else 'DOES NOT HOLD'}, {seconds} s", file=sys.stderr, flush=True)
    for fault in figures["faults"]:
        print(f"  {fault}", file=sys.stderr, flush=True)
    return {"claim": (PROOFS[name].__doc__ or "").strip(), "took_seconds": seconds, **figures}


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


if __name__ == "__main__":
    sys.exit(main())
