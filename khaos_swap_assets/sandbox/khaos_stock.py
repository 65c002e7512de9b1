"""How levels are written in the sandbox's Khaos: ImportStockStatus, and the import screen of stock adjustments.

Belongs here: both as contracts/khaos.md §7.3 and §11.4 have them, and how many units each brought. Stays out: HTTP
(``khaos_server``) and reading levels (``khaos_documents``). ``khaos_sale_in_window``: somebody buys one unit after a
level was read and before it is set.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_documents import SITES
from khaos_swap_assets.sandbox.khaos_wire import KhaosFaultError, Struct, is_flag, stamp
from khaos_swap_assets.sandbox.world import StockItem, World

CARRIED, IMPORTED = "carried:", "imported:"
SHELVES = {"Main Warehouse": "available", "Not Saleable": "quarantine", "MAIN": "available", "HOLD": "quarantine"}
"""Sites by the names of the web service, and the locations of the import screen: which level they are."""
DISPOSITIONS = {"available": "sellable", "quarantine": "damaged"}


def import_status(books: Books, parameters: Mapping[str, str]) -> Struct:
    """Set levels, which are absolute; with the default flags nothing changes."""
    root = _document(parameters.get("StockStatus", ""))
    site = root.get("SITE", SITES[1])
    if site not in SITES.values():
        raise KhaosFaultError(f"Site {site} does not exist")
    wanted = [(str(one.get("CODE")), int(one.findtext("LEVEL", "0"))) for one in root.iterfind("STOCK_ITEM")]
    is_set = is_flag(parameters.get("UpdateStockLevels", ""))
    updated = [item for code, level in wanted if is_set and (item := _set(books, code, SHELVES[site], level))]
    fields = {"OtherRef": "", "StockDesc": "", "ParentCode": "", "ParentOtherRef": "", "LastUpdated": stamp(books.now)}
    return {"Count": len(updated), "List": [{"StockCode": item.stock_code, **fields} for item in updated]}


def _document(text: str) -> etree._Element:
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise KhaosFaultError(f"StockStatus is not XML: {error.msg}", "EDOMParseError") from error
    if root.tag != "STOCK_STATUS":
        raise KhaosFaultError("StockStatus holds no STOCK_STATUS")
    return root


def _set(books: Books, code: str, shelf: str, level: int) -> StockItem | None:
    item = books.world.items.get(code)
    if item is None:
        return None
    _move(books, item, shelf, level - getattr(item, shelf))
    if books.state.faults.take("khaos_sale_in_window"):
        books.world.memory["sold_unseen"] = str(int(books.world.memory.get("sold_unseen", "0")) + 1)
    return item


def _move(books: Books, item: StockItem, shelf: str, units: int) -> None:
    setattr(item, shelf, getattr(item, shelf) + units)
    item.moved_at = books.now
    name = f"{CARRIED}{DISPOSITIONS[shelf]}|{item.stock_code}"
    books.world.memory[name] = str(int(books.world.memory.get(name, "0")) + units)
    books.touch(item, books.world)


def import_file(books: Books, text: str) -> list[str]:
    """Import a file as a clerk does on the screen: every row, or none with a line for each fault."""
    dialect = csv.excel_tab if "\t" in text.partition("\n")[0] else csv.excel
    rows = list(csv.DictReader(io.StringIO(text, newline=""), dialect=dialect))
    faults = [f"row {number}: {fault}" for number, row in enumerate(rows, 1) if (fault := _fault(books, row))]
    for row in rows if not faults else ():
        _move(books, books.world.items[row["Stock Code"]], SHELVES[row["Location"]], int(row["Adjust By"]))
    books.flush()
    return faults


def import_new(books: Books, folder: Path) -> int:
    """Import each file of a folder once, by its name; how many."""
    new = [one for one in sorted(folder.glob("*.csv")) if f"{IMPORTED}{one.name}" not in books.world.memory]
    for one in new:
        books.world.memory[f"{IMPORTED}{one.name}"] = "; ".join(import_file(books, one.read_bytes().decode())) or "OK"
        books.touch(books.world)
    return len(new)


def _fault(books: Books, row: Mapping[str, str]) -> str:
    item = books.world.items.get(row.get("Stock Code") or "")
    if item is None or item.parts:
        return "is a pack" if item else "no such Stock Code"
    if row.get("Location") not in SHELVES:
        return f"no location {row.get('Location')}"
    if row.get("Adjust To") or not (row.get("Adjust By") or "").lstrip("-").isdigit():
        return "needs Adjust By, and not both"
    return ""


def carried(world: World) -> dict[tuple[str, str], int]:
    """Units that these ways brought, by Stock Code and disposition."""
    found = {name.removeprefix(CARRIED): int(units) for name, units in world.memory.items() if name.startswith(CARRIED)}
    return {(name.partition("|")[2], name.partition("|")[0]): units for name, units in found.items()}
