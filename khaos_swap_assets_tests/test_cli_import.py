"""``khaos-swap import``: a bad file imports nothing and is told whole; a good one says what it changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.imports import import_app
from khaos_swap_assets.cli.postings import Reach

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOTES = "credit_note_code,customer_ref,created_on,stock_code,quantity,gross\n"
GOOD = f"{NOTES}CN1,C1,2026-03-09,HAT,1,10.00\nCN2,C2,2026-03-09,HAT,1,12.00\n"
BAD = f"{NOTES}CN1,C1,2026-03-09,HAT,1,10.00\nCN2,C2,yesterday,HAT,one,12.00\nCN2,C2,2026-03-09,HAT,1,1.00\n"
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    reach = Reach(
        lambda: store.connect(database_url, application="tests"), Settings, lambda: pytest.fail("asked"), lambda: NOW
    )
    return lambda *words: CliRunner().invoke(import_app(reach), [words[0], "--by", "Kim", *map(str, words[1:])])


def kept(database: psycopg.Connection[Any]) -> list[Any]:
    return database.execute("SELECT credit_note_code, gross_pence FROM khaos.credit_notes ORDER BY 1").fetchall()


def test_a_good_file_of_notes(run: Run, database: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text(GOOD)
    done = run("credit-notes", tmp_path / "notes.csv", "--complete-to", "2026-03-10T08:00")
    assert (done.exit_code, done.stdout) == (
        0, "2 documents in 2 rows: 2 new or changed, 0 as Khaos itself told them; 0 returns are looked at next\n",
    )  # fmt: skip
    assert kept(database) == [("CN1", 1000), ("CN2", 1200)]
    row = database.execute("SELECT imported_by, complete_to, file_name FROM recon.imports").fetchone()
    assert row == ("Kim", datetime(2026, 3, 10, 8, tzinfo=UTC), "notes.csv")
    assert "0 new or changed" in run("credit-notes", tmp_path / "notes.csv").stdout


def test_a_note_that_a_complete_file_no_longer_has_is_told_with_what_to_do(run: Run, tmp_path: Path) -> None:
    first, *rest = GOOD.splitlines(keepends=True)
    (tmp_path / "notes.csv").write_text(GOOD)
    run("credit-notes", tmp_path / "notes.csv")
    (tmp_path / "less.csv").write_text("".join([first, *(line for line in rest if "CN1" not in line)]))
    done = run("credit-notes", tmp_path / "less.csv", "--complete-to", "2026-03-10T08:00")
    assert done.exit_code == 0
    assert "no longer in the file: 1 Credit Notes, CN1. They still count" in done.stderr
    assert "khaos-swap links undo" in done.stderr


def test_everything_wrong_is_told_and_nothing_is_imported(
    run: Run, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "notes.csv").write_text(BAD)
    done = run("credit-notes", tmp_path / "notes.csv")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "notes.csv, line 3, column created_on: 'yesterday' is no date: YYYY-MM-DD is expected, with or without a time",
        "notes.csv, line 3, column quantity: 'one' is no number that we can read",
    ]
    assert kept(database) == []
    assert [path.name for path in tmp_path.iterdir()] == ["notes.csv"]


@pytest.mark.parametrize("where", ["", "elsewhere.csv"])
def test_bad_rows_go_to_a_file_with_all_of_their_document(
    run: Run, database: psycopg.Connection[Any], tmp_path: Path, where: str
) -> None:
    (tmp_path / "notes.csv").write_text(BAD)
    more = ["--rejected", tmp_path / where] if where else []
    done = run("credit-notes", tmp_path / "notes.csv", "--skip-bad-rows", *more)
    assert done.exit_code == 0
    assert kept(database) == [("CN1", 1000)]
    rejected = tmp_path / (where or "notes.csv.rejected.csv")
    assert f"rejected: 2 of 3 rows, see {rejected}" in done.stderr
    assert [line.split(",")[:3] for line in rejected.read_text().splitlines()] == [
        ["file", "line", "column"],
        ["notes.csv", "3", "created_on;quantity"],
        ["notes.csv", "4", "credit_note_code"],
    ]


def test_a_file_that_lost_rows_is_not_complete(run: Run, database: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text(BAD)
    done = run("credit-notes", tmp_path / "notes.csv", "--skip-bad-rows", "--complete-to", "2026-03-10 08:00")
    assert done.exit_code == 2
    assert "does not hold everything" in done.stderr
    assert kept(database) == []


@pytest.mark.parametrize(
    ("name", "words"), [("nothing.csv", "cannot be read"), ("empty.csv", "is empty"), ("other.csv", "is missing")]
)
def test_a_file_that_is_none_is_refused_even_when_bad_rows_are_skipped(
    run: Run, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    done = run("sales-orders", tmp_path / name, "--skip-bad-rows")
    assert done.exit_code == 2
    assert words in done.stderr


def _as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def _as_windows(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [";".join(rows[0]), *(";".join(map(str, row.values())) for row in rows)]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))


def _as_utf8_with_bom(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines), encoding="utf-8-sig")


@pytest.mark.parametrize("write", [_as_parquet, _as_windows, _as_utf8_with_bom])
def test_orders_in_every_shape_of_file(
    run: Run, database: psycopg.Connection[Any], tmp_path: Path, write: Callable[[Path, list[dict[str, Any]]], None]
) -> None:
    row = {"order_ref": "LX1", "customer_ref": "Café", "stock_code": "HAT", "quantity": 2, "unit_price_gross": "9.99"}
    write(tmp_path / "orders", [row])
    assert run("sales-orders", tmp_path / "orders").exit_code == 0
    found = database.execute(
        "SELECT so_code, customer_code, quantity, gross_pence, source FROM khaos.sales_orders "
        "JOIN khaos.order_lines USING (so_code)"
    ).fetchall()
    assert found == [("LX1", "Café", 2, 1998, "file")]


def test_a_name_is_needed(run: Run, tmp_path: Path, database_url: str) -> None:
    (tmp_path / "notes.csv").write_text(GOOD)
    done = run("credit-notes", tmp_path / "notes.csv", "--by", " ")
    assert (done.exit_code, done.stderr) == (2, "--by: give your name, for the audit log\n")


def test_a_map_of_the_audit_says_how_a_file_is_read(
    run: Run, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "april.csv").write_text(GOOD.replace("credit_note_code", "Nr").replace("2026-03-09", "03/09/2026"))
    assert run("credit-notes", tmp_path / "april.csv").exit_code == 2
    columns = {"Nr": "credit_note_code", **{name: name for name in NOTES.strip().split(",")[1:]}}
    said = {
        "columns": columns,
        "headings": list(columns),
        "separator": ",",
        "dates": {"created_on": "us"},
        "decimal": ".",
    }
    (tmp_path / "map.json").write_text(json.dumps({"march.csv": said}))
    done = run("credit-notes", tmp_path / "april.csv", "--map", tmp_path / "map.json")
    assert done.exit_code == 0, done.output
    assert database.execute("SELECT DISTINCT created_on::text FROM khaos.credit_notes").fetchall() == [("2026-03-09",)]
