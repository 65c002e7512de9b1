"""Returns as a table: columns of an export become the objects that Swap's API would give.

Belongs here: the columns, and the object of a row. Stays out: what the fields mean (``adapters.swap.wire``), objects in
JSON (``returns_file``). A table without lines is compared by header totals alone, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files import cells, known
from khaos_swap_assets.adapters.files.tables import HOME_CURRENCY, Column, Found, Layout
from khaos_swap_assets.domain.sums import grouped

STAND_INS = ("date_updated", "delivered_date", "date_created")
NO_CLOSING = "the day of closing is not in the file: the day of update, delivery or creation stands for it"
NO_LINES = "returns have no lines: goods, quantities and Stock Codes are not compared"
V1_NAMES = {"rma": "rma_number", "order_name": "shopify_order_name"}
V1_HOOK_NAMES = {"status": "return_status", "shipping_status": "delivery_status", "exchange_products": "exchange_items"}
SKU = "sku"


class ReturnCells(NamedTuple):
    """One row of a table of returns, as text and pence; a line of goods where it names a SKU."""

    line: int
    return_id: str
    rma_number: str
    shopify_order_name: str
    return_status: str
    delivery_status: str
    quality_control_status: str
    type_string: str
    customer_currency: str
    refund_pence: int
    date_created: str
    date_updated: str
    date_closed: str
    delivered_date: str
    rma_processed: str
    processed_by: str
    sku: str
    item_count: int
    cost_pence: int


def _text(name: str, *, is_header: bool = True) -> Column:
    return Column(name, cells.key, "", is_header=is_header)


def _day(name: str) -> Column:
    return Column(name, cells.moment_text, "", is_header=True)


def _check(row: ReturnCells) -> Iterator[Found]:
    if not (row.return_id or row.rma_number or row.shopify_order_name):
        yield "rma_number", "", "is empty, and so are return_id and shopify_order_name: one of them is needed"


RETURNS: Layout[ReturnCells] = Layout(
    known.RETURNS,
    (
        _text("return_id"),
        _text("rma_number"),
        _text("shopify_order_name"),
        Column("return_status", cells.key, "", True, is_header=True),
        _text("delivery_status"),
        _text("quality_control_status"),
        _text("type_string"),
        Column("customer_currency", cells.currency, HOME_CURRENCY, is_header=True),
        Column("total_refund_value_customer_currency", None, 0, True),
        _day("date_created"),
        _day("date_updated"),
        _day("date_closed"),
        _day("delivered_date"),
        _text("rma_processed"),
        _text("processed_by"),
        Column(SKU, cells.code, ""),
        Column("item_count", cells.quantity, 1),
        Column("cost", None, 0),
    ),
    ReturnCells._make,
    lambda: _check,
    worth="total_refund_value_customer_currency",
)


def objects(rows: Iterable[ReturnCells], columns: frozenset[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The line and the object of each return: rows of one id are its lines; fields without a column are left out."""
    by_id = grouped((row.return_id or row.rma_number or row.shopify_order_name, row) for row in rows)
    for return_id, some in by_id.items():
        yield some[0].line, _object(return_id, some, columns)


def _object(return_id: str, rows: list[ReturnCells], columns: frozenset[str]) -> dict[str, Any]:
    head = rows[0]
    told = {name: getattr(head, name) for name in columns if name in ReturnCells._fields and name != SKU}
    if "date_closed" not in columns:
        told["date_closed"] = next((day for name in STAND_INS if (day := getattr(head, name))), "")
    return {
        **told,
        "return_id": return_id,
        "rma_number": head.rma_number or return_id,
        "shopify_order_name": head.shopify_order_name,
        "customer_currency": head.customer_currency,
        "total_refund_value_customer_currency": _amount(head.refund_pence),
        "products": [_product(return_id, number, row) for number, row in enumerate(rows) if row.sku],
    }


def _product(return_id: str, number: int, row: ReturnCells) -> dict[str, Any]:
    return {
        "product_id": f"{return_id}-{number}",
        "sku": row.sku,
        "item_count": row.item_count,
        "cost": _amount(row.cost_pence),
        "return_type": "Refund",
        "currency": row.customer_currency,
    }


def _amount(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02}"


def in_version_2(raw: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """An object of API version 1 or of a webhook under the names of version 2 (swap.md §3.2, §5.1).

    With it: each of these names → the name in the file.
    """
    names = {old: new for old, new in V1_NAMES.items() if old in raw and new not in raw}
    names |= {old: new for old, new in V1_HOOK_NAMES.items() if old in raw and new not in raw and "products" in raw}
    renamed = {names.get(name, name): value for name, value in raw.items()} if names else raw
    return renamed, {new: old for old, new in names.items()}
