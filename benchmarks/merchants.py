"""What one more merchant costs a house of many: memory, idle processor time, seconds until it is green.

Merchants whose vendors do not answer, in mode audit, on an embedded PostgreSQL: a house with one, then with more added
while it runs. Memory is each process's own share (PSS), read of the kernel once all are still.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from khaos_swap_assets.running.processes import HOUSE, free_port

MERCHANTS = 4
STILL_SECONDS = 60.0
GREEN_SECONDS = 300.0
MOST_MB = 360
SHARED = {"khaos_swap_assets.ui": "webserver", "dagster._daemon": "daemon"}
OWN = {
    "api grpc": "code_server",
    "khaos_swap_assets.gateway": "gateway",
    "khaos_swap_assets.running.merchant": "looking_after",
}
FILE = """KHAOS_SWAP_SWAP_URL=http://127.0.0.1:9/returns-api
KHAOS_SWAP_SWAP_API_KEY=key-of-{name}
KHAOS_SWAP_SWAP_STORE_ID=st_{name}
KHAOS_SWAP_KHAOS_URL=http://127.0.0.1:9/LiveSoap/Khaos{name}.exe
KHAOS_SWAP_GATEWAY_PORT={port}
"""
PLACES = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"


def measure() -> dict[str, Any]:
    """MB (10^6 bytes, PSS) and idle processor seconds a minute of each further merchant, and the MB that all share."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-merchants-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        house = _House(Path(folder))
        with house.running():
            waits = [house.until_green(1)]
            _, before = house.still()
            for number in range(2, MERCHANTS + 1):
                house.add(number)
                waits.append(house.until_green(number))
            mb, after = house.still()
    each = {f"mb_{part}": round(mb[part] / MERCHANTS) for part in OWN.values()}
    return {
        "merchants": MERCHANTS,
        "mb_a_merchant": sum(each.values()),
        **each,
        "mb_shared": round(sum(mb[part] for part in SHARED.values())),
        "idle_cpu_seconds_a_minute_a_merchant": round((after - before) / (MERCHANTS - 1), 2),
        "seconds_until_green": round(max(waits[1:])),
        "is_met": sum(each.values()) <= MOST_MB,
    }


class _House:
    """A house of many in a folder of its own, its files written by ``add``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.port = folder / "house", folder / "merchants", free_port()
        self.folder.mkdir()
        self.files.mkdir()

    def add(self, number: int) -> None:
        """One more merchant."""
        file = self.files / f"m{number}.env"
        file.touch(mode=0o600)
        file.write_text(FILE.format(name=file.stem, port=free_port()))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Up with one merchant until the end of the block."""
        self.add(1)
        env = {**os.environ, "KHAOS_SWAP_WEBSERVER_PORT": str(self.port)}
        argv = [sys.executable, "-m", "khaos_swap_assets.cli.commands", "up", "--merchants", str(self.files)]
        with (self.folder / "log").open("w") as log:
            program = subprocess.Popen(argv, cwd=self.folder, env=env, stdout=log, stderr=log)
            try:
                yield
            finally:
                program.send_signal(signal.SIGTERM)
                program.wait(60)

    def until_green(self, merchants: int) -> float:
        """Seconds until the page shows so many code locations, all of them loaded. Raises ``TimeoutError``."""
        began = time.monotonic()
        while time.monotonic() - began < GREEN_SECONDS:
            with contextlib.suppress(OSError):
                if self._places() == ["RepositoryLocation"] * merchants:
                    return time.monotonic() - began
            time.sleep(0.5)
        raise TimeoutError(f"{merchants} merchants are not green; see {self.folder / 'log'}")

    def still(self) -> tuple[Counter[str], float]:
        """MB by part after a still while, and the processor seconds a minute that all of them took in it."""
        time.sleep(STILL_SECONDS / 2)
        before = self._cpu()
        time.sleep(STILL_SECONDS)
        cpu = (self._cpu() - before) * 60 / STILL_SECONDS
        mb: Counter[str] = Counter()
        for part, process in self._parts():
            mb[part] += process.memory_full_info().pss // 10**6
        return mb, cpu

    def _cpu(self) -> float:
        return sum(process.cpu_times().user + process.cpu_times().system for _, process in self._parts())

    def _parts(self) -> list[tuple[str, psutil.Process]]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(HOUSE, "").startswith(str(self.folder)):
                    line = " ".join(process.cmdline())
                    found += [(part, process) for word, part in (OWN | SHARED).items() if word in line]
        return found

    def _places(self) -> list[str]:
        url, asked = f"http://127.0.0.1:{self.port}/graphql", json.dumps({"query": PLACES}).encode()
        request = urllib.request.Request(url, asked, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            entries = json.load(answer)["data"]["workspaceOrError"]["locationEntries"]
        return [one["locationOrLoadError"]["__typename"] for one in entries]
