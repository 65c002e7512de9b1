"""The live demo as a user meets it: up within the minute, gone within 15 s, and there again after any ending."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from khaos_swap_assets.processes import free_port
from khaos_swap_assets_tests.running import House, call, runs, runs_of, until

pytestmark = pytest.mark.long

UP = "demo is up after"
LOW_LIMITS = """
import sys
from khaos_swap_assets import cli, supervisor
home_of = supervisor.prepare_dagster_home
def prepare(data_dir):
    home = home_of(data_dir)
    file = home / "dagster.yaml"
    text = file.read_text().replace("max_runtime_seconds: 900", "max_runtime_seconds: 30")
    text = text.replace("poll_interval_seconds: 30", "poll_interval_seconds: 2")
    file.write_text(text.replace("free_slots_after_run_end_seconds: 60", "free_slots_after_run_end_seconds: 1"))
    return home
supervisor.prepare_dagster_home = prepare
import khaos_swap_assets.demo.environment as environment
environment.prepare_dagster_home = prepare
cli.main()
"""

LIVE = {
    "KHAOS_SWAP_MODE": "neither",
    "KHAOS_SWAP_DATABASE_URL": "postgresql://kim@db.invalid/live",
    "KHAOS_SWAP_SWAP_URL": "https://swap.invalid",
    "KHAOS_SWAP_KHAOS_URL": "https://khaos.invalid/Khaos.exe",
    "DAGSTER_HOME": "/nowhere",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for both starts, so that the second finds what the first left."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def demo(folder: Path, port: int) -> Iterator[House]:
    """The demo beside the settings of a live installation, in the environment and in .env: it must see neither."""
    (folder / "house.log").write_text("")
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in LIVE.items()))
    arguments = ["-c", LOW_LIMITS, "demo", "--port", str(port), "--returns", "24"]
    house = House(folder, arguments, LIVE, argv=[sys.executable])
    yield house
    house.close()


def test_it_shows_work_by_itself_and_can_be_asked(demo: House, port: int, folder: Path) -> None:
    assert demo.is_up(UP), demo.said()
    assert until(lambda: runs_of(port, "sync", "SUCCESS"), 90), runs(port)
    assert httpx.get(f"http://127.0.0.1:{port}/asset-groups").is_success
    listed = call("--demo", "exceptions", "list", folder=folder, **LIVE)
    assert listed.returncode == 0, listed.stderr
    assert "sku_unknown" in listed.stdout
    ready = call("--demo", "preflight", folder=folder, **LIVE)
    assert ready.returncode == 0, ready.stdout
    assert "ready for post" in ready.stdout
    demo.end(signal.SIGKILL)


def test_killed_without_warning_it_starts_again_on_the_same_data_and_ends_whole(
    demo: House, port: int, folder: Path
) -> None:
    assert demo.is_up(UP), demo.said()
    done = len(runs_of(port, "sync", "SUCCESS"))
    assert done > 0
    killed = until(lambda: kill_a_worker(demo, port), 90, every=0.05)
    assert killed
    assert until(lambda: killed in runs_of(port, "sync", "FAILURE"), 90), runs(port)
    done = len(runs_of(port, "sync", "SUCCESS"))
    assert until(lambda: len(runs_of(port, "sync", "SUCCESS")) > done, 90), runs(port)

    assert demo.end(signal.SIGINT) < 15
    assert demo.process.returncode == 0
    assert demo.family() == []
    assert demo.said().rstrip().endswith("everything is stopped")


def kill_a_worker(demo: House, port: int) -> str:
    """Kill the processes that work on runs once a sync has begun; its run id, or nothing while there is none."""
    begun = runs_of(port, "sync", "STARTED")
    processes = psutil.Process(demo.process.pid).children(recursive=True)
    workers = [process for process in processes if _is_worker(process)]
    for process in workers if begun else []:
        os.kill(process.pid, signal.SIGKILL)
    return begun[0] if begun and workers else ""


def _is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "spawn_main" in " ".join(process.cmdline())
    return False
