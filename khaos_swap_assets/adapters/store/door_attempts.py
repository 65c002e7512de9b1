"""How often a name or an address tried to sign in, in our store, so that a restart forgives nothing.

Belongs here: counting, and forgetting after a success. Stays out: how often is too often (``door.keeping``). Shape:
table ``recon.door_attempts`` (migration 0039). What tried is kept as a hash: people type passwords as names.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
WINDOW = timedelta(minutes=15)


def count(conn: Connection, subject: str, now: datetime) -> int:
    """Count one more attempt of a subject; how many there were since its first of the last quarter of an hour."""
    conn.execute("DELETE FROM recon.door_attempts WHERE since <= %s", (now - WINDOW,))
    row = conn.execute(
        "INSERT INTO recon.door_attempts AS a (subject_hash, tries, since) VALUES (%s, 1, %s) "
        "ON CONFLICT (subject_hash) DO UPDATE SET tries = least(a.tries + 1, 1000000) RETURNING tries",
        (_hash(subject), now),
    ).fetchone()
    assert row is not None
    return int(row[0])


def forgive(conn: Connection, subject: str, tries: int) -> None:
    """Take so many attempts of a subject back."""
    conn.execute(
        "UPDATE recon.door_attempts SET tries = greatest(tries - %s, 0) WHERE subject_hash = %s",
        (tries, _hash(subject)),
    )


def _hash(subject: str) -> bytes:
    return hashlib.sha256(subject.encode("utf-8", "replace")).digest()
