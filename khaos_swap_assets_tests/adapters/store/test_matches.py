"""Matches in the store: as they are, replaced whole, and found by order, customer, reference and Stock Code."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import matches
from khaos_swap_assets.domain.records.matches import MatchedLine, MatchedReturn

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]
HEAD = MatchedReturn(
    "R1", "SO1", "C1", "GBP", date(2026, 1, 6), "KCCLX1", ("order_not_invoiced",), ("HAT",), ("1 × X: Wrong-Item",), NOW
)
LINE = MatchedLine(
    return_id="R1", product_id="P1", sku="hat", quantity=3, cost_pence=3000, stock_code="HAT", order_line_no=1,
    sold_quantity=5, sold_gross_pence=5000, sellable_quantity=1, damaged_quantity=1, strange_quantity=1,
)  # fmt: skip
MISS = MatchedLine(
    return_id="R1", product_id="P2", sku="cap", quantity=1, cost_pence=500, order_line_no=None, sold_quantity=None,
    sold_gross_pence=None, problem="sku_unknown", suggestion="CAP", suggestion_rule="case", suggestion_score=99,
)  # fmt: skip


def test_a_match_comes_back_as_it_went_in(database: Database) -> None:
    matches.save(database, [HEAD], [LINE, MISS])
    assert matches.returns(database, ["R1", "R2"]) == {"R1": HEAD}
    assert matches.lines(database, ["R1", "R2"]) == {"R1": [LINE, MISS]}


def test_a_return_that_matched_nothing_is_kept_too(database: Database) -> None:
    empty = MatchedReturn("R1", None, None, None, None, "", ("waiting",), (), (), NOW, customer_is_generic=True)
    matches.save(database, [empty], [])
    assert matches.returns(database, ["R1"]) == {"R1": empty}
    assert matches.lines(database, ["R1"]) == {}


def test_saving_replaces_lines_whole(database: Database) -> None:
    matches.save(database, [HEAD, replace(HEAD, return_id="R2")], [LINE, MISS, replace(LINE, return_id="R2")])
    matches.save(database, [replace(HEAD, so_code=None)], [MISS])
    assert matches.lines(database, ["R1", "R2"]) == {"R1": [MISS], "R2": [replace(LINE, return_id="R2")]}
    assert matches.returns(database, ["R1"])["R1"].so_code is None


@pytest.mark.parametrize(
    ("units", "expected"),
    [((0, 0, 0), {}), ((2, 0, 0), {"sellable": 2}), ((1, 1, 1), {"sellable": 1, "damaged": 1, "missing": 1})],
)
def test_units_without_a_disposition_are_in_none(units: tuple[int, int, int], expected: dict[str, int]) -> None:
    line = replace(LINE, sellable_quantity=units[0], damaged_quantity=units[1], missing_quantity=units[2])
    assert line.dispositions == expected


def test_over_returns_are_written_back(database: Database) -> None:
    second = replace(HEAD, return_id="R2", over_returned=("A",))
    matches.save(database, [HEAD, second, replace(HEAD, return_id="R3", over_returned=("C",))], [])
    matches.mark_over_returned(
        database, [replace(HEAD, over_returned=("A", "B,'"), over_pence=7), replace(second, over_returned=())]
    )
    found = matches.returns(database, ["R1", "R2", "R3"])
    assert {key: one.over_returned for key, one in found.items()} == {"R1": ("A", "B,'"), "R2": (), "R3": ("C",)}
    assert [found[key].over_pence for key in ("R1", "R2", "R3")] == [7, 0, 0]
    matches.mark_over_returned(database, [])


def test_returns_are_found_by_what_they_are_about(database: Database) -> None:
    other = replace(HEAD, return_id="R2", so_code="SO2", customer_code="C2", order_ref="KCCLX2")
    matches.save(database, [HEAD, other], [LINE, replace(LINE, return_id="R2", stock_code="CAP")])
    assert matches.ids_of_orders(database, ["SO1"]) == ["R1"]
    assert matches.ids_of_refs(database, ["KCCLX2"]) == ["R2"]
    assert sorted(matches.ids_of_customers(database, ["C1", "C2"])) == ["R1", "R2"]
    for find in (matches.ids_of_orders, matches.ids_of_refs, matches.ids_of_customers, matches.ids_touched_by_codes):
        assert find(database, []) == []


def test_returns_of_a_customer_that_have_no_note(database: Database) -> None:
    matches.save(database, [HEAD, replace(HEAD, return_id="R2"), replace(HEAD, return_id="R3", customer_code="C2")], [])
    database.execute(
        "INSERT INTO recon.note_links (credit_note_code, return_id, matched_by, linked_at, linked_by) "
        "VALUES ('CN1', 'R1', 'reference', now(), 'khaos-swap')"
    )
    assert matches.ids_without_note(database, ["C1"]) == ["R2"]
    assert matches.ids_without_note(database, []) == []


def test_a_changed_code_concerns_its_lines_and_those_without_a_match(database: Database) -> None:
    heads = [replace(HEAD, return_id=f"R{number}") for number in (1, 2, 3)]
    lines = [LINE, replace(LINE, return_id="R2", stock_code="CAP"), replace(MISS, return_id="R3")]
    matches.save(database, heads, lines)
    assert sorted(matches.ids_touched_by_codes(database, ["HAT"])) == ["R1", "R3"]
