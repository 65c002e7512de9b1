"""CSV files that people get back, and among them the list of rejected records.

Belongs here: how a CSV is written so that no spreadsheet calculates in it, and the columns of the rejected. Stays out:
what the other files say (``audit.writing``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files.faults import Fault

REJECTED_COLUMNS = ("file", "line", "column", "value", "reason")
LONGEST_VALUE = 200
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_safe(cell) for cell in row] for row in rows)


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
