"""The live demo as a user meets it: up within the minute, gone within 15 s, and there again after any ending."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from khaos_swap_assets.demo.live import environment_of as demo_environment
from khaos_swap_assets.door.gate import DAGSTER
from khaos_swap_assets.running.processes import answers, free_port
from khaos_swap_assets_tests.running import Call, House, fair, runs, runs_of, signed_in, until

pytestmark = pytest.mark.house(minutes=1)

UP = "demo is up after"
PATIENCE = 300.0
"""That it comes back is shown here, how fast by the proof ``chaos``: a machine that is busy elsewhere is slow."""
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
    house = House(folder, ["demo", "--port", str(port), "--returns", "24", "--every", "20"], LIVE)
    yield house
    house.close()


def test_it_shows_work_by_itself_and_can_be_asked(
    demo: House, port: int, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo.is_up(UP), demo.said()
    assert until(lambda: syncs(port, "SUCCESS"), PATIENCE), runs(port, DAGSTER)
    url = f"http://127.0.0.1:{port}"
    assert httpx.get(f"{url}{DAGSTER}/asset-groups").status_code == 401
    assert httpx.get(f"{url}{DAGSTER}/asset-groups", cookies=signed_in(url, "Vera")).is_success
    assert "Vera (viewer), Carl (cx)" in demo.said()
    monkeypatch.chdir(folder)
    listed = call("--demo", "exceptions", "list", **LIVE)
    assert listed.returncode == 0, listed.stderr
    assert "sku_unknown" in listed.stdout
    assert call("--demo", "users", "list", **LIVE).stdout.count("finance") == 2
    ready = call("--demo", "preflight", **LIVE)
    assert ready.returncode == 0, ready.stdout
    assert "ready for post" in ready.stdout
    demo.end(signal.SIGKILL)


def test_killed_without_warning_it_starts_again_on_the_same_data_and_ends_whole(
    demo: House, port: int, folder: Path
) -> None:
    assert demo.is_up(UP), demo.said()
    assert until(lambda: syncs(port, "SUCCESS"), PATIENCE), runs(port, DAGSTER)
    lost = until(lambda: kill_the_code_server(demo, port), PATIENCE, every=0.05)
    assert lost
    assert until(lambda: lost in syncs(port, "FAILURE"), PATIENCE), runs(port, DAGSTER)
    assert until(lambda: demo.said().count("code-server: ready") == 2, PATIENCE), demo.said()

    kill_the_postmaster(folder)
    assert until(lambda: "the database answers again" in demo.said(), PATIENCE), demo.said()
    ready = f"{demo_environment(folder / '.khaos-swap-demo')['KHAOS_SWAP_GATEWAY_PUBLIC_URL']}/readyz"
    assert until(lambda: answers(ready), PATIENCE)
    done = len(syncs(port, "SUCCESS"))
    assert until(lambda: len(syncs(port, "SUCCESS")) > done, PATIENCE), runs(port, DAGSTER)

    assert demo.end(signal.SIGINT) < fair(15)
    assert demo.process.returncode == 0
    assert demo.family() == []
    assert demo.said().rstrip().endswith("everything is stopped")


def syncs(port: int, status: str) -> list[str]:
    return runs_of(port, "sync", status, DAGSTER)


def kill_the_code_server(demo: House, port: int) -> str:
    """Kill it once a sync has begun; the run's id, or nothing while there is none."""
    begun = syncs(port, "STARTED")
    for process in psutil.Process(demo.process.pid).children() if begun else []:
        if "grpc" in process.cmdline():
            process.kill()
    return begun[0] if begun else ""


def kill_the_postmaster(folder: Path) -> None:
    pid_file = folder / ".khaos-swap-demo" / "postgres" / "postmaster.pid"
    psutil.Process(int(pid_file.read_text().splitlines()[0])).kill()
