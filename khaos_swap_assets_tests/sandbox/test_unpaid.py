"""Returns that were closed without being paid: nothing else of the world moves, and the truth says what they are."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from khaos_swap_assets.sandbox import storefront_trouble
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.scenarios import in_order
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import INSTEAD, settle
from khaos_swap_assets.sandbox.swap_wire import PROCESSED, Spelling, return_wire
from khaos_swap_assets.sandbox.switches import set_switches
from khaos_swap_assets.sandbox.unpaid import CLOSED, CREDITED
from khaos_swap_assets.sandbox.world import World

SEED, RETURNS = 3, 300


@pytest.fixture(scope="module")
def made() -> World:
    return build(SEED, RETURNS)


@pytest.fixture
def world(made: World) -> World:
    return deepcopy(made)


def unpaid(world: World, *kinds: str) -> set[str]:
    return {plant.rma for plant in world.plants if plant.kind in kinds}


def switched(world: World, **switches: str) -> World:
    assert set_switches(State(world), switches) == []
    return world


def test_a_month_holds_some_without_and_some_with_a_note(world: World) -> None:
    bare, noted = unpaid(world, CLOSED) - unpaid(world, CREDITED), unpaid(world, CREDITED)
    assert len(bare) == len(noted) == 3
    for number in bare | noted:
        rma = world.rmas[number]
        wire = return_wire(world, rma, Spelling())
        assert (rma.status, rma.processed_at, rma.refund_pence > 0) == ("Closed", None, True)
        assert wire["rma_processed"] in ("N/A", "Pending")
        assert any(note.associated_ref == number for note in world.notes.values()) == (number in noted)


def test_all_other_returns_show_when_they_were_processed(world: World) -> None:
    closed = {number for number, rma in world.rmas.items() if rma.status == "Closed" and rma.processed_at is None}
    assert closed == unpaid(world, CLOSED)


def test_the_switch_touches_returns_in_good_order_and_tells_each(world: World, made: World) -> None:
    plain = {rma.rma_number for rma in in_order(made)}
    switched(world, closed_unpaid="on")
    changed = {number for number, rma in world.rmas.items() if rma != made.rmas[number]}
    told = unpaid(world, CLOSED) - unpaid(made, CLOSED)
    later = {number for number in changed - told if world.rmas[number].steps}
    assert len(told) > 20
    assert changed == told | later
    assert later <= plain
    assert all("processed_at" in world.rmas[number].steps[-1][1] for number in later)
    assert world.orders == made.orders
    assert deepcopy(world) == switched(world, closed_unpaid="on")


def test_with_a_shop_its_money_says_who_was_paid(world: World) -> None:
    storefront_trouble.connect(world)
    switched(world, closed_unpaid="on")
    instead = {number for number, script in world.money_scripts.items() if script == INSTEAD}
    settle(world)
    paid = {one.rma for one in world.store_refunds.values()}
    assert instead
    assert instead <= paid
    assert paid.isdisjoint(unpaid(world, CLOSED, "refund_not_paid") - set(_failed(world)))
    assert all(world.rmas[number].closed_at is None for number in unpaid(world, CLOSED))
    assert {one.return_ref for one in world.store_refunds.values() if one.rma in instead} == {""}


def _failed(world: World) -> list[str]:
    return [number for number, script in world.money_scripts.items() if script == "failed"]


def test_where_swap_never_says_it_there_are_none(world: World) -> None:
    switched(world, closed_unpaid="on", rma_processed="none")
    assert unpaid(world, CREDITED) == set()
    assert all(world.rmas[number].closed_at is None for number in unpaid(world, CLOSED))


@pytest.mark.parametrize(("style", "shown"), [("word", set(PROCESSED)), ("none", {None})])
def test_the_marker_may_be_a_word_or_nothing(made: World, style: str, shown: set[object]) -> None:
    spelling = replace(Spelling(null_style="null"), processed=style)
    wires = [return_wire(made, rma, spelling) for rma in made.rmas.values() if rma.processed_at]
    assert {wire["rma_processed"] for wire in wires} == shown
    assert all(wire["date_closed"] for wire in wires)
