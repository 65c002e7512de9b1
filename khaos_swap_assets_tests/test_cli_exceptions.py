"""The list of exceptions: by money, filtered, a page at a time with how many there are, and JSON as a stream."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import audit_log, exceptions
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.cli.exceptions import exceptions_app
from khaos_swap_assets.cli.postings import Reach
from khaos_swap_assets.cli.showing import stream_json
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON
from khaos_swap_assets_tests.stages.town import Town, a_return

WHO = ["--by", "Kim", "--reason", "looked it up"]
MANY = 10_000
MEGABYTE = 2**20


@pytest.fixture
def run(database_url: str) -> Callable[..., Result]:
    def nobody() -> Any:
        raise AssertionError("no command about exceptions speaks to Khaos")

    reach = Reach(lambda: store.connect(database_url, application="tests"), Settings, nobody, lambda: NOON)
    return lambda *words: CliRunner().invoke(exceptions_app(reach), list(words), env={"COLUMNS": "200"})


def open_some(conn: psycopg.Connection[Any], kind: str, owner: str, pence: int, rows: int = 1) -> int:
    """So many exceptions of a kind, each a penny less at risk than the one before; the id of the first."""
    found = conn.execute(
        "INSERT INTO recon.exceptions (kind, subject, owner, severity, message, money_at_risk_pence, opened_at) "
        "SELECT %s, 'RMA' || n, %s, 'high', 'what is wrong with it', %s + 1 - n, now() FROM generate_series(1, %s) n "
        "RETURNING exception_id",
        (kind, owner, pence, rows),
    ).fetchone()
    conn.commit()
    assert found
    return int(found[0])


def test_exceptions_are_listed_by_money_and_filtered(
    run: Callable[..., Result], database: psycopg.Connection[Any]
) -> None:
    open_some(database, "sku_unknown", "data management", 100)
    open_some(database, "value_gap", "finance", 900)
    assert [row["kind"] for row in json.loads(run("list", "--json").stdout)] == ["value_gap", "sku_unknown"]
    listed = run("list", "--owner", "data management").stdout
    assert "value_gap" not in listed
    assert "1 to 1 of 1 open exceptions\n" in listed


def test_a_page_has_a_hundred_and_says_of_how_many(
    run: Callable[..., Result], database: psycopg.Connection[Any]
) -> None:
    open_some(database, "value_gap", "finance", 900, rows=205)
    first = run("list").stdout
    assert (first.count("value_gap"), "RMA100 " in first, "RMA101 " in first) == (100, True, False)
    assert first.endswith("1 to 100 of 205 open exceptions; --page 2 shows the next, --json all\n")
    assert run("list", "--page", "3").stdout.endswith("201 to 205 of 205 open exceptions\n")
    assert run("list", "--page", "4").stdout.endswith("none of 205 open exceptions\n")
    assert run("list", "--limit", "2", "--page", "2").stdout.count("value_gap") == 2
    assert len(json.loads(run("list", "--json").stdout)) == 205


def test_where_none_is_open_it_says_so(run: Callable[..., Result]) -> None:
    assert run("list").stdout.endswith("no open exception\n")
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.parametrize("option", ["--limit", "--page"])
def test_a_page_of_nothing_is_refused(run: Callable[..., Result], option: str) -> None:
    assert run("list", option, "0").exit_code == 2


def test_json_is_printed_as_it_is_read(database: psycopg.Connection[Any], tmp_path: Path) -> None:
    open_some(database, "value_gap", "finance", MANY, rows=MANY)
    tracemalloc.start()
    with (tmp_path / "all.json").open("w") as file, redirect_stdout(file):
        stream_json(exceptions.open_exceptions(database))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    told = [row["money_at_risk_pence"] for row in json.loads((tmp_path / "all.json").read_text())]
    assert told == list(range(MANY, 0, -1))
    assert peak < 3 * MEGABYTE


def test_a_waived_exception_is_closed_remembered_and_logged(
    run: Callable[..., Result], database: psycopg.Connection[Any]
) -> None:
    number = open_some(database, "value_gap", "finance", 900)
    assert run("waive", str(number), *WHO).exit_code == 0
    assert run("waive", str(number), *WHO).exit_code == 2
    closed = database.execute("SELECT closed_at, closed_by, close_reason FROM recon.exceptions").fetchall()
    assert closed == [(NOON, "Kim", "looked it up")]
    assert database.execute("SELECT object, subject, decided_by FROM recon.decisions").fetchall() == [
        ("value_gap", "RMA1", "Kim")
    ]
    assert audit_log.of_document(database, "exception value_gap RMA1")[0].who == "Kim"


def test_a_waiver_is_listed_by_whom_and_taken_back_as_old_as_it_was(
    run: Callable[..., Result], database: psycopg.Connection[Any]
) -> None:
    number = open_some(database, "value_gap", "finance", 900)
    find(database, "value_gap", 900)
    opened = database.execute("SELECT opened_at FROM recon.exceptions").fetchall()
    run("waive", str(number), *WHO)
    assert run("list").stdout.endswith("no open exception\n")
    listed = run("list", "--waived").stdout
    assert all(word in listed for word in ("900 pence", "Kim", "looked it up", "1 waived"))
    assert json.loads(run("list", "--waived", "--json").stdout)[0]["waived_by"] == "Kim"
    assert run("list", "--waived", "--owner", "cx").stdout.endswith("nothing is waived\n")
    assert run("reopen", str(number), *WHO).stdout == "open again: value_gap RMA1\n"
    assert database.execute("SELECT opened_at FROM recon.exceptions WHERE closed_at IS NULL").fetchall() == opened
    assert run("list", "--waived").stdout.endswith("nothing is waived\n")
    assert [one.what for one in audit_log.of_document(database, "exception value_gap RMA1")] == [
        "waived",
        "waiver ended",
    ]
    again = run("reopen", str(number), *WHO)
    assert (again.exit_code, "exceptions list --waived" in again.stderr) == (2, True)


def test_a_waiver_of_what_is_gone_opens_nothing_when_taken_back(
    run: Callable[..., Result], database: psycopg.Connection[Any]
) -> None:
    number = open_some(database, "value_gap", "finance", 900)
    run("waive", str(number), *WHO)
    assert "whose condition is gone" in run("reopen", str(number), *WHO).stdout
    assert run("list").stdout.endswith("no open exception\n")


def find(database: psycopg.Connection[Any], kind: str, pence: int) -> None:
    database.execute(
        "INSERT INTO recon.findings (kind, subject, message, money_at_risk_pence, currency, found_at) "
        "VALUES (%s, 'RMA1', 'short', %s, 'GBP', now())",
        (kind, pence),
    )
    database.commit()


def test_the_queue_of_one_store_alone(run: Callable[..., Result], database_url: str) -> None:
    town = Town(database_url)
    town.swap.put(a_return())
    town.sync()
    assert "RMA1" in run("list", "--store", "main").stdout
    refused = run("list", "--store", "outlet")
    assert refused.exit_code == 2
    assert "main" in refused.stderr
