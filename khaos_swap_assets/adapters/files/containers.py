"""What a file is, by its content: text, a workbook, Parquet, JSON, or a zip of one of them; and its tables as records.

Belongs here: telling the forms apart, and one source for each way in which a file can be read as a table. Stays out:
which of them is meant (``recognising``), columns and cells.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.files import records
from khaos_swap_assets.adapters.files.records import Record, UnreadableError
from khaos_swap_assets.adapters.files.workbooks import BROKEN, Workbook, refuse_bombs

TEXT, WORKBOOK, PARQUET, JSON = "text", "workbook", "Parquet", "JSON"
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
CHUNK = 2**20
_WEB = ("<!doctype html", "<html", "<table", "<?xml")


@dataclass(frozen=True, slots=True)
class Source:
    """One way to read a file as a table; ``records`` begins anew at each call, header and title lines included.

    ``text`` is the whole of a file that is text.
    """

    form: str
    records: Callable[[], Iterator[Record]]
    sheet: str = ""
    encoding: str = ""
    separator: str = ""
    text: str = ""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The file itself, or the one file that a zip holds, written to a folder that goes again.

    Raises ``UnreadableError`` for a zip of none or several, or one that no export makes.
    """
    if not _is_zip_of_files(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="khaos-swap-") as folder:
        yield _extracted(path, Path(folder))


def _is_zip_of_files(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(4) != ZIP:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not any(name.startswith("xl/") or name == "[Content_Types].xml" for name in archive.namelist())
    except zipfile.BadZipFile:
        raise UnreadableError("is a damaged zip file: export it again") from None


def _extracted(path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bombs(archive.infolist())
            found = [one for one in archive.infolist() if _is_data(one)]
            if len(found) != 1:
                names = ", ".join(Path(one.filename).name for one in found[:5]) or "none"
                raise UnreadableError(
                    f"is a zip of {len(found)} files ({names}): unpack it and name the one that is meant"
                )
            target, left = folder / Path(found[0].filename).name, found[0].file_size
            with archive.open(found[0]) as packed, target.open("wb") as file:
                while chunk := packed.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise UnreadableError("unpacks to more than it says: it is not opened")
                    file.write(chunk)
    except BROKEN as error:
        raise UnreadableError(f"is a zip file that cannot be unpacked here ({error})") from error
    return target


def _is_data(member: zipfile.ZipInfo) -> bool:
    name = Path(member.filename).name
    return not member.is_dir() and not name.startswith(".") and "__MACOSX" not in member.filename


def sources(path: Path) -> list[Source]:
    """Every way to read the file. Raises ``UnreadableError`` for what is none of the forms."""
    with path.open("rb") as file:
        start = file.read(8)
    if start[:4] == records.PARQUET:
        return [Source(PARQUET, lambda: _parquet(path), encoding=PARQUET)]
    if start[:4] == ZIP or start == OLD_EXCEL:
        book = Workbook(path)
        return [Source(WORKBOOK, partial(book.records, name), sheet=name, encoding=WORKBOOK) for name in book.sheets]
    return _of_text(records.decoded(path.read_bytes()), path.suffix.lower())


def _of_text(text: records.Text, suffix: str) -> list[Source]:
    begin = text.text[:200].lstrip().lower()
    if begin.startswith(_WEB):
        told = " named .xls" if suffix == ".xls" else ""
        raise UnreadableError(f"is a web page{told}, not a table: open it in Excel and save it as .xlsx or CSV")
    if begin[:1] in ("[", "{"):
        found = _objects(text.text)
        if found:
            return [Source(JSON, lambda: _json(found), encoding=text.encoding)]
    return [
        Source(
            TEXT,
            partial(records.csv_records, text.text, separator),
            encoding=text.encoding,
            separator=separator,
            text=text.text,
        )
        for separator in records.SEPARATORS
    ]


def _parquet(path: Path) -> Iterator[Record]:
    yield Record(0, records.parquet_names(path), 0.0)
    yield from records.parquet_records(path)


def _objects(text: str) -> list[dict[str, Any]]:
    """The objects of a JSON list, or of the first list of objects inside one object, or one a line."""
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        try:
            value = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return []
    if isinstance(value, dict):
        value = next((one for one in value.values() if isinstance(one, list) and one), [value])
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def _json(objects: list[dict[str, Any]]) -> Iterator[Record]:
    names = list(dict.fromkeys(name for one in objects for name in one))
    yield Record(0, names, 0.0)
    for number, one in enumerate(objects, start=1):
        yield Record(number, [_plain(one.get(name)) for name in names], number / len(objects))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
