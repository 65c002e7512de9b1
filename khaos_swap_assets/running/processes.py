"""One child process: starting it so that it cannot outlive us, asking whether it is ready, ending it with its own.

Belongs here: what the operating system is asked. Stays out: which processes there are, in what order (``supervisor``).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from khaos_swap_assets.adapters.errors import HouseError, KhaosSwapError, SettingsError

HOUSE = "KHAOS_SWAP_HOUSE"
ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""glibc else gives threads up to eight memories a core, and a server of many threads gives none of them back."""
PORTS = range(20_000, 32_000)
PROMISES = 64
PROMISED: deque[int] = deque()
"""The sockets that hold the last ports which were given out: the older ones are in use by now, or never will be."""
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Listen:
    """An address that a child listens on, and the setting that moves it: none where we choose at each start."""

    host: str
    port: int
    variable: str = ""

    def url(self, path: str) -> str:
        """Where this machine reaches a path of it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 (compared, not bound)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}{path}"


@dataclass(frozen=True)
class Child:
    """A program to keep running.

    ``ready`` is a URL that answers 200, or a question; without one, a child with an address is ready when something
    accepts there, any other at once. ``env`` is laid over our own environment. A child that needs longer than
    ``ready_seconds``, or that falls more than ``restarts`` times, ends the whole house. ``before`` runs before each
    start, when nobody of a former one is left. One that was not ``alive`` for ``hang_seconds`` has fallen too.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: str | Callable[[], bool] | None = None
    listens: Listen | None = None
    before: Callable[[], object] | None = None
    alive: Callable[[], bool] | None = None
    hang_seconds: float = 60
    ready_seconds: float = 90
    stop_seconds: float = 5
    restarts: int = 3


class Process:
    """A started child, leader of its own session, so that its whole group can be ended.

    It works in ``folder``: Dagster lets any ``.env`` of its working folder override the environment it was given.
    """

    def __init__(self, child: Child, folder: Path) -> None:
        self.child = child
        self.log = folder / "logs" / f"{child.name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        owner = os.getpid()
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 (the programs are ours)  # nosec B603
                list(child.argv),
                env={**ARENAS, **os.environ, "PYTHONUNBUFFERED": "1", **child.env, HOUSE: str(folder)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _begin(owner),
            )

    @property
    def pid(self) -> int:
        """Process id, which is the group's id too."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """What the child ended with, None while it runs."""
        return self._popen.poll()

    def ending(self) -> str:
        """How the child ended, in words."""
        code = self.exit_code()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def is_ready(self) -> bool:
        """Whether the child can be used now."""
        ready = self.child.ready
        if isinstance(ready, str):
            return answers(ready)
        if ready is not None:
            return ready()
        return self.child.listens is None or _accepts(self.child.listens)

    def send(self, number: signal.Signals) -> None:
        """Signal the whole group, also when its leader is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def is_gone(self) -> bool:
        """Whether nobody of the group is left but the dead."""
        if self._popen.poll() is None:
            return False
        return not any(_group(process) == self.pid for process in psutil.process_iter(["status"]))

    def last_words(self) -> str:
        """The last line of the child's log."""
        with contextlib.suppress(OSError):
            lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            return lines[-1].strip() if lines else "it said nothing"
        return "it said nothing"


def require_free(address: Listen) -> None:
    """Port 0 is always free. Raises ``HouseError`` where somebody listens already, ``SettingsError`` for no address."""
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except (OSError, UnicodeError) as error:
            raise _unusable(address, error) from None


def _unusable(address: Listen, error: OSError | UnicodeError) -> KhaosSwapError:
    reason = error.strerror if isinstance(error, OSError) else "no name of a host"
    if isinstance(error, UnicodeError | socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        variable = address.variable.replace("_PORT", "_HOST")
        return SettingsError(
            f"address {address.host!r} cannot be used ({reason}): it must be one of this machine; correct {variable}"
        )
    kind = HouseError if error.errno == errno.EADDRINUSE else SettingsError
    choose = f"choose another with {address.variable}" if address.variable else "start again, which chooses another"
    return kind(
        f"port {address.port} of {address.host} cannot be used ({reason}): stop the program that has it or {choose}"
    )


def free_port(host: str = "127.0.0.1", *, usual: int | None = None) -> int:
    """A port that nobody uses now, of those that no outgoing connection is given: a child binds it seconds later.

    Until then no other house of this machine is given it. ``usual`` is tried first, so that a bookmark holds. Raises
    ``OSError`` where there is none, or no such address.
    """
    first = [] if usual is None else [usual]
    for port in [*first, *random.SystemRandom().sample(PORTS, len(PORTS))]:
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
                _promise(host, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return port
    raise OSError(errno.EADDRINUSE, f"every port from {PORTS.start} to {PORTS.stop - 1} of {host} is in use")


def _promise(host: str, port: int) -> None:
    """Hold the UDP port of the same number, which nothing else of ours uses, while we live or until ours are many.

    Raises ``OSError`` where another process holds it.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as sign:
        sign.bind((host, port))
        PROMISED.append(sign.detach())
    if len(PROMISED) > PROMISES:
        os.close(PROMISED.popleft())


@contextmanager
def only_house(folder: Path) -> Iterator[None]:
    """Have the folder to ourselves, as long as we live. Raises ``HouseError`` when another process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise HouseError(
                f"{folder} is in use by process {lock.read().strip()}: stop it or choose another folder, "
                "KHAOS_SWAP_DATA_DIR or the demo's --folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def end_leftovers(folder: Path, *, seconds: float = 5) -> int:
    """End what a killed supervisor of this folder left running, however deep; says how many."""
    left = [process for process in psutil.process_iter() if _house(process) == str(folder)]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=seconds)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return len(left)


def lives_in(folder: Path, pid: int) -> bool:
    """Whether a process is alive and of this folder's house; numbers are given again."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(HOUSE) == str(folder)
    except (psutil.Error, OSError):
        return False


def _begin(owner: int) -> None:
    """In the child before its program: it hears what ends it, though a shell's ``&`` made us deaf, and ends with us."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != owner:
            os._exit(1)


def _house(process: psutil.Process) -> str | None:
    if process.pid == os.getpid():
        return None
    try:
        return process.environ().get(HOUSE)
    except (psutil.Error, OSError):
        return None


def _group(process: psutil.Process) -> int | None:
    if process.info["status"] == psutil.STATUS_ZOMBIE:
        return None
    with contextlib.suppress(OSError):
        return os.getpgid(process.pid)
    return None


def answers(url: str) -> bool:
    """Whether a URL answers 200 within a few seconds."""
    import httpx

    from khaos_swap_assets.adapters.http import public_authorities

    try:
        return httpx.get(url, timeout=5, trust_env=False, verify=public_authorities()).is_success
    except httpx.HTTPError:
        return False


def _accepts(address: Listen) -> bool:
    try:
        socket.create_connection((address.host, address.port), timeout=2).close()
    except OSError:
        return False
    return True
