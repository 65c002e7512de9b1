"""How much the databases of an installation hold, and how many connections their server allows.

Belongs here: asking the server. Stays out: files and folders (``logs``), and showing it (``gateway.metrics``).
"""

from __future__ import annotations

from typing import Any

import psycopg

_BOTH = """
    SELECT CASE datname WHEN current_database() THEN 'database' ELSE 'dagster_database' END, pg_database_size(oid)
    FROM pg_database WHERE datname IN (current_database(), current_database() || '_dagster')
        AND has_database_privilege(oid, 'CONNECT')
"""


def of_databases(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """Bytes of our database and of Dagster's beside it, where they may be seen."""
    return dict(conn.execute(_BOTH).fetchall())


_ALLOWED = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true)::int, 0),
        datconnlimit, rolconnlimit
    FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
"""


def connections_allowed(conn: psycopg.Connection[Any]) -> int:
    """The most connections that we may open: what the server keeps for others taken off, and any limit of ours."""
    row = conn.execute(_ALLOWED).fetchone()
    return min(int(limit) for limit in row or () if limit >= 0)
