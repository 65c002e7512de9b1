"""Dagster's own tools in a fresh clone: they show the real definitions, and whatever runs there says how to start.

Belongs here: the real commands, in processes without our environment. ``dg check defs`` runs ``dagster definitions
validate``, which loads what ``dagster dev`` does. Stays out: what is started by itself (``test_definitions``).
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from khaos_swap_assets import definitions
from khaos_swap_assets.not_started import LINE

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
READ_BY_TOOLS = ("pyproject.toml", "dagster.yaml", "workspace.yaml")
# Settings of a live house, and one that no house would start with.
LIVE = """KHAOS_SWAP_STARTED_BY=up
KHAOS_SWAP_DATABASE_URL=postgresql://khaos@127.0.0.1:{port}/khaos_swap
KHAOS_SWAP_DAGSTER_URL=postgresql://khaos@127.0.0.1:{port}/khaos_swap_dagster
KHAOS_SWAP_SWAP_URL=http://127.0.0.1:{port}
KHAOS_SWAP_KHAOS_URL=http://127.0.0.1:{port}
KHAOS_SWAP_PERIOD_START=never
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone has for the tools; the package by a link, so that it is not compiled again."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "khaos_swap_assets").symlink_to(ROOT / "khaos_swap_assets")
    for name in READ_BY_TOOLS:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def outside() -> Iterator[socket.socket]:
    """Where every vendor and database of ``LIVE`` is: a port at which nobody may knock."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """One command in the clone, which inherits nothing but where programs are."""
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "PYTHONPATH": str(clone), "HOME": str(clone.parent)}
    return subprocess.run([BIN / command[0], *command[1:]], cwd=clone, env=env, capture_output=True, text=True)


@pytest.mark.long
def test_a_fresh_clone_lists_every_definition(clone: Path) -> None:
    done = run(clone, "dg", "list", "defs", "--json")
    assert done.returncode == 0, done.stderr
    listed = {kind: {next(iter(one.values())) for one in found} for kind, found in json.loads(done.stdout).items()}
    real = definitions.build()
    graph = real.resolve_asset_graph()
    assert listed == {
        "assets": {key.to_user_string() for key in graph.get_all_asset_keys()},
        "asset_checks": {f"{key.asset_key.to_user_string()}:{key.name}" for key in graph.asset_check_keys},
        "jobs": {job.name for job in real.jobs or ()},
        "sensors": {sensor.name for sensor in real.sensors or ()},
        "schedules": {schedule.name for schedule in real.schedules or ()},
        "resources": {"toolbox"},
    }


@pytest.mark.house
def test_beside_a_live_env_file_all_loads_and_a_run_says_how_to_start(clone: Path, outside: socket.socket) -> None:
    (clone / ".env").write_text(LIVE.format(port=outside.getsockname()[1]))
    checked = run(clone, "dg", "check", "defs")
    assert "All definitions loaded successfully" in checked.stdout, checked.stdout + checked.stderr
    ran = run(clone, "dagster", "asset", "materialize", "-m", definitions.__name__, "--select", "khaos/stock_codes")
    assert ran.returncode == 1
    assert f"Failure: {LINE}\n" in ran.stderr
    assert "postgresql" not in ran.stderr
    with pytest.raises(BlockingIOError):
        outside.accept()
