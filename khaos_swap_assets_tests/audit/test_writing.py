"""The five files: their columns, their figures, and that they come all together or not at all."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from khaos_swap_assets.adapters.files.faults import BadInputError
from khaos_swap_assets.adapters.files.written import FORMULA_STARTS
from khaos_swap_assets.audit import run, workbook, writing
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.writing import OutputError
from khaos_swap_assets.domain.judging.value_conditions import WORST_FIRST
from khaos_swap_assets.domain.linking.records import PassName
from khaos_swap_assets_tests.audit.files import AS_OF, Shop, small_shop

HOSTILE = ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "<script>alert(1)</script>", 'x" onload="y', "https://e.example/x"]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIVE = {"reconciliation.csv", "exceptions.csv", "summary.json", "report.html", "report.xlsx"}


def written(shop: Shop, folder: Path) -> Path:
    run.audit(shop.write(folder / "in"), Span(AS_OF), folder / "out")
    return folder / "out"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hostile_shop() -> Shop:
    shop = Shop()
    for number, text in enumerate(HOSTILE, start=1):
        shop.sold(number, customer_ref=text)
        shop.returned(number, rma_number=text, return_id=f"{text} {number}", sku=text)
        shop.credited(f"{text}#{number}", 900 + number, associated_ref=text, order_ref=text)
    return shop


def test_the_columns_and_a_row_word_by_word(tmp_path: Path) -> None:
    text = (written(small_shop(), tmp_path) / "reconciliation.csv").read_text(encoding="utf-8").splitlines()
    assert text[0] == (
        "rma,return_id,order_ref,credit_note_codes,currency,refund_pence,credited_pence,gap_pence,"
        "gap_goods_pence,gap_quantity_pence,gap_tax_pence,gap_delivery_pence,gap_discount_pence,gap_fee_pence,"
        "gap_tender_pence,gap_exchange_pence,gap_fx_pence,gap_rounding_pence,gap_unexplained_pence,vat_gap_pence,"
        "status,matched_by,certainty,period,paid_on,credited_on,decision"
    )
    assert text[1] == (
        "RMA5,ret_5,KCCLX5,CN5A;CN5B,GBP,2499,4998,2499,0,2499,0,0,0,0,0,0,0,0,0,416,"
        "duplicate,reference,certain,2026-03,2026-03-02,2026-03-03,"
    )
    assert len(text) == 10


def test_the_exceptions_word_by_word(tmp_path: Path) -> None:
    rows = table(written(small_shop(), tmp_path) / "exceptions.csv")
    assert list(rows[0]) == list(writing.EXCEPTIONS)
    assert rows[2].pop("what_to_do").startswith("Post the Credit Note by hand in Khaos")
    assert rows[2] | {"message": ""} == {
        "kind": "credit_note_missing",
        "owner": "finance",
        "subject": "RMA3",
        "rma": "RMA3",
        "order_ref": "KCCLX3",
        "sku": "",
        "money_at_risk_pence": "2499",
        "opened_on": "2026-03-04",
        "message": "",
        "suggestion": "",
        "currency": "GBP",
        "decision": "",
    }


def test_every_row_adds_up(tmp_path: Path) -> None:
    for row in table(written(small_shop(), tmp_path) / "reconciliation.csv"):
        legs = [int(pence) for name, pence in row.items() if re.fullmatch(r"gap_\w+_pence", name)]
        assert int(row["credited_pence"]) - int(row["refund_pence"]) == int(row["gap_pence"]) == sum(legs)


def test_the_summary_has_the_figures_of_the_rows(tmp_path: Path) -> None:
    out = written(small_shop(), tmp_path)
    told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    rows = [row for row in table(out / "reconciliation.csv") if row["currency"] == "GBP"]
    pounds = told["currencies"]["GBP"]
    assert pounds["refunded_pence"] == sum(int(row["refund_pence"]) for row in rows)
    assert pounds["credited_pence"] == sum(int(row["credited_pence"]) for row in rows)
    assert pounds["not_reconciled"] == {"count": 4, "pence": 8248}
    assert told["order_ref_format"] == "KCC{0}"
    assert told["files"]["credit-notes"] | {"ignored_columns": []} == {
        "file": "notes.csv",
        "given": 7,
        "read": 7,
        "rejected": 0,
        "encoding": "UTF-8",
        "separator": ",",
        "ignored_columns": [],
        "left_out": {},
        "unvalued": 0,
    }
    assert told["links"] == {"certain": {"reference": 6}, "suggested": {}}


def test_the_same_input_gives_the_same_text(tmp_path: Path) -> None:
    first, second = written(small_shop(), tmp_path / "a"), written(small_shop(), tmp_path / "b")
    for name in FIVE - {"report.xlsx"}:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_no_csv_cell_begins_as_a_formula(tmp_path: Path) -> None:
    out = written(hostile_shop(), tmp_path)
    for name in ("reconciliation.csv", "exceptions.csv"):
        for row in table(out / name):
            for column, cell in row.items():
                assert column.endswith("_pence") or not cell.startswith(FORMULA_STARTS)
    assert any(row["rma"] == "'=1+1" for row in table(out / "reconciliation.csv"))


def sheets(path: Path) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(path) as book:
        names = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        return {name: ElementTree.fromstring(book.read(name)) for name in sorted(names)}


def test_no_workbook_cell_is_a_formula_or_a_link(tmp_path: Path) -> None:
    path = written(hostile_shop(), tmp_path) / "report.xlsx"
    for root in sheets(path).values():
        assert root.findall(f".//{SHEET}f") == []
        assert root.findall(f".//{SHEET}hyperlink") == []
    with zipfile.ZipFile(path) as book:
        assert any("=1+1" in book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def test_the_workbook_has_filters_frozen_headings_real_numbers_and_dates(tmp_path: Path) -> None:
    _, rows, exceptions = sheets(written(small_shop(), tmp_path) / "report.xlsx").values()
    for root in (rows, exceptions):
        assert root.find(f".//{SHEET}autoFilter") is not None
        pane = root.find(f".//{SHEET}pane")
        assert pane is not None
        assert pane.get("state") == "frozen"
    cells = {cell.get("r"): cell for cell in rows.iter(f"{SHEET}c")}
    values = {name: cells[name].findtext(f"{SHEET}v") for name in ("E2", "F2", "G2", "I2")}
    assert values == {"E2": "24.99", "F2": "49.98", "G2": "24.99", "I2": "46083"}
    assert all(cells[name].get("t") != "s" for name in values)


def test_a_page_that_needs_nothing_else_and_runs_nothing(tmp_path: Path) -> None:
    text = (written(hostile_shop(), tmp_path) / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search(r"""(src|href|onload)\s*=\s*["']?""", text.replace("&#34; onload=&#34;", ""))
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_says_what_matters(tmp_path: Path) -> None:
    text = (written(small_shop(), tmp_path) / "report.html").read_text(encoding="utf-8")
    for words in ("£82.48", "What to fix first", "Who acts", "How old it is", "The worst 4", "<svg", "EUR"):
        assert words in text


