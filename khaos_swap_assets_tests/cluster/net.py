"""Machines as network namespaces of this one, on a bridge of their own: each can be killed and cut off.

Belongs here: what ``ip`` is asked. Stays out: what runs on a machine (``house``, ``services``). It needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BRIDGE, NETWORK = "ks-lan", "10.77.0"
LAUNCH = 'hostname "$0"; exec "$@"'
SLICE = Path("/sys/fs/cgroup/cpu")
PERIOD = 100_000


def missing() -> str:
    """Why there can be no machines here; empty where there can."""
    if os.geteuid() != 0:
        return "namespaces of the network need root"
    if not shutil.which("ip"):
        return "ip is absent (Debian: apt install iproute2)"
    made = subprocess.run(["ip", "netns", "add", "ks-probe"], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", "ks-probe"], capture_output=True, check=False)
    return made.stderr.strip()


def ip(*words: str) -> None:
    """Ask ``ip``; raises ``CalledProcessError``."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass
class Machine:
    """One namespace; everything started in it is its own, however deep."""

    name: str
    number: int
    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return f"{NETWORK}.{self.number}"

    def run(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, cores: float = 0
    ) -> subprocess.Popen[bytes]:
        """Start a program here, which stays up; its words go to a file. It has so many ``cores`` with all it starts."""
        inside = ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", LAUNCH, self.name, *argv]
        inside = self._capped(cores, inside) if cores else inside
        outer = {key: value for key, value in os.environ.items() if not key.startswith(("KHAOS_SWAP_", "DAGSTER_"))}
        with (self.folder / f"{name}.log").open("ab") as log:
            made = subprocess.Popen(
                inside, cwd=self.folder, env={**outer, **(env or {})}, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(made)
        return made

    def pids(self) -> list[int]:
        """Whoever runs here."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(word) for word in done.stdout.split()]

    def kill(self) -> None:
        """As a power cut does."""
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait(30)
        self.started.clear()

    def cut(self) -> None:
        """Pull the plug of the network; everything goes on running."""
        ip("link", "set", self.name, "down")

    def mend(self) -> None:
        """Put it in again."""
        ip("link", "set", self.name, "up")

    def _capped(self, cores: float, argv: Sequence[str]) -> list[str]:
        """Joined from outside: a namespace has a /sys of its own, without control groups."""
        group = SLICE / self.name
        group.mkdir(exist_ok=True)
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(int(cores * PERIOD)))
        return ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', self.name, *argv]


class Net:
    """The machines of one cluster; there is one cluster a machine at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machines: dict[str, Machine] = {}
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("address", "add", f"{NETWORK}.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")

    def add(self, name: str, number: int) -> Machine:
        """A machine more, with an address that ends in this number."""
        folder = self.folder / name
        folder.mkdir()
        made = self.machines[name] = Machine(f"ks-{name}", number, folder)
        ip("netns", "add", made.name)
        ip("link", "add", made.name, "type", "veth", "peer", "name", "eth0", "netns", made.name)
        ip("link", "set", made.name, "master", BRIDGE, "up")
        for words in (
            ("address", "add", f"{made.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", made.name, *words)
        return made

    def close(self) -> None:
        """End everything that runs on them, and take them away."""
        for machine in self.machines.values():
            machine.kill()
            with contextlib.suppress(OSError):
                (SLICE / machine.name).rmdir()
        clear()


def clear() -> None:
    """Take away what a cluster that was killed left: its machines and the bridge; whoever runs there ends first."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    for name in [line.split()[0] for line in listed.stdout.splitlines() if line.startswith("ks-")]:
        Machine(name, 0, Path("/")).kill()
        _unplug(name)  # a namespace that is taken away takes its link along some time later
        ip("netns", "del", name)
    _unplug(BRIDGE)


def _unplug(link: str) -> None:
    subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
