"""Packs of an invented month: as Khaos lists and pushes them, what comes back of them, and what is true about it."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree

from khaos_swap_assets.adapters.khaos.pushes import read_stock_push
from khaos_swap_assets.adapters.khaos.stock import read_stock
from khaos_swap_assets.sandbox import channel, khaos_documents, pack_stories
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_documents import Style
from khaos_swap_assets.sandbox.khaos_packs import note_lines, opened, shares, sold_lines
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.khaos_truth import duplicates, undue_moves
from khaos_swap_assets.sandbox.persistence import JSON
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.switches import set_switches
from khaos_swap_assets.sandbox.world import Note, NoteLine, PackPart, StockItem, World
from khaos_swap_assets_tests.sandbox.small import document, small_books


def month(seed: int = 1, returns: int = 20) -> World:
    world = build(seed, returns)
    pack_stories.add(world)
    return world


def kinds(world: World, known: World) -> Counter[str]:
    return Counter(plant.kind for plant in world.plants if plant.rma and plant.rma not in known.rmas)


def test_every_story_is_told_and_the_rest_of_the_month_stays_as_it_was() -> None:
    plain, world = build(3, 20), month(3)
    assert all(world.rmas[number] == rma for number, rma in plain.rmas.items())
    assert len(world.rmas) - len(plain.rmas) == len(pack_stories.PACKS) + 1
    assert kinds(world, plain) == {"pack_unclear": 3, "over_return": 2}
    assert month(3) == world


def test_a_push_tells_what_no_price_does() -> None:
    state = State(month())
    before = len(state.world.plants)
    set_switches(state, {"pack_notes": "parts"})
    assert len(state.world.plants) == before
    set_switches(state, {"stock_push": "on"})
    assert len(state.world.plants) == before - 1


def test_a_component_costs_its_share_and_all_of_them_the_pack() -> None:
    assert shares(6001, [4000, 1999]) == [4001, 2000]
    assert shares(100, [1, 1, 1]) == [34, 33, 33]
    for rma in month(4).rmas.values():
        assert all(line.cost_pence > 0 for line in rma.lines)


def test_khaos_lists_and_pushes_what_a_pack_holds() -> None:
    world = month()
    packs = [item for item in world.items.values() if item.parts]
    told, faults = read_stock(etree.fromstring(khaos_documents.stock_items(packs, Style()).encode()))
    held = {item.stock_code: tuple((part.stock_code, part.quantity) for part in item.parts) for item in packs}
    assert ({one.stock_code: one.pack_components for one in told}, faults) == (held, [])
    ids = {code: item.stock_id for code, item in world.items.items()}
    one = next(item for item in packs if item.parts[0].value_proportion)
    pushed = read_stock_push({"Items": [], "Deleted": [], "Relationships": [channel.pack_of(one, ids)]})
    expected = [(ids[part.stock_code], part.quantity, part.value_proportion) for part in one.parts]
    assert [(key, units, f"{value:.2f}") for key, units, value in pushed.packs[one.stock_id]] == expected


SET = StockItem("SET", "1", "Set", 5000, parts=[PackPart("HAT", 2), PackPart("CAP", 1)])
ITEMS = {"SET": SET, "HAT": StockItem("HAT", "2", "Hat", 2000), "CAP": StockItem("CAP", "3", "Cap", 2000)}


@pytest.mark.parametrize(
    ("way", "listed"),
    [
        ("header", [("SET", 1, 5000), ("HAT", 1, 2000)]),
        ("with_parts", [("SET", 1, 5000), ("HAT", 2, 0), ("CAP", 1, 0), ("HAT", 1, 2000)]),
        ("parts", [("HAT", 2, 5000), ("CAP", 1, 0), ("HAT", 1, 2000)]),
    ],
)
def test_a_note_lists_a_pack_in_each_way(way: str, listed: list[tuple[str, int, int]]) -> None:
    world = month()
    lines = [NoteLine("SET", 1, 5000, 4167), NoteLine("HAT", 1, 2000, 1667)]
    note = Note("CN1", "U", "", "GBP", world.now, lines)
    assert [(line.stock_code, line.quantity, line.gross_pence) for line in note_lines(ITEMS, note, way)] == listed


def test_an_order_lists_components_beside_their_pack_at_no_price() -> None:
    world = month()
    order = next(one for one in world.orders.values() if world.items[one.lines[0].stock_code].parts)
    shown = sold_lines(world.items, order, "with_parts")
    assert sum(line.gross_pence for line in shown) == sum(line.gross_pence for line in order.lines)
    parts = list(opened(world.items, [(order.lines[0].stock_code, order.lines[0].quantity)]))
    assert [(line.stock_code, line.quantity) for line in shown[1:] if not line.gross_pence] == parts


def test_a_pack_is_kept_on_disk_with_its_parts() -> None:
    assert JSON[StockItem].validate_json(JSON[StockItem].dump_json(SET)) == SET


def test_components_credited_for_their_pack_are_no_duplicate_and_a_second_time_they_are() -> None:
    books = small_books()
    (rma,) = books.world.rmas.values()
    code = rma.lines[0].sku
    books.world.items |= {"PART": StockItem("PART", "99", "PackPart", 1000)}
    books.world.items[code].parts = [PackPart("PART", 1)]
    books.world.items[code].available = 0
    import_document(books, document())
    assert (duplicates(books.world), undue_moves(books.world)) == (0, 0)
    assert books.world.items["PART"].available == rma.lines[0].quantity
    import_document(books, document(reference="RMA2", sku="PART"))
    assert duplicates(books.world) > 0