def test_detail_sheets_print_on_a4_landscape_page_by_page_with_what_a_row_is_about(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(written(small_shop(), tmp_path) / "report.xlsx")
    for name in ("Reconciliation", "Exceptions"):
        sheet = book[name]
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.print_title_rows, sheet.print_title_cols) == ("$1:$1", "$A:$A")
        widths = [sheet.column_dimensions[get_column_letter(at)].width for at in range(1, sheet.max_column + 1)]
        ends = [0, *(one.id for one in sheet.col_breaks.brk), len(widths)]
        for first, last in pairwise(ends):
            across = sum(widths[first:last]) + widths[0] * bool(first)
            assert across * int(sheet.page_setup.scale) / 100 < 125
            assert int(sheet.page_setup.scale) >= 55


def test_page_and_workbook_begin_with_what_was_read_and_what_was_not_compared(tmp_path: Path) -> None:
    out = written(small_shop(), tmp_path)
    text = (out / "report.html").read_text(encoding="utf-8")
    strip = text.partition("<h2>The files, as they were read</h2>")[2].partition("</table>")[0]
    cells = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", strip)]
    assert cells[-6:] == ["credit notes", "notes.csv", "7", "2026-03-03", "2026-03-03", "€24.99£152.46"]
    assert text.index("What was not compared") < text.index("as they were read") < text.index("Not reconciled")
    with zipfile.ZipFile(out / "report.xlsx") as book:
        told = re.findall(r"<t[^>]*>([^<]*)</t>", book.read("xl/worksheets/sheet1.xml").decode())
    assert {"What was not compared", "The files, as they were read", "Adds up to", "notes.csv"} <= set(told)
    assert any(one.startswith("Money: no refunds file was given") for one in told)


def test_the_causes_are_those_of_the_chart_and_add_up_to_the_gap(tmp_path: Path) -> None:
    out = written(small_shop(), tmp_path)
    pounds = json.loads((out / "summary.json").read_text(encoding="utf-8"))["currencies"]["GBP"]
    causes = (out / "report.html").read_text(encoding="utf-8").partition("<h2>Causes</h2>")[2].partition("</table>")[0]
    told = {
        cause: int(re.sub(r"[^0-9-]", "", amount.replace("\N{MINUS SIGN}", "-")))
        for cause, amount in re.findall(r'<td>([^<]+)</td><td class="n">([^<]+)</td>', causes)
    }
    assert told["Refunded, no Credit Note"] == pounds["statuses"]["credit_note_missing"]["gap_pence"] < 0
    assert sum(told.values()) == pounds["gap_pence"]


