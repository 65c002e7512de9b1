"""Pictures in our store, each as last drawn.

Belongs here: keeping and finding a picture by its name and by what it was drawn of. Stays out: drawing (``stages``).
Shape: table ``recon.pictures`` (migration 0020); ``drawn_of`` is a hash of the data and of the drawing code.
"""

from __future__ import annotations

import psycopg


def find(conn: psycopg.Connection, name: str, drawn_of: str) -> bytes | None:
    """The picture of this name (PNG), if it was last drawn of this."""
    query = "SELECT png FROM recon.pictures WHERE name = %s AND drawn_of = %s"
    row = conn.execute(query, (name, drawn_of)).fetchone()
    return row[0] if row else None


def keep(conn: psycopg.Connection, name: str, drawn_of: str, png: bytes) -> None:
    """Keep it in place of the one before it."""
    conn.execute(
        "INSERT INTO recon.pictures (name, drawn_of, png) VALUES (%s, %s, %s) "
        "ON CONFLICT (name) DO UPDATE SET drawn_of = EXCLUDED.drawn_of, png = EXCLUDED.png",
        (name, drawn_of, png),
    )
