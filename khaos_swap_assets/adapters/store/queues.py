"""The queues: what waits, how long, why, and when it will be done at the present rate.

Belongs here: reading them from our tables in one query each. Stays out: showing them (``gateway.metrics``, ``stages``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue; ``done_a_day`` is what left it in the past day, ``empty_in_seconds`` is None while nothing leaves.

    The present rate is that of the past hour; of the past day while nothing left in the hour.
    """

    name: str
    why: str
    waiting: int
    oldest_seconds: int
    done_a_day: int
    empty_in_seconds: int | None


# Each query: count and oldest moment of what waits, and what left since %(day)s and %(hour)s (NULL: not known).
_QUEUES: Sequence[tuple[str, str, str]] = (
    (
        "knocks",
        "Swap told of changes that its list does not show yet",
        "SELECT count(*) FILTER (WHERE consumed_at IS NULL), min(received_at) FILTER (WHERE consumed_at IS NULL), "
        "count(*) FILTER (WHERE consumed_at >= %(day)s), count(*) FILTER (WHERE consumed_at >= %(hour)s) "
        "FROM recon.inbox WHERE source = 'swap' AND (consumed_at IS NULL OR consumed_at >= %(day)s)",
    ),
    (
        "pushes",
        "Khaos pushed stock or levels that are not taken over yet",
        "SELECT count(*) FILTER (WHERE consumed_at IS NULL), min(received_at) FILTER (WHERE consumed_at IS NULL), "
        "count(*) FILTER (WHERE consumed_at >= %(day)s), count(*) FILTER (WHERE consumed_at >= %(hour)s) "
        "FROM recon.inbox WHERE source = 'khaos' AND (consumed_at IS NULL OR consumed_at >= %(day)s)",
    ),
    (
        "work",
        "returns that the next run matches, drafts or reconciles",
        "SELECT count(DISTINCT return_id), min(queued_at), "
        "(SELECT count(*) FROM recon.reconciliation WHERE reconciled_at >= %(day)s), "
        "(SELECT count(*) FROM recon.reconciliation WHERE reconciled_at >= %(hour)s) FROM recon.worklist",
    ),
    (
        "orders",
        "Sales Orders that Khaos is still to be asked for",
        "SELECT count(*), min(asked_at), "
        "(SELECT count(*) FROM khaos.wanted_orders WHERE state <> 'waiting' AND tried_at >= %(day)s), "
        "(SELECT count(*) FROM khaos.wanted_orders WHERE state <> 'waiting' AND tried_at >= %(hour)s) "
        "FROM khaos.wanted_orders WHERE state = 'waiting'",
    ),
    (
        "held",
        "refunds that a gate holds back; the table of reasons says which",
        "SELECT count(*), min(drafted_at), NULL::bigint, NULL::bigint FROM recon.drafts WHERE state = 'held'",
    ),
    (
        "documents",
        "drafted, and not handed out: caps of the day, the first document's witness, or Khaos has not pulled",
        "SELECT count(*) FILTER (WHERE state = 'planned'), min(planned_at) FILTER (WHERE state = 'planned'), "
        "count(*) FILTER (WHERE handed_out_at >= %(day)s), count(*) FILTER (WHERE handed_out_at >= %(hour)s) "
        "FROM recon.postings WHERE state = 'planned' OR handed_out_at >= %(day)s",
    ),
    (
        "witnesses",
        "handed out, and no Credit Note seen yet",
        "SELECT count(*) FILTER (WHERE state = 'in_doubt'), min(handed_out_at) FILTER (WHERE state = 'in_doubt'), "
        "count(*) FILTER (WHERE state = 'confirmed' AND ended_at >= %(day)s), "
        "count(*) FILTER (WHERE state = 'confirmed' AND ended_at >= %(hour)s) FROM recon.postings "
        "WHERE state = 'in_doubt' OR (state = 'confirmed' AND ended_at >= %(day)s)",
    ),
)


def read(conn: psycopg.Connection[Any], now: datetime) -> list[Queue]:
    """Every queue at this moment."""
    return [_queue(name, why, conn, query, now) for name, why, query in _QUEUES]


def _queue(name: str, why: str, conn: psycopg.Connection[Any], query: str, now: datetime) -> Queue:
    row = conn.execute(query.encode(), {"day": now - DAY, "hour": now - HOUR}).fetchone()
    waiting, oldest, in_day, in_hour = row or (0, None, 0, 0)
    age = max(0, int((now - oldest).total_seconds())) if oldest else 0
    rate = in_hour / HOUR.total_seconds() if in_hour else (in_day or 0) / DAY.total_seconds()
    empty = 0 if waiting == 0 else int(waiting / rate) if rate else None
    return Queue(name, why, waiting, age, in_day or 0, empty)


def held_by_reason(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Refunds that a gate holds back, by the first reason: how many, their pence, and since when."""
    rows = conn.execute(
        "SELECT reasons->0->>0, currency, count(*), sum(value_pence)::bigint, min(drafted_at) FROM recon.drafts "
        "WHERE state = 'held' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    names = ("reason", "currency", "held", "value_pence", "since")
    return [dict(zip(names, row, strict=True)) for row in rows]
