"""One process that owns all the others: starts them in order, starts them again, ends them all, the database last.

Belongs here: order, restarts, signals, and which processes Dagster needs. Stays out: how one process is started and
ended (``processes``), looking after them (``watching``), and what the command line offers.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import resources
from pathlib import Path
from types import FrameType

from khaos_swap_assets.adapters.errors import HouseError, StoreError
from khaos_swap_assets.running import health, logs, processes
from khaos_swap_assets.running.errand import Errand
from khaos_swap_assets.running.orphans import Orphans
from khaos_swap_assets.running.processes import Child, Listen, Process
from khaos_swap_assets.running.watching import Firm, Watcher

POLL_SECONDS = 0.1
RESTART_SECONDS = 1.0
FORGIVEN_AFTER_SECONDS = 600
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MODULE = "khaos_swap_assets.started"
LOCATION = "khaos_swap"
WORKSPACE = """load_from:
  - grpc_server:
      host: {host}
      port: {port}
      location_name: {location}
"""
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
) -> int:
    """Keep the children running until SIGINT, SIGTERM, the end of ``work``, or a child that does not stay up.

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
            return Supervisor(children, folder.resolve(), say, watcher or Watcher(Firm(), say)).run(work)
    finally:
        stop_last()


class Supervisor:
    """The running house. ``run`` may be called once, from the main thread."""

    def __init__(self, children: Sequence[Child], folder: Path, say: Say, watcher: Watcher) -> None:
        self._children = children
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
                raise HouseError(f"{child.name} {_ending(process)} before it was ready: {process.last_words()}")
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
            time.sleep(POLL_SECONDS)

    def _fault(self, child: Child) -> str:
        process = self._running[child.name]
        if process.exit_code() is not None:
            return f"{child.name} {_ending(process)}: {process.last_words()}"
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


def prepare_dagster_home(data_dir: Path) -> Path:
    """Write ``dagster.yaml`` into the folder ``dagster_home``, from which Dagster reads it; gives that folder."""
    home = data_dir.resolve() / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(resources.files("khaos_swap_assets").joinpath("dagster.yaml").read_text())
    return home


def dagster_children(
    dagster_home: Path, host: str, port: int, env: Mapping[str, str], orphans: Orphans, *, module: str = MODULE
) -> list[Child]:
    """The processes of Dagster: one code server that the two others share, the web UI, the daemon.

    ``env`` must hold ``KHAOS_SWAP_DAGSTER_URL`` beside the settings that the definitions read. A code server takes its
    runs with it, so what they left is closed before each start.
    """
    code = Listen("127.0.0.1", processes.free_port(), "no setting: start again")
    workspace = dagster_home / "workspace.yaml"
    workspace.write_text(WORKSPACE.format(host=code.host, port=code.port, location=LOCATION))
    shared = {"DAGSTER_HOME": str(dagster_home), "DAGSTER_DISABLE_TELEMETRY": "yes", **env}
    web = Listen(host, port, "KHAOS_SWAP_WEBSERVER_PORT")
    dagster = [sys.executable, "-m", "dagster"]
    serve = ["api", "grpc", "-m", module, "-h", code.host, "-p", str(code.port), "--location-name", LOCATION]
    shown = {**shared, "KHAOS_SWAP_WEBSERVER_HOST": host, "KHAOS_SWAP_WEBSERVER_PORT": str(port)}
    return [
        Child(
            "code-server",
            [*dagster, *serve, "--use-python-environment-entry-point"],
            shared,
            listens=code,
            before=orphans.close_all,
            alive=partial(health.code_server_answers, code),
            hang_seconds=30,
        ),
        Child(
            "webserver",
            [sys.executable, "-m", "khaos_swap_assets.ui"],
            shown,
            listens=web,
            alive=partial(processes.answers, web.url("/server_info")),
        ),
        Child(
            "daemon",
            [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)],
            shared,
            alive=partial(health.daemon_beats, orphans.url),
            hang_seconds=180,
        ),
    ]


def _do(before: Callable[[], object]) -> None:
    try:
        before()
    except StoreError as error:
        raise HouseError(str(error)) from None


def _ending(process: Process) -> str:
    code = process.exit_code()
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
