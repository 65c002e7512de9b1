"""One process that owns all the others: starts them in order, starts them again, ends them all, the database last.

Belongs here: order, restarts, signals. Stays out: which processes Dagster needs (``dagster_parts``), how one process is
started and ended (``processes``), looking after them (``watching``), those that come and go (``guests``).
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from khaos_swap_assets.adapters.errors import HouseError, StoreError
from khaos_swap_assets.running import logs, processes
from khaos_swap_assets.running.errand import Errand
from khaos_swap_assets.running.guests import Guests
from khaos_swap_assets.running.processes import Child, Process
from khaos_swap_assets.running.watching import Firm, Watcher

POLL_SECONDS = 0.1
RESTART_SECONDS = 1.0
FORGIVEN_AFTER_SECONDS = 600
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Say = Callable[[str], None]


def run(
    children: Sequence[Child],
    *,
    folder: Path,
    stop_last: Callable[[], None],
    watcher: Watcher | None = None,
    work: Callable[[], int] | None = None,
    say: Say | None = None,
    rotation: logs.Rotation = logs.USUAL,
    guests: Guests | None = None,
) -> int:
    """Keep the children running until SIGINT, SIGTERM, the end of ``work``, or a child that does not stay up.

    The ``guests`` come and go beside them, and the fall of one ends nobody else.

    The caller has the ``folder`` to itself (``processes.only_house``); it gets ``logs/``. While the ``watcher`` sees no
    database, fallen children wait for it. ``work`` runs in a thread once all are ready. ``stop_last`` (the database) is
    called after every child is gone, whatever happened. Returns 0 after a signal, else what ``work`` returned. Raises
    ``HouseError`` (a port is taken, a child does not come up or falls too often, another house has the database), or
    what ``work`` raised.
    """
    say = say or _print
    try:
        processes.end_leftovers(folder.resolve())
        with logs.rotating(folder, rotation):
            return Supervisor(children, folder.resolve(), say, watcher or Watcher(Firm(), say), guests=guests).run(work)
    finally:
        stop_last()


class Supervisor:
    """The running house. ``run`` may be called once, from the main thread."""

    def __init__(
        self, children: Sequence[Child], folder: Path, say: Say, watcher: Watcher, guests: Guests | None = None
    ) -> None:
        self._children = children
        self._guests = guests
        self._folder = folder
        self._say = say
        self._watcher = watcher
        self._running: dict[str, Process] = {}
        self._falls: dict[str, list[float]] = {}
        self._signals = 0
        self._work = Errand()

    def run(self, work: Callable[[], int] | None) -> int:
        """Start all, watch, end all; see the module's ``run``."""
        with self._listening():
            try:
                self._start_all()
                if work is not None and not self._is_over():
                    self._work.start(work)
                self._watch()
            finally:
                self._watcher.stop()
                self._stop_all()
                self._watcher.wait()
        return 0 if self._signals else self._work.result()

    def _is_over(self) -> bool:
        """Whether a signal came. Raises ``HouseError`` when another house has our database."""
        if self._watcher.lost is not None:
            raise self._watcher.lost
        return self._signals > 0

    def _start_all(self) -> None:
        for child in self._children:
            if child.listens is not None:
                processes.require_free(child.listens)
        self._watcher.start()
        if self._guests is not None:
            self._guests.tend()
        for child in self._children:
            while not self._is_over():
                try:
                    self._start(child)
                    break
                except HouseError:
                    if not self._watcher.is_shaken():
                        raise

    def _start(self, child: Child) -> None:
        """Bring a child up, once the ground stands. Raises ``HouseError`` when it does not come up."""
        while self._watcher.away and not self._is_over():
            time.sleep(POLL_SECONDS)
        began = time.monotonic()
        if child.before is not None and not self._is_over():
            _do(child.before)
        process = self._running[child.name] = Process(child, self._folder)
        while not self._is_over() and not process.is_ready():
            if process.exit_code() is not None:
                raise HouseError(f"{child.name} {process.ending()} before it was ready: {process.last_words()}")
            if time.monotonic() - began > child.ready_seconds:
                raise HouseError(f"{child.name} is not ready after {child.ready_seconds:.0f} s; see {process.log}")
            time.sleep(POLL_SECONDS)
        if not self._is_over():
            self._watcher.expect(child)
            self._say(f"{child.name}: ready after {time.monotonic() - began:.1f} s")

    def _watch(self) -> None:
        while not self._is_over() and not self._work.is_done():
            for child in self._children:
                if what := self._fault(child):
                    self._replace(child, what)
            if self._guests is not None:
                self._guests.tend()
            time.sleep(POLL_SECONDS)

    def _fault(self, child: Child) -> str:
        process = self._running[child.name]
        if process.exit_code() is not None:
            return f"{child.name} {process.ending()}: {process.last_words()}"
        if self._watcher.is_hung(child):
            return f"{child.name} did not answer for {child.hang_seconds:.0f} s"
        return ""

    def _replace(self, child: Child, what: str) -> None:
        """Start a child again, and again when it falls before it is ready; too many falls end the house."""
        while what and not self._is_over():
            self._clear(child)
            self._count(child, what)
            self._say(f"{what}; starting it again")
            try:
                self._start(child)
                what = ""
            except HouseError as error:
                if error is self._watcher.lost:
                    raise
                what = str(error)

    def _clear(self, child: Child) -> None:
        """End whoever is left of a fallen child, and breathe."""
        process = self._running[child.name]
        process.send(signal.SIGKILL)
        self._pause(RESTART_SECONDS)
        while not process.is_gone():
            process.send(signal.SIGKILL)
            time.sleep(POLL_SECONDS)

    def _count(self, child: Child, what: str) -> None:
        if self._watcher.is_shaken():
            return
        now = time.monotonic()
        falls = [at for at in self._falls.get(child.name, []) if now - at < FORGIVEN_AFTER_SECONDS]
        self._falls[child.name] = [*falls, now]
        if len(falls) >= child.restarts:
            log = self._running[child.name].log
            raise HouseError(f"{what}; it fell {len(falls) + 1} times, so everything stops; see {log}")

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._signals and time.monotonic() < until:
            time.sleep(POLL_SECONDS)

    def _stop_all(self) -> None:
        asked = time.monotonic()
        patience = self._signals
        alive = [self._running[child.name] for child in reversed(self._children) if child.name in self._running]
        alive += self._guests.present() if self._guests is not None else []
        for process in alive:
            process.send(signal.SIGTERM)
        while alive := [process for process in alive if not process.is_gone()]:
            for process in alive:
                if time.monotonic() - asked > process.child.stop_seconds or self._signals > patience + 1:
                    process.send(signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        processes.end_leftovers(self._folder, seconds=1)
        self._say("everything is stopped")

    @contextmanager
    def _listening(self) -> Iterator[None]:
        # Under nohup the hang-up is ignored on purpose, and stays so.
        heard = [
            number for number in STOP_SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        ]
        before = {number: signal.signal(number, self._on_signal) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1


def _do(before: Callable[[], object]) -> None:
    try:
        before()
    except StoreError as error:
        raise HouseError(str(error)) from None


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
