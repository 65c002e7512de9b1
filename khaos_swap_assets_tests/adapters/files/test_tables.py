"""Files become rows or faults, and nothing gets lost: encodings, separators, quoting, every kind of bad row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.records import csv_records
from khaos_swap_assets.adapters.files.tables import Layout, Table, without_torn_groups

HEADER = "order_ref,stock_code,quantity,unit_price_gross\n"
NOTES = "credit_note_code,stock_code,quantity,gross,net,delivery_gross\n"


def read(tmp_path: Path, content: str | bytes, layout: Layout[Any] = layouts.SALES_ORDERS) -> Table[Any]:
    path = tmp_path / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(path, layout)
    assert not table.is_whole or len(table.rows) + table.rejected + table.no_data.total() == table.given
    return table


def faults(table: Table[Any]) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.value) for fault in table.faults]


ENCODINGS = [
    ("utf-8", "UTF-8"),
    ("utf-8-sig", "UTF-8"),
    ("cp1252", "Windows-1252"),
]


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(("codec", "named"), ENCODINGS)
def test_encodings_and_separators(tmp_path: Path, codec: str, named: str, separator: str) -> None:
    text = HEADER + 'A,"CAFÉ ""L""",2,12.50\n'
    table = read(tmp_path, text.replace(",", separator).encode(codec))
    assert (table.encoding, table.separator, list(table.faults)) == (named, separator, [])
    assert [(row.order_ref, row.stock_code, row.quantity, row.unit_price_pence) for row in table.rows] == [
        ("A", 'CAFÉ "L"', 2, 1250)
    ]


def test_one_damaged_byte_does_not_turn_a_file_into_another_encoding(tmp_path: Path) -> None:
    good = "".join(f"A{number},CAFÉ,1,1\n" for number in range(5))
    table = read(tmp_path, (HEADER + good).encode() + b"B,CAF\xe9,1,1\n")
    assert (table.encoding, len(table.rows)) == ("UTF-8", 5)
    assert [(fault.line, fault.column) for fault in table.faults] == [(7, "stock_code")]
    assert "no text" in table.faults[0].reason


def test_bytes_that_windows_does_not_know_either(tmp_path: Path) -> None:
    table = read(tmp_path, HEADER.encode() + b"A,CAF\x81,1,1\nB,CAF\xe9,1,1\n")
    assert (table.encoding, [row.stock_code for row in table.rows]) == ("Windows-1252", ["CAFé"])
    assert [fault.line for fault in table.faults] == [2]


BAD_ROWS = [
    ("A,S,-1,12.50", [("quantity", "-1")]),
    ("A,S,x,NaN", [("quantity", "x"), ("unit_price_gross", "NaN")]),
    (",S,1,1", [("order_ref", "")]),
    ("A,   ,1,1", [("stock_code", "   ")]),
    ("A,S,1", [("", "A,S,1")]),
    ("A,S,1,1,1", [("", "A,S,1,1,1")]),
    ('A,"x\ny",1,1', [("stock_code", "x\ny")]),
    ("A,S,1,1e999", [("unit_price_gross", "1e999")]),
    ("A," + "S" * 1_000_000 + ",1,1", [("stock_code", "S" * 1_000_000)]),
]


@pytest.mark.parametrize(("row", "expected"), BAD_ROWS)
def test_bad_rows(tmp_path: Path, row: str, expected: list[tuple[str, str]]) -> None:
    table = read(tmp_path, HEADER + row + "\nB,S,1,1\n")
    assert [(fault.column, fault.value) for fault in table.faults] == expected
    assert {fault.line for fault in table.faults} == {2}
    assert [(row.line, row.order_ref) for row in table.rows] == [(2 + row.count("\n") + 1, "B")] or len(table.rows) == 1


QUOTING = [
    ('"A,S,1,1\nB,S,1,1\nC,S,1,1\n', ["B", "C"], [2]),
    ('A,S,1,1\n"B"x,S,1,1\nC,S,1,1\n', ["A", "C"], [3]),
    ('"A,S,1,1\nB,S,1,1\n"C",S,1,1\nD,S,1,1\n', ["B", "C", "D"], [2]),
    ('A,"S 5"" tall",1,1\nB,S 5" tall,1,1\n', ["A", "B"], []),
    ('A,S,1,1\n\n\nB,S,1,1\n"', ["A", "B"], [6]),
    ("A,S,1,1\r\nB,S,1,1\rC,S,1,1", ["A", "B", "C"], []),
]


@pytest.mark.parametrize(("body", "refs", "lines"), QUOTING)
def test_broken_quoting_costs_its_own_line_only(tmp_path: Path, body: str, refs: list[str], lines: list[int]) -> None:
    table = read(tmp_path, HEADER + body)
    assert [row.order_ref for row in table.rows] == refs
    assert [fault.line for fault in table.faults] == lines


def test_hostile_quoting_stays_linear() -> None:
    text = 'a","c\n' * 20_000 + 'x"y\n'
    assert sum(1 for _ in csv_records(text, ",")) <= 20_001


@given(st.text(alphabet='a",;\n\r', max_size=60))
def test_every_line_that_says_anything_lies_in_a_record(text: str) -> None:
    found = list(csv_records(text, ","))
    lines = [record.line for record in found]
    assert lines == sorted(set(lines))
    assert bool(found) == bool(text.strip("\r\n"))


HEADERS = [
    ("", "empty"),
    ("a,b\n1,2\n", "order_ref: is missing"),
    (HEADER.replace("quantity", "order_ref"), "order_ref: comes twice"),
    ('"order_ref,stock\n', "quoting is broken"),
]


