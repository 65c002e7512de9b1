"""The benchmark of the largest sheet measures what it says: a workbook of that shape, read whole."""

from __future__ import annotations

from pathlib import Path

from benchmarks import large_workbook
from khaos_swap_assets.adapters.files.layouts import CREDIT_NOTES
from khaos_swap_assets.adapters.files.reading import read_table


def test_a_small_one_reads_as_it_was_written(tmp_path: Path) -> None:
    large_workbook.write(path := tmp_path / "notes.xlsx", 3_001)
    table = read_table(path, CREDIT_NOTES)
    assert (len(table.rows), list(table.faults), len(table.ignored_columns)) == (3_000, [], 9)
    row = table.rows[0]
    assert (row.credit_note_code, row.associated_ref, row.stock_code, row.gross_pence) == ("CN1", "RMA1", "S0001", 101)
    told = large_workbook.measured(str(path))
    assert (told["rows"], told["faults"], told["columns"]) == (3_000, 0, 20)
