"""Many rows at once: COPY and upsert through psycopg.

Belongs here: moving rows fast and exactly. Stays out: what the rows mean. Money stays ``int64``; nothing here ever
makes a float of an integer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from typing import Any

import psycopg
from psycopg import sql

INCOMING = sql.Identifier("khaos_swap_incoming")
ORDER = sql.Identifier("khaos_swap_incoming_no")
FEW_ROWS = 50
"""So many go in with the statement itself: a table for the moment would cost more than they do."""


def copy_rows(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Append rows to ``schema.table`` by COPY; says how many. The caller commits. jsonb goes in as ``Jsonb(value)``."""
    return _copy(connection, _identifier(table), columns, rows)


def upsert(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    only_if_changed: str | None = None,
    only_when_new: Collection[str] = (),
) -> int:
    """Insert rows or overwrite those of the same key; says how many were written. The caller commits.

    Of several rows with one key the last counts. With ``only_if_changed`` a stored row whose value in that column
    (a content hash) equals the incoming one is not touched. Columns in ``only_when_new`` are never overwritten.
    """
    incoming = iter(rows)
    first = list(islice(incoming, FEW_ROWS + 1))
    if not first:
        return 0
    source = _staged if len(first) > FEW_ROWS else _in_the_statement
    with source(connection, table, columns, key, chain(first, incoming)) as (count, values):
        kept = frozenset(only_when_new)
        statement = _insert(table, tuple(columns), tuple(key), count, only_if_changed, kept)
        return int(connection.execute(statement, values).rowcount)


def _copy(
    connection: psycopg.Connection[Any], table: sql.Identifier, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table, _names(columns))
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


@contextmanager
def _in_the_statement(
    _: psycopg.Connection[Any], __: str, columns: Sequence[str], key: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterator[tuple[int, list[Any] | None]]:
    """How many keys there are, and the last row of each, by key: two writers then wait in turn."""
    places = [columns.index(name) for name in key]
    last = {tuple(row[place] for place in places): row for row in rows}
    yield len(last), [value for one in sorted(last) for value in last[one]]


@contextmanager
def _staged(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> Iterator[tuple[int, list[Any] | None]]:
    """No rows in the statement, but a table of the moment, which takes them by COPY and is gone afterwards."""
    create = sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT {} FROM {} WITH NO DATA")
    connection.execute(create.format(INCOMING, _names(columns), _identifier(table)))
    connection.execute(sql.SQL("ALTER TABLE {} ADD {} bigint GENERATED ALWAYS AS IDENTITY").format(INCOMING, ORDER))
    _copy(connection, INCOMING, columns, rows)
    yield 0, None
    connection.execute(sql.SQL("DROP TABLE {}").format(INCOMING))


@lru_cache(maxsize=512)
def _insert(
    table: str,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    count: int,
    only_if_changed: str | None,
    only_when_new: frozenset[str],
) -> bytes:
    """The statement for so many rows, or for those of the table of the moment: to write it costs as much as to ask."""
    updated = [column for column in columns if column not in key and column not in only_when_new]
    ending = _overwrite(updated, only_if_changed) if updated else sql.SQL("DO NOTHING")
    if count:
        row = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(columns)))
        selected = sql.SQL("VALUES {}").format(sql.SQL(", ").join([row] * count))
    else:
        newest = sql.SQL("SELECT DISTINCT ON ({key}) {columns} FROM {incoming} ORDER BY {key}, {order} DESC")
        selected = newest.format(key=_names(key), columns=_names(columns), incoming=INCOMING, order=ORDER)
    statement = sql.SQL("INSERT INTO {} AS stored ({}) {} ON CONFLICT ({}) {}")
    return statement.format(_identifier(table), _names(columns), selected, _names(key), ending).as_bytes()


def _overwrite(columns: Sequence[str], only_if_changed: str | None) -> sql.Composed:
    changes = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in columns]
    statement = sql.SQL("DO UPDATE SET ") + sql.SQL(", ").join(changes)
    if only_if_changed is None:
        return statement
    differs = sql.SQL(" WHERE stored.{0} IS DISTINCT FROM excluded.{0}").format(sql.Identifier(only_if_changed))
    return statement + differs


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
