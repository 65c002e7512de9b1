"""Workbooks: read cell by cell as openpyxl reads them, and refused in one line where they are hostile or mislead."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from khaos_swap_assets.adapters.files import layouts, workbooks
from khaos_swap_assets.adapters.files.containers import sources
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.records import UnreadableError
from khaos_swap_assets.adapters.files.workbooks import Workbook

HEAD = ["credit_note_code", "stock_code", "quantity", "gross"]
SHEET = "xl/worksheets/sheet1.xml"
Change = Callable[[dict[str, bytes]], None]


def book(path: Path, rows: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as file:
        sheet, day = file.add_worksheet("Notes"), file.add_format({"num_format": "dd/mm/yyyy"})
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime | date):
                    sheet.write_datetime(number, column, cell, day)
                else:
                    sheet.write(number, column, cell)
    return path


def changed(path: Path, change: Change) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def put(name: str, data: bytes) -> Change:
    return lambda parts: parts.update({name: data})


def swap(old: bytes, new: bytes) -> Change:
    return lambda parts: parts.update({SHEET: parts[SHEET].replace(old, new, 1)})


HOSTILE: list[tuple[Change, str]] = [
    (put("xl/vbaProject.bin", b"x"), "holds macros"),
    (put("xl/macrosheets/sheet1.xml", b"<x/>"), "holds macros"),
    (swap(b"<worksheet", b"<!--" + b"-" * 100_000 + b'--><!DOCTYPE x [<!ENTITY a "a">]><worksheet'), "XML entities"),
    (put("xl/externalLinks/externalLink1.xml", b"<x/>"), "other workbooks"),
    (swap(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet'), "XML entities"),
    (put("xl/media/zeros.bin", b"\0" * 60_000_000), "unpacks to"),
    (put("../../etc/passwd", b"x"), "leads out of its folder"),
    (swap(b"<sheetData>", b'<sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "rows by"),
]


@pytest.mark.parametrize(("change", "told"), HOSTILE)
def test_a_hostile_workbook_is_refused_in_one_line(tmp_path: Path, change: Change, told: str) -> None:
    path = changed(book(tmp_path / "notes.xlsx", [HEAD, ["CN1", "MUG", 1, 12]]), change)
    (kind,) = read_table(path, layouts.CREDIT_NOTES).kinds
    assert told in str(kind)
    assert "\n" not in str(kind)


def test_a_zip_that_says_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.csv", b"a" * 100_000)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    (kind,) = read_table(path, layouts.CREDIT_NOTES).kinds
    assert "zip file" in str(kind) or "unpacks to more" in str(kind)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "no workbook that we can read"),
        (b"<html><table><tr><td>credit_note_code</td></tr></table></html>", "web page named .xls"),
        (b"PK\x03\x04" + b"\0" * 200, "damaged zip"),
    ],
)
def test_what_only_calls_itself_a_workbook_is_told(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "notes.xls"
    path.write_bytes(data)
    assert told in str(read_table(path, layouts.CREDIT_NOTES).kinds[0])


def test_text_that_calls_itself_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.xls"
    path.write_text("\t".join(HEAD) + "\nCN1\tMUG\t1\t12.00\n")
    assert [row.gross_pence for row in read_table(path, layouts.CREDIT_NOTES).rows] == [1200]


def test_a_cell_that_shows_an_error_is_a_fault_and_no_blank(tmp_path: Path) -> None:
    path = book(tmp_path / "notes.xlsx", [HEAD, ["CN1", "MUG", 1, 12], ["CN2", "MUG", 1, 13]])

    def break_cell(parts: dict[str, bytes]) -> None:
        parts[SHEET] = parts[SHEET].replace(b'<c r="D3"><v>13</v></c>', b'<c r="D3" t="e"><v>#N/A</v></c>')

    table = read_table(changed(path, break_cell), layouts.CREDIT_NOTES)
    assert [(fault.line, fault.column, fault.value) for fault in table.faults] == [(3, "gross", "#N/A")]


def test_a_formula_without_a_saved_value_is_a_fault_and_one_with_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "notes.xlsx"
    file = openpyxl.Workbook()
    sheet = file.active
    assert sheet is not None
    for cells in (HEAD, ["CN1", "MUG", 1, "=6+6"]):
        sheet.append(cells)
    file.save(path)
    assert "formula without a saved value" in next(iter(read_table(path, layouts.CREDIT_NOTES).faults)).value
    with xlsxwriter.Workbook(str(path)) as book_:
        sheet_ = book_.add_worksheet()
        sheet_.write_row(0, 0, HEAD)
        sheet_.write_row(1, 0, ["CN1", "MUG", 1])
        sheet_.write_formula(1, 3, "=6+6", None, 12)
    assert [row.gross_pence for row in read_table(path, layouts.CREDIT_NOTES).rows] == [1200]


def cell(chance: random.Random) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: "".join(chance.choices("ABC0123 é£-", k=chance.randint(1, 12))).strip() or "x",
        lambda: chance.randint(-(10**12), 10**12),
        lambda: round(chance.uniform(-1e6, 1e6), 2),
        lambda: date(2020, 1, 1) + timedelta(days=chance.randint(0, 3000)),
        lambda: datetime(2020, 1, 1) + timedelta(seconds=chance.randint(0, 10**8)),  # noqa: DTZ001, as Excel has it
        lambda: None,
        lambda: chance.choice([True, False]),
    ]
    return chance.choice(kinds)()


def told(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
            return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
        case int() | float():
            return workbooks.plain_number(value)
        case _:
            return str(value)


@pytest.mark.parametrize("seed", range(12))
def test_a_corpus_of_workbooks_reads_as_with_openpyxl(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = [[cell(chance) for _ in range(6)] for _ in range(chance.randint(1, 40))]
    path = book(tmp_path / "corpus.xlsx", [["a"], *rows])
    sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)["Notes"]
    expected = [[told(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    found = [list(record.cells) for record in Workbook(path).records("Notes")]
    assert [row + [""] * (6 - len(row)) for row in found] == [row + [""] * (6 - len(row)) for row in expected]


def test_a_sheet_with_no_table_and_a_workbook_of_several_tables(tmp_path: Path) -> None:
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(str(path)) as file:
        for name in ("March", "April"):
            sheet = file.add_worksheet(name)
            sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, [name, "MUG", 1, 12])
    (kind,) = read_table(path, layouts.CREDIT_NOTES).kinds
    assert "several sheets: 'March', 'April'" in str(kind)


def test_what_is_no_file_at_all_has_no_sources(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"<?xml version='1.0'?><Workbook/>")
    with pytest.raises(UnreadableError, match="web page"):
        sources(tmp_path / "x.csv")


def test_a_large_sheet_is_read_in_pieces_and_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["", f"CN{number}", "" if number % 7 else "MUG", number] for number in range(500)]
    path = book(tmp_path / "large.xlsx", rows)
    whole = [list(record.cells) for record in Workbook(path).records("Notes")]
    monkeypatch.setattr(workbooks, "CHUNK", 1_000)
    monkeypatch.setattr(workbooks, "LARGE", 8_000)
    with workbooks.slices(path, SHEET) as pieces:
        assert sum(1 for _ in pieces) > 3
    pieced = list(Workbook(path).records("Notes"))
    assert [list(record.cells) for record in pieced] == whole
    assert [record.line for record in pieced] == list(range(1, len(whole) + 1))
