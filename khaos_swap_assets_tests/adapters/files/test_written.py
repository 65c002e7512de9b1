"""Files that people get back: nothing in them calculates, and each rejected record is one line."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.faults import LONGEST_SHOWN, BadInputError, Fault, FaultKind, shown, storable
from khaos_swap_assets.adapters.files.written import (
    FORMULA_STARTS,
    LONGEST_VALUE,
    OWN,
    REJECTED_COLUMNS,
    Alike,
    cells_of,
    rejected_cells,
    write_csv,
    write_rejected,
)

TEXTS = st.text(st.sampled_from('RMA1%s{}, "=+-@\t\n\ré'))


def read_back(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_spreadsheet_calculates_what_a_file_said(tmp_path: Path, start: str) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, ["reason"], [[f"{start}HYPERLINK(1)"]])
    assert read_back(path) == [["reason"], [f"'{start}HYPERLINK(1)"]]


@pytest.mark.parametrize("text", ["\r=HYPERLINK(1)", "x\r=HYPERLINK(1)", "x\r\n=HYPERLINK(1)", "\r\n@SUM(1)"])
def test_no_cell_breaks_out_of_its_row(tmp_path: Path, text: str) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, ["value", "reason"], [[text, "is no code"]])
    assert b"\r" not in path.read_bytes()
    (_, (value, reason)) = read_back(path)
    assert reason == "is no code"
    assert value.removeprefix("'") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_numbers_and_plain_text_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, ["a", "b", "c"], [[-5, 'say "hé", he said', ""], [0, "a\nb", None]])
    assert read_back(path)[1:] == [["-5", 'say "hé", he said', ""], ["0", "a\nb", ""]]
    assert b"\r\n" not in path.read_bytes()


@settings(max_examples=200)
@given(st.tuples(TEXTS, TEXTS, st.integers()), TEXTS)
def test_rows_that_are_alike_are_written_as_all_their_cells_are(
    tmp_path_factory: pytest.TempPathFactory, own: tuple[str, str, int], said: str
) -> None:
    row, folder = Alike((OWN, 0, None, OWN, said, OWN), own), tmp_path_factory.mktemp("csv")
    for name, some in (("alike", row), ("cells", cells_of(row))):
        write_csv(folder / name, "abcdef", [some])
    assert (folder / "alike").read_bytes() == (folder / "cells").read_bytes()


def test_a_file_without_rows_has_its_header(tmp_path: Path) -> None:
    write_rejected(tmp_path / "rejected.csv", [])
    assert read_back(tmp_path / "rejected.csv") == [list(REJECTED_COLUMNS)]


def fault(line: int = 2, column: str = "quantity", value: str = "x", reason: str = "is no number") -> Fault:
    return Fault("orders.csv", line, column, value, reason)


def test_faults_of_one_record_are_one_line() -> None:
    some = [fault(), fault(column="gross", value="y", reason="is negative"), fault(line=3)]
    assert list(rejected_cells(some)) == [
        ["orders.csv", 2, "quantity;gross", "x; y", "quantity: is no number; gross: is negative"],
        ["orders.csv", 3, "quantity", "x", "is no number"],
    ]


def test_two_records_that_begin_on_one_line_are_two() -> None:
    some = [fault(), Fault("orders.csv", 2, "quantity", "x", "is no number", record=7)]
    assert len(list(rejected_cells(some))) == 2


def test_a_fault_of_the_record_as_a_whole_names_no_column() -> None:
    some = [fault(column="", value="", reason="quoting is broken"), fault(reason="is empty", value="")]
    assert list(rejected_cells(some)) == [
        ["orders.csv", 2, "quantity", "", "quoting is broken; quantity: is empty"],
    ]


def test_a_long_value_is_cut_and_its_reason_is_not() -> None:
    ((_, _, _, value, reason),) = rejected_cells([fault(value="v" * 5000, reason="r" * 300)])
    assert (len(value), len(reason)) == (LONGEST_VALUE, 300)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (fault(), "orders.csv, line 2, column quantity: 'x' is no number"),
        (fault(line=0, column="", value=""), "orders.csv: is no number"),
        (fault(column="", value=""), "orders.csv, line 2: is no number"),
        (fault(value="a\x1b[2Jb"), "orders.csv, line 2, column quantity: 'a\\x1b[2Jb' is no number"),
        (fault(reason="says \x1b[31m"), "orders.csv, line 2, column quantity: 'x' says \\x1b[31m"),
    ],
)
def test_a_fault_says_where_and_what(one: Fault, text: str) -> None:
    assert str(one) == text


def test_bad_input_tells_all_its_faults_a_line_each() -> None:
    kinds = [FaultKind(1, (fault(),)), FaultKind(20_000, (fault(line=3), fault(line=4, value="")))]
    told = str(BadInputError(kinds)).splitlines()
    assert told[0] == str(fault())
    assert "20,000 rows, e.g. line 3" in told[1]
    assert len(told) == 2


@settings(max_examples=50)
@given(st.text(st.characters(), max_size=90))
def test_no_text_of_a_file_reaches_the_terminal_as_a_command(text: str) -> None:
    told = str(fault(value=text, reason=text))
    assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in told)
    assert shown(text).endswith("…") == (len(text) > LONGEST_SHOWN)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_text_can_be_written_all_the_same(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    kept = storable(text).encode().decode()
    assert storable(kept) == kept
    assert kept.count("\\udc") == sum("\udc80" <= one <= "\udcff" for one in text)
