"""Files as people have them read like their clean twins: forms, headings, signs and rows that are no records."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files import layouts
from khaos_swap_assets.adapters.files.maps import read_maps, write_maps
from khaos_swap_assets.adapters.files.reading import read_table
from khaos_swap_assets.adapters.files.recognising import Reading
from khaos_swap_assets.adapters.files.tables import Asked, Table

HEAD = ["credit_note_code", "associated_ref", "order_ref", "customer_ref", "created_on", "stock_code"]
HEAD += ["quantity", "gross", "net", "delivery_gross"]
CLEAN = [
    ["CN1", "RMA1", "A1", "C1", "2026-03-03", "SOFA", "1", "1234.50", "1028.75", "3.95"],
    ["CN1", "RMA1", "A1", "C1", "2026-03-03", "MUG", "2", "24.00", "20.00", "3.95"],
    ["CN2", "RMA2", "A2", "C2", "2026-03-31", "0017", "1", "12.00", "10.00", ""],
]
Rows = list[list[str]]
Form = Callable[[Path], Path]


def as_csv(
    rows: Rows, head: list[str] | None = None, *, separator: str = ",", codec: str = "utf-8", above: str = ""
) -> Form:
    def write(folder: Path) -> Path:
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows([head or HEAD, *rows])
        path = folder / "notes.csv"
        path.write_bytes((above + text.getvalue()).encode(codec))
        return path

    return write


def mapped(cells: dict[int, Callable[[str], str]]) -> Rows:
    return [[cells.get(place, str)(cell) if cell else cell for place, cell in enumerate(row)] for row in CLEAN]


def uk(text: str) -> str:
    return date.fromisoformat(text).strftime("%d/%m/%Y")


def pounds(text: str) -> str:
    return f"£{float(text):,.2f}"


def comma(text: str) -> str:
    return f"{float(text):,.2f}".translate(str.maketrans(",.", ".,"))


def minus(text: str) -> str:
    return f"-{text}"


def bracketed(text: str) -> str:
    return f"({text})"


def all_money(change: Callable[[str], str]) -> dict[int, Callable[[str], str]]:
    return {7: change, 8: change, 9: change}


def as_workbook(*, title: bool = False, typed: bool = True, other_sheet: bool = False) -> Form:
    def write(folder: Path) -> Path:
        path = folder / "notes.xlsx"
        with xlsxwriter.Workbook(str(path)) as book:
            if other_sheet:
                book.add_worksheet("Notes to self").write_string(0, 0, "nothing here")
            sheet, day = book.add_worksheet("Credit Notes"), book.add_format({"num_format": "dd/mm/yyyy"})
            rows = [["Credit Notes of March"], [], HEAD] if title else [HEAD]
            for number, cells in enumerate([*rows, *CLEAN]):
                for column, cell in enumerate(cells):
                    if typed and cell in {row[4] for row in CLEAN}:
                        sheet.write_datetime(number, column, datetime.fromisoformat(cell), day)
                    elif typed and column >= 6 and cell.replace(".", "").isdigit():
                        sheet.write_number(number, column, float(cell))
                    elif cell:
                        sheet.write_string(number, column, cell)
        return path

    return write


def as_parquet(folder: Path) -> Path:
    pq.write_table(
        pa.table({name: [row[place] for row in CLEAN] for place, name in enumerate(HEAD)}), folder / "n.parquet"
    )
    return folder / "n.parquet"


def as_json(folder: Path) -> Path:
    path = folder / "notes.json"
    path.write_text(json.dumps({"notes": [dict(zip(HEAD, row, strict=True)) for row in CLEAN]}))
    return path


def as_zip(form: Form) -> Form:
    def write(folder: Path) -> Path:
        inner, path = form(folder), folder / "notes.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(inner, f"export/{inner.name}")
            archive.writestr("__MACOSX/._notes.csv", "x")
        return path

    return write


BLANKS = [["", "", "", "", "", "", "", "", "", ""]]
TOTAL = ["Total", "", "", "", "", "", "4", "1270.50", "1058.75", ""]
CONTINUED = [CLEAN[0], ["", "", "", "", "", "MUG", "2", "24.00", "20.00", ""], CLEAN[2]]
KHAOS = ["Inv Code", "Ass. Ref", "SO Code", "URN", "Inv Date", "Stock Code", "Qty", "Total", "Net", "Delivery"]
FORMS: dict[str, Form] = {
    "tabs": as_csv(CLEAN, separator="\t"),
    "semicolons": as_csv(CLEAN, separator=";"),
    "pipes": as_csv(CLEAN, separator="|"),
    "byte order mark": as_csv(CLEAN, codec="utf-8-sig"),
    "UTF-16": as_csv(CLEAN, codec="utf-16"),
    "UTF-16 without mark": as_csv(CLEAN, codec="utf-16-le"),
    "Windows-1252": as_csv(mapped(all_money(pounds)), codec="cp1252"),
    "pound signs": as_csv(mapped(all_money(pounds))),
    "decimal commas": as_csv(mapped(all_money(comma)), separator=";"),
    "UK days": as_csv(mapped({4: uk})),
    "UK days with times": as_csv(mapped({4: lambda text: f"{uk(text)} 23:30"})),
    "named months": as_csv(mapped({4: lambda text: date.fromisoformat(text).strftime("%d-%b-%y")})),
    "days as Excel counts them": as_csv(
        mapped({4: lambda text: str((date.fromisoformat(text) - date(1899, 12, 30)).days)})
    ),
    "negative throughout": as_csv(mapped({6: minus, **all_money(minus)})),
    "brackets throughout": as_csv(mapped(all_money(bracketed))),
    "title lines": as_csv(CLEAN, above="Credit Notes of March\n\n"),
    "rows of commas": as_csv([CLEAN[0], *BLANKS, CLEAN[1], CLEAN[2], *BLANKS, *BLANKS]),
    "headings repeated": as_csv([CLEAN[0], HEAD, CLEAN[1], CLEAN[2]]),
    "totals line": as_csv([*CLEAN, TOTAL]),
    "totals line without a word": as_csv([*CLEAN, ["", *TOTAL[1:]]]),
    "footer": as_csv([*CLEAN, ["Exported on 1 April by Jo", *[""] * 9]]),
    "cells left blank on lines that continue": as_csv(CONTINUED),
    "delivery on the first line only": as_csv([CLEAN[0], [*CLEAN[1][:9], "0.00"], CLEAN[2]]),
    "Khaos's headings": as_csv(CLEAN, KHAOS),
    "other columns between": as_csv([[*row[:5], "x", *row[5:]] for row in CLEAN], [*HEAD[:5], "Staff", *HEAD[5:]]),
    "capitals and spaces in headings": as_csv(CLEAN, [name.replace("_", " ").title() for name in HEAD]),
    "workbook": as_workbook(),
    "workbook of text": as_workbook(typed=False),
    "workbook with a title": as_workbook(title=True),
    "workbook with another sheet": as_workbook(other_sheet=True),
    "Parquet": as_parquet,
    "JSON": as_json,
    "zip of CSV": as_zip(as_csv(CLEAN)),
    "zip of a workbook": as_zip(as_workbook()),
}


def read(path: Path, asked: Asked | None = None) -> Table[Any]:
    table = read_table(path, layouts.CREDIT_NOTES, asked=asked)
    assert not table.is_whole or len(table.rows) + table.rejected + table.no_data.total() == table.given
    return table


def meant(table: Table[Any]) -> list[Any]:
    """The rows as a person means them: without their lines, delivery once a note."""
    delivery = {row.credit_note_code: max(row.delivery_pence or 0, 0) for row in table.rows if row.delivery_pence}
    refs = {row.credit_note_code: row for row in reversed(table.rows) if row.associated_ref}
    return sorted(
        row._replace(
            line=0,
            quantity=abs(row.quantity),
            delivery_pence=delivery.get(row.credit_note_code),
            associated_ref=refs[row.credit_note_code].associated_ref,
            order_ref=refs[row.credit_note_code].order_ref,
            customer_ref=refs[row.credit_note_code].customer_ref,
            created_on=refs[row.credit_note_code].created_on,
        )
        for row in table.rows
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    table = read(as_csv(CLEAN)(tmp_path_factory.mktemp("clean")))
    assert len(table.rows) == len(CLEAN)
    return meant(table)


@given(st.permutations(range(len(HEAD))), st.permutations(range(len(CLEAN))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shuffled_rows_and_columns_read_the_same(
    tmp_path: Path, clean: list[Any], places: list[int], order: list[int]
) -> None:
    written = mapped({4: uk, **all_money(pounds)})
    rows = [[written[at][place] for place in places] for at in order]
    table = read(as_csv(rows, [HEAD[place] for place in places])(tmp_path))
    assert meant(table) == clean


ASKED = [
    (as_csv([[*row[:4], "03/02/2026", *row[5:]] for row in CLEAN]), "--dates uk"),
    (
        as_csv([[*CLEAN[0][:4], "31/03/2026", *CLEAN[0][5:]], [*CLEAN[2][:4], "03/31/2026", *CLEAN[2][5:]]]),
        "both orders",
    ),
    (as_csv([[*row[:5], "5.06E+12", *row[6:]] for row in CLEAN]), "shortened by a spreadsheet"),
    (
        as_csv(
            [["€5" if place == 7 else cell for place, cell in enumerate(row)] + ["GBP"] for row in CLEAN],
            [*HEAD, "currency"],
        ),
        "is in EUR",
    ),
    (as_csv(CLEAN, ["Credit Note Nr", *HEAD[1:]]), "Is it 'Credit Note Nr' ('CN1', 'CN1', 'CN2')"),
    (as_csv([CLEAN[0][:9], *CLEAN[1:]]), "needs quotes"),
    (as_csv([[*CLEAN[0][:7], "12.00", "-10.00", ""]]), "another sign"),
]


@pytest.mark.parametrize(("form", "told"), ASKED)
def test_what_nothing_settles_is_asked_in_one_line(tmp_path: Path, form: Form, told: str) -> None:
    kinds = [str(kind) for kind in read(form(tmp_path)).kinds]
    assert any(told in kind for kind in kinds), kinds


def test_a_persons_word_settles_days(tmp_path: Path) -> None:
    path = as_csv([[*row[:4], "03/02/2026", *row[5:]] for row in CLEAN])(tmp_path)
    assert {row.created_on for row in read(path, Asked(dates="uk")).rows} == {date(2026, 2, 3)}
    assert {row.created_on for row in read(path, Asked(dates="us")).rows} == {date(2026, 3, 2)}


def test_a_proof_in_the_file_beats_a_persons_word(tmp_path: Path) -> None:
    table = read(as_csv(mapped({4: uk}))(tmp_path), Asked(dates="us"))
    assert {row.created_on for row in table.rows} == {date(2026, 3, 3), date(2026, 3, 31)}
    assert "created_on is day first, as line 4 shows: 31/03/2026" in table.notices


def test_a_map_replays_a_reading_without_detecting(tmp_path: Path) -> None:
    form = as_csv([[*row[:4], uk(row[4]), *row[5:]] for row in CLEAN], KHAOS)
    (tmp_path / "a").mkdir()
    first = read(form(tmp_path / "a"))
    write_maps(tmp_path / "map.json", [first])
    said = read_maps(tmp_path / "map.json")["notes.csv"]
    next_month = as_csv([[*CLEAN[0][:4], "03/02/2026", *CLEAN[0][5:]]], KHAOS)(tmp_path)
    assert [row.created_on for row in read(next_month, Asked(said)).rows] == [date(2026, 2, 3)]
    other = as_csv([[*CLEAN[0][:4], "03/02/2026", *CLEAN[0][5:]]], [*KHAOS[:9], "Carriage"])(tmp_path)
    assert "other headings than the map" in str(read(other, Asked(said)).kinds[0])
    assert said == replace(said, columns=dict(said.columns))


def test_headings_of_ones_own_are_mapped_by_a_person(tmp_path: Path, clean: list[Any]) -> None:
    head = [f"Field {number}" for number in range(len(HEAD))]
    (tmp_path / "map.json").write_text(json.dumps({"notes.csv": dict(zip(head, HEAD, strict=True))}))
    said = read_maps(tmp_path / "map.json")["notes.csv"]
    assert meant(read(as_csv(CLEAN, head)(tmp_path), Asked(said))) == clean


def test_one_heading_that_a_person_names_leaves_a_known_export_known(tmp_path: Path, clean: list[Any]) -> None:
    path = as_csv(CLEAN, [*KHAOS[:7], "Money back", *KHAOS[8:]])(tmp_path)
    assert not read(path).is_whole
    assert meant(read(path, Asked(Reading({"Money back": "gross"})))) == clean


def test_a_near_miss_of_an_optional_column_is_asked_about_and_not_used(tmp_path: Path) -> None:
    table = read(as_csv(CLEAN, [*HEAD[:8], "Net Amount", HEAD[9]])(tmp_path))
    assert [(near.column, near.heading) for near in table.nears] == [("net", "Net Amount")]
    assert table.rows[0].net_pence is None
    assert table.ignored_columns == ("Net Amount",)


def test_a_fee_on_a_note_stays_negative_and_a_note_in_brackets_is_a_credit(tmp_path: Path) -> None:
    fee = ["CN1", "RMA1", "A1", "C1", "2026-03-03", "FEE", "1", "-2.95", "-2.46", ""]
    turned = [*CLEAN[2][:7], "(12.00)", "(10.00)", ""]
    table = read(as_csv([CLEAN[0], fee, turned])(tmp_path))
    assert [row.gross_pence for row in table.rows] == [123450, -295, 1200]
    assert any("1 Credit Notes are written negative and 1 positive" in one for one in table.notices)


def test_a_totals_line_that_does_not_add_up_is_told(tmp_path: Path) -> None:
    table = read(as_csv([*CLEAN, [*TOTAL[:7], "1,280.50", *TOTAL[8:]]])(tmp_path))
    assert any("its gross is £1,280.50, the lines above it £1,270.50" in one for one in table.notices)


def test_a_row_above_the_headings_is_not_lost(tmp_path: Path) -> None:
    table = read(as_csv(CLEAN, above=",".join(CLEAN[2]) + "\n")(tmp_path))
    assert [(fault.line, fault.reason) for fault in table.faults] == [(1, "stands above the line of the headings")]


def test_many_faults_of_one_kind_are_one_line_with_an_exact_count(tmp_path: Path) -> None:
    rows = [[f"CN{number}", *CLEAN[0][1:7], "NaN", "", ""] for number in range(12_000)]
    table = read(as_csv(rows)(tmp_path))
    (kind,) = table.kinds
    assert (kind.rows, len(kind.examples), len(list(table.faults)), table.rejected) == (12_000, 3, 12_000, 12_000)
    assert str(kind).startswith("notes.csv, column gross: 12,000 rows, e.g. line 2 'NaN', line 3 'NaN', line 4 'NaN'")


REFUND_HEAD = ["Order", "Transaction", "Kind", "Gateway", "Amount", "Currency", "Created At", "Status"]


def test_shopifys_transactions_hold_sales_that_are_no_refunds(tmp_path: Path) -> None:
    rows = [
        ["#A1", "t1", "sale", "shopify_payments", "60.00", "GBP", "2026-02-10 12:00:00 +0000", "success"],
        ["#A1", "t2", "refund", "shopify_payments", "60.00", "GBP", "2026-03-02 15:00:00 +0000", "success"],
    ]
    table = read_table(as_csv(rows, REFUND_HEAD)(tmp_path), layouts.REFUNDS)
    assert [(row.refund_id, row.amount_pence) for row in table.rows] == [("t2", 6000)]
    assert table.no_data == {"sale (money from the customer)": 1}


def test_refunds_of_both_signs_need_a_kind(tmp_path: Path) -> None:
    rows = [["r1", "A1", "60.00", "success"], ["r2", "A1", "-60.00", "success"]]
    table = read_table(as_csv(rows, ["refund_id", "order_ref", "amount", "status"])(tmp_path), layouts.REFUNDS)
    assert [(fault.line, fault.column) for fault in table.faults] == [(3, "amount")]
    both = [["r2", "A1", "-60.00", "success"], ["r3", "A2", "-5", "success"]]
    table = read_table(as_csv(both, ["refund_id", "order_ref", "amount", "status"])(tmp_path), layouts.REFUNDS)
    assert [row.amount_pence for row in table.rows] == [6000, 500]
