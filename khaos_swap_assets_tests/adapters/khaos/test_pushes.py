"""Pushed Stock Codes and levels: every row that can be read is, and every other one is a fault with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.adapters.khaos.pushes import read_level_push, read_stock_push
from khaos_swap_assets.adapters.khaos.records import StockLevel
from khaos_swap_assets.domain.records.stock_codes import StockCode

JACKET = {
    "StockID": "7744",
    "StockCode": "FELL-JKT-MOS-M ",
    "ShortDescription": "Fell Waterproof Jacket Moss M",
    "OtherRef": " FJ1 ",
    "Options": {"Discontinued": False, "StockControlled": True},
    "Barcodes": [{"Barcode": "5060000077446"}, {"Barcode": "5060000077446"}, {"Barcode": ""}, "odd"],
}


def test_an_item_is_read_with_its_code_as_it_is() -> None:
    push = read_stock_push({"Items": [JACKET], "Deleted": ["12", 13, None]})
    assert push.items == [
        StockCode("FELL-JKT-MOS-M ", "7744", "Fell Waterproof Jacket Moss M", "FJ1", ("5060000077446",))
    ]
    assert (push.deleted_ids, push.faults) == (["12", "13"], [])


@pytest.mark.parametrize(
    ("changes", "discontinued", "controlled"),
    [
        ({"Options": {"Discontinued": True, "StockControlled": False}}, True, False),
        ({"Options": {"Discontinued": "-1"}}, True, True),
        ({"Options": None}, False, True),
        ({"Options": {}}, False, True),
    ],
)
def test_options_are_read_and_may_be_left_out(changes: dict[str, Any], discontinued: bool, controlled: bool) -> None:
    (item,) = read_stock_push({"Items": [{**JACKET, **changes}]}).items
    assert (item.is_discontinued, item.is_stock_controlled) == (discontinued, controlled)


@pytest.mark.parametrize(
    ("raw", "subject", "reason"),
    [
        ({**JACKET, "StockID": ""}, "FELL-JKT-MOS-M ", "StockID is missing"),
        ({**JACKET, "StockCode": " "}, "push ", "StockCode is missing"),
        ({**JACKET, "Options": [1]}, "FELL-JKT-MOS-M ", "Options: is no object"),
        ({**JACKET, "Options": {"Discontinued": "perhaps"}}, "FELL-JKT-MOS-M ", "'perhaps' is neither true nor false"),
        ("FELL", "push ", "Items: is no object"),
    ],
)
def test_an_item_that_cannot_be_read_loses_only_itself(raw: object, subject: str, reason: str) -> None:
    push = read_stock_push({"Items": [raw, {**JACKET, "StockCode": "GOOD"}]})
    assert [item.stock_code for item in push.items] == ["GOOD"]
    assert [fault.reason for fault in push.faults] == [reason]
    assert push.faults[0].subject.startswith(subject)


@pytest.mark.parametrize("body", [{}, {"Items": None}, {"Items": "X"}, {"Items": {"a": 1}}])
def test_a_push_without_a_list_is_one_fault_with_a_stable_name(body: dict[str, Any]) -> None:
    first, second = read_stock_push(body), read_stock_push(dict(body))
    assert [fault.reason for fault in first.faults] == ["the push holds no list Items"]
    assert first.faults == second.faults


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ({"Levels": {"Available": 15.0, "OnOrder": 40.0}}, 15),
        ({"Levels": {"Available": "3"}}, 3),
        ({"Levels": {"Available": -2}}, -2),
        ({"Levels": {"Available": 0}, "RelationshipPotential": {"FromChildren": 9}}, 0),
        ({"RelationshipPotential": {"FromChildren": 9, "FromParents": 1}}, 9),
    ],
)
def test_a_level_is_what_is_available_else_what_children_make(raw: dict[str, Any], level: int) -> None:
    levels, faults = read_level_push({"Statuses": [{"StockCode": "A ", "StockID": "1", "SiteID": 9, **raw}]})
    assert (levels, faults) == ([StockLevel("A ", 9, level)], [])


def test_an_item_that_is_not_stock_controlled_says_nothing() -> None:
    assert read_level_push({"Statuses": [{"StockCode": "A", "SiteID": 1}]}) == ([], [])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"StockCode": "A", "Levels": {"Available": 1}}, "SiteID is missing"),
        ({"SiteID": 1, "Levels": {"Available": 1}}, "StockCode is missing"),
        ({"StockCode": "A", "SiteID": 1, "Levels": {"Available": 1.5}}, "'1.5' is no whole number of units"),
        ({"StockCode": "A", "SiteID": "main", "Levels": {"Available": 1}}, "'main' is no number"),
        ({"StockCode": "A", "SiteID": 1, "Levels": {"Available": True}}, "'' is no number"),
    ],
)
def test_a_level_that_cannot_be_read_is_a_fault(raw: dict[str, Any], reason: str) -> None:
    levels, faults = read_level_push({"Statuses": [raw]})
    assert (levels, [fault.reason for fault in faults]) == ([], [reason])
