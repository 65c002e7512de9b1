"""The returns file: Swap's return objects as JSON, or a table of them, read with the adapter of the API.

Belongs here: each return with its line, its faults, and that it comes once. Stays out: finding objects in JSON
(``returns_json``), columns of a table (``returns_table``) and what fields mean (``adapters.swap.wire``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from khaos_swap_assets.adapters.files import records
from khaos_swap_assets.adapters.files.cell_values import without_value
from khaos_swap_assets.adapters.files.containers import OLD_EXCEL, ZIP, unpacked
from khaos_swap_assets.adapters.files.faults import storable
from khaos_swap_assets.adapters.files.plain_columns import LARGE
from khaos_swap_assets.adapters.files.reading import STRETCH, read_table, telling
from khaos_swap_assets.adapters.files.tables import HOME_CURRENCY, Asked, Report, Table, silent
from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap.raw import cleaned
from khaos_swap_assets.adapters.swap.wire import parse_return
from khaos_swap_assets.audit.plain_returns import PlainReader
from khaos_swap_assets.audit.return_rows import ReturnRow, ReturnRows
from khaos_swap_assets.audit.returns_json import Element, element_at, elements
from khaos_swap_assets.audit.returns_table import (
    NO_CLOSING,
    NO_LINES,
    RETURNS,
    SKU,
    STAND_INS,
    ReturnCells,
    in_version_2,
    objects,
)
from khaos_swap_assets.domain.money.amounts import to_pence
from khaos_swap_assets.domain.records.returns import Return

LONGEST_START = 2_000
NEEDED = (
    "returns are wanted as the API gives them (JSON lines, a JSON array or its answer), or as a table with "
    "rma_number or shopify_order_name, return_status and total_refund_value_customer_currency"
)
STORE = "store_id"

_AMOUNTS = {
    "refund_pence": "total_refund_value_customer_currency",
    "store_credit_pence": "total_store_credit_value_customer_currency",
    "additional_payment_pence": "total_additional_payment",
    "handling_fee_pence": "handling_fee",
}
_PATH = re.compile(r"^(?:products\[(\d+)\]\.)?(\w+)$")


def read_returns(path: Path, report: Report = silent, asked: Asked | None = None) -> Table[ReturnRow]:
    """Read all returns, from JSON or from a table; whatever is wrong is in the faults of the result."""
    table: Table[ReturnRow] = Table(storable(path.name))
    with telling(table, path), unpacked(path) as inner:
        text = None if _is_binary(inner) else records.decoded(inner.read_bytes())
        if not text or not (text.text.lstrip()[:1] in ("", "[", "{") or '{"' in text.text[:LONGEST_START]):
            return _from_cells(read_table(path, RETURNS, report, asked))
        table.encoding = text.encoding
        _read(text.text, table, report)
    return table


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (records.PARQUET, ZIP, OLD_EXCEL[:4])


def _from_cells(cells: Table[ReturnCells]) -> Table[ReturnRow]:
    """Returns from the rows of a table, which keeps its faults and what it told."""
    table = cast("Table[ReturnRow]", replace(cells, rows=()))
    if not table.is_whole:
        table.fault(0, "", "", NEEDED)
    elif not {"date_closed", *STAND_INS} & cells.columns:
        table.fault(
            0, "date_closed", "", f"is missing, and so is every other day, so that no refund has a month: {NEEDED}"
        )
    table.notices += [NO_CLOSING] if "date_closed" not in cells.columns else []
    table.notices += [NO_LINES] if SKU not in cells.columns else []
    reader = _Reader(table)
    for line, raw in objects(cells.rows, cells.columns):
        reader.take(Element(line, raw, 1.0))
    further = len(cells.rows) - len({row.line for row in table.rows}) - reader.refused
    table.no_data["further lines of a return"] += further
    return table


def _read(text: str, table: Table[ReturnRow], report: Report) -> None:
    reader, plain = _Reader(table), PlainReader()
    odd: list[tuple[int, Element]] = []
    for number, element in enumerate(elements(text)):
        if len(text) < LARGE or not plain.take(element, number):
            odd.append((number, element))
        if not number % STRETCH:
            report(element.share)
    report(1.0)
    ids = {str(one.value.get("return_id")).strip() for _, one in odd if isinstance(one.value, dict)}
    found, again = plain.found.once(ids)
    odd += ((number, Element(line, element_at(text, at), 1.0)) for number, line, at in again)
    numbers: list[int] = []
    for number, element in sorted(odd, key=itemgetter(0)):
        table.given = number + 1
        reader.take(element)
        numbers += [number] if len(table.rows) > len(numbers) else []
    table.given = len(found) + len(odd)
    if len(found):
        table.rows = ReturnRows(found, dict(zip(numbers, table.rows, strict=True)), reader.reads(text))


class _Reader:
    """Turns objects into returns, of one store or several; each return comes once."""

    def __init__(self, table: Table[ReturnRow]) -> None:
        self._table = table
        self._rows: list[ReturnRow] = []
        table.rows = self._rows
        self._settings: dict[str, SwapSettings] = {}
        self._seen: dict[str, int] = {}
        self.refused = 0

    def take(self, element: Element) -> None:
        """Add the return of an element, or its faults."""
        given = cleaned(element.value) if not element.broken else None
        if not isinstance(given, dict):
            self.refused += 1
            self._table.leave_out(HOME_CURRENCY, None)
            self._table.fault(element.line, "", "", element.broken or "is no object: a return is expected")
            return
        raw, names_in_file = in_version_2(given)
        faults: list[str] = []
        record = parse_return(raw, self._settings_for(raw), faults)
        faults += _implausible(record) if not faults else ()
        for fault in dict.fromkeys(faults):
            column, _, reason = fault.partition(": ")
            value = _value(raw, column)
            self._table.fault(element.line, names_in_file.get(column, column), value, without_value(reason, value))
        if faults or not self._keep(ReturnRow(element.line, record, raw)):
            self.refused += 1
            self._table.leave_out(*_worth(raw))

    def reads(self, text: str) -> Callable[[int, int], ReturnRow]:
        """How the return on a line and at a place of a text is read that is known to be sound."""

        def read(line: int, at: int) -> ReturnRow:
            raw, _ = in_version_2(cleaned(element_at(text, at)))
            return ReturnRow(line, parse_return(raw, self._settings_for(raw), []), raw)

        return read

    def _settings_for(self, raw: dict[str, Any]) -> SwapSettings:
        """Swap's defaults for the store of a return; the environment has no say."""
        store = raw.get(STORE)
        name = str(store).strip() if isinstance(store, str | int | Decimal) else ""
        if name not in self._settings:
            self._settings[name] = SwapSettings.model_construct(store_id=name)
        return self._settings[name]

    def _keep(self, row: ReturnRow) -> bool:
        """Keep a return that was not there yet; of two readings the newer by ``date_updated`` counts."""
        place = self._seen.setdefault(row.record.return_id, len(self._rows))
        if place == len(self._rows):
            self._rows.append(row)
            return True
        known = self._rows[place]
        before, now = known.record.updated_at, row.record.updated_at
        if before is None or now is None or (before == now and known.record != row.record):
            self._table.fault(row.line, "return_id", row.record.return_id, f"stands already on line {known.line}")
            return False
        self._table.no_data["older readings of a return"] += 1
        if now > before:
            self._rows[place] = row
        return True


def _worth(raw: Mapping[str, Any]) -> tuple[str, int | None]:
    """Currency and pence of the refund of a return that is left out; None where it does not tell."""
    currency = str(raw.get("customer_currency") or HOME_CURRENCY)
    try:
        return currency, to_pence(str(raw.get(_AMOUNTS["refund_pence"])), currency)
    except ValueError:
        return HOME_CURRENCY, None


def _implausible(record: Return) -> Iterator[str]:
    for name, column in _AMOUNTS.items():
        if getattr(record, name) < 0:
            yield f"{column}: is negative: amounts are written positive"
    for index, line in enumerate(record.lines):
        if line.cost_pence < 0:
            yield f"products[{index}].cost: is negative: amounts are written positive"


def _value(raw: dict[str, Any], column: str) -> str:
    """The value at fault as text."""
    found = _PATH.match(column)
    if not found:
        return ""
    index, name = found.groups()
    holder = raw if index is None else raw["products"][int(index)]
    value = holder.get(name)
    return "" if value is None or isinstance(value, dict | list) else str(value)
