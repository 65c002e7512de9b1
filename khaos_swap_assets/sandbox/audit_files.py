"""A month posted by hand as the files that an audit reads, and the truth beside them.

Belongs here: the columns that ``khaos-swap audit`` documents, and ``truth.json``. Stays out: what the month holds
(``hand_month``). Money is decimal text, days are London's.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from khaos_swap_assets.sandbox.hand_month import HandMonth
from khaos_swap_assets.sandbox.maker import LONDON, unit_list_pence
from khaos_swap_assets.sandbox.swap_wire import Spelling, return_wire
from khaos_swap_assets.sandbox.world import Note, Order, World

STOCK_COLUMNS = ("stock_code", "stock_id", "description", "other_ref", "barcode", "discontinued", "pack_components")
ORDER_COLUMNS = (
    *("order_ref", "so_code", "customer_ref", "ordered_at", "currency", "line_ref", "stock_code", "quantity"),
    *("unit_price_gross", "vat_rate", "discount_gross", "delivery_gross", "invoiced_on"),
)
NOTE_COLUMNS = (
    *("credit_note_code", "associated_ref", "order_ref", "customer_ref", "created_on", "currency", "stock_code"),
    *("quantity", "gross", "net", "delivery_gross"),
)
Row = Sequence[object]


def write(month: HandMonth, folder: Path) -> dict[str, str]:
    """Write all files into the folder, which is made; the options that audit them. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    world = month.world
    names = {"returns": "returns.jsonl", "stock-codes": "stock_codes.csv", "sales-orders": "sales_orders.csv"}
    paths = {option: folder / name for option, name in {**names, "credit-notes": "credit_notes.csv"}.items()}
    returns = (return_wire(world, rma, Spelling()) for rma in world.rmas.values())
    paths["returns"].write_text("".join(json.dumps(one) + "\n" for one in returns), encoding="utf-8")
    _table(paths["stock-codes"], STOCK_COLUMNS, _stock_rows(world))
    _table(paths["sales-orders"], ORDER_COLUMNS, (row for one in world.orders.values() for row in _sold(world, one)))
    _table(paths["credit-notes"], NOTE_COLUMNS, (row for one in world.notes.values() for row in _credited(world, one)))
    (folder / "truth.json").write_text(json.dumps(_truth(month), indent=1) + "\n", encoding="utf-8")
    options = {name: str(path) for name, path in paths.items()}
    return {**options, "as-of": _day(world.now), "out": str(folder / "report")}


def _table(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _stock_rows(world: World) -> Iterator[Row]:
    for item in world.items.values():
        gone = "yes" if item.is_discontinued else "no"
        yield item.stock_code, item.stock_id, item.description, item.other_ref, item.barcode, gone, ""


def _sold(world: World, order: Order) -> Iterator[Row]:
    """One row a line: the list price, and what the line cost less than that."""
    head = (order.associated_ref, order.so_code, order.urn, order.ordered_at.isoformat(), order.currency)
    invoiced_on = _day(order.issued_at) if order.issued_at else ""
    for line in order.lines:
        unit = unit_list_pence(world, order, line)
        price = (_text(unit), line.vat_percent, _text(unit * line.quantity - line.gross_pence))
        delivery = _text(order.delivery_gross_pence)
        yield *head, line.line_item_id, line.stock_code, line.quantity, *price, delivery, invoiced_on


def _credited(world: World, note: Note) -> Iterator[Row]:
    """One row a line; the order is told where all lines are of the same."""
    named = {world.orders[line.so_code].associated_ref if line.so_code else "" for line in note.lines}
    order_ref = named.pop() if len(named) == 1 else ""
    head = (note.code, note.associated_ref, order_ref, note.urn, _day(note.created_at), note.currency)
    for line in note.lines:
        worth = (_text(line.gross_pence), _text(line.net_pence), _text(note.delivery_gross_pence))
        yield *head, line.stock_code, line.quantity, *worth


def _truth(month: HandMonth) -> dict[str, object]:
    """Each note with its slip and its returns; each return with the pence that its notes are off, by cause."""
    notes = [{"credit_note_code": one.note_code, "slip": one.slip, "rmas": one.rmas} for one in month.typed]
    off = {rma: {cause: pence for cause, pence in causes.items() if pence} for rma, causes in month.off.items()}
    return {"notes": notes, "off_pence": off}


def _text(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"


def _day(moment: datetime) -> str:
    return moment.astimezone(LONDON).date().isoformat()
