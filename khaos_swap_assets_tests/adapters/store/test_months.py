"""Tables that only grow lie in months: a month to come has its part, an old one is set apart, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from khaos_swap_assets.adapters.store import audit_log, months, stock

Database = psycopg.Connection[Any]
MARCH = datetime(2031, 3, 15, tzinfo=UTC)
LEVELS = "khaos.stock_level_history"
WHERE = "SELECT tableoid::regclass::text FROM {} ORDER BY 1"


@pytest.fixture
def database(database: Database) -> Iterator[Database]:
    """Whatever parts are made or detached are as before afterwards: other tests have the same tables."""
    yield database
    database.rollback()


def make_ahead(conn: Database, now: datetime) -> list[str]:
    """Of both tables, as the housekeeping does it."""
    return [part for table in months.PARTED for part in months.make_ahead(conn, table, now)]


def set_apart(conn: Database, now: datetime, keep: int) -> list[str]:
    """Of both tables, as the housekeeping does it."""
    return [part for table in months.PARTED for part in months.set_apart(conn, table, now, keep)]


def logged(conn: Database, *moments: datetime, document: str = "posting RMA1") -> None:
    audit_log.append(conn, [audit_log.Entry(at, "Kim", f"looked {at:%d}", document) for at in moments])


def places(conn: Database, table: str) -> list[str]:
    return [name for (name,) in conn.execute(WHERE.format(table).encode()).fetchall()]


def of_2031(names: list[str]) -> list[str]:
    return [name for name in names if "_2031_" in name]


def test_parts_are_made_for_this_month_and_the_next_three_and_once(database: Database) -> None:
    made = make_ahead(database, MARCH)
    assert made == [f"{name}_2031_0{month}" for name in ("audit_log", "stock_level_history") for month in (3, 4, 5, 6)]
    assert make_ahead(database, MARCH) == []
    assert make_ahead(database, MARCH + timedelta(days=31)) == [
        "audit_log_2031_07",
        "stock_level_history_2031_07",
    ]


def test_over_the_end_of_a_year(database: Database) -> None:
    make_ahead(database, datetime(2031, 11, 30, 23, 59, tzinfo=UTC))
    assert months.parts(database, LEVELS)[-4:] == [
        f"stock_level_history_{one}" for one in ("2031_11", "2031_12", "2032_01", "2032_02")
    ]


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        ("2031-03-31T22:59:59+00:00", "2031_03"),
        ("2031-03-31T23:00:00+00:00", "2031_04"),
        ("2031-04-30T22:59:59+00:00", "2031_04"),
        ("2031-04-30T23:00:00+00:00", "2031_05"),
        ("2031-03-01T00:00:00+00:00", "2031_03"),
    ],
)
def test_a_row_lies_in_the_month_of_london(database: Database, moment: str, month: str) -> None:
    make_ahead(database, MARCH)
    at = datetime.fromisoformat(moment)
    logged(database, at)
    stock.observe(database, [("CAP", 1, 7)], at)
    assert places(database, audit_log.TABLE) == [f"months.audit_log_{month}"]
    assert places(database, LEVELS) == [f"months.stock_level_history_{month}"]


def test_rows_of_before_and_of_a_clock_that_runs_ahead_are_kept_too(database: Database) -> None:
    logged(database, datetime(2019, 1, 1, tzinfo=UTC), MARCH)
    assert make_ahead(database, MARCH)[0] == "audit_log_2031_04"
    logged(database, MARCH + timedelta(days=1), MARCH + timedelta(days=40))
    assert [one.what for one in audit_log.of_document(database, "posting RMA1")] == [
        *("looked 01", "looked 15", "looked 16", "looked 24")
    ]
    first, *rest = places(database, audit_log.TABLE)
    assert first == "months.audit_log_2031_04"
    assert rest[:2] == ["months.audit_log_else"] * 2
    assert rest[2].startswith("months.audit_log_to_")


@pytest.mark.parametrize("words", ["UPDATE {} SET who = 'Eve'", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_part_of_the_log_can_be_changed_not_even_one_set_apart(database: Database, words: str) -> None:
    make_ahead(database, MARCH)
    logged(database, MARCH)
    apart = set_apart(database, MARCH + timedelta(days=62), keep=1)
    parts = [*months.parts(database, audit_log.TABLE), *months.parts(database, audit_log.TABLE, attached=False)]
    assert "audit_log_2031_03" in apart
    assert len(parts) > 4
    for place in (audit_log.TABLE, "months.audit_log_else", *(f"months.{part}" for part in parts)):
        with pytest.raises(errors.RaiseException, match="append-only"), database.transaction():
            database.execute(words.format(place).encode())


def test_what_is_older_than_the_months_kept_is_set_apart_and_still_there(database: Database) -> None:
    make_ahead(database, MARCH)
    april, june = MARCH + timedelta(days=31), MARCH + timedelta(days=92)
    logged(database, MARCH, april)
    stock.observe(database, [("CAP", 1, 7)], MARCH)
    stock.observe(database, [("CAP", 1, 8)], april)
    assert months.log_set_apart_to(database) == ""
    assert set_apart(database, june, keep=3) == [
        part for table in (audit_log.TABLE, LEVELS) for part in months.parts(database, table, attached=False)
    ]
    assert of_2031(months.parts(database, audit_log.TABLE, attached=False)) == []
    assert set_apart(database, june, keep=2) == ["audit_log_2031_03", "stock_level_history_2031_03"]
    assert months.log_set_apart_to(database) == "2031-03"
    assert [one.at for one in audit_log.of_document(database, "posting RMA1")] == [april]
    kept = database.execute("SELECT at, document FROM months.audit_log_2031_03").fetchall()
    assert kept == [(MARCH, "posting RMA1")]
    assert database.execute("SELECT available FROM months.stock_level_history_2031_03").fetchall() == [(7,)]
    assert database.execute("SELECT available FROM khaos.stock_levels").fetchall() == [(8,)]


def test_a_month_that_was_set_apart_is_not_made_anew_and_the_first_goes_too(database: Database) -> None:
    """An entry of such a month, from a clock that runs behind, is kept among what has no part."""
    make_ahead(database, MARCH)
    logged(database, MARCH)
    apart = set_apart(database, MARCH + timedelta(days=92), keep=2)
    assert any(part.startswith("audit_log_to_") for part in apart)
    assert make_ahead(database, MARCH) == []
    logged(database, MARCH)
    assert places(database, audit_log.TABLE) == ["months.audit_log_else"]


def test_entries_are_numbered_on_over_the_parts(database: Database) -> None:
    make_ahead(database, MARCH)
    logged(database, MARCH, MARCH + timedelta(days=31), datetime(2020, 1, 1, tzinfo=UTC))
    rows = database.execute("SELECT entry_id, at FROM recon.audit_log ORDER BY entry_id").fetchall()
    assert [at.year for _, at in rows] == [2031, 2031, 2020]
    assert len({number for number, _ in rows}) == 3


def test_the_log_of_a_document_is_found_by_the_index_of_each_part(database: Database) -> None:
    make_ahead(database, MARCH)
    logged(database, *(MARCH + timedelta(minutes=one) for one in range(2_000)), document="posting RMA7")
    logged(database, MARCH, document="posting RMA8")
    database.execute("ANALYZE recon.audit_log")
    query = "EXPLAIN SELECT * FROM recon.audit_log WHERE document = 'posting RMA8'"
    plan = "\n".join(row[0] for row in database.execute(query).fetchall())
    assert "Seq Scan on audit_log_2031_03" not in plan
    assert "audit_log_2031_03_document_idx" in plan
