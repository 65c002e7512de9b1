"""Tests of bulk loading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk

BIG = 2**53 + 1
COLUMNS = ("code", "part", "pence", "content_hash", "note", "tags", "body")
Row = tuple[str, int, int | None, str, str, list[str], Jsonb]


def both_ways(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test with its rows taken in as many are, and with its statement."""
    ways = pytest.mark.parametrize("few_rows", [0, 50], indirect=True, ids=["as many", "as few"])
    found: Callable[..., None] = ways(pytest.mark.usefixtures("few_rows")(test))
    return found


@pytest.fixture
def few_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to how many rows an upsert takes in with its statement."""
    monkeypatch.setattr(bulk, "FEW_ROWS", request.param)


def row(code: str, part: int = 1, pence: int | None = 100, content_hash: str = "h1", note: str = "") -> Row:
    return (code, part, pence, content_hash, note, ["a", "b,c"], Jsonb({"k": 1}))


@pytest.fixture
def table(database: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    database.execute(
        "CREATE TABLE recon.bulk_test (code text, part integer, pence bigint, content_hash text NOT NULL, note text,"
        " tags text[], body jsonb, seen_at timestamptz, seen_on date, is_open boolean, PRIMARY KEY (code, part))"
    )
    database.commit()
    yield database
    database.rollback()
    database.execute("DROP TABLE recon.bulk_test")
    database.commit()


def stored(connection: psycopg.Connection[Any], columns: str = "code, part, pence, note") -> list[Any]:
    return connection.execute(f"SELECT {columns} FROM recon.bulk_test ORDER BY code, part").fetchall()


def upsert(connection: psycopg.Connection[Any], rows: Sequence[Row], only_if_changed: str | None = None) -> int:
    key = ("code", "part")
    return bulk.upsert(connection, "recon.bulk_test", COLUMNS, key, rows, only_if_changed=only_if_changed)


def test_copy_keeps_every_kind_of_value(table: psycopg.Connection[Any]) -> None:
    tricky: Row = ("A\t\\N\n'\"", 1, BIG, "h", "£ é", [], Jsonb({"a": [None, "\\"]}))
    assert bulk.copy_rows(table, "recon.bulk_test", COLUMNS, [tricky, row("B", pence=None)]) == 2
    first, second = stored(table, ", ".join(COLUMNS))
    assert first == ("A\t\\N\n'\"", 1, BIG, "h", "£ é", [], {"a": [None, "\\"]})
    assert second[2] is None


def test_copy_of_nothing_writes_nothing(table: psycopg.Connection[Any]) -> None:
    assert bulk.copy_rows(table, "recon.bulk_test", COLUMNS, []) == 0


@both_ways
def test_upsert_inserts_and_overwrites(table: psycopg.Connection[Any]) -> None:
    assert upsert(table, [row("A"), row("B")]) == 2
    assert upsert(table, [row("B", pence=200), row("C")]) == 2
    assert [(code, pence) for code, _, pence, _ in stored(table)] == [("A", 100), ("B", 200), ("C", 100)]


@both_ways
def test_an_equal_hash_is_not_touched(table: psycopg.Connection[Any]) -> None:
    upsert(table, [row("A", note="first"), row("B", note="first")])
    again = [row("A", note="second"), row("B", note="second", content_hash="h2"), row("C", note="second")]
    assert upsert(table, again, only_if_changed="content_hash") == 2
    assert [note for *_, note in stored(table)] == ["first", "second", "second"]


@both_ways
def test_a_column_of_the_beginning_is_never_overwritten(table: psycopg.Connection[Any]) -> None:
    for note in ("first", "second"):
        rows = [row("A", pence=len(note), note=note)]
        bulk.upsert(table, "recon.bulk_test", COLUMNS, ("code", "part"), rows, only_when_new=["note"])
    assert stored(table) == [("A", 1, 6, "first")]


def test_an_upsert_of_nothing_does_not_even_ask(table: psycopg.Connection[Any]) -> None:
    assert upsert(table, []) == 0
    assert table.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@both_ways
def test_of_two_rows_with_one_key_the_last_counts(table: psycopg.Connection[Any]) -> None:
    assert upsert(table, [row("A", pence=1), row("A", pence=2), row("A", part=2, pence=3)]) == 2
    assert stored(table) == [("A", 1, 2, ""), ("A", 2, 3, "")]


@both_ways
def test_columns_that_are_all_key_are_inserted_once(table: psycopg.Connection[Any]) -> None:
    table.execute("ALTER TABLE recon.bulk_test ALTER content_hash SET DEFAULT ''")
    for _ in range(2):
        bulk.upsert(table, "recon.bulk_test", ("code", "part"), ("code", "part"), [("A", 1)])
    assert len(stored(table)) == 1


@both_ways
def test_nothing_stays_when_the_caller_rolls_back(table: psycopg.Connection[Any]) -> None:
    upsert(table, [row("A")])
    table.rollback()
    assert stored(table) == []
    assert upsert(table, [row("A")]) == 1


@both_ways
def test_a_bad_row_leaves_the_table_as_it_was(table: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        upsert(table, [row("A"), ("B", "x", 1, "h", "", [], Jsonb({}))])  # type: ignore[list-item]
    table.rollback()
    assert stored(table) == []


def test_names_are_quoted(table: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        bulk.copy_rows(table, 'recon.bulk_test"; DROP SCHEMA recon CASCADE; --', ("code",), [])
    table.rollback()
    assert stored(table) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 2), st.integers(0, 3)), max_size=6)),
    st.sampled_from([0, 2, 50]),
)
def test_upsert_is_a_dictionary(
    table: psycopg.Connection[Any], batches: list[list[tuple[str, int, int]]], few: int
) -> None:
    model: dict[tuple[str, int], int] = {}
    table.execute("TRUNCATE recon.bulk_test")
    for batch in batches:
        with patch.object(bulk, "FEW_ROWS", few):
            upsert(table, [row(code, part, pence) for code, part, pence in batch])
        model.update({(code, part): pence for code, part, pence in batch})
    assert stored(table, "code, part, pence") == sorted((*key, pence) for key, pence in model.items())


def test_large_amounts_stay_exact_integers(table: psycopg.Connection[Any]) -> None:
    upsert(table, [row("A", pence=BIG), row("B", pence=-BIG)])
    assert stored(table, "pence") == [(BIG,), (-BIG,)]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from('",\\{} '), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(TEXTS | st.just("null")) | st.lists(st.none() | TEXTS))
def test_a_list_of_texts_arrives_as_it_left(database: psycopg.Connection[Any], texts: list[str | None]) -> None:
    assert database.execute("SELECT %s::text[]", (texts,)).fetchone() == (texts,)


@pytest.mark.parametrize("before", [[], ["a"]])
def test_a_text_that_no_database_holds_is_refused_in_a_list_too(
    database: psycopg.Connection[Any], before: list[str]
) -> None:
    with pytest.raises(psycopg.DataError, match="NUL"):
        database.execute("SELECT %s::text[]", ([*before, "a\0b"],))
