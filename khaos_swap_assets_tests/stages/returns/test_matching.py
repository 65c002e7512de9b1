"""Matching: Stock Codes, orders, units, and everything that brings a return back into line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import TransientError
from khaos_swap_assets.adapters.store import inspections, worklist
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets.stages.returns import matching
from khaos_swap_assets.stages.returns.matching import match_waiting
from khaos_swap_assets_tests.stages.town import NOON, Town, a_code, a_line, a_return, an_order


def test_the_exception_of_a_refund_off_by_the_delivery_says_so(town: Town) -> None:
    one = a_return(1, a_line("HAT"), refund_pence=1495)
    town.sells_and_takes_back(one)
    town.khaos.orders = [replace(order, delivery_gross_pence=495) for order in town.khaos.orders]
    town.sync()
    message = town.one("SELECT message FROM recon.exceptions WHERE kind = 'refund_not_explained'")
    assert message.startswith("Refund £14.95, lines £10.00; off by exactly the order's delivery of £4.95")
    assert "decision `delivery`" in message


def lines(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT sku, stock_code, problem, suggestion FROM recon.matched_lines ORDER BY return_id, sku")


def problems(town: Town) -> dict[str, list[str]]:
    return dict(town.ask("SELECT return_id, order_problems FROM recon.matched_returns ORDER BY 1"))


def in_line(town: Town, stage: str) -> list[str]:
    return [row[0] for row in town.ask("SELECT return_id FROM recon.worklist WHERE stage = %s ORDER BY 1", stage)]


def inspect(town: Town, number: int, sku: str, condition: str, quantity: int = 1) -> None:
    told = Inspection(f"I-{number}-{sku}-{condition}", f"RMA{number}", sku, "", condition, quantity, town.now, "Kim")
    with town.tools.store() as conn:
        inspections.save(conn, told, town.now)
        worklist.queue(conn, "match", [f"R{number}"])


@pytest.mark.parametrize(
    ("sku", "codes", "expected"),
    [
        ("HAT", [a_code("HAT")], ("HAT", "HAT", "", "")),
        ("hat", [a_code("HAT")], ("hat", None, "sku_unknown", "HAT")),
        ("HAT ", [a_code("HAT")], ("HAT ", None, "sku_unknown", "HAT")),
        ("HAT ", [a_code("HAT"), a_code("HAT ", "2")], ("HAT ", "HAT ", "", "")),
        ("H-AT", [a_code("HAT"), a_code("HA T", "2")], ("H-AT", None, "sku_ambiguous", "HA T")),
        ("HAT", [a_code("HAT", is_discontinued=True)], ("HAT", "HAT", "sku_discontinued", "")),
        ("501", [a_code("HAT", barcodes=("501",))], ("501", None, "sku_unknown", "HAT")),
        ("", [a_code("HAT")], ("", None, "sku_unknown", "")),
        ("ZEBRA", [a_code("HAT")], ("ZEBRA", None, "sku_unknown", "")),
    ],
)
def test_only_a_code_that_is_equal_to_the_letter_acts(
    town: Town, sku: str, codes: list[Any], expected: tuple[Any, ...]
) -> None:
    town.swap.put(a_return(1, a_line(sku, product_id="P1")))
    town.khaos.items = {code.stock_code: code for code in codes}
    town.read()
    assert lines(town) == [expected]


def test_a_miss_holds_back_only_its_own_return(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.sync()
    assert town.ask("SELECT return_id, state FROM recon.drafts ORDER BY 1") == [("R1", "ready"), ("R2", "held")]


def test_an_order_that_nobody_read_yet_makes_the_return_wait(town: Town) -> None:
    town.swap.put(a_return(1))
    town.khaos.broken_refs["KCCLX1"] = TransientError("no answer in time")
    town.read()
    assert problems(town) == {"R1": ["waiting"]}


def test_an_order_that_khaos_does_not_know_is_an_exception_and_asked_for_again_an_hour_later(town: Town) -> None:
    town.swap.put(a_return(1))
    town.khaos.items["HAT"] = a_code("HAT")
    town.sync()
    assert problems(town) == {"R1": ["order_not_found"]}
    assert town.kinds()["order_not_found"] == "RMA1"
    town.khaos.sell(an_order(1))
    town.sync(minutes=30)
    assert problems(town) == {"R1": ["order_not_found"]}
    town.sync(minutes=31)
    assert problems(town) == {"R1": []}
    assert "order_not_found" not in town.kinds()


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([an_order(1)], []),
        ([an_order(1, invoiced_on=None)], ["order_not_invoiced"]),
        ([an_order(1, customer_code="")], ["customer_unknown"]),
        ([an_order(1, customer_code="Amazo-77")], ["customer_unknown"]),
        ([an_order(1, currency="EUR")], ["currency_mismatch"]),
        ([an_order(1, ("CAP", 1))], ["order_not_found"]),
        ([an_order(1), an_order(1, so_code="SO9")], ["order_ambiguous"]),
        ([an_order(1), an_order(1, so_code="SO9", is_cancelled=True)], []),
    ],
)
def test_what_the_order_says_against_a_return(town: Town, orders: list[Any], expected: list[str]) -> None:
    town.with_settings(generic_customers="Amazo-*")
    town.khaos.sell(*orders)
    town.khaos.items["HAT"] = a_code("HAT")
    town.swap.put(a_return(1))
    town.read()
    assert problems(town) == {"R1": expected}


def test_an_invoice_that_comes_later_is_seen_by_the_status_feed(town: Town) -> None:
    town.khaos.sell(an_order(1, invoiced_on=None))
    town.swap.put(a_return(1))
    town.sync()
    assert town.ask("SELECT state FROM recon.drafts") == [("held",)]
    town.khaos.orders = [an_order(1)]
    town.sync()
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]


def test_lines_of_two_orders_are_ambiguous(town: Town) -> None:
    town.khaos.sell(an_order(1), an_order(2, ("CAP", 1)))
    rows = a_line("HAT", original_order_name="#LX1"), a_line("CAP", original_order_name="#LX2")
    town.swap.put(a_return(1, *rows))
    town.read()
    assert problems(town) == {"R1": ["order_ambiguous"]}


def test_a_new_stock_code_brings_back_the_returns_that_missed_it(town: Town) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("ZEBRA")))
    del town.khaos.items["ZEBRA"]
    town.sync()
    town.khaos.items["ZEBRA"] = a_code("ZEBRA")
    town.sync()
    assert town.ask("SELECT return_id, state FROM recon.drafts ORDER BY 1") == [("R1", "ready"), ("R2", "ready")]


def test_a_code_renamed_in_khaos_is_no_match_any_more(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    town.read()
    town.khaos.items = {"HAT-2": replace(a_code("HAT"), stock_code="HAT-2")}
    town.read()
    assert lines(town) == [("HAT", None, "sku_unknown", "HAT-2")]
    assert town.ask("SELECT stock_code FROM khaos.stock_codes") == [("HAT-2",)]


def renamed(town: Town, name: str) -> None:
    """Khaos calls the HAT otherwise from now on."""
    town.khaos.items = {name: replace(a_code("HAT"), stock_code=name)}
    town.sync()


def test_what_was_credited_keeps_its_proof_when_its_code_is_renamed(town: Town) -> None:
    """Twice, so that the proof outlives the match that it was."""
    town.sells_and_takes_back(a_return(1))
    town.sync()
    town.pull()
    town.sync()
    place = "SELECT place, units FROM recon.custody"
    before = town.ask(place)
    for name in ("BERET", "TRILBY"):
        renamed(town, name)
        assert lines(town) == [("HAT", "HAT", "", "")]
        assert (town.kinds(), town.ask(place)) == ({}, before)


@pytest.mark.parametrize("other", [a_code("HAT-X", "id-X", barcodes=("HAT",)), None])
def test_what_is_not_out_yet_is_told_with_the_new_name_and_never_acts(town: Town, other: StockCode | None) -> None:
    town.sells_and_takes_back(a_return(1))
    town.sync()
    renamed(town, "BERET")
    kind = "sku_unknown"
    if other:
        town.khaos.items[other.stock_code] = other
        town.sync()
        kind = "sku_ambiguous"
    assert lines(town) == [("HAT", None, kind, "BERET")]
    assert town.kinds() == {kind: "RMA1/HAT"}
    assert town.pull() == []


@pytest.mark.parametrize("ended", sorted(ENDED_UNPAID))
def test_more_than_was_sold_is_the_later_refunds_trouble(town: Town, ended: str) -> None:
    later = NOON - timedelta(hours=1)
    town.khaos.sell(an_order(1, ("HAT", 2)))
    first = a_return(1, a_line("HAT", 2, 2000))
    second = a_return(2, a_line("HAT", 1), order_name="#LX1", processed_at=later, closed_at=later)
    town.swap.put(second, first)
    town.read()
    over = "SELECT return_id, over_returned FROM recon.matched_returns ORDER BY 1"
    assert town.ask(over) == [("R1", []), ("R2", ["HAT"])]
    town.edit(replace(first, status=ended))
    town.read()
    assert town.ask(over) == [("R1", []), ("R2", [])]


def test_a_return_whose_over_return_changed_is_drafted_again(town: Town) -> None:
    town.khaos.sell(an_order(1, ("HAT", 1)))
    later = NOON - timedelta(hours=1)
    town.swap.put(a_return(2, order_name="#LX1", processed_at=later, closed_at=later))
    town.sync()
    assert town.ask("SELECT state FROM recon.drafts") == [("ready",)]
    town.edit(a_return(1))
    town.read()
    assert in_line(town, "draft") == ["R1", "R2"]


@pytest.mark.parametrize(
    ("told", "units"),
    [
        ([], (0, 0, 0, 0)),
        ([("Sellable", 2)], (2, 0, 0, 0)),
        ([("Sellable", 1), ("Damaged", 1)], (1, 1, 0, 0)),
        ([("Missing", 1)], (0, 0, 1, 0)),
        ([("Wrong-Item", 1)], (0, 0, 0, 1)),
    ],
)
def test_an_inspection_that_comes_later_settles_units(
    town: Town, told: list[tuple[str, int]], units: tuple[int, ...]
) -> None:
    town.sells_and_takes_back(a_return(1, a_line("HAT", 2, 2000), quality_control_status="Pending"))
    town.read()
    columns = "sellable_quantity, damaged_quantity, missing_quantity, strange_quantity"
    assert town.ask(f"SELECT {columns} FROM recon.matched_lines") == [(0, 0, 0, 0)]
    for condition, quantity in told:
        inspect(town, 1, "HAT", condition, quantity)
    match_waiting(town.tools)
    assert town.ask(f"SELECT {columns} FROM recon.matched_lines") == [units]


def test_units_of_no_line_are_kept_in_words(town: Town) -> None:
    town.sells_and_takes_back(a_return(1))
    inspect(town, 1, "UMBRELLA", "Wrong-Item")
    town.read()
    assert town.one("SELECT strange_conditions FROM recon.matched_returns") == ["1 × UMBRELLA: Wrong-Item"]


def test_lines_of_one_code_are_told_apart_by_the_line_item(town: Town) -> None:
    order = an_order(1, ("HAT", 1), ("HAT", 2))
    first, second = order.lines
    town.khaos.sell(replace(order, lines=(replace(first, import_ref="L-A"), replace(second, import_ref="L-B"))))
    town.swap.put(a_return(1, a_line("HAT", line_item_id="L-B"), a_line("HAT", line_item_id="", product_id="P2")))
    town.read()
    found = town.ask("SELECT product_id, order_line_no, sold_quantity FROM recon.matched_lines ORDER BY 1 DESC")
    assert found == [("P2", 1, 3), ("P-HAT", 2, 2)]


def test_batches_are_matched_one_after_another(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "BATCH", 2)
    town.sells_and_takes_back(*(a_return(number) for number in range(1, 6)))
    town.swap.put(a_return(6, a_line("ZEBRA")))
    from khaos_swap_assets.stages.returns.sync import sync_returns

    sync_returns(town.tools)
    found = match_waiting(town.tools)
    assert (found.returns, found.lines) == (6, 6)
    assert in_line(town, "match") == []
    assert in_line(town, "draft") == [f"R{number}" for number in range(1, 7)]
