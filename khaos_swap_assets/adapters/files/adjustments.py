"""Files for the import screen of Khaos's stock adjustments, in the columns of the merchant's own sample.

Belongs here: reading a sample, making the text of a file, and writing one once. Stays out: what a file holds
(``stages.stock.import_files``). The sample is a CSV, or text with tabs: a row of headings, then a row that names our
fields in braces; whatever stands beside them is written as it is. A second row is for damaged goods. No columns are
built in: the screen's are the merchant's (contracts/khaos.md §11.4).
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from khaos_swap_assets.adapters.errors import SettingsError

GOODS = {"stock_code": "sellable", "damaged_stock_code": "damaged"}
FIELDS = (*GOODS, "adjust_by", "place", "rmas", "batch", "date")
FIELD = re.compile(r"\{([a-z_]+)(?:=([^{}]*))?\}")
PLACE = "place"


@dataclass(frozen=True, slots=True)
class Sample:
    """The merchant's sample: the headings as they stand, and the cells of a row by disposition."""

    headings: str
    rows: Mapping[str, Sequence[str]]
    delimiter: str
    line_end: str
    suffix: str


@dataclass(frozen=True, slots=True)
class ImportRow:
    """Units of one Stock Code to add (negative: take off), and the RMAs that they came back with."""

    disposition: str
    stock_code: str
    adjust_by: int
    rmas: Sequence[str]


def load_sample(path: Path) -> Sample:
    """Read a sample. Raises ``SettingsError`` with what is wrong and where."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingsError(f"sample {path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"sample {path}: is no UTF-8 text") from None
    headings, line_end, rest = _first_line(text)
    delimiter = next((mark for mark in "\t;," if mark in headings), ",")
    cells = [row for row in csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter) if any(row)]
    rows: dict[str, Sequence[str]] = {}
    for row in cells:
        rows.setdefault(_disposition(path, row), row)
    width = len(next(csv.reader([headings], delimiter=delimiter), []))
    if faults := list(_faults(cells, rows, width)):
        raise SettingsError(f"sample {path}: {'; '.join(faults)}")
    return Sample(headings=headings, rows=rows, delimiter=delimiter, line_end=line_end, suffix=path.suffix)


def _first_line(text: str) -> tuple[str, str, str]:
    headings, _, rest = text.partition("\n")
    return headings.removesuffix("\r"), "\r\n" if headings.endswith("\r") else "\n", rest


def _disposition(path: Path, row: Sequence[str]) -> str:
    named = [name for name, _ in _fields(row)]
    if unknown := [name for name in named if name not in FIELDS]:
        raise SettingsError(f"sample {path}: there is no field {{{unknown[0]}}}; there are {', '.join(FIELDS)}")
    return next((GOODS[name] for name in named if name in GOODS), "")


def _fields(row: Sequence[str]) -> list[tuple[str, str]]:
    return [(str(name), str(given or "")) for cell in row for name, given in FIELD.findall(cell)]


def _faults(cells: Sequence[Sequence[str]], rows: Mapping[str, Sequence[str]], width: int) -> Iterator[str]:
    if "sellable" not in rows:
        yield "a row with {stock_code} must follow the headings"
    if len(rows) < len(cells) or "" in rows:
        yield "below the headings stand one row with {stock_code} and at most one with {damaged_stock_code}"
    for row in cells:
        if len(row) != width:
            yield f"a row has {len(row)} cells, and there are {width} headings"
        if not any(name == "adjust_by" for name, _ in _fields(row)):
            yield "each row needs {adjust_by}: units to add, or to take off"
    places = [dict(_fields(row)).get(PLACE, "").strip() for row in rows.values()]
    if len(rows) > 1 and ("" in places or len(set(places)) < len(places)):
        yield "each row needs {place=NAME}, and that of damaged goods another one: they may not be sold"


def file_name(sample: Sample, number: int) -> str:
    """The name of the file of that number."""
    return f"khaos-swap-stock-{number:06d}{sample.suffix}"


def file_text(sample: Sample, rows: Sequence[ImportRow], number: int, day: date) -> str:
    """The whole text of a file; the same rows give the same text."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=sample.delimiter, lineterminator=sample.line_end)
    for row in rows:
        values = {
            **dict.fromkeys(GOODS, row.stock_code), "adjust_by": str(row.adjust_by), "rmas": " ".join(row.rmas),
            "batch": f"{number:06d}", "date": f"{day:%d/%m/%Y}",
        }  # fmt: skip
        writer.writerow([_filled(cell, values) for cell in sample.rows[row.disposition]])
    return f"{sample.headings}{sample.line_end}{written.getvalue()}"


def _filled(cell: str, values: Mapping[str, str]) -> str:
    return FIELD.sub(lambda found: values.get(found[1], found[2] or ""), cell)


def write_once(folder: Path, name: str, text: str) -> None:
    """Put a file there whole, or not at all; one that is there as it should be stays. Raises ``OSError``.

    Whoever may read the folder may read it. Never written over: another file of that name is an error.
    """
    target, content = folder / name, text.encode()
    if target.exists():
        if target.read_bytes() != content:
            raise FileExistsError(f"{target} is another file; it is not written over")
        return
    part = folder / f".{name}.part"
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.chmod(folder.stat().st_mode & 0o666)
    part.rename(target)
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
