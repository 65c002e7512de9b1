"""Plays as children: start one, read its figures, and say in words what it must not be.

Belongs here: running ``one_play``, the conditions that every play has to meet, and who hears of a play as it ends.
Stays out: which plays (``proofs``) and what is made of what was heard (``__main__``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 1_800


@dataclass(frozen=True)
class Played:
    """One play: what was asked for, its figures, what happened in an outage, exit code and seconds of the process.

    ``end`` holds fingerprints of the final state, where the wish named faults.
    """

    wish: dict[str, Any]
    result: dict[str, Any]
    outage: dict[str, Any]
    exit_code: int
    seconds: float
    last_words: str
    end: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, Any]:
        """The figures that the same seed must repeat: everything but time."""
        return {name: value for name, value in self.result.items() if name != "seconds"}

    @property
    def brief(self) -> dict[str, Any]:
        """What a report shows of it: its figures, or its last words where it printed none."""
        kept = ("returns", "credit_notes_confirmed", "duplicates", "exceptions", "planted", "missed", "false_alarms")
        if not self.result:
            return {**self.wish, "exit_code": self.exit_code, "last_words": self.last_words, "seconds": self.seconds}
        figures = {name: self.result.get(name) for name in kept}
        return {**self.wish, **figures, "failed_runs": self.result.get("failed_runs"), "seconds": self.seconds}

    @property
    def line(self) -> str:
        """The wish and what it came to, in one line."""
        wish = " ".join(f"{name}={value}" for name, value in self.wish.items())
        if not self.result:
            last = self.last_words.rpartition("\n")[2]
            return f"{wish}: no figures, exit {self.exit_code}, {self.seconds} s: {last}"
        counted = {"returns": "returns", "credit_notes_confirmed": "confirmed", "duplicates": "duplicates"}
        said = [f"{self.result[name]} {word}" for name, word in counted.items()]
        said += [f"{len(self.result[name])} {name.replace('_', ' ')}" for name in ("missed", "false_alarms")]
        return f"{wish}: {', '.join(said)}, {self.seconds} s"


Listener = Callable[[Played], None]
_listeners: list[Listener] = []


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within the block ``listener`` is told each play as it ends."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(played: Played) -> Played:
    """Tell every listener, and hand the play on."""
    for listener in _listeners:
        listener(played)
    return played


def play(**wish: Any) -> Played:
    """Play in a process of its own; figures are empty when it printed none."""
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "khaos_swap_assets_tests.prove.one_play", json.dumps(wish)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    outage: dict[str, Any] = next((line["outage"] for line in lines if "outage" in line), {})
    result: dict[str, Any] = next((line for line in reversed(lines) if "returns" in line), {})
    words = done.stderr.strip().splitlines()[-5:]
    end: dict[str, str] = next((line["end"] for line in lines if "end" in line), {})
    seconds = round(perf_counter() - start, 1)
    return tell(Played(wish, result, outage, done.returncode, seconds, "\n".join(words), end))


def faults_of(played: Played, *, failed_runs: int = 0) -> list[str]:
    """Every way in which a play is not what it must be, one line each."""
    result = played.result
    if not result:
        return [f"{played.wish}: no figures, exit {played.exit_code}: {played.last_words}"]
    found = [f"missed: {line}" for line in result["missed"]]
    found += [f"false alarm: {line}" for line in result["false_alarms"]]
    found += [f"broken: {line}" for line in result["broken_invariants"]]
    found += [f"unexplained: {line}" for line in result["unexplained"]]
    if result["duplicates"]:
        found.append(f"{result['duplicates']} duplicates")
    if result["failed_runs"] != failed_runs:
        found.append(f"{result['failed_runs']} runs failed, {failed_runs} were to")
    if played.exit_code:
        found.append(f"exit {played.exit_code}")
    return [f"{played.wish}: {line}" for line in found]
