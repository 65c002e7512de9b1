"""The queues: what waits, how long, why, and when it will be done at the present rate; and whether any of it is due.

Belongs here: reading them from our tables in one query each. Stays out: showing them (``gateway.metrics``, ``stages``)
and what a run does because of them (``stages.due``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store.orders import NOT_PAUSED

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
    return Queue(
        name=name, why=why, waiting=waiting, oldest_seconds=age, done_a_day=in_day or 0, empty_in_seconds=empty
    )


def held_by_reason(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Refunds that a gate holds back, by the first reason: how many, their pence, and since when."""
    rows = conn.execute(
        "SELECT reasons->0->>0, currency, count(*), sum(value_pence)::bigint, min(drafted_at) FROM recon.drafts "
        "WHERE state = 'held' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    names = ("reason", "currency", "held", "value_pence", "since")
    return [dict(zip(names, row, strict=True)) for row in rows]


_TELLS_OF_CANCELLED = (
    "NOT EXISTS (SELECT 1 FROM recon.setbacks s WHERE s.operation = 'Khaos ExportOrderStatusEx of cancelled orders' "
    "AND s.subject = '' AND s.next_try_at > %(now)s)"
)
"""SQL: Khaos did not just refuse to tell how cancelled orders stand."""
_REASONS = (
    ("knock", "SELECT 1 FROM recon.inbox WHERE consumed_at IS NULL AND source = 'swap' AND next_try_at <= %(now)s"),
    (
        "knock of the storefront",
        "SELECT 1 FROM recon.inbox WHERE consumed_at IS NULL AND source = 'storefront' AND next_try_at <= %(now)s",
    ),
    ("pushed by Khaos", "SELECT 1 FROM recon.inbox WHERE consumed_at IS NULL AND source = 'khaos'"),
    ("message to look at", "SELECT 1 FROM recon.inbox WHERE consumed_at IS NULL AND source = 'swap_unreadable'"),
    ("work in line", "SELECT 1 FROM recon.worklist"),
    ("fault to try again", "SELECT 1 FROM recon.setbacks WHERE operation = ANY(%(steps)s) AND next_try_at <= %(now)s"),
    ("deadline passed", "SELECT 1 FROM recon.reconciliation WHERE next_due_at <= %(now)s"),
    (
        "stock level to judge",
        "SELECT 1 FROM recon.stock_moves WHERE level_verdict = 'pending' AND (judge_at IS NULL OR judge_at <= %(now)s)",
    ),
    (
        "stock adjustment to look for",
        "SELECT 1 FROM recon.stock_adjustments WHERE state IN ('asked', 'sent') AND look_at <= %(now)s",
    ),
    (
        "waiver at its end",
        "SELECT 1 FROM recon.decisions WHERE ended_at IS NULL AND decision = 'waived' AND until_at <= %(now)s",
    ),
    ("refund to judge", "SELECT 1 FROM storefront.refunds WHERE judge_at <= %(now)s"),
    ("payout to compare", "SELECT 1 FROM storefront.payouts WHERE is_due"),
    (
        "cancelled order to look at",
        f"SELECT 1 FROM recon.cancellations WHERE next_ask_at <= %(now)s AND {_TELLS_OF_CANCELLED}",
    ),
    (
        "cancelled part to look at",
        f"SELECT 1 FROM recon.cancelled_parts WHERE next_ask_at <= %(now)s AND {_TELLS_OF_CANCELLED}",
    ),
    ("orders to read", f"SELECT 1 FROM khaos.wanted_orders WHERE state = 'waiting' AND {NOT_PAUSED}"),
)
LOOK = f"SELECT CASE {' '.join(f'WHEN EXISTS ({query}) THEN %({n})s' for n, (_, query) in enumerate(_REASONS))} END"
WORDS = {str(n): reason for n, (reason, _) in enumerate(_REASONS)}


def first_reason(conn: psycopg.Connection[Any], now: datetime, steps: Sequence[str]) -> str:
    """What arrived or whose time has come, in words: the first found, by one query over indexes; empty for nothing.

    ``steps`` are the operations of which a fault is tried again.
    """
    found = conn.execute(LOOK.encode(), {"now": now, "steps": list(steps), **WORDS}).fetchone()
    return str(found[0]) if found and found[0] else ""


def has_planned(conn: psycopg.Connection[Any]) -> bool:
    """True while a document waits to be handed out."""
    return conn.execute("SELECT 1 FROM recon.postings WHERE state = 'planned' LIMIT 1").fetchone() is not None


def has_document(conn: psycopg.Connection[Any]) -> bool:
    """True while a document waits, is out, or could be planned."""
    found = conn.execute(
        "SELECT 1 FROM recon.postings WHERE state IN ('planned', 'in_doubt') UNION ALL SELECT 1 FROM recon.drafts d "
        "WHERE state = 'ready' AND NOT is_done AND NOT EXISTS (SELECT 1 FROM recon.postings p WHERE (p.store_id, "
        "p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal) AND p.state <> 'withdrawn') LIMIT 1"
    )
    return found.fetchone() is not None


def due_since(
    conn: psycopg.Connection[Any], *, reread_source: str, reread_after: timedelta, counts_documents: bool
) -> datetime | None:
    """Since when something waits for a run; a source is to be read again that long after its last reading."""
    row = conn.execute(
        "SELECT least((SELECT min(planned_at) FROM recon.postings WHERE state = 'planned' AND %s), "
        "(SELECT min(queued_at) FROM recon.worklist), "
        "(SELECT min(received_at) FROM recon.inbox WHERE consumed_at IS NULL AND source = 'khaos'), "
        "(SELECT min(next_try_at) FROM recon.inbox WHERE consumed_at IS NULL AND source = 'swap'), "
        "(SELECT reached_at + %s FROM recon.watermarks WHERE source = %s))",
        (counts_documents, reread_after, reread_source),
    ).fetchone()
    return row[0] if row else None


def standing(conn: psycopg.Connection[Any]) -> list[tuple[str, int]]:
    """How many postings and drafts there are by state, and exceptions that are open: (name, count)."""
    return conn.execute(
        "SELECT 'postings ' || state, count(*) FROM recon.postings GROUP BY 1 UNION ALL "
        "SELECT 'drafts ' || state, count(*) FROM recon.drafts GROUP BY 1 UNION ALL "
        "SELECT 'exceptions', count(*) FROM recon.exceptions WHERE closed_at IS NULL ORDER BY 1"
    ).fetchall()
