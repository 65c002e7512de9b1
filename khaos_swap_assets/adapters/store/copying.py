"""A copy of a store in another database: each row as one moment shows it, while others go on writing.

Belongs here: opening a store for nothing but reading, and copying its tables by COPY. Stays out: making the tables
(``migrate``), and what the copy is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import database

COLUMNS = (
    "SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum), "
    "array_agg(a.attname::text) FILTER (WHERE pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE n.nspname IN ('swap', 'khaos', 'storefront', 'recon') AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY 1, 2 ORDER BY 1, 2"
)


@contextmanager
def reading(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to which the server lets nothing be written, and which sees one moment. Raises ``StoreError``."""
    with database.reported(url), closing(database.connect(url, application="reading")) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def copy_store(source: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> int:
    """Fill the empty tables of ``target`` with the rows of those of ``source``; says how many. The caller commits.

    Only what ``target`` has is read. Raises ``StoreError`` where ``source`` lacks a table or a column of it.
    """
    target.execute("SET LOCAL session_replication_role = replica")
    rows = 0
    for schema, name, columns, counted in target.execute(COLUMNS).fetchall():
        table = sql.Identifier(schema, name)
        rows += _copy(source, target, table, columns)
        for column in counted or ():
            _count_on(target, table, column)
    target.execute("ANALYZE")
    return rows


def _copy(
    source: psycopg.Connection[Any], target: psycopg.Connection[Any], table: sql.Identifier, columns: Sequence[str]
) -> int:
    parts = (table, sql.SQL(", ").join(map(sql.Identifier, columns)))
    from_, into = source.cursor(), target.cursor()
    try:
        with (
            from_.copy(sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(*reversed(parts))) as given,
            into.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(*parts)) as taken,
        ):
            for block in given:
                taken.write(block)
    except (errors.UndefinedTable, errors.UndefinedColumn) as error:
        told = error.diag.message_primary
        raise StoreError(f"database {source.info.dbname} is not as its version says: {told}; restore it") from None
    return into.rowcount


def _count_on(target: psycopg.Connection[Any], table: sql.Identifier, column: str) -> None:
    """Let the numbers of new rows begin after those that were copied."""
    query = sql.SQL("SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max({}), 0) + 1, false) FROM {}")
    target.execute(query.format(sql.Identifier(column), table), (table.as_string(), column))
