"""``python -m khaos_swap_assets_tests.prove [NAMES] [--out FILE]``: run the proofs, write one JSON.

Belongs here: the command line and the file. Stays out: the proofs. Each play is told on stderr as it ends, and the file
is written after each play, so a long series that is stopped leaves what it had: such a proof is not ``is_finished`` and
says nothing of whether it ``holds``; of one that was skipped ``holds`` is null. Exit 1 when a claim does not hold, 2
for a name that does not exist.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from khaos_swap_assets_tests.prove.plays import Played, heard_by
from khaos_swap_assets_tests.prove.proofs import PROOFS

Figures = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named proofs, or all."""
    parser = argparse.ArgumentParser(prog="prove", description="Show every claim at full size; writes one JSON.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(PROOFS)}; all without a name")
    parser.add_argument("--out", type=Path, default=Path("proofs.json"), help="the file to write")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(PROOFS)):
        print(f"no such proof: {', '.join(unknown)}; there are {', '.join(PROOFS)}", file=sys.stderr)
        return 2
    report: Figures = {"started_at": datetime.now(UTC).isoformat(), **_machine(), "proofs": {}}

    def keep(name: str, figures: Figures) -> None:
        report["proofs"][name] = {"claim": (PROOFS[name].__doc__ or "").strip(), **figures}
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")

    for name in options.names or PROOFS:
        _run(name, partial(keep, name))
    return 1 if any(figures["holds"] is False for figures in report["proofs"].values()) else 0


def _run(name: str, keep: Callable[[Figures], None]) -> None:
    start = perf_counter()
    plays: list[Figures] = []

    def hear(played: Played) -> None:
        _tell(f"  {played.line}")
        plays.append(played.brief)
        keep({"is_finished": False, "plays": plays})

    keep({"is_finished": False})
    with heard_by(hear):
        figures = PROOFS[name]()
    seconds = round(perf_counter() - start, 1)
    keep({"is_finished": True, "took_seconds": seconds, **figures})
    _tell(f"{name}: {_verdict(figures)}, {seconds} s")
    for fault in figures["faults"]:
        _tell(f"  {fault}")


def _verdict(figures: Figures) -> str:
    if figures["holds"] is None:
        return f"skipped, {figures['skipped']}"
    return "holds" if figures["holds"] else "DOES NOT HOLD"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


if __name__ == "__main__":
    sys.exit(main())
