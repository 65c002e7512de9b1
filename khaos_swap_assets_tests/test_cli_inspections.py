"""``khaos-swap inspections``: the warehouse's file goes in, what is unclear is asked, a wrong finding is replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.inspections import inspections_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets_tests.stages.town import Town, a_line, a_return

OPEN: dict[str, Any] = {"quality_control_status": "Pending"}
UPLOADED = """Order number;Product SKU;Condition;Returned quantity;Shelf
#LX1;HAT;Sellable;1;A4
LX1;HAT;Damaged;1;A4
#LX2;TIE;Wrong item;1;
#LX7;HAT;Sellable;1;
#LX2;TIE;Sellable;2;
#LX1;=cmd;Sellable;1;
"""
FOUND = "SELECT rma, sku, condition, quantity, inspected_by FROM recon.inspections ORDER BY rma, condition"
PLACES = "SELECT rma, place, units FROM recon.custody ORDER BY rma, place"
Run = Callable[..., Result]


@pytest.fixture
def town(database_url: str) -> Town:
    """Two HATs and a TIE that nobody looked at."""
    town = Town(database_url)
    town.sells_and_takes_back(a_return(1, a_line("HAT", 2, 2000), **OPEN), a_return(2, a_line("TIE"), **OPEN))
    town.sync()
    return town


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    reach = Reach(
        lambda: store.connect(town.url, application="tests"), Settings, lambda: pytest.fail("asked"), lambda: town.now
    )
    return lambda *words: CliRunner().invoke(inspections_app(reach), [*map(str, words)])


def test_the_file_that_swap_gets_goes_in_and_what_is_unclear_is_asked(run: Run, town: Town) -> None:
    Path("bench.csv").write_text(UPLOADED)
    done = run("import", "bench.csv", "--by", "Kim")
    assert (done.exit_code, done.stdout) == (1, "3 inspections are new, 0 were known; the next run acts on them\n")
    assert done.stderr.splitlines() == [
        "bench.csv, line 5: HAT: no return of order #LX7 holds this SKU",
        "bench.csv, line 6: TIE: every unit of it in RMA2 was inspected before",
        "bench.csv, line 7: =cmd: no return of order #LX1 holds this SKU",
        "questions: 3 of 6 rows, see bench.csv.rejected.csv; the others are in",
    ]
    assert "'=cmd" in Path("bench.csv.rejected.csv").read_text()
    assert town.ask(FOUND) == [
        ("RMA1", "HAT", "Damaged", 1, "Kim"),
        ("RMA1", "HAT", "Sellable", 1, "Kim"),
        ("RMA2", "TIE", "Wrong item", 1, "Kim"),
    ]
    town.sync()
    assert town.ask(PLACES) == [("RMA1", "inspected", 2), ("RMA2", "at_the_bench", 1)]
    assert "1 x TIE not what was sold" in town.one(
        "SELECT message FROM recon.exceptions WHERE kind = 'stock_not_returned'"
    )


def test_twice_changes_nothing(run: Run, town: Town) -> None:
    Path("bench.csv").write_text(UPLOADED)
    run("import", "bench.csv", "--by", "Kim")
    before = town.ask("SELECT * FROM recon.inspections ORDER BY 1")
    town.sync()
    again = run("import", "bench.csv", "--by", "Eve")
    assert again.stdout.startswith("0 inspections are new, 3 were known")
    assert town.ask("SELECT * FROM recon.inspections ORDER BY 1") == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("order,qty\n#LX1,1\n", "is missing"),
        ("order,sku,condition,qty\n#LX1,HAT,Sellable,many\n", "'many' is no number"),
        ("order,sku,condition,qty\n#LX1,HAT,Sellable,0\n", "is no unit: leave the row out"),
        ("order,sku,condition,qty\n#LX1,HAT,,1\n", "condition"),
    ],
)
def test_a_bad_file_or_row_is_told(run: Run, town: Town, text: str, words: str) -> None:
    Path("bad.csv").write_text(text)
    done = run("import", "bad.csv", "--by", "Kim")
    assert done.exit_code in (1, 2)
    assert words in done.stderr
    assert town.ask(FOUND) == []


def test_a_wrong_finding_is_replaced_and_the_goods_move_back(run: Run, town: Town) -> None:
    Path("bench.csv").write_text("rma,order,sku,condition,qty\nRMA1,LX1,HAT,Sellable,2\n")
    run("import", "bench.csv", "--by", "Kim")
    town.sync()
    town.pull()
    town.sync()
    assert town.ask(PLACES)[0] == ("RMA1", "available", 2)
    wrong = run("list", "--rma", "RMA1").stdout.split(":")[0]
    done = run("correct", wrong, "--condition", "Damaged", "--quantity", 2, "--by", "Eve", "--reason", "torn seam")
    assert done.stdout == f"{wrong} is replaced by {wrong}/corrected; the next run acts on it\n"
    town.sync()
    asked = town.ask("SELECT disposition, quantity, state FROM recon.stock_adjustments ORDER BY 1")
    assert asked == [("damaged", 2, "asked"), ("sellable", -2, "asked")]
    town.sync(minutes=20)
    town.khaos.levels["HAT"] -= 2
    town.sync(minutes=20)
    assert town.ask(PLACES)[0] == ("RMA1", "inspected", 2)
    assert town.one("SELECT count(*) FROM recon.inspections WHERE rma = 'RMA1'") == 2
    assert "2 x HAT Damaged" in run("list", "--rma", "RMA1").stdout
    assert town.ask("SELECT who, reason FROM recon.audit_log WHERE what = 'corrected'") == [("Eve", "torn seam")]


@pytest.mark.parametrize(("name", "words"), [("none", "there is no inspection none"), ("", "was corrected before")])
def test_what_cannot_be_corrected_is_told(run: Run, town: Town, name: str, words: str) -> None:
    Path("bench.csv").write_text("order,sku,condition,qty\nLX1,HAT,Sellable,2\n")
    run("import", "bench.csv", "--by", "Kim")
    wrong = name or run("list", "--rma", "RMA1").stdout.split(":")[0]
    how = ("--condition", "Damaged", "--quantity", 1, "--by", "Eve", "--reason", "torn")
    run("correct", wrong, *how)
    again = run("correct", wrong, *how)
    assert again.exit_code != 0
    assert words in str(again.exception) + again.stderr
    assert town.one("SELECT count(*) FROM recon.inspections") == (1 if name else 2)
