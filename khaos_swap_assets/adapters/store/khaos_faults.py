"""Rows of Khaos that could not be read, kept in sight until they can.

Belongs here: table ``khaos.unreadable``. Stays out: what makes a row unreadable (``adapters.khaos.wire``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import psycopg


class UnreadRow(Protocol):
    """A row that could not be read."""

    @property
    def subject(self) -> str:
        """What the row is about: a Stock Code, an order reference."""

    @property
    def reason(self) -> str:
        """Why it could not be read."""


def save(conn: psycopg.Connection, faults: Sequence[UnreadRow], now: datetime) -> None:
    """Record these faults; one already known is seen again."""
    if not faults:
        return
    rows = [(_hash(fault), fault.subject, fault.reason, now, now) for fault in faults]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO khaos.unreadable (row_hash, subject, reason, first_seen_at, last_seen_at) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (row_hash) DO UPDATE "
            "SET last_seen_at = EXCLUDED.last_seen_at, resolved_at = NULL",
            rows,
        )


def resolve(conn: psycopg.Connection, subjects: Sequence[str], now: datetime) -> None:
    """These subjects were read since."""
    if not subjects:
        return
    conn.execute(
        "UPDATE khaos.unreadable SET resolved_at = %s WHERE resolved_at IS NULL AND subject = ANY(%s)",
        (now, list(subjects)),
    )


def _hash(fault: UnreadRow) -> str:
    return hashlib.sha256(f"{fault.subject}\n{fault.reason}".encode()).hexdigest()
