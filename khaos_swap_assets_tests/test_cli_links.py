"""The commands about links, on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import audit_log, links, notes
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.links import links_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.domain.linking.attribution import Attribution
from khaos_swap_assets_tests.domain.cases import a_note
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON

WHO = ["--by", "Kim", "--reason", "looked it up"]
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def no_khaos() -> Any:
        raise AssertionError("links ask nothing of Khaos")

    reach = Reach(lambda: store.connect(database_url, application="tests"), Settings, no_khaos, lambda: NOON)
    return lambda *words: CliRunner().invoke(links_app(reach), list(words), env={"COLUMNS": "200"})


@pytest.fixture
def merged(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """CN1 of £30 credits R1 and R2; CN2 is R3's."""
    notes.save(database, [a_note(3000, "CN1"), a_note(500, "CN2")], NOON)
    found = [Attribution("CN1", "R1", "one_to_many", 1000), Attribution("CN1", "R2", "one_to_many")]
    links.attach(database, [*found, Attribution("CN2", "R3", "reference")], NOON)
    database.commit()
    return database


def test_the_list_shows_shares_pass_moment_and_author(run: Run, merged: object) -> None:
    rows = json.loads(run("list", "--json").stdout)
    assert [(row["credit_note"], row["share_pence"], row["currency"], row["matched_by"]) for row in rows] == [
        ("CN1", 1000, "GBP", "one_to_many"),
        ("CN1", 2000, "GBP", "one_to_many"),
        ("CN2", 500, "GBP", "reference"),
    ]
    assert {(row["certainty"], row["linked_by"]) for row in rows} == {("certain", "khaos-swap")}
    assert len(json.loads(run("list", "--note", "CN2", "--json").stdout)) == 1
    assert len(json.loads(run("list", "--limit", "1", "--json").stdout)) == 1
    assert json.loads(run("list", "--rma", "RMA7", "--json").stdout) == []
    assert "one_to_many" in run("list").stdout


def test_undo_and_allow_by_name_and_reason(run: Run, merged: psycopg.Connection[Any]) -> None:
    undone = run("undo", "CN1", *WHO)
    assert (undone.exit_code, undone.stdout.startswith("taken back: CN1 of")) == (0, True)
    assert [row["credit_note"] for row in json.loads(run("list", "--json").stdout)] == ["CN2"]
    refused = json.loads(run("list", "--refused", "--json").stdout)
    assert {(row["credit_note"], row["refused_by"], row["reason"]) for row in refused} == {
        ("CN1", "Kim", "looked it up")
    }
    assert links.refused(merged, ["CN1", "CN2"]) == {("CN1", "R1"), ("CN1", "R2")}
    merged.rollback()
    assert run("allow", "CN1", *WHO).exit_code == 0
    assert json.loads(run("list", "--refused", "--json").stdout) == []
    told = [entry.what for entry in audit_log.of_document(merged, "link CN1 ")]
    assert told == ["link taken back"] * 2 + ["link allowed again"] * 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("undo", "CN9", *WHO), "Credit Note CN9 is not linked to any return"),
        (("allow", "CN2", *WHO), "nobody ruled out Credit Note CN2"),
        (("undo", "CN1", "--by", " ", "--reason", "x"), "--by and --reason must both say something"),
        (("undo", "CN1", "--by", "Kim"), "--reason"),
    ],
)
def test_what_does_not_fit_is_one_line_and_changes_nothing(run: Run, merged: Any, words: Any, told: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(links.of_notes(merged, ["CN1", "CN2"])) == 3
