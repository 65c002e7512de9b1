"""The hold of the feed that a person set, in our store.

Belongs here: rows of ``recon.feed_holds`` with a name. Stays out: those that the feed set itself (``postings``), and
who may hold (``stages.credit_notes.people``). Callers hold the lock of the postings.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log

BY_HAND = "by hand"


def by_person(conn: psycopg.Connection[Any]) -> str:
    """Who holds the feed, since when and why; empty where nobody does."""
    row = conn.execute(
        "SELECT held_by, opened_at, reason FROM recon.feed_holds WHERE closed_at IS NULL AND held_by <> ''"
    ).fetchone()
    return f"the feed is held by {row[0]} since {row[1]:%Y-%m-%d %H:%M} UTC: {row[2]}" if row else ""


def hold(conn: psycopg.Connection[Any], by: str, reason: str, now: datetime) -> bool:
    """Hold it; False where somebody does already."""
    done = conn.execute(
        "INSERT INTO recon.feed_holds (token, reason, opened_at, held_by) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (BY_HAND, reason, now, by),
    )
    return _told(conn, done.rowcount, by, "held", reason, now)


def resume(conn: psycopg.Connection[Any], by: str, reason: str, now: datetime) -> bool:
    """End that hold; False where there is none."""
    done = conn.execute(
        "UPDATE recon.feed_holds SET closed_at = %s, closed_by = %s, close_reason = %s "
        "WHERE closed_at IS NULL AND held_by <> ''",
        (now, by, reason),
    )
    return _told(conn, done.rowcount, by, "resumed", reason, now)


def _told(conn: psycopg.Connection[Any], rows: int, by: str, what: str, reason: str, now: datetime) -> bool:
    if rows:
        audit_log.append(conn, [audit_log.Entry(now, by, what, "feed", reason=reason)])
    return rows > 0
