"""The returns file: JSON lines of Swap's return objects, a JSON array of them, or the API's own envelope.

Belongs here: finding each object and its line, and reading it with the adapter of the API. Stays out: what its fields
mean (``adapters.swap.wire``). Where the JSON is broken, each physical line from there on is a rejected record.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files import records
from khaos_swap_assets.adapters.files.faults import storable
from khaos_swap_assets.adapters.files.records import UnreadableError
from khaos_swap_assets.adapters.files.tables import EVERY, Report, Table, silent, without_value
from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.swap.raw import cleaned
from khaos_swap_assets.adapters.swap.wire import parse_return
from khaos_swap_assets.domain.returns import Return

ENVELOPE = "returns"
STORE = "store_id"

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str)
_OPENED = re.compile(rf'"{ENVELOPE}"\s*:\s*\[')
_AMOUNTS = {
    "refund_pence": "total_refund_value_customer_currency",
    "store_credit_pence": "total_store_credit_value_customer_currency",
    "additional_payment_pence": "total_additional_payment",
    "handling_fee_pence": "handling_fee",
}
_PATH = re.compile(r"^(?:products\[(\d+)\]\.)?(\w+)$")


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One return, the line where it begins, and its JSON (which holds personal data: it goes nowhere)."""

    line: int
    record: Return
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Element:
    line: int
    value: Any
    share: float
    broken: str = ""


def read_returns(path: Path, report: Report = silent) -> Table[ReturnRow]:
    """Read all returns; whatever is wrong is in the faults of the result."""
    table: Table[ReturnRow] = Table(storable(path.name))
    try:
        text = records.decoded(path.read_bytes())
        table.encoding = text.encoding
        _read(text.text, table, report)
    except OSError as error:
        table.file = storable(str(path))
        table.fault(0, "", "", f"cannot be read: {error.strerror or type(error).__name__}")
    except UnreadableError as error:
        table.fault(0, "", "", str(error))
    return table


def _read(text: str, table: Table[ReturnRow], report: Report) -> None:
    reader = _Reader(table)
    for element in _elements(text):
        table.given += 1
        reader.take(element)
        if not table.given % EVERY:
            report(element.share)
    report(1.0)


class _Reader:
    """Turns objects into returns, of one store or several; each return comes once."""

    def __init__(self, table: Table[ReturnRow]) -> None:
        self._table = table
        self._settings: dict[str, SwapSettings] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def take(self, element: _Element) -> None:
        """Add the return of an element, or its faults."""
        raw = cleaned(element.value) if not element.broken else None
        if not isinstance(raw, dict):
            self._table.fault(element.line, "", "", element.broken or "is no object: a return is expected")
            return
        faults: list[str] = []
        record = parse_return(raw, self._settings_for(raw), faults)
        faults += _implausible(record) if not faults else ()
        for fault in dict.fromkeys(faults):
            column, _, reason = fault.partition(": ")
            value = _value(raw, column)
            self._table.fault(element.line, column, value, without_value(reason, value))
        if not faults and self._is_first(record, element.line):
            self._table.rows.append(ReturnRow(element.line, record, raw))

    def _settings_for(self, raw: dict[str, Any]) -> SwapSettings:
        """Swap's defaults for the store of a return; the environment has no say."""
        store = raw.get(STORE)
        name = str(store).strip() if isinstance(store, str | int | Decimal) else ""
        if name not in self._settings:
            self._settings[name] = SwapSettings.model_construct(store_id=name)
        return self._settings[name]

    def _is_first(self, record: Return, line: int) -> bool:
        here = (line, self._table.given)
        first = self._seen.setdefault(record.return_id, here)
        if first != here:
            self._table.fault(line, "return_id", record.return_id, f"stands already on line {first[0]}")
        return first == here


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


def _elements(text: str) -> Iterator[_Element]:
    start = _skip(text, 0)
    if start == len(text):
        raise UnreadableError("is empty: returns as JSON are expected")
    lines = _Lines(text)
    if text[start] == "[":
        return _array(lines, start + 1, is_all=True)
    whole, end = _decoded(text, start)
    if end < 0:
        opened = _OPENED.search(text, start)
        is_envelope = opened is not None and _decoded(lines.from_position(start), 0)[1] < 0
        return _array(lines, opened.end(), is_all=False) if opened and is_envelope else _by_line(lines)
    return _whole(lines, start, whole) if _skip(text, end) == len(text) else _by_line(lines)


def _whole(lines: _Lines, start: int, value: Any) -> Iterator[_Element]:
    """The returns of a text that is one object; each with its own line where it can be found."""
    plain = list(_expanded(_Element(lines.at(start), value, 1.0)))
    opened = _OPENED.search(lines.text, start)
    placed = list(_array(lines, opened.end(), is_all=False)) if opened else []
    is_same = [one.value for one in plain] == [one.value for one in placed]
    return iter(placed if is_same else plain)


def _array(lines: _Lines, position: int, *, is_all: bool) -> Iterator[_Element]:
    """Elements from ``position`` to the closing bracket; with ``is_all`` nothing may follow it."""
    text, at = lines.text, _skip(lines.text, position)
    is_first = True
    while text[at : at + 1] != "]":
        if not is_first:
            if text[at : at + 1] != ",":
                yield from lines.rejected(at, "JSON is broken: a comma or the end of the list is expected")
                return
            at = _skip(text, at + 1)
        value, end = _decoded(text, at)
        if end < 0:
            yield from lines.rejected(at, f"JSON is broken: {value}")
            return
        yield _Element(lines.at(at), value, end / len(text))
        at, is_first = _skip(text, end), False
    if is_all and _skip(text, at + 1) < len(text):
        yield from lines.rejected(_skip(text, at + 1), "JSON is broken: text follows the end of the list")


def _by_line(lines: _Lines) -> Iterator[_Element]:
    """One object a line, or one page of the API a line."""
    position = 0
    for number, line in enumerate(lines.text.split("\n"), start=1):
        position += len(line) + 1
        if _skip(line, 0) == len(line):
            continue
        value, end = _decoded(line, _skip(line, 0))
        share = min(position / len(lines.text), 1.0)
        if end >= 0 and _skip(line, end) < len(line):
            value, end = "text follows the object", -1
        if end < 0:
            yield _Element(number, None, share, f"JSON is broken: {value}")
        else:
            yield from _expanded(_Element(number, value, share))


def _expanded(element: _Element) -> Iterator[_Element]:
    """The returns of an envelope, or the element itself."""
    value = element.value
    is_envelope = isinstance(value, dict) and isinstance(value.get(ENVELOPE), list) and "return_id" not in value
    inside = value[ENVELOPE] if is_envelope else [value]
    return (_Element(element.line, one, element.share) for one in inside)


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """The JSON value at ``start`` and where it ends; else the reason and -1."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return error.msg, -1
    except RecursionError:
        return "nested too deep", -1
    except ValueError:
        return "a number is too long", -1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


class _Lines:
    """Line numbers of positions in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(self, position: int) -> int:
        """The line of a position, from 1."""
        return bisect_right(self._starts, position)

    def from_position(self, position: int) -> str:
        """The rest of the line of a position."""
        return self.text[position:].split("\n", 1)[0]

    def rejected(self, position: int, reason: str) -> Iterator[_Element]:
        """Every line that says anything from a position on, as a broken record."""
        first = self.at(position)
        rest = self.text[self._starts[first - 1] :].split("\n")
        said = [number for number, line in enumerate(rest, start=first) if _skip(line, 0) < len(line)] or [first]
        return (_Element(number, None, 1.0, reason) for number in said)
