"""The merchant's mapping of conditions at work: the document, the stock that moves, and where custody has the units."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.store import inspections
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, GoodsDecision
from khaos_swap_assets.stages.credit_notes.people import Person
from khaos_swap_assets.stages.stock import benching
from khaos_swap_assets_tests.stages.stock.shelves import SAMPLE, Shelves, clerk, credited, inspected, level_of, run
from khaos_swap_assets_tests.stages.town import Town, a_code, a_line, a_return, connect

OPEN = "SELECT kind, subject, message FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1, 2"
PLACES = "SELECT place, units FROM recon.custody ORDER BY 1"
ADJUSTED = "SELECT disposition, stock_code, site_id, quantity, state FROM recon.stock_adjustments ORDER BY 1"
DUE = "B-grade: add 1 x HAT-B to the level of site 1; £10.00"


@pytest.fixture
def outlet(town: Town) -> Town:
    """A merchant with a B-grade Stock Code, who writes off what has no value."""
    given: dict[str, Any] = {"conditions": {"b grade": "b_grade", "No-Value": "written_off"}, "b_grade_suffix": "-B"}
    told = GoodsDecision(choice="by_condition", reason="agreed", approver="Kim", effective_on=date(2026, 1, 1), **given)
    town.policy = CreditNotePolicy(returned_goods=told)
    town.khaos.items["HAT-B"], town.khaos.levels["HAT-B"] = a_code("HAT-B"), 5
    return town


def found(town: Town, *conditions: str, source: str = "I") -> None:
    with connect(town) as conn:
        for condition in conditions:
            told = Inspection(f"{source}-{condition}", "RMA1", "HAT", "", condition, 1, town.now, "Kim")
            inspections.save(conn, told, town.now)


def taken_back(town: Town, *conditions: str, **changes: Any) -> Town:
    units = len(conditions)
    row = a_line("HAT", units, 1000 * units)
    town.sells_and_takes_back(a_return(1, row, **{"quality_control_status": "Pending", **changes}))
    town.sync()
    found(town, *conditions)
    town.sync()
    return town


def reasons(town: Town) -> list[str]:
    (document,) = (row[0] for row in town.ask("SELECT document FROM recon.postings"))
    return [item["ReturnReason"]["ID"] for item in document["ReturnedItems"]]


def test_b_grade_and_written_off_units_are_credited_and_only_the_good_one_goes_back_on_sale(outlet: Town) -> None:
    taken_back(outlet, "Sellable", "B-GRADE", "no value")
    assert reasons(outlet) == ["1", "3", "3"]
    outlet.pull()
    outlet.sync()
    assert outlet.khaos.levels == {"HAT": 11, "HAT-B": 5}
    assert outlet.ask(ADJUSTED) == [("b_grade", "HAT-B", 1, 1, "asked")]
    assert outlet.ask(OPEN) == [("stock_adjustment_due", "RMA1/HAT-B/b_grade", DUE)]
    assert outlet.ask(PLACES) == [("available", 1), ("inspected", 1), ("written_off", 1)]
    outlet.sync(minutes=20)
    outlet.khaos.levels["HAT-B"] += 1
    outlet.sync(minutes=20)
    assert outlet.ask(OPEN) == []
    assert outlet.ask(PLACES) == [("available", 1), ("b_grade", 1), ("written_off", 1)]
    assert outlet.ask("SELECT disposition FROM recon.stock_moves") == [("sellable",)]
    written_off = "SELECT source FROM recon.custody_movements WHERE to_place = 'written_off'"
    assert outlet.ask(written_off) == [("warehouse",)]


@pytest.mark.parametrize("route", ["file", "level"])
def test_either_route_carries_b_grade_units_together_with_sellable_ones_of_that_code(
    outlet: Town, tmp_path: Path, route: str
) -> None:
    outlet.khaos = Shelves(items=outlet.khaos.items)
    (tmp_path / "sample.csv").write_bytes(SAMPLE.encode())
    (tmp_path / "out").mkdir()
    stock = {"route": route, "file_sample": tmp_path / "sample.csv", "file_folder": tmp_path / "out"}
    outlet.with_settings(legs_policy="credit_first", stock=stock)
    credited(outlet, 2)
    credited(outlet, 1, 2, "HAT-B")
    for rma, sku, condition in (("RMA1", "HAT", "B-grade"), ("RMA1", "HAT", "Sellable"), ("RMA2", "HAT-B", "Sellable")):
        inspected(outlet, condition, rma=rma, sku=sku)
    run(outlet)
    run(outlet)
    clerk(outlet, tmp_path / "out")
    run(outlet)
    assert [level_of(outlet, code)[0] for code in ("HAT", "HAT-B")] == [11, 12]
    assert {state for *_, state in outlet.ask(ADJUSTED)} == {"done"}
    assert outlet.ask(PLACES) == [("available", 1), ("available", 1), ("b_grade", 1)]


@pytest.mark.parametrize("how", ["unknown", "discontinued"])
def test_an_unknown_b_grade_code_is_an_exception_until_khaos_has_it(outlet: Town, how: str) -> None:
    if how == "unknown":
        del outlet.khaos.items["HAT-B"]
    else:
        outlet.khaos.items["HAT-B"] = a_code("HAT-B", is_discontinued=True)
    outlet.khaos.items["hat-b"] = a_code("hat-b")
    taken_back(outlet, "B-grade")
    ((kind, subject, message),) = outlet.ask(OPEN)
    assert (kind, subject) == ("stock_adjustment_due", "RMA1/HAT/b_grade")
    assert "1 x HAT go nowhere: HAT-B, the B-grade of HAT, is no Stock Code of Khaos" in message
    assert (outlet.ask(ADJUSTED), reasons(outlet)) == ([], ["3"])
    outlet.khaos.items["HAT-B"] = a_code("HAT-B")
    outlet.sync(minutes=40)
    assert outlet.ask(OPEN) == [("stock_adjustment_due", "RMA1/HAT-B/b_grade", DUE)]


def test_a_unit_that_becomes_b_grade_after_its_document_left_is_taken_off_sale(outlet: Town) -> None:
    taken_back(outlet, "Sellable")
    outlet.pull()
    outlet.sync()
    with connect(outlet) as conn:
        benching.correct(conn, "I-Sellable", "B-grade", 1, Person("kim", "a stain"), now=outlet.now)
    outlet.sync()
    assert outlet.ask(ADJUSTED) == [("b_grade", "HAT-B", 1, 1, "asked"), ("sellable", "HAT", 1, -1, "asked")]


def test_a_mapping_counts_from_its_day_and_a_word_that_nobody_mapped_is_a_persons(outlet: Town) -> None:
    outlet.policy = CreditNotePolicy(
        returned_goods=outlet.policy.returned_goods.model_copy(update={"effective_on": date(2026, 4, 1)})
    )
    taken_back(outlet, "B-grade")
    assert [row[0] for row in outlet.ask(OPEN)] == ["stock_not_returned"]
    assert outlet.ask("SELECT reasons -> 0 ->> 0 FROM recon.drafts") == [("waiting_inspection",)]


def test_a_bench_that_contradicts_the_file_holds_the_credit_and_is_told(outlet: Town) -> None:
    outlet.sells_and_takes_back(a_return(1, quality_control_status="Pending"))
    outlet.sync()
    found(outlet, "Sellable", source="file")
    found(outlet, "Damaged", source="bench")
    outlet.sync()
    ((kind, subject, message),) = outlet.ask(OPEN)
    assert (kind, subject) == ("inspection_disputed", "RMA1")
    assert "1 x HAT: two sources of the warehouse name different conditions" in message
    assert (outlet.ask("SELECT 1 FROM recon.postings"), outlet.ask(PLACES)) == ([], [("at_the_bench", 1)])
    with connect(outlet) as conn:
        benching.correct(conn, "bench-Damaged", "Sellable", 1, Person("kim", "wrong parcel"), now=outlet.now)
        benching.correct(conn, "file-Sellable", "Pending", 1, Person("kim", "counted twice"), now=outlet.now)
    outlet.sync()
    assert (outlet.ask(OPEN), reasons(outlet)) == ([], ["1"])
