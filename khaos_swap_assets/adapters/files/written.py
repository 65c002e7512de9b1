"""CSV files that people get back, and among them the list of rejected records.

Belongs here: how a CSV is written so that no spreadsheet calculates in it, and the columns of the rejected. Stays out:
what the other files say (``audit.writing``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files.faults import Fault

REJECTED_COLUMNS = ("file", "line", "column", "value", "reason")
LONGEST_VALUE = 200
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")
OWN = ...
_ODD = re.compile(r'["\r\n\t]|,[=+@-]')


class Alike(NamedTuple):
    """A row that says what many say: ``base``, with its ``own`` cells (None is none) where it says ``OWN``."""

    base: tuple[Any, ...]
    own: tuple[Any, ...]


def cells_of(row: Sequence[Any] | Alike) -> Sequence[Any]:
    """All cells of a row."""
    if not isinstance(row, Alike):
        return row
    own = iter(row.own)
    return [next(own) if cell is OWN else cell for cell in row.base]


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any] | Alike]) -> None:
    """Write a header and rows. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            if isinstance(row, Alike) and (line := _line(row)):
                file.write(line)
            else:
                writer.writerow(map(_safe, cells_of(row)))


def _line(row: Alike) -> str:
    """The line of a row; empty for one of which a cell is to be quoted, or may be taken for a formula."""
    line = _pattern(row.base) % row.own
    is_odd = _ODD.search(line) or line.startswith(FORMULA_STARTS) or line.count(",") >= len(row.base)
    return "" if is_odd else f"{line}\n"


@lru_cache(16)
def _pattern(base: tuple[Any, ...]) -> str:
    """The line of such rows, to be filled with what each has of its own."""
    line = StringIO()
    told = ("%s" if cell is OWN else str(_safe("" if cell is None else cell)).replace("%", "%%") for cell in base)
    csv.writer(line, lineterminator="").writerow(told)
    return line.getvalue()


def write_rejected(path: Path, faults: Iterable[Fault]) -> None:
    """Write one line for each rejected record."""
    write_csv(path, REJECTED_COLUMNS, rejected_cells(faults))


def _safe(cell: Any) -> Any:
    """Text that no spreadsheet calculates; anything else as it is.

    A carriage return becomes a line feed: the writer quotes that alone, and an open one would begin a row of its own.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rejected_cells(faults: Iterable[Fault]) -> Iterator[list[Any]]:
    """One line for each rejected record; several faults of it are joined by ``; ``."""
    for (file, line, _), group in groupby(faults, key=lambda fault: (fault.file, fault.line, fault.record)):
        some = list(group)
        reasons = [f"{one.column}: {one.reason}" if len(some) > 1 and one.column else one.reason for one in some]
        columns = ";".join(dict.fromkeys(one.column for one in some if one.column))
        values = "; ".join(one.value[:LONGEST_VALUE] for one in some if one.value)
        yield [file, line, columns, values, "; ".join(reasons)]
