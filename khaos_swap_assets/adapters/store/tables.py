"""Any table of ours as it stands: its columns, how many rows, and the newest of them.

Belongs here: reading a table of which only the name is known. Stays out: how it is shown (``stages.presenting``) and
what its columns mean (``columns``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

COUNTED_ROWS = 100_000
UNSHOWN = ("bytea", "jsonb", "json")


@dataclass(frozen=True, slots=True)
class TableView:
    """A table: (name, type) of each column, its newest rows without bytes and JSON, and how many rows there are.

    The count is exact up to 100,000; beyond, as the server last counted: our own count would cost by the history.
    """

    columns: list[tuple[str, str]]
    rows: list[dict[str, Any]]
    count: int


def read(conn: psycopg.Connection, table: str, order_by: str, limit: int, besides: Sequence[str] = ()) -> TableView:
    """``table`` ('schema.name') with at most ``limit`` rows, sorted by ``order_by`` descending.

    ``besides`` names columns of JSON that the rows have too.
    """
    name = sql.Identifier(*table.split("."))
    columns = conn.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        (name.as_string(conn),),
    ).fetchall()
    shown = sql.SQL(", ").join(
        sql.Identifier(column) for column, kind in columns if kind not in UNSHOWN or column in besides
    )
    query = sql.SQL("SELECT {} FROM {} ORDER BY {} DESC LIMIT {}")
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query.format(shown, name, sql.Identifier(order_by), limit)).fetchall()
    return TableView(columns, rows, _count(conn, name))


def _count(conn: psycopg.Connection, table: sql.Identifier) -> int:
    query = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"
    known = conn.execute(query, (table.as_string(conn),)).fetchone()
    if known and known[0] > COUNTED_ROWS:
        return int(known[0])
    count = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return int(count[0]) if count else 0
