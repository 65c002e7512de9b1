"""Levels that we set in Khaos: each step may be the last of a process, and no unit moves twice."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.people import Person, hold_feed
from khaos_swap_assets.stages.stock.adjustments import adjust_stock
from khaos_swap_assets_tests.stages.stock.shelves import (
    Shelves,
    credited,
    faults,
    inspected,
    level_of,
    run,
    sell,
    shelves_of,
    switch,
)
from khaos_swap_assets_tests.stages.town import Town, a_code, connect

ADJUSTMENTS = "SELECT disposition, quantity, state FROM recon.stock_adjustments ORDER BY adjustment_id"
TRANSFERS = "SELECT state, level_read, level_wanted, attempts FROM recon.stock_transfers ORDER BY transfer_id"
MESSAGES = "SELECT message FROM recon.exceptions WHERE closed_at IS NULL AND kind = 'stock_adjustment_due' ORDER BY 1"
PLACES = "SELECT place, sum(units)::integer FROM recon.custody GROUP BY 1 ORDER BY 1"
KIM = Person("kim", "looked at the movements in Khaos")


@pytest.fixture
def shop(town: Town) -> Town:
    """Credits first, and sets levels."""
    town.khaos = Shelves()
    return town.with_settings(legs_policy="credit_first", stock={"route": "level"})


def due(shop: Town, units: int = 1, sellable: int = 1) -> Shelves:
    """A credited return whose goods the bench has found; nobody has looked since."""
    credited(shop, units)
    inspected(shop, "Sellable", sellable)
    return shelves_of(shop)


def sets(shop: Town) -> list[Any]:
    return [asked for what, asked in shop.khaos.asked if what == "set"]


def test_the_level_is_read_added_up_set_and_read_back(shop: Town) -> None:
    due(shop, 3, 2)
    inspected(shop, "Damaged", 1)
    run(shop)
    assert shop.ask(TRANSFERS) == [("moved", 10, 12, 1)]
    assert shop.ask(ADJUSTMENTS) == [("damaged", 1, "asked"), ("sellable", 2, "done")]
    ((source, record),) = shop.ask("SELECT source, record FROM recon.custody_movements WHERE to_place = 'available'")
    assert source == "khaos"
    assert "level of site 1 set from 10 to 12; a sale within the " in record
    assert " ms between reading and setting cannot be seen" in record
    assert shop.ask(PLACES) == [("available", 2), ("inspected", 1)]
    assert shop.ask(MESSAGES) == [("Damaged: add 1 x HAT to the level of site 9; £10.00",)]
    run(shop)
    assert (sets(shop), level_of(shop)) == ([("HAT", "Main Warehouse", 12)], (12, 3))
    told = shop.ask("SELECT what FROM recon.audit_log WHERE who = 'stock route' ORDER BY entry_id")
    assert told == [("begun",), ("moved",)]


@pytest.mark.long
@pytest.mark.parametrize("step", range(1, 7))
def test_a_process_that_ends_at_any_step_moves_no_unit_twice(shop: Town, step: int) -> None:
    khaos = due(shop)
    khaos.steps.clear()
    khaos.dies_at = step
    assert not run(shop)
    assert level_of(shop)[0] in (10, 11)
    assert run(shop)
    run(shop)
    assert (level_of(shop), shop.ask(ADJUSTMENTS)) == ((11, 3), [("sellable", 1, "done")])
    assert len(shop.ask(TRANSFERS)) == 1
    assert shop.ask(MESSAGES) == []


def test_an_answer_that_is_lost_is_asked_for_before_anything_else(shop: Town) -> None:
    due(shop)
    faults(shop, khaos_fault_after_commit=1)
    run(shop)
    assert shop.ask(TRANSFERS) == [("out", 10, 11, 1)]
    assert "Sellable: 1 x HAT on its way: the level of site 1 was to go from 10 to 11" in shop.one(MESSAGES)
    run(shop, 1)
    assert shop.ask(TRANSFERS) == [("out", 10, 11, 1)]
    run(shop)
    assert (shop.ask(TRANSFERS), level_of(shop)) == ([("moved", 10, 11, 1)], (11, 3))


@pytest.mark.long
@pytest.mark.parametrize("units", [1, 2, -1])
def test_a_sale_after_a_lost_answer_is_a_persons(shop: Town, units: int) -> None:
    """After one sale the level is the old one: without asking what moved, the unit would be added again."""
    due(shop)
    faults(shop, khaos_fault_after_commit=1)
    run(shop)
    sell(shop, units)
    for _ in range(3):
        run(shop)
    assert (shop.ask(TRANSFERS), level_of(shop)[0]) == ([("person", 10, 11, 1)], 11 - units)
    assert f"and is {11 - units}; look at its movements in Khaos" in shop.one(MESSAGES)
    with connect(shop) as conn:
        waivers.waive(
            conn, shop.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL"), KIM, now=shop.now
        )
    run(shop)
    assert (shop.ask(MESSAGES), shop.ask(ADJUSTMENTS)) == ([], [("sellable", 1, "settled")])
    assert (shop.one("SELECT state FROM recon.stock_transfers"), len(sets(shop))) == ("settled", 1)


def test_a_sale_in_between_is_written_over_and_told(shop: Town) -> None:
    due(shop)
    faults(shop, khaos_sale_in_window=1)
    run(shop)
    assert (shop.ask(TRANSFERS), level_of(shop)) == ([("moved", 10, 11, 1)], (11, 3))
    assert shop.one("SELECT window_ms FROM recon.stock_transfers") > 0


def test_a_refusal_leaves_the_task_and_is_tried_again_later(shop: Town) -> None:
    due(shop)
    switch(shop, set_levels="refused")
    run(shop)
    run(shop, 1)
    assert [state for state, *_ in shop.ask(TRANSFERS)] == ["refused"]
    assert shop.ask(MESSAGES) == [("Sellable: add 1 x HAT to the level of site 1; £10.00",)]
    told = shop.one("SELECT subject FROM recon.exceptions WHERE kind = 'record_refused' AND closed_at IS NULL")
    assert told == "Khaos ImportStockStatus HAT"
    switch(shop, set_levels="on")
    run(shop)
    run(shop, 1)
    assert (level_of(shop), shop.kinds()) == ((11, 3), {})


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"mode": "assist"}, True), ({"daily_document_cap": 0}, False), ({"daily_value_cap_pounds": 9}, False)],
)
def test_outside_post_and_the_caps_nothing_is_set(shop: Town, changes: dict[str, Any], told: bool) -> None:
    due(shop)
    shop.with_settings(legs_policy="credit_first", stock={"route": "level"}, **changes)
    run(shop)
    said = adjust_stock(shop.tools).would_set
    assert said == ["HAT: the level of site 1 would be changed from 10 to 11"] * told
    assert (sets(shop), shop.ask(TRANSFERS), len(shop.ask(MESSAGES))) == ([], [], 1)


def test_a_site_that_khaos_does_not_name_is_told(shop: Town) -> None:
    due(shop)
    switch(shop, site_list="absent")
    run(shop)
    assert (sets(shop), shop.kinds()["record_refused"]) == ([], "Khaos ImportStockStatus HAT")


def test_a_person_who_holds_the_feed_holds_this_too(shop: Town) -> None:
    due(shop)
    with connect(shop) as conn:
        hold_feed(conn, KIM, now=shop.now)
    run(shop)
    assert (sets(shop), len(shop.ask(MESSAGES))) == ([], 1)


def test_a_correction_waits_for_what_is_on_its_way_and_takes_it_back(shop: Town) -> None:
    due(shop)
    faults(shop, khaos_fault_after_commit=1)
    run(shop)
    shop.do("UPDATE recon.inspections SET condition = 'Damaged'")
    shop.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('match', 'R1')")
    run(shop, 1)
    assert shop.ask(ADJUSTMENTS) == [("sellable", 1, "sent"), ("damaged", 1, "asked"), ("sellable", -1, "asked")]
    run(shop)
    run(shop)
    assert level_of(shop) == (10, 3)
    assert sets(shop) == [("HAT", "Main Warehouse", 11), ("HAT", "Main Warehouse", 10)]
    assert shop.ask(MESSAGES) == [("Damaged: add 1 x HAT to the level of site 9; £10.00",)]


def test_components_of_a_pack_are_set_each_by_its_own_code(shop: Town) -> None:
    shop.khaos.items["SET"] = a_code("SET", pack_components=(("HAT", 2), ("TIE", 1)))
    credited(shop, sku="SET")
    inspected(shop, "Sellable", sku="SET")
    run(shop)
    assert (level_of(shop, "HAT")[0], level_of(shop, "TIE")[0], level_of(shop, "SET")[0]) == (12, 11, 10)
    assert shop.ask(PLACES) == [("available", 1)]
