"""The commands about decisions, on a real store: what a person says, what goes out as a file and what comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import catalogue
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.decisions import decisions_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON

WHO = ["--by", "Kim", "--reason", "renamed in March"]
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, database: psycopg.Connection[Any]) -> Run:
    def no_khaos() -> Any:
        raise AssertionError("decisions ask nothing of Khaos")

    catalogue.save(database, [StockCode("NEW-1", "1", "Coat", "", ())], NOON)
    database.commit()
    reach = Reach(lambda: store.connect(database_url, application="tests"), Settings, no_khaos, lambda: NOON)
    return lambda *words: CliRunner().invoke(decisions_app(reach), list(map(str, words)), env={"COLUMNS": "200"})


def listed(run: Run) -> list[tuple[str, str, str]]:
    return [(row["decision"], row["subject"], row["object"]) for row in json.loads(run("list", "--json").stdout)]


def test_a_decision_is_made_listed_written_taken_back_and_taken_in(run: Run, tmp_path: Path) -> None:
    assert run("add", "same_code", "OLD-1", "NEW-1", *WHO).stdout == "same_code OLD-1: taken\n"
    assert listed(run) == [("same_code", "OLD-1", "NEW-1")]
    assert run("export", tmp_path / "decisions.csv").exit_code == 0
    assert run("import", tmp_path / "decisions.csv").stdout == "0 decisions taken, 0 not\n"
    assert run("end", "same_code", "OLD-1", "NEW-1", *WHO).exit_code == 0
    assert listed(run) == []
    assert run("import", tmp_path / "decisions.csv").stdout == "1 decisions taken, 0 not\n"
    assert listed(run) == [("same_code", "OLD-1", "NEW-1")]


def test_what_does_not_fit_is_told_and_the_rest_is_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "decision,subject,object,decided_by,reason\nwaived,RMA1,value_gap,Jo,agreed\nsame code,OLD-1,NEW-1,Jo,renamed\n"
    )
    done = run("import", tmp_path / "mine.csv")
    assert (done.exit_code, done.stdout) == (1, "1 decisions taken, 1 not\n")
    assert "not taken: waived RMA1 value_gap: no exception value_gap about RMA1 is open" in done.stderr


def test_a_file_with_a_bad_row_is_refused_as_a_whole(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("decision,subject,object,decided_by,reason\nsame_code,OLD-1,NEW-1,,renamed\n")
    done = run("import", tmp_path / "mine.csv")
    assert (done.exit_code, "decided_by: is empty" in done.stderr, listed(run)) == (2, True, [])


@pytest.mark.parametrize("kind", ["perhaps", ""])
def test_a_kind_that_is_none_is_refused(run: Run, kind: str) -> None:
    assert run("add", kind, "OLD-1", "NEW-1", *WHO).exit_code == 2
