"""One table from a file: every record becomes a row of values, a fault, or is told as no data; none gets lost.

Belongs here: columns, and reading row by row with every fault kept. Stays out: which columns a file has (``layouts``),
which table is meant (``recognising``), single values (``cells``) and bytes (``records``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from khaos_swap_assets.adapters.files import cells
from khaos_swap_assets.adapters.files.faults import Fault, FaultKind, FileFaults, storable
from khaos_swap_assets.adapters.files.headings import Near
from khaos_swap_assets.adapters.files.recognising import Reading

HOME_CURRENCY = "GBP"
CURRENCY = "currency"
DAYS = frozenset({cells.day, cells.moment, cells.khaos_moment, cells.moment_text})
NUMBERS = frozenset({cells.quantity, cells.signed_quantity, cells.vat_percent})


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
    """One column. ``parse`` reads a cell that is not blank (None: money); ``empty`` stands for a blank one.

    ``is_signed`` allows negative money. ``is_header`` marks what is said once of a whole document: lines that continue
    it may leave it blank. ``is_awaited``: the heading must be there, and its cells may be blank.
    """

    name: str
    parse: Callable[[str], Any] | None
    empty: Any = None
    is_required: bool = False
    is_signed: bool = False
    is_header: bool = False
    is_awaited: bool = False

    @property
    def is_number(self) -> bool:
        """True for money, quantities and rates, whose decimals the file writes in one way."""
        return self.parse is None or self.parse in NUMBERS

    @property
    def is_day(self) -> bool:
        """True for days and moments."""
        return self.parse in DAYS


@dataclass(frozen=True, slots=True)
class Layout(Generic[Row]):
    """The columns of one kind of file. ``make`` takes the line and the values in their order.

    ``group`` names the column whose rows belong together: when one of them is rejected, the others cannot stand.
    ``new_check`` is called once a file and gives what judges a row beside the rows before it: (column, value, reason).
    ``settle`` is called at the end of a file and may change rows, such as the signs of a whole document.
    ``worth`` names the money column that says what a row is worth, where a report counts it.
    ``no_data`` says of a row why it is none of this file's records, such as a sale among refunds; else empty.
    ``agree`` is what ``new_check`` asks of all rows, at one look at ``Columns``, which are then named by ``fields``.
    """

    kind: str
    columns: tuple[Column, ...]
    make: Callable[[Iterable[Any]], Row]
    new_check: Callable[[], Check[Row]]
    group: str = ""
    settle: Callable[[Table[Row]], None] | None = None
    no_data: Callable[[Row], str] | None = None
    worth: str = ""
    agree: Callable[[Any], bool] | None = None
    fields: Sequence[str] = ()

    @property
    def names(self) -> dict[str, bool]:
        """All column names; True for a required one."""
        return {column.name: column.is_required or column.is_awaited for column in self.columns}


@dataclass(slots=True)
class Table(Generic[Row]):
    """What was read: of ``given`` records ``len(rows)`` are good, ``no_data`` are none, the others have faults.

    ``torn`` holds the groups that lost a row, with its line; ``columns`` the known columns that the file has;
    ``left_out`` is what the others are worth by currency, ``unvalued`` how many of them do not tell.
    ``nears`` are headings that may be a wanted column; ``notices`` what a reader of the figures must know.
    """

    file: str
    rows: Sequence[Row] = ()
    faults: FileFaults = field(default_factory=FileFaults)
    torn: dict[str, int] = field(default_factory=dict)
    given: int = 0
    rejected: int = 0
    no_data: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unvalued: int = 0
    worth: str = ""
    columns: frozenset[str] = frozenset()
    encoding: str = ""
    separator: str = ""
    ignored_columns: tuple[str, ...] = ()
    nears: tuple[Near, ...] = ()
    notices: list[str] = field(default_factory=list)
    reading: Reading | None = None
    signs: str = ""
    turned: int = 0
    continued: int = 0
    is_whole: bool = True
    _last: tuple[int, int] = (0, 0)

    def fault(self, line: int, column: str, value: str, reason: str) -> None:
        """Keep one more fault of the record that is being read, or of the file as a whole (line 0)."""
        told = Fault(self.file, line, column, storable(value), reason=storable(reason), record=self.given)
        self._keep(told)

    def reject(self, line: int, column: str, value: str, reason: str) -> None:
        """Keep a fault of a row that was good so far; the caller takes it out of ``rows``."""
        told = Fault(self.file, line, column, storable(value), reason=storable(reason), record=-1)
        self._keep(told)
        self._last = (0, 0)

    def _keep(self, fault: Fault) -> None:
        self.faults.append(fault)
        if not fault.line:
            self.is_whole = False
        elif (fault.line, fault.record) != self._last:
            self.rejected += 1
            self._last = (fault.line, fault.record)

    def begin_anew(self) -> None:
        """Forget the rows and their faults: the file is read once more in its own form."""
        self.rows, self.faults, self.torn, self.no_data = (), FileFaults(), {}, Counter()
        self.left_out = Counter()
        self.given = self.rejected = self.continued = self.unvalued = 0
        self._last = (0, 0)

    def leave_out(self, currency: str, pence: int | None) -> None:
        """Count what a rejected record is worth; None where it does not tell."""
        self.unvalued += pence is None
        self.left_out[currency] += abs(pence or 0)

    @property
    def kinds(self) -> list[FaultKind]:
        """The faults by kind."""
        return self.faults.kinds


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said of how a file is read: its reading from a map file, and the order of its days (uk, us).

    ``others`` are readings of files of other names: one counts where the file has just its headings.
    """

    reading: Reading | None = None
    dates: str = ""
    others: tuple[Reading, ...] = ()


def silent(share: float) -> None:
    """Report progress to nobody."""


def without_torn_groups(table: Table[Row], group: str) -> None:
    """Reject the rows whose order or note has lost another row: what is left of it would be another document."""
    if not table.torn:
        return
    kept = []
    for row in table.rows:
        name = getattr(row, group)
        if name in table.torn:
            table.reject(row.line, group, name, f"belongs together with line {table.torn[name]}, which is rejected")
            if table.worth:
                table.leave_out(getattr(row, CURRENCY), getattr(row, f"{table.worth}_pence"))
        else:
            kept.append(row)
    table.rows = kept
