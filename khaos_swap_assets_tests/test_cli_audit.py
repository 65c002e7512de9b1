"""The command: options, exit codes, and one line for each thing that is wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from khaos_swap_assets.cli.audit import audit_command
from khaos_swap_assets_tests.audit.files import Shop, small_shop


def run(shop: Shop, folder: Path, *more: str) -> Result:
    app = typer.Typer()
    app.command("audit")(audit_command)
    paths = shop.write(folder / "in")
    files = {
        "--returns": paths.returns,
        "--stock-codes": paths.stock_codes,
        "--sales-orders": paths.sales_orders,
        "--credit-notes": paths.credit_notes,
        "--out": folder / "out",
    }
    options = [text for name, path in files.items() for text in (name, str(path))]
    refunds = ["--refunds", str(paths.refunds)] if paths.refunds else []
    return CliRunner().invoke(app, [*options, *refunds, *more])


def test_a_good_run(tmp_path: Path) -> None:
    result = run(small_shop(), tmp_path, "--as-of", "2026-03-31")
    assert result.exit_code == 0, result.output
    assert "8 returns, 7 Credit Notes, as of 2026-03-31" in result.stdout
    assert "Not reconciled: £82.48 in 4" in result.stdout
    assert str(tmp_path / "out" / "report.html") in result.stdout
    assert result.stderr == ""


def test_the_days_are_passed_on(tmp_path: Path) -> None:
    result = run(small_shop(), tmp_path, "--from", "2026-05-01", "--to", "2026-05-31", "--as-of", "2026-03-31")
    assert result.exit_code == 0
    assert "Nothing to reconcile" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_every_fault_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[0]["gross"] = "minus five"
    shop.orders[1] |= {"quantity": "two", "unit_price_gross": "\x1b[31m"}
    shop.returns[2]["date_closed"] = "soon"
    result = run(shop, tmp_path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "returns.jsonl, line 3, column date_closed: 'soon' no date that we can read, shaped like 'AAAA'",
        "orders.csv, line 3, column quantity: 'two' is no number that we can read",
        "orders.csv, line 3, column unit_price_gross: '\\x1b[31m' is no amount of money",
        "notes.csv, line 2, column gross: 'minus five' is no amount of money",
    ]
    assert not (tmp_path / "out").exists()


def test_bad_rows_may_be_skipped(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[0]["gross"] = "minus five"
    result = run(shop, tmp_path, "--skip-bad-rows", "--as-of", "2026-03-31")
    assert result.exit_code == 0
    assert "Rejected records, in none of the figures: 1," in result.stdout
    assert "Left out of credit notes: 1 whose amount cannot be read" in result.stdout
    assert (tmp_path / "out" / "rejected.csv").exists()


def test_the_pounds_left_out_stand_on_the_first_page(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes[0] |= {"created_on": "soon"}
    shop.notes[1] |= {"quantity": "two", "currency": "EUR"}
    shop.returns[2]["date_closed"] = "soon"
    shop.paid(1, "24.99", status="perhaps")
    result = run(shop, tmp_path, "--skip-bad-rows", "--as-of", "2026-03-31")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    told = "Left out: returns: £24.99; credit notes: €22.49, £24.99; refunds: £24.99."
    assert told in page.split("The files, as they were read")[0]
    assert "main good" not in page


def test_the_example_is_written_and_its_command_runs(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("audit")(audit_command)
    told = CliRunner().invoke(app, ["--example", str(tmp_path / "example")])
    assert told.exit_code == 0, told.output
    first, second = told.stdout.splitlines()[1::2]
    assert first.startswith("khaos-swap audit --returns ")
    result = CliRunner().invoke(app, first.split()[2:])
    assert "62 returns, " in result.stdout
    assert (tmp_path / "example" / "report" / "report.html").exists()
    result = CliRunner().invoke(app, second.split()[2:])
    assert "Decided by people: " in result.stdout
    assert (tmp_path / "example" / "report-with-money" / "decisions.csv").exists()


def test_an_example_that_cannot_be_written(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command("audit")(audit_command)
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["--example", str(tmp_path / "file")])
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


def test_columns_that_are_not_used_are_told(tmp_path: Path) -> None:
    shop = small_shop()
    paths = shop.write(tmp_path / "in")
    result = run(shop, tmp_path, "--as-of", "2026-03-31")
    assert "columns not used" not in result.stdout
    paths.credit_notes.write_text(paths.credit_notes.read_text().replace("net", "Posted By", 1))
    options = ("--credit-notes", str(paths.credit_notes), "--as-of", "2026-03-31")
    moved = paths.credit_notes.rename(tmp_path / "mine.csv")
    result = run(shop, tmp_path, options[0], str(moved), *options[2:])
    assert "mine.csv: columns not used: 'Posted By'" in result.stdout


WRONG = [
    (["--as-of", "31/03/2026"], "Invalid value for '--as-of'"),
    (["--from", "2026-03-31", "--to", "2026-03-01"], "is after --to"),
    (["--refunds", "/nowhere/refunds.csv"], "refunds.csv: cannot be read: No such file"),
]


@pytest.mark.parametrize(("options", "told"), WRONG)
def test_wrong_options(tmp_path: Path, options: list[str], told: str) -> None:
    result = run(small_shop(), tmp_path, *options)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_missing_cannot_be_skipped(tmp_path: Path) -> None:
    result = run(small_shop(), tmp_path, "--refunds", str(tmp_path), "--skip-bad-rows")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)


def test_the_limits_of_the_files_are_told_before_the_figures_are_believed(tmp_path: Path) -> None:
    shop = small_shop()
    for note in shop.notes:
        note.pop("net")
    result = run(shop, tmp_path, "--as-of", "2026-03-31")
    assert "Not compared. VAT:" in result.stdout
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What was not compared" in page
    assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["not_compared"]


def test_a_total_that_differs_stops_the_audit_and_one_that_agrees_does_not(tmp_path: Path) -> None:
    shop = small_shop()
    shop.notes = [note for note in shop.notes if note["currency"] == "GBP"]
    total = sum(Decimal(note["gross"]) for note in shop.notes)
    wrong = run(shop, tmp_path, "--expect-total", f"credit-notes={total + 1}")
    assert (wrong.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert "£-1.00 apart" in wrong.stderr or "-£1.00 apart" in wrong.stderr
    right = run(shop, tmp_path, "--expect-total", f"credit-notes={total}", "--as-of", "2026-03-31")
    assert right.exit_code == 0
    odd = run(shop, tmp_path, "--expect-total", "stock=5")
    assert "names no file" in odd.stderr


def test_a_map_is_written_with_its_proposals_even_where_the_audit_stops(tmp_path: Path) -> None:
    shop = small_shop()
    paths = shop.write(tmp_path / "in")
    text = paths.credit_notes.read_text().replace("credit_note_code", "Credit Note Nr", 1)
    mine = tmp_path / "mine.csv"
    mine.write_text(text)
    options = ("--credit-notes", str(mine), "--as-of", "2026-03-31")
    stopped = run(shop, tmp_path, *options, "--map-out", str(tmp_path / "map.json"))
    assert stopped.exit_code == 2
    assert "Is it 'Credit Note Nr' ('CN1', 'CN2'" in stopped.stderr
    assert run(shop, tmp_path, *options, "--map", str(tmp_path / "map.json")).exit_code == 0


def test_a_map_is_for_files_of_its_headings_whatever_their_names(tmp_path: Path) -> None:
    shop = small_shop()
    text = shop.write(tmp_path / "in").credit_notes.read_text().replace("credit_note_code", "Credit Note Nr", 1)
    for name in ("march.csv", "april.csv"):
        (tmp_path / name).write_text(text)
    options = ("--as-of", "2026-03-31", "--credit-notes")
    run(shop, tmp_path, *options, str(tmp_path / "march.csv"), "--map-out", str(tmp_path / "map.json"))
    april = run(shop, tmp_path, *options, str(tmp_path / "april.csv"), "--map", str(tmp_path / "map.json"))
    assert april.exit_code == 0, april.output


def test_without_rates_on_the_orders_no_vat_is_compared_and_that_is_told(tmp_path: Path) -> None:
    shop = small_shop()
    for order in shop.orders:
        order.pop("vat_rate")
    result = run(shop, tmp_path, "--as-of", "2026-03-31")
    assert "no VAT rates, so that no VAT is compared" in result.stdout
    header, *rows = (tmp_path / "out" / "reconciliation.csv").read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("vat_gap_pence")
    assert {row.split(",")[place] for row in rows} == {""}
