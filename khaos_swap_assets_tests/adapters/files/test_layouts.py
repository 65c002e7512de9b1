"""What the columns of each table mean when they are blank, and what must agree between rows of one document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.tables import Layout, Table

LAYOUTS: dict[str, Layout[Any]] = {
    "stock_codes": layouts.STOCK_CODES,
    "sales_orders": layouts.SALES_ORDERS,
    "credit_notes": layouts.CREDIT_NOTES,
    "refunds": layouts.REFUNDS,
}


def read(tmp_path: Path, layout: Layout[Any], text: str) -> Table[Any]:
    path = tmp_path / "some.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, layout)


REQUIRED = [
    ("stock_codes", {"stock_code": "ABC"}),
    ("sales_orders", {"order_ref": "LX1", "stock_code": "ABC", "quantity": "1", "unit_price_gross": "5"}),
    ("credit_notes", {"credit_note_code": "CN1", "gross": "5"}),
    ("refunds", {"amount": "5"}),
]


@pytest.mark.parametrize(("name", "cells"), REQUIRED)
def test_a_table_needs_these_columns_and_no_others(name: str, cells: dict[str, str]) -> None:
    needed = {column.name for column in LAYOUTS[name].columns if column.is_required}
    assert needed == set(cells)


@pytest.mark.parametrize(("name", "cells"), REQUIRED)
def test_each_needed_cell_is_missed_by_name(tmp_path: Path, name: str, cells: dict[str, str]) -> None:
    for blank in cells:
        row = cells | {blank: " ", "description": "Shirt", "gateway": "card"}
        table = read(tmp_path, LAYOUTS[name], ",".join(row) + "\n" + ",".join(row.values()) + "\n")
        assert (blank, "is empty") in [(fault.column, fault.reason) for fault in table.faults]
        assert table.rows == []


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_row_has_a_field_for_each_column(layout: Layout[Any]) -> None:
    row = layout.make([7, *(column.empty for column in layout.columns)])
    assert (row.line, len(row)) == (7, len(layout.columns) + 1)
    assert layout.group in ("", *row._fields)


ORDERS = "order_ref,stock_code,quantity,unit_price_gross,discount_gross,delivery_gross,currency\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("LX1,A,2,10.00,20.00,,\n", []),
        ("LX1,A,2,10.00,20.01,,\n", [(2, "discount_gross", "is more than the line is worth")]),
        ("LX1,A,0,10.00,0.01,,\n", [(2, "discount_gross", "is more than the line is worth")]),
        ("LX1,A,1,1,,3.95,\nLX1,B,1,1,,,\nLX1,C,1,1,,3.95,GBP\n", []),
        ("LX1,A,1,1,,3.95,\nLX1,B,1,1,,4,\n", [(3, "delivery_gross", "differs from line 2 of the same order_ref")]),
        ("LX1,A,1,1,,0,\nLX1,B,1,1,,4,\n", []),
        ("LX1,A,1,1,,,GBP\nLX1,B,1,1,,,EUR\n", [(3, "currency", "differs from line 2 of the same order_ref")]),
        ("LX1,A,1,1,,,\nLX1,B,1,1,,,EUR\n", [(3, "currency", "differs from line 2 of the same order_ref")]),
        ("LX1,A,1,1,,3.95,GBP\nLX2,B,1,1,,4,EUR\n", []),
    ],
)
def test_what_must_agree_within_an_order(tmp_path: Path, body: str, expected: list[tuple[int, str, str]]) -> None:
    table = read(tmp_path, layouts.SALES_ORDERS, ORDERS + body)
    assert [(fault.line, fault.column, fault.reason) for fault in table.faults] == expected


def test_a_stock_code_stands_in_a_catalogue_once(tmp_path: Path) -> None:
    table = read(tmp_path, layouts.STOCK_CODES, "stock_code,discontinued\nABC,no\nABC ,\nABC,yes\n")
    assert [(row.stock_code, row.is_discontinued) for row in table.rows] == [("ABC", False), ("ABC ", False)]
    assert [str(fault) for fault in table.faults] == [
        "some.csv, line 4, column stock_code: 'ABC' stands already on line 2"
    ]


def test_words_of_money_are_read_in_any_case(tmp_path: Path) -> None:
    body = "F1,R1,5,SUCCESS,Gift_Card\nF2,R1,5,Partially Refunded,\nF3,R1,5, Voided ,PayPal\n"
    table = read(tmp_path, layouts.REFUNDS, "refund_id,return_id,amount,status,gateway\n" + body)
    assert [(row.status, row.gateway) for row in table.rows] == [
        ("success", "Gift_Card"),
        ("partially refunded", ""),
        ("voided", "PayPal"),
    ]


def test_no_word_says_both_that_money_moved_and_that_it_did_not() -> None:
    assert not layouts.MOVED & layouts.NOT_MOVED
    assert "pending" not in layouts.MOVED
    assert "" in layouts.MOVED, "a file without the column lists refunds that were made"
