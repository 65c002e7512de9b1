"""Discounts of an order as a whole reach its lines by largest remainder, where its figures settle that (U-7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.tables import Table

SHOPIFY = "Name,Subtotal,Discount Amount,Lineitem quantity,Lineitem price,Lineitem sku,Lineitem discount\n"
OWN = "order_ref,stock_code,quantity,unit_price_gross,discount_gross,order_discount_gross,goods_after_discount\n"


def read(folder: Path, text: str) -> Table[Any]:
    path = folder / "orders.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, layouts.SALES_ORDERS)


def shopify(subtotal: str, discount: str, *on_lines: str) -> str:
    """The order of the rule: 39.99, 24.99 and 14.99, as Shopify writes it."""
    lines = zip(("39.99", "24.99", "14.99"), ("A", "B", "C"), on_lines or ("0.00",) * 3, strict=True)
    heads = [(subtotal, discount), ("", ""), ("", "")]
    rows = [f"#1,{one},{off},1,{price},{sku},{own}" for (one, off), (price, sku, own) in zip(heads, lines, strict=True)]
    return SHOPIFY + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("text", "paid"),
    [
        (shopify("69.97", "10.00"), [3499, 2186, 1312]),
        (shopify("69.97", "-10.00"), [3499, 2186, 1312]),
        (shopify("69.97", "10.00", "5.00", "3.13", "1.87"), [3499, 2186, 1312]),
        (shopify("79.97", "3.95"), [3999, 2499, 1499]),
        (shopify("69.97", "13.95"), [3499, 2186, 1312]),
        (shopify("68.97", "10.00", "0.00", "0.00", "1.00"), [3493, 2182, 1222]),
        (shopify("0.00", "79.97"), [0, 0, 0]),
        (OWN + "1,A,1,39.99,,10.00,\n1,B,1,24.99,,10.00,\n1,C,1,14.99,,,\n", [3499, 2186, 1312]),
        (OWN + "1,A,1,10.00,,,\n2,B,2,5.00,,1.00,\n", [1000, 900]),
    ],
)
def test_each_line_is_worth_what_was_paid_for_it(tmp_path: Path, text: str, paid: list[int]) -> None:
    table = read(tmp_path, text)
    assert [str(kind) for kind in table.kinds] == []
    assert [row.sold_pence for row in table.rows] == paid
    assert not any("do not add up" in notice for notice in table.notices)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (shopify("50.00", "10.00"), "has lines of £79.97, goods of £50.00 and a discount of £10.00"),
        (shopify("89.97", "10.00"), "has lines of £79.97, goods of £89.97 and a discount of £10.00"),
        (OWN + "#1,A,1,10.00,,10.01,\n", "has lines of £10.00, less £10.01"),
    ],
)
def test_figures_that_do_not_add_up_are_told_and_spread_nothing(tmp_path: Path, text: str, told: str) -> None:
    table = read(tmp_path, text)
    assert [row.discount_pence for row in table.rows] == [0] * len(table.rows)
    assert f"no discount is spread over orders that do not add up (1): #1 {told}" in table.notices


def test_an_order_has_one_discount(tmp_path: Path) -> None:
    table = read(tmp_path, OWN + "1,A,1,10.00,,1.00,\n1,B,1,10.00,,2.00,\n")
    assert [(fault.line, fault.column) for fault in table.faults] == [(3, "order_discount_gross")]
