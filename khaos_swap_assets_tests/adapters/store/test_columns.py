"""Every column that an asset shows has a meaning, and no meaning is of a column that is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

import khaos_swap_assets
from khaos_swap_assets.adapters.store.columns import ANYWHERE, TABLES, meaning

STAGES = Path(khaos_swap_assets.__file__).parent / "stages"
SHOWN = re.compile(
    r'\b(?:table_metadata\(\s*conn,|result\(\s*toolbox,.*?)\s*"([a-z]+\.[a-z_]+)",\s*"([a-z_]+)"', re.DOTALL
)


def shown() -> dict[str, str]:
    """The tables that assets show, and by what they order them, as their sources say it."""
    return dict(found for path in STAGES.rglob("*.py") for found in SHOWN.findall(path.read_text(encoding="utf-8")))


def columns(database: psycopg.Connection[Any], table: str) -> set[str]:
    rows = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema || '.' || table_name = %s", (table,)
    ).fetchall()
    return {name for (name,) in rows}


def test_every_table_that_an_asset_shows_is_told_and_no_other() -> None:
    assert shown().keys() == TABLES.keys()


@pytest.mark.parametrize("table", TABLES)
def test_the_newest_rows_of_a_table_are_found_by_an_index(database: psycopg.Connection[Any], table: str) -> None:
    database.execute("SET LOCAL enable_seqscan = off")
    plan = database.execute(
        f"EXPLAIN SELECT * FROM {table} ORDER BY {shown()[table]} DESC LIMIT 50".encode()
    ).fetchall()
    assert not any("Sort" in line for (line,) in plan)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_meaning(database: psycopg.Connection[Any], table: str) -> None:
    assert [name for name in sorted(columns(database, table)) if not meaning(table, name).strip()] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_meaning_has_a_column(database: psycopg.Connection[Any], table: str) -> None:
    assert TABLES[table].keys() - columns(database, table) == set()


def test_what_is_said_anywhere_is_said_of_two_tables_at_least(database: psycopg.Connection[Any]) -> None:
    names = [name for table in TABLES for name in columns(database, table) - TABLES[table].keys()]
    assert [name for name in ANYWHERE if names.count(name) < 2] == []


@pytest.mark.parametrize("table", TABLES)
def test_a_sum_and_a_moment_name_their_unit(database: psycopg.Connection[Any], table: str) -> None:
    units = {"_pence": "pence", "_at": "UTC"}
    told = {name: meaning(table, name) for name in columns(database, table)}
    lacking = [
        name for name, words in told.items() for end, unit in units.items() if name.endswith(end) > (unit in words)
    ]
    assert lacking == []


def test_of_a_table_that_no_asset_shows_nothing_is_said() -> None:
    assert meaning("khaos.wanted_orders", "stock_code") == ""
