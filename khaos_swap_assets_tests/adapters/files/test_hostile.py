"""Hostile files are refused in one line by what people run, quickly, and nothing of them is opened or written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
import typer
from typer.testing import CliRunner

from khaos_swap_assets.adapters.files import workbooks
from khaos_swap_assets.cli.audit import audit_command
from khaos_swap_assets_tests.adapters.files.test_workbooks import HEAD, HOSTILE, Change, book, changed
from khaos_swap_assets_tests.audit.files import small_shop

MANY = 300_000
LINE = "credit_note_code,stock_code,quantity,gross\nCN1,MUG,1,12.00\n"
Make = Callable[[Path], Path]


def refused(tmp_path: Path, notes: Path) -> str:
    """What the command says of these Credit Notes beside sound files: one line, exit 2, no folder."""
    app = typer.Typer()
    app.command("audit")(audit_command)
    paths = small_shop().write(tmp_path / "in")
    given = {
        "--returns": paths.returns,
        "--stock-codes": paths.stock_codes,
        "--sales-orders": paths.sales_orders,
        "--credit-notes": notes,
        "--out": tmp_path / "out",
    }
    begun = perf_counter()
    done = CliRunner().invoke(app, [text for name, path in given.items() for text in (name, str(path))])
    assert (done.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert perf_counter() - begun < 30
    (line,) = done.stderr.splitlines()
    assert line.startswith(notes.name)
    assert len(line) < 400
    return line


@pytest.mark.parametrize(("change", "told"), HOSTILE)
def test_a_workbook(tmp_path: Path, change: Change, told: str) -> None:
    assert told in refused(tmp_path, changed(book(tmp_path / "notes.xlsx", [HEAD, ["CN1", "MUG", 1, 12]]), change))


def zipped(*members: tuple[str, bytes]) -> Make:
    def make(folder: Path) -> Path:
        path = folder / "notes.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                archive.writestr(name, data)
        return path

    return make


def wide(suffix: str) -> Make:
    def make(folder: Path) -> Path:
        path, names = folder / f"notes.{suffix}", [f"c{number}" for number in range(MANY)]
        path.write_text(json.dumps([dict.fromkeys(names, "1")]) if suffix == "json" else ",".join(names) + "\n")
        return path

    return make


FILES: dict[str, tuple[Make, str]] = {
    "a bomb": (zipped(("notes.csv", b"a" * 60_000_000)), "unpacks to 60,000,000 bytes"),
    "a zip in a zip": (zipped(("notes.zip", b"PK\x03\x04" + b"\0" * 100)), "no workbook that we can read"),
    "a name that leads up": (zipped(("../../notes.csv", LINE.encode())), "leads out of its folder"),
    "a name from the root": (zipped(("/etc/notes.csv", LINE.encode())), "leads out of its folder"),
    "a name of another drive": (zipped(("C:\\notes.csv", LINE.encode())), "leads out of its folder"),
    "several files": (zipped(("a.csv", b"a"), ("b.csv", b"b")), "is a zip of 2 files (a.csv, b.csv)"),
    "too many columns": (wide("csv"), "has 300,000 columns, which no export has"),
    "too many fields": (wide("json"), "has 300,000 columns, which no export has"),
}


@pytest.mark.parametrize("name", FILES)
def test_an_archive_or_a_table(tmp_path: Path, name: str) -> None:
    make, told = FILES[name]
    assert told in refused(tmp_path, make(tmp_path))


def test_what_unpacks_to_more_than_anybody_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 1_000)
    assert "unpacks to" in refused(tmp_path, book(tmp_path / "notes.xlsx", [HEAD, ["CN1", "MUG", 1, 12]]))


def test_a_formula_is_never_calculated(tmp_path: Path) -> None:
    def plant(parts: dict[str, bytes]) -> None:
        sheet = "xl/worksheets/sheet1.xml"
        parts[sheet] = parts[sheet].replace(b"<v>12</v>", b"<f>WEBSERVICE(&quot;http://127.0.0.1&quot;)</f>")

    told = refused(tmp_path, changed(book(tmp_path / "notes.xlsx", [HEAD, ["CN1", "MUG", 1, 12]]), plant))
    assert "a formula without a saved value" in told
