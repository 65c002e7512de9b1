"""The ledger of custody: each witness moves units, a correction moves them back, and every line adds up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import custody, inspections
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.stock.assets import reconciliation_custody
from khaos_swap_assets_tests.stages.tables import rows_of
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_note, a_return, called, connect

OPEN: dict[str, Any] = {"status": "Open", "processed_at": None, "closed_at": None, "quality_control_status": "Pending"}
PENDING: dict[str, Any] = {"quality_control_status": "Pending"}
MOVED = "SELECT from_place, to_place, units, source FROM recon.custody_movements ORDER BY movement_id"


def where(town: Town) -> dict[str, int]:
    """Units by place; whatever happened, they are what the movements of their line add up to."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in town.ask("SELECT return_id, product_id, from_place, to_place, units FROM recon.custody_movements"):
        sums[row[0], row[1], row[2]] -= row[4]
        sums[row[0], row[1], row[3]] += row[4]
    lines = {key[:2] for key in sums}
    assert all(sum(units for key, units in sums.items() if key[:2] == line) == 0 for line in lines)
    held = {
        (row[0], row[1], row[2]): row[3]
        for row in town.ask("SELECT return_id, product_id, place, units FROM recon.custody")
    }
    days = "SELECT place, since_on, units, value_pence FROM recon.custody_days"
    summed = "SELECT place, (since AT TIME ZONE 'Europe/London')::date, sum(units), sum(value_pence) FROM recon.custody"
    assert sorted(town.ask(days)) == sorted(town.ask(f"{summed} GROUP BY 1, 2"))
    assert held == {key: units for key, units in sums.items() if units and key[2] != "customer"}
    found: Counter[str] = Counter()
    for (_, _, place), units in held.items():
        found[place] += units
    return dict(found)


def bench(town: Town, condition: str, quantity: int = 1, *, sku: str = "HAT", name: str = "") -> None:
    with connect(town) as conn:
        told = Inspection(name or f"I-{condition}", "RMA1", sku, "", condition, quantity, town.now, "Kim")
        inspections.save(conn, told, town.now)


def taken_back(town: Town, units: int = 1, **changes: Any) -> Town:
    town.sells_and_takes_back(a_return(1, a_line("HAT", units, 1000 * units), **changes))
    town.sync()
    return town


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"delivered_at": None, "delivery_status": "Pre-Transit"}, None),
        ({"delivered_at": None, "delivery_status": "In-Transit"}, "in_transit"),
        ({"delivered_at": None, "delivery_status": "At consolidation centre"}, "in_transit"),
        ({"status": "Cancelled", "delivered_at": None, "delivery_status": "In-Transit"}, None),
        ({}, "received"),
    ],
)
def test_before_the_bench_swap_says_where_they_are(town: Town, changes: dict[str, Any], place: str | None) -> None:
    assert where(taken_back(town, 2, **{**OPEN, **changes})) == ({place: 2} if place else {})


def test_what_swap_marks_as_kept_never_travels(town: Town) -> None:
    town.swap.raw["R1"] = {"delivery_status": "Green return", "products": [{"product_id": "P-HAT"}]}
    green = {"delivered_at": None, "delivery_status": "Green return"}
    assert where(taken_back(town, 2, **{**OPEN, **green})) == {"kept": 2}


def test_a_parcel_is_followed_from_the_road_to_the_shelf(town: Town) -> None:
    taken_back(town, **{**OPEN, "delivered_at": None, "delivery_status": "In-Transit"})
    town.edit(a_return(1, **PENDING))
    town.sync()
    bench(town, "Sellable")
    town.sync()
    assert where(town) == {"inspected": 1}
    town.pull()
    town.sync()
    assert where(town) == {"available": 1}
    assert town.ask(MOVED) == [
        ("customer", "in_transit", 1, "swap"),
        ("in_transit", "received", 1, "swap"),
        ("received", "inspected", 1, "warehouse"),
        ("inspected", "available", 1, "khaos"),
    ]
    before = town.ask("SELECT count(*) FROM recon.custody_movements")
    town.sync()
    assert town.ask("SELECT count(*) FROM recon.custody_movements") == before