def test_nothing_to_reconcile_is_a_report_too(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1)
    text = (written(shop, tmp_path) / "report.html").read_text(encoding="utf-8")
    assert "Nothing to reconcile" in text


def test_all_cells_can_be_decimal_free_currencies(tmp_path: Path) -> None:
    shop = Shop()
    shop.sold(1, price="500", currency="JPY")
    shop.returned(1, cost="500", customer_currency="JPY")
    shop.credited("CN1", 1, gross="450", net="400", currency="JPY")
    out = written(shop, tmp_path)
    assert table(out / "reconciliation.csv")[0]["gap_pence"] == "-50"
    assert "50 JPY" in (out / "report.html").read_text(encoding="utf-8")


def test_bad_input_writes_nothing(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[0]["gross"] = "NaN"
    with pytest.raises(BadInputError) as caught:
        written(shop, tmp_path)
    assert not (tmp_path / "out").exists()
    assert [(fault.file, fault.line, fault.column) for fault in caught.value.faults] == [("notes.csv", 2, "gross")]


def test_skipped_rows_are_listed_and_counted(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[0] |= {"gross": "=cmd()", "quantity": "-1.5"}
    shop.orders[0]["quantity"] = "x"
    paths = shop.write(tmp_path / "in")
    done = run.audit(paths, Span(AS_OF), tmp_path / "out", skips_bad_rows=True)
    rejected = table(tmp_path / "out" / "rejected.csv")
    assert [(row["file"], row["line"], row["column"], row["value"]) for row in rejected] == [
        ("orders.csv", "2", "quantity", "x"),
        ("notes.csv", "2", "quantity;gross", "'-1.5; =cmd()"),
    ]
    assert done.summary.rejected == len(rejected) == 2
    for figures in done.summary.files.values():
        assert figures.read + figures.rejected == figures.given
    subjects = {row["subject"] for row in table(tmp_path / "out" / "exceptions.csv")}
    assert {"orders.csv:2", "notes.csv:2"} <= subjects


def test_an_old_list_of_rejected_rows_does_not_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "rejected.csv").write_text("old")
    (out / "mine.txt").write_text("mine")
    written(small_shop(), tmp_path)
    assert {path.name for path in out.iterdir()} == FIVE | {"mine.txt"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        written(small_shop(), tmp_path)


def test_a_failure_half_way_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workbook, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        written(small_shop(), tmp_path)
    assert list((tmp_path / "out").iterdir()) == []


def test_bytes_that_are_no_text_can_be_told(tmp_path: Path) -> None:
    paths = small_shop().write(tmp_path / "in")
    header, *lines = paths.stock_codes.read_bytes().split(b"\r\n")
    wounded = [
        header + ",größe,größe,größe".encode() + b"\xff",
        *(line + b",,," for line in lines if line),
        b"A\xff,,,,,,,,,",
    ]
    paths.stock_codes.write_bytes(b"\r\n".join(wounded))
    run.audit(paths, Span(AS_OF), tmp_path / "out", skips_bad_rows=True)
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert told["files"]["stock-codes"]["ignored_columns"] == ["größe", "größe", "größe\\udcff"]
    assert table(tmp_path / "out" / "rejected.csv")[0]["value"] == "A\\udcff"


def test_the_page_for_users_names_every_status_pass_and_kind() -> None:
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    names = {*WORST_FIRST, *get_args(PassName)} - {"codes_value", "differences_systematic"}
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_the_page_keeps_currencies_apart(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[-1]["currency"] = "EUR"
    text = (written(shop, tmp_path) / "report.html").read_text(encoding="utf-8")
    assert text.index("Not reconciled, GBP") < text.index("Not reconciled, EUR") < text.index("What to fix first")
    pounds, euros = text.split('<p class="currency">EUR</p>')
    assert "The worst 3" in pounds
    assert "The worst 1" in euros
    assert "€30.00" in euros
    assert "£24.99" not in euros.split("Who acts")[0]


def test_months_add_up_to_the_totals(tmp_path: Path) -> None:
    out = written(small_shop(), tmp_path)
    pounds = json.loads((out / "summary.json").read_text(encoding="utf-8"))["currencies"]["GBP"]
    months = pounds["months"].values()
    assert list(pounds["months"]) == ["2026-02", "2026-03"]
    for name in ("refunded_pence", "credited_pence"):
        assert sum(month[name] for month in months) == pounds[name]
    opened = [month["not_reconciled"] for month in months]
    assert sum(one["pence"] for one in opened) == pounds["not_reconciled"]["pence"]
    assert sum(one["count"] for one in opened) == pounds["not_reconciled"]["count"]
