"""PostgreSQL: the embedded server, connections, migrations, bulk rows, and one module a group of tables."""

from typing import Any

import psycopg

Conn = psycopg.Connection[Any]
"""A connection to our tables, whatever shape its rows have."""
