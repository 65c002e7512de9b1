"""Excel workbooks: looked over before they are opened, then read sheet by sheet as text cells.

Belongs here: what makes a workbook hostile or misleading (macros, external links, entities, bombs, errors and formulas
without a saved value), and its cells as text. Stays out: what the cells mean (``tables``) and zip files of other
things (``containers``).
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from khaos_swap_assets.adapters.files.records import MOST_COLUMNS, Record, UnreadableError

MOST_UNPACKED = 3 * 2**30
MOST_RATIO = 250
SMALL = 10 * 2**20
CHUNK = 2**20
MOST_EMPTY = 60_000_000
MOST_MARKED = 100_000
OVERLAP = 4_096
PROLOGUE = 65_536
LARGE = 100 * 2**20
TAIL = b"</sheetData></worksheet>"

BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)
"""How Python tells that an archive cannot be unpacked."""

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_ENTITY = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3}\d{1,7})"[^>]*\bt="e"[^>]*>[^<]*(?:<f[^>]*>[^<]*</f>|<f[^>]*/>)?\s*<v>([^<]*)</v>'
)
_UNSAVED = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"[^>]*>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>')
_ROW = re.compile(rb'<row [^>]*?\br="(\d{1,7})"')
_FAR = re.compile(rb'<c r="([A-Z]{2,3})\d')
_FORBIDDEN = (
    ("vbaproject", "holds macros"),
    ("macrosheets/", "holds macros"),
    ("externallinks/", "takes values from other workbooks"),
)
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


@dataclass(slots=True)
class _Seen:
    """What one sheet holds: cells, its last row and column, and cells that show an error or no saved value."""

    cells: int = 0
    last_row: int = 0
    last_column: int = 26
    marked: dict[tuple[int, int], str] = field(default_factory=dict)


def checked(path: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Look through a workbook; by part of the archive the cells (row and column from 0) that have no value to read.

    Raises ``UnreadableError`` in one line for what is hostile: it is never opened.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            refuse_bombs(members)
            for member in members:
                _refuse_forbidden(member.filename)
            return {
                one.filename: _looked_over(archive, one) for one in members if one.filename.endswith((".xml", ".rels"))
            }
    except BROKEN as error:
        raise UnreadableError(f"is a damaged workbook ({type(error).__name__}): save it again in Excel") from error


def refuse_bombs(members: list[zipfile.ZipInfo]) -> None:
    """Refuse archives that unpack to more than anybody exports, and names that lead out of their folder."""
    unpacked = sum(one.file_size for one in members)
    packed = max(sum(one.compress_size for one in members), 1)
    if unpacked > MOST_UNPACKED or (unpacked > SMALL and unpacked > MOST_RATIO * packed):
        raise UnreadableError(f"unpacks to {unpacked:,} bytes from {packed:,}, which no export does: it is not opened")
    for one in members:
        parts = one.filename.replace("\\", "/").split("/")
        if ".." in parts or one.filename.startswith(("/", "\\")) or ":" in parts[0]:
            raise UnreadableError("holds a file whose name leads out of its folder: it is not opened")


def _refuse_forbidden(name: str) -> None:
    for word, reason in _FORBIDDEN:
        if word in name.lower():
            raise UnreadableError(f"{reason}, which is never opened here: save it as .xlsx with values only")


def _looked_over(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> dict[tuple[int, int], str]:
    is_sheet = _SHEET.fullmatch(member.filename) is not None
    seen, before = _Seen(), b""
    with archive.open(member) as file:
        for chunk in _chunks(file, member.file_size):
            text = before + chunk
            is_told = not before and _ENTITY.search(chunk[:PROLOGUE].replace(b"\x00", b""))
            if is_told or (b"<!" in text and _ENTITY.search(text)):
                raise UnreadableError("declares XML entities, which no spreadsheet does: it is not opened")
            if is_sheet:
                _take(text, len(before), seen)
            before = text[-OVERLAP:]
    if seen.last_column > MOST_COLUMNS or seen.last_row * seen.last_column > max(MOST_EMPTY, 20 * seen.cells):
        raise UnreadableError(
            f"has a sheet of {seen.last_row:,} rows by {seen.last_column:,} columns with {seen.cells:,} cells in it: "
            "delete the empty rows and columns around the table and save it again"
        )
    return seen.marked


def _chunks(file: IO[bytes], most: int) -> Iterator[bytes]:
    read = 0
    while chunk := file.read(CHUNK):
        read += len(chunk)
        if read > most:
            raise UnreadableError("unpacks to more than it says: it is not opened")
        yield chunk


def _take(text: bytes, old: int, seen: _Seen) -> None:
    """Count cells beyond the part that was seen before, and mark the cells without a value."""
    seen.cells += text.count(b"<c ", max(old - 2, 0))
    seen.last_row = max(seen.last_row, max(map(int, _ROW.findall(text)), default=0))
    for letters in set(_FAR.findall(text)):
        seen.last_column = max(seen.last_column, _column(letters.decode()) + 1)
    if len(seen.marked) < MOST_MARKED:
        if b't="e"' in text:
            seen.marked |= {_placed(found[1]): found[2].decode(errors="replace") for found in _ERROR.finditer(text)}
        if b"<f" in text:
            seen.marked |= {_placed(found[1]): "a formula without a saved value" for found in _UNSAVED.finditer(text)}


def _placed(place: bytes) -> tuple[int, int]:
    found = _PLACE.fullmatch(place.decode())
    assert found is not None
    return int(found[2]) - 1, _column(found[1])


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


class Workbook:
    """An opened workbook. ``sheets`` are the names of those with cells, in their order.

    One with a large sheet is not kept open: its texts would be in memory twice, beside those of a slice.
    """

    def __init__(self, path: Path) -> None:
        marked = checked(path) if zipfile.is_zipfile(path) else {}
        self._path, book = path, _opened(path)
        self._parts = _parts(path) if marked else {}
        self.sheets = list(book.sheet_names)
        is_large = any(_size(path, part) > LARGE for part in self._parts.values())
        self._book = None if is_large else book
        self._marked = {name: marked.get(self._parts.get(name, ""), {}) for name in self.sheets}

    def records(self, sheet: str) -> Iterator[Record]:
        """The rows of a sheet as text cells from column A; ``line`` is the row as Excel counts it."""
        marked, done = self._marked.get(sheet, {}), 0
        rows = {row for row, _ in marked}
        with slices(self._path, self._parts.get(sheet, "")) as paths:
            for share, path in paths:
                opened = _sheet(_opened(path) if path else self._book or _opened(self._path), sheet)
                before, total = [""] * (opened.start[1] if opened.start else 0), max(opened.total_height, 1)
                for number, values in enumerate(opened.iter_rows()):
                    if number < done:
                        continue
                    cells = before + [_text(value) for value in values]
                    if number in rows:
                        cells = [marked.get((number, place), cell) for place, cell in enumerate(cells)]
                    yield Record(number + 1, cells, min(share * number / total, 1.0))
                done = opened.end[0] + 1 if opened.end else done


def _opened(path: Path) -> Any:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.PasswordError:
        raise UnreadableError("is protected by a password: save it without one") from None
    except (python_calamine.CalamineError, OSError) as error:
        raise UnreadableError("is no workbook that we can read: save it as .xlsx or CSV") from error


def _sheet(book: Any, name: str) -> Any:
    """A sheet, all of its cells read; a damaged one is no file that we read."""
    import python_calamine

    try:
        return book.get_sheet_by_name(name)
    except python_calamine.CalamineError as error:
        told = str(error).splitlines()[0][:100]
        raise UnreadableError(f"has a damaged sheet {name[:31]!r} ({told}): save it again in Excel") from error


@contextmanager
def slices(path: Path, part: str) -> Iterator[Iterator[tuple[float, Path | None]]]:
    """A sheet in pieces of about ``LARGE`` bytes of XML, each a workbook of its own, so that memory stays bounded.

    Gives the share of the sheet at the end of each, and its path: None where the sheet is small and stays as it is.
    """
    with tempfile.TemporaryDirectory(prefix="khaos-swap-") as folder:
        size = _size(path, part)
        yield iter([(1.0, None)]) if size <= LARGE else _cut(path, part, size, Path(folder) / "slice.xlsx")


def _size(path: Path, part: str) -> int:
    if not part:
        return 0
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(part).file_size


def _cut(path: Path, part: str, size: int, target: Path) -> Iterator[tuple[float, Path]]:
    """Cut at the ends of rows; what stands before the first row is kept for each piece."""
    with zipfile.ZipFile(path) as archive, archive.open(part) as file:
        rest = bytearray()
        while b"<sheetData>" not in rest and (more := file.read(CHUNK)):
            rest += more
        head, found, rest = rest.partition(b"<sheetData>")
        read, is_more = len(head), True
        while rest:
            while is_more and len(rest) < LARGE:
                more = file.read(CHUNK)
                rest += more
                is_more = bool(more)
            end = rest.rfind(b"</row>") + len(b"</row>") if is_more else len(rest)
            rows, rest = rest[:end], rest[end:]
            read += len(rows)
            _write_slice(archive, part, bytes(head + found + rows + (TAIL if is_more else b"")), target)
            yield read / size, target


def _write_slice(archive: zipfile.ZipFile, part: str, data: bytes, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as written:
        for name in archive.namelist():
            if name != part and not name.startswith(("xl/worksheets/", "xl/media/")):
                written.writestr(name, archive.read(name))
        written.writestr(part, data)


def _parts(path: Path) -> dict[str, str]:
    """The part of the archive that holds each sheet, by the sheet's name."""
    from lxml import etree

    safe = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        with zipfile.ZipFile(path) as archive:
            here = frozenset(archive.namelist())
            book = etree.fromstring(archive.read("xl/workbook.xml"), safe)
            links = etree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), safe)
    except (KeyError, etree.XMLSyntaxError):
        return {}
    targets = {str(one.get("Id")): str(one.get("Target")).removeprefix("/xl/") for one in links}
    return {
        str(one.get("name")): f"xl/{targets[str(link)]}"
        for one in book.iter("{*}sheet")
        for name, link in one.items()
        if str(name).endswith("}id") and f"xl/{targets.get(str(link))}" in here
    }


def _text(value: Any) -> str:
    """A cell as a person would type it: whole numbers without a point, days as YYYY-MM-DD."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case float() | int():
            return plain_number(value)
        case datetime() if value.time() == time.min:
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()
        case time() | timedelta():
            return str(value)
        case _:
            return "" if value is None else str(value)


def plain_number(value: float) -> str:
    """Fifteen digits, which is all that Excel keeps."""
    exact = Decimal(f"{value:.15g}")
    return format(exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize(), "f")
