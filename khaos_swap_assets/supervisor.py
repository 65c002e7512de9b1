"""One process that owns all the others: starts them in order, watches them, ends them all, the database last.

Belongs here: order, restarts, signals, and which processes Dagster needs. Stays out: how one process is started and
ended (``processes``), and what the command line offers.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import FrameType

from khaos_swap_assets import processes
from khaos_swap_assets.adapters.errors import KhaosSwapError, SettingsError
from khaos_swap_assets.processes import Child, Listen, Process

POLL_SECONDS = 0.1
RESTART_SECONDS = 1.0
FORGIVEN_AFTER_SECONDS = 600
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MODULE = "khaos_swap_assets.definitions"
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
    work: Callable[[], int] | None = None,
    say: Say | None = None,
) -> int:
    """Keep the children running until SIGINT, SIGTERM, the end of ``work``, or a child that does not stay up.

    ``folder`` gets ``logs/`` and the lock that allows one house a folder. ``work`` runs in a thread once all are ready.
    ``stop_last`` (the database) is called after every child is gone, whatever happened. Returns 0 after a signal, else
    what ``work`` returned. Raises ``SettingsError`` (port taken, folder in use), ``KhaosSwapError`` (a child does not
    come up or falls too often), or what ``work`` raised.
    """
    try:
        with _only_house(folder):
            processes.end_leftovers(folder.resolve())
            return Supervisor(children, folder.resolve(), say or _print).run(work)
    finally:
        stop_last()


class Supervisor:
    """The running house. ``run`` may be called once, from the main thread."""

    def __init__(self, children: Sequence[Child], folder: Path, say: Say) -> None:
        self._children = children
        self._folder = folder
        self._say = say
        self._running: dict[str, Process] = {}
        self._falls: dict[str, list[float]] = {}
        self._signals = 0
        self._work = _Work()

    def run(self, work: Callable[[], int] | None) -> int:
        """Start all, watch, end all; see the module's ``run``."""
        with self._listening():
            try:
                self._start_all()
                if work is not None and not self._signals:
                    self._work.start(work)
                self._watch()
            finally:
                self._stop_all()
        return 0 if self._signals else self._work.result()

    def _start_all(self) -> None:
        for child in self._children:
            if child.listens is not None:
                processes.require_free(child.listens)
        for child in self._children:
            if not self._signals:
                self._start(child)

    def _start(self, child: Child) -> None:
        began = time.monotonic()
        process = self._running[child.name] = Process(child, self._folder)
        while not self._signals and not process.is_ready():
            if process.exit_code() is not None:
                raise KhaosSwapError(f"{child.name} {_ending(process)} before it was ready: {process.last_words()}")
            if time.monotonic() - began > child.ready_seconds:
                raise KhaosSwapError(f"{child.name} is not ready after {child.ready_seconds:.0f} s; see {process.log}")
            time.sleep(POLL_SECONDS)
        if not self._signals:
            self._say(f"{child.name}: ready after {time.monotonic() - began:.1f} s")

    def _watch(self) -> None:
        while not self._signals and not self._work.is_done():
            for child in self._children:
                process = self._running[child.name]
                if process.exit_code() is not None and not self._signals:
                    self._replace(child, process)
            time.sleep(POLL_SECONDS)

    def _replace(self, child: Child, process: Process) -> None:
        now = time.monotonic()
        falls = [at for at in self._falls.get(child.name, []) if now - at < FORGIVEN_AFTER_SECONDS]
        self._falls[child.name] = [*falls, now]
        what = f"{child.name} {_ending(process)}: {process.last_words()}"
        if len(falls) >= child.restarts:
            raise KhaosSwapError(f"{what}; it fell {len(falls) + 1} times, so everything stops; see {process.log}")
        self._say(f"{what}; starting it again")
        process.send(signal.SIGKILL)
        self._pause(RESTART_SECONDS)
        if not self._signals:
            self._start(child)

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


class _Work:
    """The caller's own task beside the children, and how it ended."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._code = 0
        self._error: BaseException | None = None

    def start(self, work: Callable[[], int]) -> None:
        self._thread = threading.Thread(target=self._do, args=(work,), daemon=True, name="work")
        self._thread.start()

    def is_done(self) -> bool:
        return self._thread is not None and not self._thread.is_alive()

    def result(self) -> int:
        if self._error is not None:
            raise self._error
        return self._code

    def _do(self, work: Callable[[], int]) -> None:
        try:
            self._code = work()
        except BaseException as error:  # carried over to the caller's thread
            self._error = error


def prepare_dagster_home(data_dir: Path) -> Path:
    """Write ``dagster.yaml`` into the folder ``dagster_home``, from which Dagster reads it; gives that folder."""
    home = data_dir.resolve() / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text(resources.files("khaos_swap_assets").joinpath("dagster.yaml").read_text())
    return home


def dagster_children(
    data_dir: Path, dagster_home: Path, host: str, port: int, env: Mapping[str, str], *, module: str = MODULE
) -> list[Child]:
    """The processes of Dagster: one code server that the two others share, the web UI, the daemon.

    ``env`` must hold ``KHAOS_SWAP_DAGSTER_URL`` beside the settings that the definitions read.
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
        Child("code-server", [*dagster, *serve, "--use-python-environment-entry-point"], shared, listens=code),
        Child("webserver", [sys.executable, "-m", "khaos_swap_assets.ui"], shown, listens=web),
        Child("daemon", [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)], shared),
    ]


@contextmanager
def _only_house(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SettingsError(
                f"{folder} is in use by process {lock.read().strip()}: stop it or choose another folder, "
                "KHAOS_SWAP_DATA_DIR or the demo's --folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _ending(process: Process) -> str:
    code = process.exit_code()
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
