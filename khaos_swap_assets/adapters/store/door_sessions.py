"""Signed-in browsers, in our store.

Belongs here: beginning, finding and ending a session. Stays out: cookies and who may sign in (``door``). Shape: table
``recon.door_sessions`` (migration 0039). Only the hash of an id is stored: whoever reads the table can be nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, with which roles where an account gave them, and by which credential (a hash of it)."""

    member: str
    roles: frozenset[str]
    credential: str


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts: without a request, and in all."""

    idle: timedelta
    longest: timedelta


def begin(conn: Connection, key: str, session: Session, now: datetime, limits: SessionLimits) -> None:
    """Keep a new session under its key, and drop those that are over."""
    over = (now - limits.idle, now - limits.longest)
    conn.execute("DELETE FROM recon.door_sessions WHERE seen_at <= %s OR began_at <= %s", over)
    conn.execute(
        "INSERT INTO recon.door_sessions (id_hash, member, roles, credential, began_at, seen_at) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (_hash(key), session.member, sorted(session.roles), session.credential, now, now),
    )


def find(conn: Connection, key: str, now: datetime, limits: SessionLimits) -> Session | None:
    """The session of a key unless it is over; that it was seen is noted once a minute."""
    row = conn.execute(
        "SELECT member, roles, credential, seen_at FROM recon.door_sessions "
        "WHERE id_hash = %s AND seen_at > %s AND began_at > %s",
        (_hash(key), now - limits.idle, now - limits.longest),
    ).fetchone()
    if row is None:
        return None
    if row[3] <= now - SEEN_EVERY:
        conn.execute("UPDATE recon.door_sessions SET seen_at = %s WHERE id_hash = %s", (now, _hash(key)))
    return Session(row[0], frozenset(row[1]), row[2])


def end(conn: Connection, key: str) -> None:
    """End the session of a key; nothing where there is none."""
    conn.execute("DELETE FROM recon.door_sessions WHERE id_hash = %s", (_hash(key),))


def end_all(conn: Connection, member: str) -> int:
    """End every session of a member; says how many there were."""
    return conn.execute("DELETE FROM recon.door_sessions WHERE member = %s", (member,)).rowcount


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
