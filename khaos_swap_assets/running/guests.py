"""Processes that come and go while a house runs, each with its own fate: the fall of one is nobody else's affair.

Belongs here: starting who is wanted, ending who is not any more, and starting the fallen again with growing pauses.
Stays out: who is wanted (``merchants``), the house's own processes (``supervisor``).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from khaos_swap_assets.running.processes import Child, Process
from khaos_swap_assets.running.watching import Tell

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
FORGIVEN_AFTER_SECONDS = 600.0
TOLD_AFTER_FALLS = 3


@dataclass
class _Stay:
    """One guest as described: since when it is here, how often it fell, and from when on it may come again."""

    child: Child
    process: Process | None = None
    began: float = 0.0
    falls: int = 0
    due: float = 0.0


class Guests:
    """The processes that ``wanted`` names, in the logs of ``folder``. ``tend`` is for one thread, which outlives them.

    One whose description changed is ended and started anew. None of it waits: each call does what is due.
    """

    def __init__(
        self, wanted: Callable[[], Mapping[str, Child]], folder: Path, say: Callable[[str], None], alert: Tell
    ) -> None:
        self._wanted, self._folder = wanted, folder
        self._say, self._alert = say, alert
        self._stays: dict[str, _Stay] = {}
        self._leaving: dict[Process, float] = {}

    def tend(self) -> None:
        """Bring who is here in line with who is wanted."""
        wanted = self._wanted()
        for name in [name for name, stay in self._stays.items() if wanted.get(name) != stay.child]:
            self._say(f"{name}: is taken down")
            self._bid_leave(self._stays.pop(name))
        self._see_off()
        busy = {process.child.name for process in self._leaving}
        for name, child in wanted.items():
            stay = self._stays.setdefault(name, _Stay(child))
            if stay.process is not None and stay.process.exit_code() is not None:
                self._fell(stay, stay.process)
            elif stay.process is None and name not in busy and time.monotonic() >= stay.due:
                self._say(f"{name}: is brought up")
                stay.process, stay.began = Process(child, self._folder), time.monotonic()

    def present(self) -> list[Process]:
        """Who is here, or not gone yet."""
        return [*(stay.process for stay in self._stays.values() if stay.process is not None), *self._leaving]

    def _fell(self, stay: _Stay, process: Process) -> None:
        name, now = stay.child.name, time.monotonic()
        stay.falls = 1 if now - stay.began > FORGIVEN_AFTER_SECONDS else stay.falls + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (stay.falls - 1), LONGEST_PAUSE_SECONDS)
        stay.due = now + pause
        told = f"{name} {process.ending()}: {process.last_words()}"
        self._say(f"{told}; starting it again in {pause:.0f} s")
        if stay.falls >= TOLD_AFTER_FALLS:
            self._alert(f"{name} does not stay up", f"{told}; the others go on, and it is tried again and again")
        self._bid_leave(stay)

    def _bid_leave(self, stay: _Stay) -> None:
        if stay.process is not None:
            stay.process.send(signal.SIGTERM)
            self._leaving[stay.process] = time.monotonic()
            stay.process = None

    def _see_off(self) -> None:
        """Whoever does not leave in time is ended; its whole group is gone before it is here again."""
        for process, asked in [*self._leaving.items()]:
            if process.is_gone():
                del self._leaving[process]
            elif time.monotonic() - asked > process.child.stop_seconds:
                process.send(signal.SIGKILL)
