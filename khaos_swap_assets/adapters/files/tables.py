"""One table from a file: every record becomes a row of values, or faults; none gets lost.

Belongs here: columns, the header, and reading row by row with every fault kept. Stays out: which columns a file has
(``layouts``), single values (``cells``) and bytes (``records``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from khaos_swap_assets.adapters.files import records
from khaos_swap_assets.adapters.files.cells import currency as currency_code
from khaos_swap_assets.adapters.files.cells import money
from khaos_swap_assets.adapters.files.faults import Fault, shown, storable
from khaos_swap_assets.adapters.files.records import Record, UnreadableError

HOME_CURRENCY = "GBP"
CURRENCY = "currency"
EVERY = 10_000
MOST_SHOWN = 30


class HasLine(Protocol):
    """A row knows its line."""

    @property
    def line(self) -> int:
        """From 1."""
        ...


Row = TypeVar("Row", bound=HasLine)
Report = Callable[[float], None]
Found = tuple[str, str, str]
Check = Callable[[Row], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``parse`` reads a cell that is not blank (None: money); ``empty`` stands for a blank one."""

    name: str
    parse: Callable[[str], Any] | None
    empty: Any = None
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Layout(Generic[Row]):
    """The columns of one kind of file. ``make`` takes the line and the values in their order.

    ``group`` names the column whose rows belong together: when one of them is rejected, the others cannot stand.
    ``new_check`` is called once a file and gives what judges a row beside the rows before it: (column, value, reason).
    """

    columns: tuple[Column, ...]
    make: Callable[[Iterable[Any]], Row]
    new_check: Callable[[], Check[Row]]
    group: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All column names."""
        return tuple(column.name for column in self.columns)


@dataclass(slots=True)
class Table(Generic[Row]):
    """What was read: of ``given`` records ``len(rows)`` are good, the others have faults.

    ``torn`` holds the groups that lost a row, with its line; ``columns`` the known columns that the file has.
    """

    file: str
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    torn: dict[str, int] = field(default_factory=dict)
    given: int = 0
    columns: frozenset[str] = frozenset()
    encoding: str = ""
    separator: str = ""
    ignored_columns: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """How many records are at fault."""
        return len({(fault.line, fault.record) for fault in self.faults if fault.line})

    @property
    def is_whole(self) -> bool:
        """False when the file as a whole cannot be read."""
        return all(fault.line for fault in self.faults)

    def fault(self, line: int, column: str, value: str, reason: str) -> None:
        """Keep one more fault of the record that is being read."""
        self.faults.append(Fault(self.file, line, column, storable(value), storable(reason), self.given))


def silent(share: float) -> None:
    """Report progress to nobody."""


def read_table(path: Path, layout: Layout[Row], report: Report = silent) -> Table[Row]:
    """Read a CSV or Parquet file; whatever is wrong is in the faults of the result."""
    table: Table[Row] = Table(storable(path.name))
    try:
        _read(path, layout, table, report)
    except OSError as error:
        table.file = storable(str(path))
        table.fault(0, "", "", f"cannot be read: {error.strerror or type(error).__name__}")
    except UnreadableError as error:
        table.fault(0, "", "", str(error))
    return table


def without_torn_groups(table: Table[Row], group: str) -> None:
    """Reject the rows whose order or note has lost another row: what is left of it would be another document."""
    if not table.torn:
        return
    kept = []
    for row in table.rows:
        name = getattr(row, group)
        if name in table.torn:
            table.fault(row.line, group, name, f"belongs together with line {table.torn[name]}, which is rejected")
        else:
            kept.append(row)
    table.rows = kept


def _read(path: Path, layout: Layout[Row], table: Table[Row], report: Report) -> None:
    if records.is_parquet(path):
        table.encoding = "Parquet"
        places = _places(records.parquet_names(path), layout, table)
        found, width = records.parquet_records(path), None
    else:
        text = records.decoded(path.read_bytes())
        table.encoding = text.encoding
        header, found = _headed(text.text, layout, table)
        places, width = _places(header, layout, table), len(header)
    if table.is_whole:
        reader = _Reader(layout, places, width)
        for record in found:
            table.given += 1
            reader.take(record, table)
            if not table.given % EVERY:
                report(record.share)
    report(1.0)


def _headed(text: str, layout: Layout[Row], table: Table[Row]) -> tuple[list[str], Iterator[Record]]:
    """The header and the records below it, by the separator that shows more of the columns."""
    readings = {separator: records.csv_records(text, separator) for separator in records.SEPARATORS}
    firsts = {separator: next(found, None) for separator, found in readings.items()}
    headers = {
        separator: [_plain(cell) for cell in first.cells] if first else [] for separator, first in firsts.items()
    }
    best = max(headers, key=lambda separator: len(set(headers[separator]) & set(layout.names)))
    first = firsts[best]
    if first is None:
        raise UnreadableError("is empty: a header with the column names is expected")
    if first.broken:
        raise UnreadableError(f"has no header that we can read: {first.broken}")
    table.separator = best
    return headers[best], readings[best]


def _plain(name: str) -> str:
    """A heading as people write it: ``Stock Code`` is ``stock_code``."""
    return "_".join(name.lower().replace("_", " ").split())


def _places(header: Sequence[str], layout: Layout[Row], table: Table[Row]) -> dict[str, int]:
    """Where each known column is; columns that are missing or come twice are faults of the file."""
    names = [_plain(name) for name in header]
    for column in layout.columns:
        if column.is_required and column.name not in names:
            table.fault(
                0,
                column.name,
                "",
                "is missing; the columns are: " + ", ".join(shown(name) for name in names[:MOST_SHOWN]),
            )
        if names.count(column.name) > 1:
            table.fault(0, column.name, "", "comes twice")
    table.columns = frozenset(names) & frozenset(layout.names)
    table.ignored_columns = tuple(storable(name[:40]) for name in names if name not in layout.names)
    return {name: names.index(name) for name in layout.names if name in names}


class _Reader(Generic[Row]):
    """Turns records into rows of one layout; equal cells are read once."""

    def __init__(self, layout: Layout[Row], places: dict[str, int], width: int | None) -> None:
        self._layout, self._width = layout, width
        self._plan = [(column, places.get(column.name), dict[Any, Any]()) for column in layout.columns]
        self._currency, self._group = places.get(CURRENCY), places.get(layout.group)
        self._currencies: dict[str, str] = {}
        self._check = layout.new_check()

    def take(self, record: Record, table: Table[Row]) -> None:
        """Add the row of a record to the table, or its faults."""
        found = self._misshaped(record)
        if not found:
            row = self._layout.make(self._values(record, found))
            found = found or list(self._check(row))
            if not found:
                table.rows.append(row)
                return
        for column, value, reason in found:
            table.fault(record.line, column, value, reason)
        if self._group is not None and self._group < len(record.cells):
            table.torn.setdefault(record.cells[self._group].strip(), record.line)

    def _misshaped(self, record: Record) -> list[Found]:
        if record.broken:
            return [("", "", record.broken)]
        if self._width is not None and len(record.cells) != self._width:
            told = f"has {len(record.cells)} cells, the header {self._width}"
            return [("", ",".join(record.cells), told)]
        return []

    def _values(self, record: Record, found: list[Found]) -> list[Any]:
        """The line and the values of all columns; what cannot be read is added to ``found``."""
        values: list[Any] = [record.line]
        currency = self._currency_of(record)
        for column, place, known in self._plan:
            text = record.cells[place] if place is not None else ""
            same = text if column.parse else (text, currency)
            if same not in known:
                try:
                    known[same] = _value(column, text, currency)
                except ValueError as error:
                    found.append((column.name, text, without_value(str(error), text)))
            values.append(known.get(same))
        return values

    def _currency_of(self, record: Record) -> str:
        """The currency of the record's money; what is no currency is a fault of its own column."""
        text = record.cells[self._currency] if self._currency is not None else ""
        if text not in self._currencies:
            try:
                self._currencies[text] = currency_code(text) if text.strip() else HOME_CURRENCY
            except ValueError:
                self._currencies[text] = HOME_CURRENCY
        return self._currencies[text]


def _value(column: Column, text: str, currency: str) -> Any:
    if records.has_surrogate(text):
        raise ValueError("holds bytes that are no text")
    if not text.strip():
        if column.is_required:
            raise ValueError("is empty")
        return column.empty
    return column.parse(text) if column.parse else money(text, currency)


def without_value(reason: str, value: str) -> str:
    """The reason without the value before it, which a fault shows by itself."""
    return reason.removeprefix(f"{value.strip()[:40]!r} ").removeprefix(f"{value.strip()[:40]} ")
