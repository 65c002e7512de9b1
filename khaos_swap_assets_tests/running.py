"""Starting our own programs as a user does, and watching them from outside."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from starlette.types import ASGIApp

from khaos_swap_assets.adapters.http import public_authorities

PROGRAM = (sys.executable, "-m", "khaos_swap_assets.cli.commands")
LAUNCH = """
    mutation ($of: String!, $job: String!) { launchRun(executionParams: {mode: "default", selector: {
        repositoryLocationName: $of, repositoryName: "__repository__", jobName: $job}}) {
        __typename ... on LaunchRunSuccess { run { runId } } } }
"""
RUNS = "{ runsOrError(limit: 50) { ... on Runs { results { runId jobName status } } } }"


@dataclass(frozen=True)
class Done:
    """What the program said, run in this process."""

    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Done]


def fair(seconds: float) -> float:
    """So many seconds of a machine that nobody else uses; more of one whose cores others use as well."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def until(question: Callable[[], Any], seconds: float, every: float = 0.3) -> Any:
    """Ask until the answer is true; the last answer. A connection that is refused counts as no."""
    deadline = time.monotonic() + seconds
    answer: Any = None
    while not answer and time.monotonic() < deadline:
        try:
            answer = question()
        except (httpx.HTTPError, ConnectionError):
            answer = None
        if not answer:
            time.sleep(every)
    return answer


@contextlib.contextmanager
def serving(app: ASGIApp, **settings: Any) -> Iterator[int]:
    """Serve an application on a port of this process until the end of the block; gives the port.

    ``settings`` are uvicorn's. Nothing waits for ever: not for a server that failed, nor for a line left open.
    """
    quiet: dict[str, Any] = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 1}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, **(quiet | settings)))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended before it had started"
            time.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@contextlib.contextmanager
def gone_at_the_end(process: subprocess.Popen[str]) -> Iterator[None]:
    """However the block ends, the process does not outlive it: to wait for one that lives on would hang the tests."""
    try:
        yield
    finally:
        process.kill()


def readable_by_others(folder: Path) -> list[str]:
    """What within a folder, itself too, anybody but its owner could read or write; passing through is no reading."""
    found = [(path, path.lstat()) for path in (folder, *folder.rglob("*"))]
    open_ = [(path, one) for path, one in found if not stat.S_ISLNK(one.st_mode) and one.st_mode & 0o066]
    return [f"{path} {stat.filemode(one.st_mode)}" for path, one in open_]


@dataclass
class House:
    """A program of ours that stays up, with its log and everything that it starts."""

    folder: Path
    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = PROGRAM

    def __post_init__(self) -> None:
        self.log = self.folder / "house.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.argv, *self.arguments], cwd=self.folder, env={**os.environ, **self.env}, stdout=log, stderr=log
            )

    def said(self) -> str:
        return self.log.read_text()

    def is_up(self, word: str, seconds: float = 180) -> bool:
        """Wait for a word of its log; False when it ended before."""
        until(lambda: word in self.said() or self.process.poll() is not None, seconds)
        return word in self.said()

    def family(self) -> list[psutil.Process]:
        """Everything alive that names this folder: children, their children, the database."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def end(self, number: signal.Signals) -> float:
        """Send the signal and wait; seconds until the program was gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(120)
        return time.monotonic() - began

    def close(self) -> None:
        """Leave nothing behind, whatever a test did."""
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                return False
            return any(str(self.folder) in part for part in (*process.cmdline(), *process.environ().values()))
        except (psutil.Error, OSError):
            return False


def runs(port: int, at: str = "") -> list[dict[str, str]]:
    """The newest runs of the Dagster that serves its UI here; ``at`` is ``/dagster`` behind the demo's door."""
    url = f"http://127.0.0.1:{port}"
    answer = ask_dagster(url, RUNS, at=at)
    return list(answer["runsOrError"]["results"])


def runs_of(port: int, job: str, status: str, at: str = "") -> list[str]:
    """Ids of the runs of a job that are in a status."""
    return [run["runId"] for run in runs(port, at) if (run["jobName"], run["status"]) == (job, status)]


def ask_dagster(url: str, query: str, at: str = "", **variables: object) -> dict[str, Any]:
    """The data of an answer of Dagster's; behind the demo's door its engineer asks."""
    sent = {"sec-fetch-site": "same-origin"}
    answer = httpx.post(
        f"{url}{at}/graphql",
        json={"query": query, "variables": variables},
        timeout=60,
        verify=public_authorities(),
        cookies=signed_in(url) if at else {},
        headers=sent,
    )
    return dict(answer.raise_for_status().json()["data"])


@functools.cache
def signed_in(url: str, name: str = "Ed") -> dict[str, str]:
    """The cookies of a person of the demo, who signed in by one click."""
    with httpx.Client(base_url=url, trust_env=False, verify=public_authorities(), timeout=30) as browser:
        page = browser.get("/sign-in").raise_for_status()
        found = re.search(r'name="csrf" value="(\w+)"', page.text)
        assert found, page.text
        browser.post("/sign-in/demo", data={"csrf": found[1], "name": name})
        return {cookie.name: str(cookie.value) for cookie in browser.cookies.jar}
