"""Goods that no document moves: people are asked, and the level, or a person with a reason, says that it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inspections
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.stock.assets import CHECKS
from khaos_swap_assets_tests.stages.tables import check_named
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_return, an_order, called, connect

KIND = "stock_adjustment_due"
OPEN = (
    "SELECT subject, message FROM recon.exceptions WHERE closed_at IS NULL AND kind = 'stock_adjustment_due' ORDER BY 1"
)
ADJUSTMENTS = "SELECT disposition, quantity, state FROM recon.stock_adjustments ORDER BY adjustment_id"


@pytest.fixture
def first(town: Town) -> Town:
    """A merchant who credits first; no site but the two is there."""
    town.khaos.levels_aside = {"HAT": 3}
    return town.with_settings(legs_policy="credit_first")


def inspected(town: Town, condition: str, quantity: int = 1, sku: str = "HAT", name: str = "I") -> None:
    with connect(town) as conn:
        told = Inspection(f"{name}-{condition}", "RMA1", sku, "", condition, quantity, town.now, "Kim")
        inspections.save(conn, told, town.now)


def credited(town: Town, units: int = 1, **changes: Any) -> Town:
    """A return of so many HATs, credited by our document before anybody looked into the parcel."""
    row = a_line("HAT", units, 1000 * units)
    town.sells_and_takes_back(a_return(1, row, **{"quality_control_status": "Pending", **changes}))
    town.sync()
    town.pull()
    town.sync()
    return town


def later(town: Town, runs: int = 1) -> None:
    for _ in range(runs):
        town.sync(minutes=20)


def test_credited_first_the_inspected_unit_is_a_task_until_the_level_shows_it(first: Town) -> None:
    credited(first)
    assert first.kinds() == {}
    inspected(first, "Sellable")
    first.sync()
    assert first.ask(OPEN) == [("RMA1/HAT/sellable", "Sellable: add 1 x HAT to the level of site 1; £10.00")]
    assert not called(check_named(CHECKS, "every_inspected_unit_has_moved"), first).passed
    later(first, 2)
    assert len(first.ask(OPEN)) == 1
    first.khaos.levels["HAT"] += 1
    later(first)
    assert first.ask(OPEN) == []
    assert first.ask(ADJUSTMENTS) == [("sellable", 1, "done")]
    assert called(check_named(CHECKS, "every_inspected_unit_has_moved"), first).passed


def test_damaged_units_are_looked_for_where_nothing_is_sold(first: Town) -> None:
    credited(first, 3)
    inspected(first, "Sellable", 1)
    inspected(first, "Damaged", 2)
    later(first, 2)
    assert [subject for subject, _ in first.ask(OPEN)] == ["RMA1/HAT/damaged", "RMA1/HAT/sellable"]
    assert "add 2 x HAT to the level of site 9; £20.00" in first.ask(OPEN)[0][1]
    first.khaos.levels_aside["HAT"] += 2
    later(first)
    assert [subject for subject, _ in first.ask(OPEN)] == ["RMA1/HAT/sellable"]


def test_the_goods_may_come_before_the_credit(first: Town) -> None:
    first.sells_and_takes_back(a_return(1))
    first.sync()
    assert first.ask("SELECT state FROM recon.postings") == [("planned",)]
    assert [subject for subject, _ in first.ask(OPEN)] == ["RMA1/HAT/sellable"]
    later(first)
    first.khaos.levels["HAT"] += 1
    later(first)
    first.pull()
    later(first, 2)
    assert (first.ask(OPEN), first.ask("SELECT state FROM recon.postings")) == ([], [("confirmed",)])


def test_a_person_settles_it_for_good(first: Town) -> None:
    credited(first)
    inspected(first, "Sellable")
    first.sync()
    with connect(first) as conn:
        number = first.one("SELECT exception_id FROM recon.exceptions WHERE closed_at IS NULL")
        waivers.waive(conn, number, Person("kim", "counted on the shelf"), now=first.now)
    later(first, 2)
    assert first.kinds() == {}
    told = first.ask("SELECT state, ended_by, reason FROM recon.stock_adjustments")
    assert told == [("settled", "kim", "counted on the shelf")]


@pytest.mark.parametrize(("change", "is_done"), [(0, False), (1, False), (2, True), (3, False), (-2, False)])
def test_only_exactly_these_units_are_proof(first: Town, change: int, is_done: bool) -> None:
    credited(first, 2)
    inspected(first, "Sellable", 2)
    later(first, 2)
    first.khaos.levels["HAT"] += change
    later(first)
    assert (first.ask(OPEN) == []) is is_done


def test_a_sale_meanwhile_proves_nothing_and_it_begins_anew(first: Town) -> None:
    credited(first)
    inspected(first, "Sellable")
    later(first, 2)
    first.khaos.sell(an_order(7, ("HAT", 1), ordered_on=first.today(), invoiced_on=first.today()))
    first.khaos.levels["HAT"] -= 1
    later(first)
    assert len(first.ask(OPEN)) == 1
    first.now += timedelta(days=1)
    first.khaos.levels["HAT"] += 1
    later(first)
    assert first.ask(OPEN) == []


def test_a_unit_inspected_later_asks_for_the_rest_alone(first: Town) -> None:
    credited(first, 2)
    inspected(first, "Sellable", 1, name="I1")
    later(first, 2)
    first.khaos.levels["HAT"] += 1
    later(first)
    inspected(first, "Sellable", 1, name="I2")
    later(first, 2)
    assert first.ask(ADJUSTMENTS) == [("sellable", 1, "done"), ("sellable", 1, "asked")]


def test_what_was_carried_otherwise_than_inspected_is_taken_back(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    later(town, 2)
    assert town.kinds() == {}
    inspected(town, "Damaged")
    later(town, 2)
    assert [message for _, message in town.ask(OPEN)] == [
        "Damaged: add 1 x HAT to the level of site 9; £10.00",
        "Sellable: take 1 x HAT off the level of site 1; £10.00",
    ]
    town.khaos.levels["HAT"] -= 1
    town.khaos.levels_aside = {"HAT": 0}
    later(town)
    assert [subject for subject, _ in town.ask(OPEN)] == ["RMA1/HAT/damaged"]


def test_components_of_a_pack_are_asked_for_each_by_its_own_code(first: Town) -> None:
    first.khaos.items["SET"] = a_code("SET", pack_components=(("HAT", 2), ("TIE", 1)))
    first.sells_and_takes_back(a_return(1, a_line("SET", 1, 3000)))
    first.sync()
    told = first.ask("SELECT stock_code, quantity FROM recon.stock_adjustments ORDER BY 1")
    assert told == [("HAT", 2), ("TIE", 1)]
    assert sum(pence for (pence,) in first.ask("SELECT money_at_risk_pence FROM recon.findings")) == 3000


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "audit", "post_from": None},
        {"post_from": "2027-01-01"},
    ],
)
def test_nothing_is_asked_for_what_is_never_posted(first: Town, changes: dict[str, Any]) -> None:
    first.with_settings(legs_policy="credit_first", **changes).sells_and_takes_back(a_return(1))
    first.sync()
    assert first.ask(ADJUSTMENTS) == []


def test_an_inspection_taken_back_before_anybody_acted_withdraws_it(first: Town) -> None:
    credited(first)
    inspected(first, "Sellable")
    first.sync()
    first.do("DELETE FROM recon.inspections")
    first.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('match', 'R1')")
    first.sync()
    assert (first.ask(ADJUSTMENTS), first.kinds()) == ([("sellable", 1, "withdrawn")], {})


def test_a_site_that_khaos_refuses_stops_no_other(first: Town) -> None:
    credited(first, 2)
    inspected(first, "Sellable", 1)
    inspected(first, "Damaged", 1)
    first.khaos.refuses.add("levels of site 9")
    later(first, 2)
    first.khaos.levels["HAT"] += 1
    later(first)
    assert [subject for subject, _ in first.ask(OPEN)] == ["RMA1/HAT/damaged"]
    assert "site of goods that may not be sold" in first.one(
        "SELECT subject FROM recon.exceptions WHERE kind = 'source_refused'"
    )