@pytest.mark.parametrize(
    ("found", "places"),
    [
        ([("Sellable", 3)], {"inspected": 3}),
        ([("Sellable", 1)], {"inspected": 1, "received": 2}),
        ([("Sellable", 1), ("Missing", 2)], {"inspected": 1, "lost": 2}),
        ([("Damaged", 1), ("Wrong-Item", 1)], {"inspected": 1, "at_the_bench": 1, "received": 1}),
        ([("Sellable", 5)], {"inspected": 3, "at_the_bench": 2}),
        ([("Pending", 1)], {"received": 3}),
    ],
)
def test_the_bench_may_find_less_more_or_something_else(
    town: Town, found: list[tuple[str, int]], places: dict[str, int]
) -> None:
    taken_back(town, 3, **OPEN)
    for condition, quantity in found:
        bench(town, condition, quantity)
    town.sync()
    assert where(town) == places


def test_more_than_the_return_says_is_told(town: Town) -> None:
    taken_back(town, **OPEN)
    bench(town, "Sellable", 3)
    bench(town, "Sellable", sku="TIE", name="other")
    town.sync()
    message = town.one("SELECT message FROM recon.exceptions WHERE kind = 'stock_not_returned'")
    assert message == "2 x HAT more than the return says; 1 × TIE: Sellable reported for goods that fit no line"


def test_what_nobody_looked_at_is_apart_on_the_shelf(town: Town) -> None:
    taken_back(town)
    town.pull()
    town.sync()
    assert where(town) == {"available_unseen": 1}
    bench(town, "Sellable")
    town.sync()
    assert where(town) == {"available": 1}


def test_damaged_units_are_never_available_by_our_doing(town: Town) -> None:
    taken_back(town, 2, **PENDING)
    bench(town, "Damaged")
    bench(town, "Sellable")
    town.sync()
    town.pull()
    town.sync()
    assert where(town) == {"available": 1, "non_saleable": 1}


def test_units_that_people_adjusted_are_where_the_level_shows_them(town: Town) -> None:
    taken_back(town.with_settings(legs_policy="credit_first"), **PENDING)
    town.pull()
    bench(town, "Sellable")
    town.sync()
    assert where(town) == {"inspected": 1}
    town.sync(minutes=20)
    town.khaos.levels["HAT"] += 1
    town.sync(minutes=20)
    assert where(town) == {"available": 1}
    assert town.one("SELECT record FROM recon.custody_movements ORDER BY movement_id DESC LIMIT 1") == (
        "adjustment 1, seen in the level"
    )


def test_a_loss_that_a_person_accepts_is_written_off(town: Town) -> None:
    taken_back(town, **PENDING)
    bench(town, "Missing")
    town.sync()
    assert where(town) == {"lost": 1}
    with connect(town) as conn:
        number = town.one("SELECT exception_id FROM recon.exceptions WHERE kind = 'stock_not_returned'")
        waivers.waive(conn, number, Person("kim", "carrier refused the claim"), now=town.now)
    town.sync()
    assert where(town) == {"written_off": 1}
    assert town.ask(MOVED)[-1] == ("lost", "written_off", 1, "person")


def test_a_note_of_staff_shows_no_stock(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.khaos.notes["CN9"] = a_note("CN9", associated_ref="RMA1")
    town.sync()
    assert where(town) == {"by_hand": 1}


def test_a_line_that_swap_takes_away_is_moved_back(town: Town) -> None:
    taken_back(town, **OPEN)
    town.edit(a_return(1, a_line("TIE"), **OPEN))
    town.sync()
    assert town.ask("SELECT product_id, place, units FROM recon.custody") == [("P-TIE", "received", 1)]
    assert where(town) == {"received": 1}


def test_a_pack_is_on_the_shelf_when_all_of_its_components_are(town: Town) -> None:
    town.khaos.items["SET"] = a_code("SET", pack_components=(("HAT", 2), ("TIE", 1)))
    town.sells_and_takes_back(a_return(1, a_line("SET", 1, 3000)))
    town.sync()
    town.pull()
    town.sync()
    assert where(town) == {"available_unseen": 1}


def test_the_four_questions_and_the_asset(town: Town) -> None:
    taken_back(town, 2, **OPEN)
    town.now += timedelta(days=4)
    shown = called(reconciliation_custody, town).metadata
    (row,) = rows_of(shown["by_age"])
    assert row == {"place": "received", "age": "2 to 7 days", "units": 2, "value": "£20.00"}
    with connect(town) as conn:
        assert [row["place"] for row in custody.asked(conn, "where", code="HAT")] == ["received"]
        assert custody.asked(conn, "where", code="TIE") == []
        assert [row["rma"] for row in custody.asked(conn, "not_on_shelf", limit=5)] == ["RMA1"]
        assert custody.asked(conn, "unseen", limit=5) == []
        (step,) = custody.asked(conn, "history", return_id="R1")
        assert (step["source"], step["record"]) == ("swap", "delivered")
