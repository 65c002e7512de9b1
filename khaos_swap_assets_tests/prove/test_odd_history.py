"""The odd month really holds what it says, and every kind that it must show is planted in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from khaos_swap_assets.sandbox.history import load
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.prove.odd_history import CASES, CODES, MONTH, write


def the_world(folder: Path) -> World:
    write(folder / "odd.parquet")
    return load(folder / "odd.parquet", MONTH)


def test_every_odd_code_is_in_the_catalogue_as_it_was_written(tmp_path: Path) -> None:
    world = the_world(tmp_path)
    assert set(CODES) <= set(world.items)
    assert "FIRST-SOLD-IN-JUNE" not in world.items
    assert len(world.rmas) == len(CODES) + sum(len(backs) for _, backs in CASES.values()) + 4


def test_it_plants_each_kind_that_history_shows(tmp_path: Path) -> None:
    world = the_world(tmp_path)
    assert Counter(plant.kind for plant in world.plants) == {
        "record_unreadable": 2,
        "sku_unknown": 2,
        "sku_ambiguous": 1,
        "order_not_found": 4,
        "refund_not_explained": 2,
        "over_return": 6,
    }
    whys = [plant.why for plant in world.plants if plant.kind == "over_return"]
    assert [sum(words in why for why in whys) for words in ("came back", "pence went back")] == [2, 4]
