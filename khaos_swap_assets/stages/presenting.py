"""What an asset says of itself, and shows of its table in the UI: count, columns, at most 50 rows, a picture.

Belongs here: turning tables into Dagster metadata, and what all assets have alike. Stays out: what the rows mean. No
personal data is in any table, so a preview shows none.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import dagster as dg
import psycopg

from khaos_swap_assets.adapters.store import tables
from khaos_swap_assets.adapters.store.columns import meaning
from khaos_swap_assets.domain.reporting.tables import unbroken

Truth = Literal["swap", "khaos", "storefront", "warehouse", "ours"]
PREVIEW_ROWS = 50
WORST_ROWS = 20


def owned(group: str, owner: str, truth: Truth, *kinds: str) -> dict[str, Any]:
    """What every asset says of itself: its group, the team that answers for it, whose word it is, what it is of."""
    return {"group_name": group, "owners": [f"team:{owner}"], "tags": {"truth": truth}, "kinds": {"postgres", *kinds}}


def keys(names: str) -> list[dg.AssetKey]:
    """Assets by their names with spaces between, as ``swap/returns khaos/credit_notes``."""
    return [dg.AssetKey(name.split("/")) for name in names.split()]


def asset(
    name: str, *, deps: str = "", description: str, **more: Any
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """``dg.asset`` by its name and the names of those that it reads, with what ``owned`` says of it."""
    made: Callable[[Callable[..., Any]], dg.AssetsDefinition]
    made = dg.asset(key=name.split("/"), deps=keys(deps), description=description, **more)
    return made


def table_metadata(
    conn: psycopg.Connection, table: str, order_by: str, may_hide: Sequence[str] = ()
) -> dict[str, dg.MetadataValue]:
    """Row count, column schema and newest rows of ``table`` ('schema.name'), sorted by ``order_by`` descending.

    Columns that ``may_hide`` names are left out of the rows where none of them has anything there.
    """
    found = tables.read(conn, table, order_by, PREVIEW_ROWS)
    columns = [dg.TableColumn(name, kind, meaning(table, name) or None) for name, kind in found.columns]
    return {
        "dagster/row_count": dg.MetadataValue.int(found.count),
        "dagster/column_schema": dg.TableSchemaMetadataValue(dg.TableSchema(columns)),
        "preview": as_table(without_empty(found.rows, may_hide)),
    }


def without_empty(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows without those of the named columns that are empty or zero in all of them."""
    hidden = {name for name in names if not any(row[name] for row in rows)}
    return [{name: value for name, value in row.items() if name not in hidden} for row in rows]


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
