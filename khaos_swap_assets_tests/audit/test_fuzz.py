"""Random wounds of good files: never a traceback, never a record lost.

100 files in a usual run, workbooks among them; KHAOS_SWAP_FUZZ=5000 tries as many as it says.
"""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.files.faults import BadInputError
from khaos_swap_assets.adapters.files.tables import Table
from khaos_swap_assets.adapters.files.written import rejected_cells
from khaos_swap_assets.audit import run, writing
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.inputs import Inputs, Paths
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets_tests.audit.files import AS_OF, Shop, paths_in, small_shop
from khaos_swap_assets_tests.audit.mutations import as_workbook, mutate, mutate_workbook
from khaos_swap_assets_tests.audit.reading import read_inputs

NAMES = ("returns", "stock_codes", "sales_orders", "credit_notes")
ROUNDS = int(os.environ.get("KHAOS_SWAP_FUZZ", "100"))
PARTS = 4


def shop() -> Shop:
    shop = small_shop()
    for number in (1, 2, 5):
        shop.paid(number, "24.99")
    shop.codes[0]["description"] = 'Shirt, "medium"\nwhite'
    shop.decided("accepted_value", "RMA2", refunded="24.99", credited="22.49")
    shop.decided("this_return", "CN9", "RMA3")
    return shop


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_wounded_files(tmp_path: Path, part: int) -> None:
    survived = 0
    for number in range(part, ROUNDS, PARTS):
        folder = tmp_path / str(number)
        paths, chance = shop().write(folder), random.Random(number)
        assert paths.refunds is not None
        files = (paths.returns, paths.stock_codes, paths.sales_orders, paths.credit_notes, paths.refunds)
        wounded = chance.choice((*files, *paths.decisions))
        if is_book := number % 2 == 1 and wounded.suffix == ".csv":
            wounded = as_workbook(chance, wounded)
        (mutate_workbook if is_book else mutate)(chance, wounded)
        try:
            survived += _checked(folder, wounded, is_written=number % 10 == 0)
        except Exception as error:
            raise AssertionError(f"wound {number}, {wounded.name}") from error
    assert survived > ROUNDS / PARTS / 3


def _checked(folder: Path, wounded: Path, *, is_written: bool) -> bool:
    """Whether the audit could run at all."""
    try:
        inputs = read_inputs(_paths(folder), skips_bad_rows=True)
    except BadInputError as error:
        _check_refusal(error, wounded)
        return False
    for table in inputs.tables.values():
        _check_counts(table, folder / table.file)
    result = run.reconcile(inputs, Span(AS_OF), keeps_faults=True)
    _check_result(inputs, result)
    if is_written:
        writing.write(result, folder / "out")
    return True


def _paths(folder: Path) -> Paths:
    """The files of a folder, one of which may be a workbook now."""
    found = paths_in(folder)
    given = {name: getattr(found, name) for name in NAMES}
    moved = {name: path if path.exists() else path.with_suffix(".xlsx") for name, path in given.items()}
    decided = folder / "decisions.csv"
    refunds = folder / "refunds.csv"
    books = [one if one.exists() else one.with_suffix(".xlsx") for one in (refunds, decided)]
    return Paths(**moved, refunds=books[0], decisions=(books[1],))


def _check_refusal(error: BadInputError, wounded: Path) -> None:
    assert {fault.file for fault in error.faults} == {wounded.name}
    assert all(len(line) < 3000 and line.isprintable() for line in str(error).split("\n"))


def _check_counts(table: Table[Any], path: Path) -> None:
    assert len(table.rows) + table.rejected + sum(table.no_data.values()) == table.given
    assert len(list(rejected_cells(sorted(table.faults, key=lambda one: (one.line, one.record))))) == (table.rejected)
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if path.suffix == ".csv" and b'"' not in data and b"\x00" not in data:
        lines = [line for line in re.split(rb"\r\n|\r|\n", data) if line]
        assert table.given == len(lines) - 1
    if path.suffix == ".jsonl" and not table.faults and b"\x00" not in data:
        assert table.given >= len([line for line in data.split(b"\n") if line.strip()]) or data.lstrip()[:1] == b"["


def _check_result(inputs: Inputs, result: Result) -> None:
    assert sorted(row.return_id for row in result.rows if row.return_id) == sorted(
        row.record.return_id for row in inputs.returns.rows
    )
    codes = {code for row in result.rows for code in row.credit_note_codes}
    assert codes == {row.credit_note_code for row in inputs.credit_notes.rows}
    for row in result.rows:
        assert sum(row.legs.values()) == row.gap_pence
