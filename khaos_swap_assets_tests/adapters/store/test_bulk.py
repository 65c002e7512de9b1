"""Tests of bulk loading and of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.errors import StoreError
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


FRAME = pd.DataFrame(
    {
        "code": ["A", "B"],
        "part": [1, 2],
        "pence": pd.array([BIG, None], dtype="Int64"),
        "content_hash": ["h", "h"],
        "note": ["£", None],
        "seen_at": pd.Series([datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), None], dtype="datetime64[us, UTC]"),
        "seen_on": pd.Series([date(2025, 1, 2), None], dtype="datetime64[ms]"),
        "is_open": pd.array([True, None], dtype="boolean"),
    }
)
READ = f"SELECT {', '.join(FRAME.columns)} FROM recon.bulk_test ORDER BY code"


def test_a_frame_comes_back_as_it_was(table: psycopg.Connection[Any], database_url: str) -> None:
    assert bulk.write_frame(database_url, FRAME, "recon", "bulk_test") == 2
    assert stored(table, "pence, seen_at, seen_on, is_open")[0] == (
        BIG,
        datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
        date(2025, 1, 2),
        True,
    )
    frame = bulk.read_frame(database_url, READ, nullable=("pence", "is_open"))
    pd.testing.assert_frame_equal(frame, FRAME, check_dtype=False)
    assert [str(frame[name].dtype) for name in ("code", "pence", "is_open", "seen_at")] == [
        "str",
        "Int64",
        "boolean",
        "datetime64[us, UTC]",
    ]


def test_large_amounts_stay_exact_integers(table: psycopg.Connection[Any], database_url: str) -> None:
    upsert(table, [row("A", pence=BIG), row("B", pence=-BIG)])
    table.commit()
    frame = bulk.read_frame(database_url, "SELECT pence FROM recon.bulk_test ORDER BY code")
    assert str(frame["pence"].dtype) == "int64"
    assert frame["pence"].tolist() == [BIG, -BIG]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT NULL::bigint AS pence", "column pence holds NULL"),
        ("SELECT NULL::boolean AS is_open", "column is_open holds NULL"),
        ("SELECT sum(x) AS total FROM (VALUES (1::bigint)) AS v (x)", "column total is NUMERIC.*cast it to bigint"),
    ],
)
def test_what_a_frame_would_bend_is_refused(database_url: str, query: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        bulk.read_frame(database_url, query)


def test_parameters_and_an_empty_answer_keep_the_types(table: psycopg.Connection[Any], database_url: str) -> None:
    upsert(table, [row("A"), row("B")])
    table.commit()
    query = "SELECT code, pence FROM recon.bulk_test WHERE code = $1"
    assert bulk.read_frame(database_url, query, parameters=("B",))["code"].tolist() == ["B"]
    empty = bulk.read_frame(database_url, query, parameters=("Z",))
    assert empty.empty
    assert [str(kind) for kind in empty.dtypes] == ["str", "int64"]


def test_replace_empties_the_table_and_keeps_its_key(table: psycopg.Connection[Any], database_url: str) -> None:
    bulk.write_frame(database_url, FRAME, "recon", "bulk_test")
    bulk.write_frame(database_url, FRAME.iloc[:1], "recon", "bulk_test", mode="replace")
    assert len(stored(table)) == 1
    table.commit()
    with pytest.raises(Exception, match="bulk_test_pkey"):
        bulk.write_frame(database_url, FRAME, "recon", "bulk_test")
    assert len(stored(table)) == 1


def test_an_unreachable_server_is_one_clear_line() -> None:
    with pytest.raises(StoreError, match=r"database x at 127\.0\.0\.1:1 cannot be used: Connection refused") as caught:
        bulk.read_frame("postgresql://u:sekret@127.0.0.1:1/x", "SELECT 1")
    assert "sekret" not in str(caught.value)