@pytest.mark.parametrize(("content", "told"), HEADERS)
def test_files_that_cannot_be_read_at_all(tmp_path: Path, content: str, told: str) -> None:
    table = read(tmp_path, content)
    assert not table.is_whole
    assert any(told in str(fault) for fault in table.faults)


def test_all_missing_columns_are_told_at_once(tmp_path: Path) -> None:
    table = read(tmp_path, "order_ref,x\n")
    assert [fault.column for fault in table.faults] == ["stock_code", "quantity", "unit_price_gross"]


def test_names_of_columns_may_be_written_freely_and_strange_ones_are_named(tmp_path: Path) -> None:
    table = read(tmp_path, " Order_Ref ,STOCK_CODE,quantity,unit_price_gross,colour\nA,S,1,1,red\n")
    assert (len(table.rows), table.ignored_columns) == (1, ("colour",))


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"\xff\xfea\x00", b"PK\x03\x04 and nothing"])
def test_files_of_another_kind(tmp_path: Path, content: bytes) -> None:
    assert not read(tmp_path, content).is_whole


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        assert "cannot be read" in str(read_table(path, layouts.SALES_ORDERS).faults[0])


NOTE_ROWS = [
    ("A,S,1,12.50,10,3.95\nA,S,1,1,1,3.95\nA,T,1,2,,\n", []),
    ("A,S,1,12.50,10,3.95\nA,S,1,1,1,3.96\n", [(3, "delivery_gross", "396 pence")]),
    ("A,,,3.95,,3.95\n", []),
    ("A,,,0,,3.95\n", []),
    ("A,,,3,,3.95\n", [(2, "gross", "300 pence")]),
    ("A,,,3,,\n", [(2, "stock_code", "")]),
    ("A,S,1,1.00,2.00,\n", [(2, "net", "200 pence")]),
]


@pytest.mark.parametrize(("body", "expected"), NOTE_ROWS)
def test_what_must_agree_within_a_note(tmp_path: Path, body: str, expected: list[tuple[int, str, str]]) -> None:
    assert faults(read(tmp_path, NOTES + body, layouts.CREDIT_NOTES)) == expected


def test_a_delivery_is_counted_once(tmp_path: Path) -> None:
    from khaos_swap_assets.adapters.files.documents import notes

    body = "A,S,1,10.00,8.33,3.95\nA,T,1,5.00,4.17,3.95\nB,,,3.95,,3.95\n"
    found = notes(read(tmp_path, NOTES + body, layouts.CREDIT_NOTES).rows)
    assert [(note.code, note.gross_pence, note.vat_pence) for note in found] == [("A", 1895, 250), ("B", 395, None)]


def test_a_note_that_lost_a_line_is_set_aside_as_a_whole(tmp_path: Path) -> None:
    table = read(tmp_path, NOTES + "A,S,1,10,,\nB,S,1,10,,\nA,T,x,10,,\n", layouts.CREDIT_NOTES)
    without_torn_groups(table, layouts.CREDIT_NOTES.group)
    assert [row.credit_note_code for row in table.rows] == ["B"]
    assert len(table.rows) + table.rejected == table.given == 3
    assert {(fault.line, fault.column) for fault in table.faults} == {(4, "quantity"), (2, "credit_note_code")}


REFUND_ROWS = [
    ("r1,ret,5,success", []),
    ("r0,ret,5,success", ["refund_id"]),
    ("r1,,5,success", ["return_id"]),
    ("r1,ret,5,perhaps", ["status"]),
]


@pytest.mark.parametrize(("row", "columns"), REFUND_ROWS)
def test_refunds(tmp_path: Path, row: str, columns: list[str]) -> None:
    table = read(tmp_path, f"refund_id,return_id,amount,status\nr0,ret,1,\n{row}\n", layouts.REFUNDS)
    assert [fault.column for fault in table.faults] == columns


def test_money_follows_the_currency_of_its_row(tmp_path: Path) -> None:
    table = read(tmp_path, HEADER.strip() + ",currency\nA,S,1,500,JPY\nB,S,1,500,\nC,S,1,5.001,KWD\nD,S,1,5.5,JPY\n")
    assert [row.unit_price_pence for row in table.rows] == [500, 50000, 5001]
    assert [(fault.line, fault.column) for fault in table.faults] == [(5, "unit_price_gross")]


def test_parquet_reads_like_csv(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    columns = {
        "order_ref": ["A", "B", None],
        "stock_code": pa.array(["S", "T", "U"]).dictionary_encode(),
        "quantity": [1, 2, 3],
        "unit_price_gross": pa.array([Decimal("12.50"), Decimal("3.00"), None], pa.decimal128(9, 2)),
        "invoiced_on": pa.array([19000, None, None], pa.date32()),
        "vat_rate": [20.0, 0.2, 5.0],
    }
    pq.write_table(pa.table(columns), path)
    table = read_table(path, layouts.SALES_ORDERS)
    assert [(row.order_ref, row.quantity, row.unit_price_pence, str(row.invoiced_on)) for row in table.rows] == [
        ("A", 1, 1250, "2022-01-08"),
        ("B", 2, 300, "None"),
    ]
    assert [(fault.line, fault.column) for fault in table.faults] == [(3, "order_ref"), (3, "unit_price_gross")]
    assert (table.given, table.encoding) == (3, "Parquet")


@pytest.mark.parametrize("strange", [pa.array([[1]]), pa.array([b"\xff"]), pa.array([{"a": 1}])])
def test_parquet_columns_that_are_no_cells(tmp_path: Path, strange: Any) -> None:
    path = tmp_path / "codes.parquet"
    pq.write_table(pa.table({"stock_code": strange}), path)
    assert not read_table(path, layouts.STOCK_CODES).is_whole
