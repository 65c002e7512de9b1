"""A small merchant's month as files, with every kind of trouble once, for a first look at the audit.

Belongs here: the example's figures. Stays out: how files are read and what the audit makes of them. Each number is one
order, ``#LX<number>`` in the shop and ``KCCLX<number>`` in Khaos, and the return ``RMA<number>`` of it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

AS_OF = "2026-03-31"
PRICES = {"SHIRT-M": "24.99", "COAT-L": "89.00", "SOCKS": "9.99"}
CODE_OF = {2: "COAT-L", 6: "SOCKS", 7: "SHIRT-M", 9: "COAT-L"}
RETURNS: Mapping[int, Mapping[str, Any]] = {
    1: {},
    2: {},
    3: {},
    4: {"date_closed": "2026-03-31T09:00:00Z", "rma_processed": "2026-03-31T09:00:00Z"},
    5: {"total_refund_value_customer_currency": "22.04", "handling_fee": "2.95"},
    6: {},
    7: {},
    8: {"total_refund_value_customer_currency": "9.99", "total_store_credit_value_customer_currency": "15.00"},
    9: {"return_status": "Open", "rma_processed": "", "date_closed": "", "total_refund_value_customer_currency": "0"},
    10: {},
    11: {},
    12: {},
    13: {"rma_processed": "N/A", "processed_by": "N/A"},
    14: {"rma_processed": "N/A", "processed_by": "Sam Reyes"},
}
# Code, reference typed, order, customer, day, Stock Code, units, gross, net, delivery.
NOTES = (
    ("CN101", "RMA1", 1, 1, 3, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN102", "RMA2", 2, 2, 3, "COAT-L", 1, "74.17", "61.81", ""),
    ("CN105", "RMA5", 5, 5, 4, "SHIRT-M", 1, "24.99", "20.83", "3.95"),
    ("CN106", "rma 6 and rma 7", 6, 6, 5, "SOCKS", 1, "9.99", "8.33", ""),
    ("CN106", "rma 6 and rma 7", 6, 6, 5, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN108", "RMA8", 8, 8, 5, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN110", "RMA10", 10, 10, 6, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN111", "RMA10", 10, 10, 7, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN112", "RMA3", 11, 11, 7, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN114", "RMA14", 14, 14, 7, "SHIRT-M", 1, "24.99", "20.83", ""),
    ("CN113", "goodwill", 99, 99, 9, "COAT-L", 1, "30.00", "25.00", ""),
)
NOTE_COLUMNS = (
    *("credit_note_code", "associated_ref", "order_ref", "customer_ref", "created_on", "stock_code", "quantity"),
    *("gross", "net", "delivery_gross"),
)
ORDER_COLUMNS = (
    *("order_ref", "so_code", "customer_ref", "ordered_at", "stock_code", "quantity", "unit_price_gross"),
    *("vat_rate", "discount_gross", "delivery_gross", "invoiced_on"),
)


def write_example(folder: Path) -> dict[str, str]:
    """Write the files into the folder, which is made; the options that audit them. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    returns = "".join(json.dumps(_return(number, more)) + "\n" for number, more in RETURNS.items())
    (folder / "returns.jsonl").write_text(returns, encoding="utf-8")
    _write(folder / "stock.csv", ("stock_code",), [(code,) for code in PRICES])
    _write(folder / "orders.csv", ORDER_COLUMNS, map(_order, RETURNS))
    _write(folder / "notes.csv", NOTE_COLUMNS, map(_note, NOTES))
    names = {"returns": "returns.jsonl", "stock-codes": "stock.csv", "sales-orders": "orders.csv"}
    files = {**names, "credit-notes": "notes.csv", "out": "report"}
    return {**{option: str(folder / name) for option, name in files.items()}, "as-of": AS_OF}


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _code(number: int) -> str:
    return CODE_OF.get(number, "SHIRT-M")


def _order(number: int) -> tuple[Any, ...]:
    """One line, ordered on 10 February; the order of number 5 paid for delivery, 6 and 7 are of one customer."""
    code, customer = _code(number), f"C{6 if number == 7 else number}"
    sold = (f"KCCLX{number}", f"SO{number}", customer, "2026-02-10T12:00:00Z", code, 1, PRICES[code], 20)
    return *sold, "", "3.95" if number == 5 else "", "2026-02-11"


def _note(note: tuple[Any, ...]) -> tuple[Any, ...]:
    code, ref, order, customer, day, *rest = note
    return code, ref, f"KCCLX{order}", f"C{customer}", f"2026-03-{day:02d}", *rest


def _return(number: int, more: Mapping[str, Any]) -> dict[str, Any]:
    code = _code(number)
    product = {"product_id": f"p{number}", "sku": code, "item_count": 1, "cost": PRICES[code], "return_type": "Refund"}
    row = {
        "return_id": f"ret_{number}",
        "rma_number": f"RMA{number}",
        "shopify_order_name": f"#LX{number}",
        "return_status": "Closed",
        "customer_currency": "GBP",
        "total_refund_value_customer_currency": PRICES[code],
        "date_created": "2026-02-20T09:00:00Z",
        "rma_processed": "2026-03-02T15:00:00Z",
        "date_closed": "2026-03-02T15:00:00Z",
        "products": [product],
    }
    return {**row, **more}
