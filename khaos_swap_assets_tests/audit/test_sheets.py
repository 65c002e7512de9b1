"""Whole rows of a sheet are what the package writes cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile

import pytest
import xlsxwriter

from khaos_swap_assets.adapters.files.written import OWN, Alike, cells_of
from khaos_swap_assets.audit.sheets import MoneyCell, RowWriter, Sheets

HEADINGS = (("Subject", "Message", "Gap"), ("Day", "Decision"))
ODD = ("a & b", " led by a space", "<b>", "_x0041_", "tab\there", "two\nlines", "é", "=1+1", "x" * 2_000)
ROWS: list[list[Any]] = [
    ["RMA1", "plain", MoneyCell(1234, "GBP"), date(2026, 3, 1), None],
    ["RMA2", "long " * 40, MoneyCell(-5, "GBP"), None, "kept"],
    *([text, f"a message with {text}", MoneyCell(0, "JPY"), date(1899, 12, 31), text] for text in ODD),
    ["RMA3", "", MoneyCell(10_000, "KWD"), date(2024, 2, 29), 'says "so"'],
    ["RMA4", "plain", MoneyCell(100, "GBP"), date(2026, 3, 1)],
    ["RMA5", "the last", MoneyCell(7, "JPY"), date(2026, 3, 31), None],
]


def sheet_xml(path: Path, rows: Sequence[Sequence[Any] | Alike]) -> str:
    """Write a sheet after a summary that shows a few formats."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheets = Sheets(book)
        sheets.plain("Summary", [["As of", date(2026, 3, 31)], ["Gap", MoneyCell(1, "GBP")], ["words " * 20, None]])
        sheets.table("Rows", HEADINGS, len(rows), iter(rows))
    with ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet2.xml").decode()


ALIKE = [
    Alike((OWN, "{plain} 50%", OWN, OWN, None), (text, MoneyCell(pence, "GBP"), date(2026, 3, 1)))
    for pence, text in enumerate(["RMA1", "RMA2", *ODD, "", "100% {0}", "RMA3"])
]


def test_rows_that_are_alike_are_what_cells_make(tmp_path: Path) -> None:
    whole = sheet_xml(tmp_path / "cells.xlsx", list(map(cells_of, ALIKE)))
    assert sheet_xml(tmp_path / "rows.xlsx", ALIKE) == whole


@pytest.mark.parametrize("count", [0, 1, 2, len(ROWS)])
def test_whole_rows_are_what_cells_make(tmp_path: Path, count: int) -> None:
    rows = ROWS[:count]
    with patch.object(RowWriter, "write", return_value=False):
        by_cells = sheet_xml(tmp_path / "cells.xlsx", rows)
    assert sheet_xml(tmp_path / "rows.xlsx", rows) == by_cells


def test_nearly_all_rows_are_written_whole(tmp_path: Path) -> None:
    rows = [[f"RMA{number}", "plain", MoneyCell(number, "GBP"), date(2026, 3, 1), "kept"] for number in range(50)]
    with patch.object(Sheets, "_line", autospec=True, side_effect=Sheets._line) as by_cell:
        sheet_xml(tmp_path / "rows.xlsx", rows)
    summary, first_of_a_format, last = 2, 2, 1
    assert by_cell.call_count == summary + first_of_a_format + last
