"""The kept world: equal after a reload, also when the process was killed after a save."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets.sandbox.world import Plant, ReturnDocument, World
from khaos_swap_assets_tests.sandbox.small import RMA, small_world

KILLED = """
import os, signal, sys
from pathlib import Path
from khaos_swap_assets.sandbox.persistence import Keeper
from khaos_swap_assets_tests.sandbox.small import RMA, small_world
world = small_world()
keeper = Keeper(Path(sys.argv[1]))
keeper.save_all(world)
for pence in range(1, 50):
    world.rmas[RMA].refund_pence = pence
    keeper.save(world.rmas[RMA])
print(pence, flush=True)
world.rmas[RMA].refund_pence = 9999
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "world.db"


def reloaded(path: Path) -> World | None:
    keeper = Keeper(path)
    try:
        return keeper.load()
    finally:
        keeper.close()


def kept(path: Path, world: World) -> Keeper:
    keeper = Keeper(path)
    keeper.save_all(world)
    return keeper


def test_a_new_file_holds_no_world(path: Path) -> None:
    assert reloaded(path) is None


@pytest.mark.parametrize("seed", [1, 2])
def test_a_world_comes_back_equal_and_in_order(path: Path, seed: int) -> None:
    world = build(seed, 200)
    kept(path, world).close()
    again = reloaded(path)
    assert again == world
    assert again is not None
    assert list(again.rmas) == list(world.rmas)


def test_steps_of_a_reloaded_world_still_apply(path: Path) -> None:
    world = build(5, 200)
    kept(path, world).close()
    again = reloaded(path)
    assert again is not None
    for one in (world, again):
        one.now += timedelta(days=16)
        apply_due(one)
    assert again == world


def test_a_saved_record_replaces_its_older_self_in_its_place(path: Path) -> None:
    world = build(1, 20)
    keeper = kept(path, world)
    first = next(iter(world.rmas.values()))
    first.status = "On Hold"
    keeper.save(first)
    again = reloaded(path)
    assert again == world
    assert again is not None
    assert next(iter(again.rmas)) == first.rma_number


def test_the_world_alone_stands_for_clock_plants_and_memory(path: Path) -> None:
    world = small_world()
    keeper = kept(path, world)
    world.now += timedelta(hours=5)
    world.plants.append(Plant("value_gap", rma=RMA))
    world.scripts[RMA] = "drop_import"
    world.webhooks_due.append(("returnCreated", RMA))
    world.memory["last_CN"] = "7"
    keeper.save(world)
    assert reloaded(path) == world


def test_new_records_of_every_kind_are_kept(path: Path) -> None:
    world = small_world()
    keeper = kept(path, world)
    document = ReturnDocument(
        "R1", "RMA1", "U", "new", {"ReturnedItems": [{"SKU": "A", "UnitPrice": {"Gross": "84.99"}}]}
    )
    world.documents["R1"] = document
    keeper.save(document)
    assert reloaded(path) == world


def test_what_was_not_saved_is_not_kept(path: Path) -> None:
    world = small_world()
    kept(path, world)
    world.rmas[RMA].status = "On Hold"
    again = reloaded(path)
    assert again is not None
    assert again.rmas[RMA].status == "Closed"


def test_a_killed_sandbox_has_every_saved_write_and_no_other(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, env=environment)
    assert run.returncode == -signal.SIGKILL, run.stderr
    again = reloaded(path)
    assert again is not None
    assert again.rmas[RMA].refund_pence == int(run.stdout)


def test_without_a_path_nothing_is_kept() -> None:
    keeper = Keeper(None)
    keeper.save_all(small_world())
    keeper.save(small_world())
    assert keeper.load() is None
    keeper.close()
