"""Fifty forms of the files that people have, through the command: the report is that of their clean twins."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
import xlsxwriter
from typer.testing import CliRunner

from khaos_swap_assets.cli.audit import audit_command
from khaos_swap_assets_tests.adapters.files.test_reading import CLEAN, FORMS, as_csv

Make = Callable[[Path], Path]
Rows = Sequence[Sequence[str]]


def returned(rma: str, order: str, refund: str, *goods: tuple[str, int, str]) -> dict[str, Any]:
    products = [
        {"product_id": f"{rma}-{sku}", "sku": sku, "item_count": units, "cost": cost, "return_type": "Refund"}
        for sku, units, cost in goods
    ]
    return {
        "return_id": rma.lower(),
        "rma_number": rma,
        "shopify_order_name": order,
        "return_status": "Closed",
        "customer_currency": "GBP",
        "total_refund_value_customer_currency": refund,
        "date_created": "2026-02-20T09:00:00Z",
        "rma_processed": "2026-03-02T15:00:00Z",
        "date_closed": "2026-03-02T15:00:00Z",
        "products": products,
    }


RETURNS = [
    returned("RMA1", "A1", "1248.50", ("SOFA", 1, "1224.69"), ("MUG", 2, "23.81")),
    returned("RMA2", "A2", "12.00", ("0017", 1, "12.00")),
]
ORDER_HEAD = (
    *("order_ref", "ordered_at", "currency", "stock_code", "quantity", "unit_price_gross"),
    *("discount_gross", "delivery_gross"),
)
ORDERS = [
    ("A1", "2026-02-10T12:00:00Z", "GBP", "SOFA", "1", "1234.50", "9.81", "3.95"),
    ("A1", "2026-02-10T12:00:00Z", "GBP", "MUG", "2", "12.00", "0.19", "3.95"),
    ("A2", "2026-02-11T12:00:00Z", "GBP", "0017", "1", "12.00", "", ""),
]
REFUND_HEAD = ("refund_id", "order_ref", "refunded_at", "currency", "amount", "gateway", "status")
REFUNDS = [
    ("t1", "A1", "2026-03-02T15:00:00Z", "GBP", "1248.50", "shopify_payments", "success"),
    ("t2", "A2", "2026-03-02T15:00:00Z", "GBP", "12.00", "paypal", "success"),
]
CODE_HEAD = ("stock_code", "description", "barcode")
CODES = [("SOFA", "Sofa, grey", "5060000000017"), ("MUG", "Mug", ""), ("0017", "Tray", "")]


def text_of(head: Sequence[str], rows: Rows, separator: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([head, *rows])
    return text.getvalue()


def as_text(name: str, text: str, folder: Path, codec: str = "utf-8") -> Path:
    (folder / name).write_bytes(text.encode(codec))
    return folder / name


def as_book(name: str, head: Sequence[str], rows: Rows, typed: Sequence[int], folder: Path) -> Path:
    """A workbook with a title above the table; ``typed`` columns hold numbers."""
    with xlsxwriter.Workbook(str(folder / name)) as book:
        sheet = book.add_worksheet("Export")
        sheet.write_string(0, 0, "Export of March")
        sheet.write_row(2, 0, head)
        for number, cells in enumerate(rows, start=3):
            for column, cell in enumerate(cells):
                if cell:
                    sheet.write(number, column, float(cell) if column in typed else cell)
    return folder / name


def as_parquet(head: Sequence[str], rows: Rows, folder: Path) -> Path:
    pq.write_table(pa.table(dict(zip(head, map(list, zip(*rows, strict=True)), strict=True))), folder / "t.parquet")
    return folder / "t.parquet"


def json_of(value: Any) -> Callable[[Path], Path]:
    return partial(as_text, "returns.json", json.dumps(value))


SHOPIFY = (
    *("Name", "Created at", "Currency", "Subtotal", "Discount Amount", "Shipping", "Lineitem quantity"),
    *("Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem discount"),
)
SHOP_ORDERS = [
    ("A1", "2026-02-10 12:00:00 +0000", "GBP", "1248.50", "10.00", "3.95", "1", "Sofa", "1234.50", "SOFA", "0.00"),
    ("A1", "", "", "", "", "", "2", "Mug", "12.00", "MUG", "0.00"),
    ("A2", "2026-02-11 12:00:00 +0000", "GBP", "12.00", "0.00", "0.00", "1", "Tray", "12.00", "0017", "0.00"),
]
KHAOS = ("Ass Ref", "Order Date", "Currency", "Item Code", "Qty", "Unit Price", "Discount", "Carriage")
TRANSACTIONS = ("Order", "Transaction", "Kind", "Gateway", "Created At", "Amount", "Currency", "Status")
PAID = [(order, key, "refund", gate, at, paid, money, done) for key, order, at, money, paid, gate, done in REFUNDS]
SALE = ("A1", "t0", "sale", "shopify_payments", "2026-02-10T12:00:00Z", "1252.45", "GBP", "success")
CHANGED = (
    *("Name", "Transaction: ID", "Transaction: Kind", "Transaction: Gateway", "Transaction: Processed At"),
    *("Transaction: Amount", "Transaction: Currency", "Transaction: Status"),
)
V1_NAMES = {"rma_number": "rma", "shopify_order_name": "order_name"}
COMMA = [[cell.replace(".", ",") if place >= 5 else cell for place, cell in enumerate(row)] for row in ORDERS]
MINUS = [[f"-{cell}" if place == 4 else cell for place, cell in enumerate(row)] for row in REFUNDS]
WITHOUT_DELIVERY = [[*row[:6], f"-{row[6]}" if row[6] else "", *row[7:]] for row in ORDERS]
TWIN: Mapping[str, Make] = {
    "returns": partial(as_text, "returns.jsonl", "".join(json.dumps(one) + "\n" for one in RETURNS)),
    "stock-codes": partial(as_text, "stock.csv", text_of(CODE_HEAD, CODES)),
    "sales-orders": partial(as_text, "orders.csv", text_of(ORDER_HEAD, ORDERS)),
    "credit-notes": as_csv(CLEAN),
    "refunds": partial(as_text, "refunds.csv", text_of(REFUND_HEAD, REFUNDS)),
}
OTHERS: dict[str, tuple[str, Make]] = {
    "Shopify's orders": ("sales-orders", partial(as_text, "orders.csv", text_of(SHOPIFY, SHOP_ORDERS))),
    "Shopify's orders, saved by Excel": (
        "sales-orders",
        partial(as_book, "o.xlsx", SHOPIFY, SHOP_ORDERS, (3, 4, 5, 6, 8)),
    ),
    "orders with discounts below zero": (
        "sales-orders",
        partial(as_text, "o.csv", text_of(ORDER_HEAD, WITHOUT_DELIVERY)),
    ),
    "Khaos's orders as a workbook": ("sales-orders", partial(as_book, "o.xlsx", KHAOS, ORDERS, (4, 5, 6, 7))),
    "orders with decimal commas": ("sales-orders", partial(as_text, "o.csv", text_of(ORDER_HEAD, COMMA, ";"))),
    "orders as Parquet": ("sales-orders", partial(as_parquet, ORDER_HEAD, ORDERS)),
    "Shopify's transactions with their sales": (
        "refunds",
        partial(as_text, "t.csv", text_of(TRANSACTIONS, [SALE, *PAID])),
    ),
    "Shopify's transactions as a workbook": ("refunds", partial(as_book, "t.xlsx", TRANSACTIONS, [SALE, *PAID], (5,))),
    "Matrixify's transactions": ("refunds", partial(as_text, "t.csv", text_of(CHANGED, [SALE, *PAID]))),
    "refunds below zero": ("refunds", partial(as_text, "t.csv", text_of(REFUND_HEAD, MINUS))),
    "refunds in UTF-16 with tabs": (
        "refunds",
        partial(as_text, "t.tsv", text_of(REFUND_HEAD, REFUNDS, "\t"), codec="utf-16"),
    ),
    "returns as a list": ("returns", json_of(RETURNS)),
    "returns as the API answers": ("returns", json_of({"version": 2, "returns": RETURNS, "pagination": {"page": 1}})),
    "returns under the names of version 1": (
        "returns",
        json_of([{V1_NAMES.get(name, name): value for name, value in one.items()} for one in RETURNS]),
    ),
    "Khaos's Stock List": (
        "stock-codes",
        partial(as_text, "s.csv", text_of(("Item Code", "Short Description", "EAN"), CODES)),
    ),
    "Stock Codes as a workbook": ("stock-codes", partial(as_book, "s.xlsx", CODE_HEAD, CODES, ())),
}


def report(folder: Path, changed: Mapping[str, Make]) -> dict[str, str]:
    """The two tables of the report that the command writes."""
    app = typer.Typer()
    app.command("audit")(audit_command)
    options = ["--out", str(folder / "out"), "--as-of", "2026-03-31"]
    for name, make in {**TWIN, **changed}.items():
        (folder / name).mkdir(parents=True)
        options += [f"--{name}", str(make(folder / name))]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    names = ("reconciliation.csv", "exceptions.csv")
    return {name: (folder / "out" / name).read_text(encoding="utf-8") for name in names}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = report(tmp_path_factory.mktemp("clean"), {})
    assert found["reconciliation.csv"].count(",matched,") + found["reconciliation.csv"].count(",value_gap,") == 2
    return found


def test_there_are_forty_and_more() -> None:
    assert len(FORMS) + len(OTHERS) >= 50


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_credit_notes(tmp_path: Path, clean: dict[str, str], name: str) -> None:
    assert report(tmp_path, {"credit-notes": FORMS[name]}) == clean


@pytest.mark.parametrize("name", OTHERS)
def test_a_form_of_another_file(tmp_path: Path, clean: dict[str, str], name: str) -> None:
    kind, make = OTHERS[name]
    assert report(tmp_path, {kind: make}) == clean
