"""Goods that customers keep in an invented month: as Swap shows them, and what is true of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khaos_swap_assets.adapters.swap.kept import read_told
from khaos_swap_assets.domain.goods.dispositions import KeptWords, keeping
from khaos_swap_assets.sandbox import goods
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.khaos_truth import planted, undue_moves
from khaos_swap_assets.sandbox.persistence import JSON
from khaos_swap_assets.sandbox.swap_wire import Spelling, return_wire
from khaos_swap_assets.sandbox.world import World
from khaos_swap_assets_tests.sandbox.small import document, small_books

WORDS = KeptWords.of("Green return", "Green return")


def month(seed: int = 1, returns: int = 20) -> World:
    world = build(seed, returns)
    goods.add(world)
    return world


def shown(world: World, way: str) -> dict[str, dict[str, Any]]:
    """What a reader of Swap's list concludes, by RMA."""
    spelling = Spelling(kept_shown=way)
    return {rma.rma_number: keeping(read_told(return_wire(world, rma, spelling)), WORDS) for rma in world.rmas.values()}


@pytest.mark.parametrize("way", ["status", "tag", "line"])
def test_each_way_of_showing_it_tells_the_truth_line_by_line(way: str) -> None:
    world = month()
    unclear = {plant.rma for plant in planted(world) if plant.kind == "kept_unclear"}
    for number, found in shown(world, way).items():
        rows = world.rmas[number].lines
        truth = {row.product_id: "unclear" if number in unclear else "kept" for row in rows if row.is_kept}
        assert found == (truth or {row.product_id: "unclear" for row in rows} if number in unclear else truth)


def test_every_story_is_told_and_the_rest_of_the_month_stays_as_it_was() -> None:
    plain, world = build(3, 20), month(3)
    assert all(world.rmas[number] == rma for number, rma in plain.rmas.items())
    added = [rma for number, rma in world.rmas.items() if number not in plain.rmas]
    assert len(added) == len(goods.KEPT) + len(goods.DISPUTED)
    whole = [rma for rma in added if all(line.is_kept for line in rma.lines)]
    mixed = [rma for rma in added if rma not in whole and any(line.is_kept for line in rma.lines)]
    assert (len(whole), len(mixed)) == (2, 2)
    assert all(rma.delivered_at is None and rma.inspect_at is None for rma in whole)
    kinds = sorted(plant.kind for plant in world.plants if plant.rma not in plain.rmas and plant.rma)
    assert kinds == [*["inspection_disputed"] * 3, "inspection_overdue", "kept_unclear"]
    assert month(3) == world


def test_what_is_kept_is_kept_on_disk_too() -> None:
    rma = next(rma for rma in month().rmas.values() if any(line.is_kept for line in rma.lines))
    assert JSON[type(rma)].validate_json(JSON[type(rma)].dump_json(rma)) == rma


def test_a_document_that_puts_kept_goods_on_a_shelf_shows_in_the_ledger() -> None:
    books = small_books()
    (rma,) = books.world.rmas.values()
    import_document(books, document(reason="1"))
    assert undue_moves(books.world) == 0
    rma.lines[0] = replace(rma.lines[0], is_kept=True)
    assert undue_moves(books.world) == 1
    other = small_books()
    (line,) = next(iter(other.world.rmas.values())).lines
    line.is_kept = True
    import_document(other, document(reason="4"))
    assert undue_moves(other.world) == 0
