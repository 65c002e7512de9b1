"""The months of tables that only ever grow: each is a part of its own, made ahead, and set apart when it is old.

Belongs here: the parts of the audit log and of the history of stock levels, in schema ``months``. Stays out: when that
is done (``housekeeping``). Months are London's. What was set apart is a table that nothing of ours reads or writes any
more; none is deleted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from khaos_swap_assets.adapters.store import audit_log
from khaos_swap_assets.domain.money.periods import london_month, month_bounds, months_later

PARTED: Mapping[str, str] = {audit_log.TABLE: "at", "khaos.stock_level_history": "observed_at"}
"""Each such table, and its column that says when."""
AHEAD = 3
"""So many months ahead parts are made: as long may the nightly housekeeping stand still."""
PARTS = """
    SELECT relname FROM pg_class WHERE relnamespace = 'months'::regnamespace AND relkind = 'r' AND relispartition = %s
    AND relname ~ ('^' || %s || '_(to_)?[0-9]{4}_[0-9]{2}$') ORDER BY right(relname, 7)
"""
_APPEND_ONLY = sql.SQL(
    "CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {} "
    "FOR EACH STATEMENT EXECUTE FUNCTION recon.refuse_change()"
)


def make_ahead(conn: psycopg.Connection[Any], table: str, now: datetime) -> list[str]:
    """Make the parts of this month and the next three where they are not there yet; their names. The caller commits.

    A month whose rows came before it had a part stays among all that has none, in the part named ``else``. A table a
    transaction: whoever writes to both would else wait for this, and this for them.
    """
    (schema, name), this = table.split("."), london_month(now)
    first = max([this, *(months_later(last_month(part), 1) for part in parts(conn, table))])
    ahead = (months_later(this, later) for later in range(AHEAD + 1))
    made = []
    for month in (one for one in ahead if one >= first and not _has_rows(conn, table, one)):
        place = sql.Identifier("months", part := f"{name}_{month.replace('-', '_')}")
        begin, end = (moment.isoformat() for moment in month_bounds(month))
        query = sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})")
        conn.execute(query.format(place, sql.Identifier(schema, name), begin, end))
        if table == audit_log.TABLE:
            conn.execute(_APPEND_ONLY.format(place))
        made.append(part)
    return made


def set_apart(conn: psycopg.Connection[Any], table: str, now: datetime, keep: int) -> list[str]:
    """Detach the parts that ended more than ``keep`` months before this one; their names. The caller commits."""
    oldest = months_later(london_month(now), -keep)
    old = [part for part in parts(conn, table) if last_month(part) < oldest]
    for part in old:
        query = sql.SQL("ALTER TABLE {} DETACH PARTITION {}")
        conn.execute(query.format(sql.Identifier(*table.split(".")), sql.Identifier("months", part)))
    return old


def parts(conn: psycopg.Connection[Any], table: str, *, attached: bool = True) -> list[str]:
    """The parts of a table, or else what was set apart of it: the oldest first."""
    return [name for (name,) in conn.execute(PARTS, (attached, table.split(".")[1])).fetchall()]


def log_set_apart_to(conn: psycopg.Connection[Any]) -> str:
    """The last month, ``YYYY-MM``, of which the audit log was set apart; empty while it is whole."""
    return max((last_month(part) for part in parts(conn, audit_log.TABLE, attached=False)), default="")


def last_month(part: str) -> str:
    """The last month, ``YYYY-MM``, of which a part has rows, by its name."""
    return part[-7:].replace("_", "-")


def _has_rows(conn: psycopg.Connection[Any], table: str, month: str) -> bool:
    """Whether rows of a month lie in the part for all that has none."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {at} >= %s AND {at} < %s)")
    place = sql.Identifier("months", f"{table.split('.')[1]}_else")
    row = conn.execute(query.format(place, at=sql.Identifier(PARTED[table])), month_bounds(month)).fetchone()
    return bool(row and row[0])
