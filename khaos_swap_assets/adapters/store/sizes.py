"""How much the databases of an installation hold.

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
