"""What an asset shows of its table in the Dagster UI: count, columns, a preview of at most 50 rows, a picture.

Belongs here: turning tables into Dagster metadata. Stays out: what the rows mean. No personal data is in any table,
so a preview shows none.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from psycopg import sql
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store.columns import meaning
from khaos_swap_assets.domain.reporting.tables import unbroken

if TYPE_CHECKING:
    import psycopg

PREVIEW_ROWS = 50
COUNTED_ROWS = 100_000
WORST_ROWS = 20


def table_metadata(
    conn: psycopg.Connection, table: str, order_by: str, may_hide: Sequence[str] = ()
) -> dict[str, dg.MetadataValue]:
    """Row count, column schema and newest rows of ``table`` ('schema.name'), sorted by ``order_by`` descending.

    Columns that ``may_hide`` names are left out of the rows where none of them has anything there.
    """
    schema, name = table.split(".")
    columns = conn.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum",
        (sql.Identifier(schema, name).as_string(conn),),
    ).fetchall()
    shown = [column for column, kind in columns if kind not in {"bytea", "jsonb", "json"}]
    query = sql.SQL("SELECT {} FROM {} ORDER BY {} DESC LIMIT {}").format(
        sql.SQL(", ").join(map(sql.Identifier, shown)),
        sql.Identifier(schema, name),
        sql.Identifier(order_by),
        PREVIEW_ROWS,
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query).fetchall()
    return {
        "dagster/row_count": dg.MetadataValue.int(_row_count(conn, sql.Identifier(schema, name))),
        "dagster/column_schema": dg.TableSchemaMetadataValue(
            dg.TableSchema([dg.TableColumn(column, kind, meaning(table, column) or None) for column, kind in columns])
        ),
        "preview": as_table(without_empty(rows, may_hide)),
    }


def without_empty(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows without those of the named columns that are empty or zero in all of them."""
    hidden = {name for name in names if not any(row[name] for row in rows)}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


def _row_count(conn: psycopg.Connection, table: sql.Identifier) -> int:
    """Exact up to 100,000 rows; beyond, as the server last counted: our own count would cost by the history."""
    name = table.as_string(conn)
    known = conn.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (name,)).fetchone()
    if known and known[0] > COUNTED_ROWS:
        return int(known[0])
    count = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return int(count[0]) if count else 0


def as_table(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue:
    """Rows as a table; an empty one is said in words, since a table without columns shows nothing."""
    if not rows:
        return dg.MetadataValue.text("no rows")
    records = [dg.TableRecord({name: _cell(value) for name, value in row.items()}) for row in rows]
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in rows[0]])
    return dg.MetadataValue.table(records, schema)


def picture(png: bytes, alternative: str) -> dg.MetadataValue:
    """A PNG inside Markdown, with a text for whoever cannot see it."""
    return dg.MetadataValue.md(f"![{alternative}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _cell(value: object) -> str | int | bool:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else unbroken(str(value))
