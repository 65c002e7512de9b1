"""The worklist: which returns a stage still has to look at, and how far each source was read.

Belongs here: queueing, taking, and watermarks, always in the caller's transaction, so that a stage's work and its
place in line commit together. Stays out: what a stage does with a return.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import psycopg

Stage = Literal["match", "draft", "stock", "reconcile", "custody"]
# Two machines' clocks, and one that is put right, differ by this much without harm.
SKEW = timedelta(minutes=5)
# By the places of the rows: joined by their ids, the server compares each with each where it thinks that few wait.
TAKE = (
    "DELETE FROM recon.worklist WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM recon.worklist WHERE stage = %s ORDER BY queued_at, return_id LIMIT %s FOR UPDATE)) "
    "RETURNING return_id"
)
log = logging.getLogger(__name__)


def queue(conn: psycopg.Connection, stage: Stage, return_ids: Iterable[str]) -> None:
    """Put these returns in line for ``stage``; one already in line stays where it is."""
    if ids := sorted(set(return_ids)):
        conn.execute(
            "INSERT INTO recon.worklist (stage, return_id) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (stage, ids),
        )


def queue_all(conn: psycopg.Connection, stage: Stage) -> int:
    """Put every return in line for ``stage``; says how many returns there are."""
    conn.execute(
        "INSERT INTO recon.worklist (stage, return_id) SELECT %s, return_id FROM swap.returns ON CONFLICT DO NOTHING",
        (stage,),
    )
    row = conn.execute("SELECT count(*) FROM swap.returns").fetchone()
    return int(row[0]) if row else 0


def take(conn: psycopg.Connection, stage: Stage, limit: int) -> list[str]:
    """Remove up to ``limit`` returns from the line of ``stage``, oldest first, and give them to the caller."""
    return sorted(row[0] for row in conn.execute(TAKE, (stage, limit)))


def waiting(conn: psycopg.Connection) -> int:
    """How many entries are in line, over all stages."""
    row = conn.execute("SELECT count(*) FROM recon.worklist").fetchone()
    return int(row[0]) if row else 0


def reached(conn: psycopg.Connection, source: str) -> datetime | None:
    """The moment up to which ``source`` was read, or None when it never was."""
    row = conn.execute("SELECT reached_at FROM recon.watermarks WHERE source = %s", (source,)).fetchone()
    return row[0] if row else None


def trusted(conn: psycopg.Connection, source: str, now: datetime) -> datetime | None:
    """What ``reached`` says, or None where a clock that ran ahead said it: all of the source is read again then.

    What happened between that mark and ``now`` was never read. One line in the log tells it.
    """
    moment = reached(conn, source)
    if moment is None or moment <= now + SKEW:
        return moment
    log.warning("%s is marked as read up to %s, still to come: the clock ran ahead, it is read again", source, moment)
    return None


def move(conn: psycopg.Connection, source: str, reached_at: datetime) -> None:
    """Record that ``source`` was read up to ``reached_at``; call it in the transaction that holds the rows."""
    conn.execute(
        "INSERT INTO recon.watermarks (source, reached_at) VALUES (%s, %s) "
        "ON CONFLICT (source) DO UPDATE SET reached_at = EXCLUDED.reached_at",
        (source, reached_at),
    )


def in_line(conn: psycopg.Connection, stage: Stage) -> list[str]:
    """The returns in line for a stage; they stay there."""
    return [row[0] for row in conn.execute("SELECT return_id FROM recon.worklist WHERE stage = %s", (stage,))]
