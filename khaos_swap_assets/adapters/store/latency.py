"""When each return took each step: event, accepted, read, inspected, drafted, offered, handed out, witnessed.

Belongs here: gathering the moments from our tables, and percentiles by day. Stays out: the objective
(``stages.completeness``). Shape: table ``recon.latency`` (migration 0004). Times are UTC; what led to an offer stays
as it was when the offer was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from khaos_swap_assets.domain.money.periods import LONDON, london_date

A_DAY = timedelta(days=1)
# After so many new rows the server plans by its old count of them, until it counts again by itself.
RECOUNTED_ROWS = 10_000

# A return's moments are gathered again when it, its inspections or its postings moved since the last look.
_TOUCHED = (
    "SELECT return_id FROM swap.returns WHERE changed_at >= %(since)s UNION "
    "SELECT r.return_id FROM recon.inspections i JOIN swap.returns r USING (rma) WHERE i.received_at >= %(since)s "
    "UNION "
    "SELECT return_id FROM recon.postings WHERE planned_at >= %(since)s UNION "
    "SELECT return_id FROM recon.postings WHERE handed_out_at >= %(since)s UNION "
    "SELECT return_id FROM recon.postings WHERE ended_at >= %(since)s AND state = 'confirmed'"
)
# The gate is the last thing that had to happen: Swap's change (told by its knock, or dated by Swap) or an inspection.
_GATHER = (
    "WITH touched AS (SELECT unnest(%(ids)s::text[]) AS return_id), posted AS ("
    "SELECT return_id, min(planned_at) AS offered_at, min(handed_out_at) AS handed_out_at, "
    "min(ended_at) FILTER (WHERE state = 'confirmed') AS witnessed_at FROM recon.postings "
    "WHERE return_id IN (SELECT return_id FROM touched) AND ended_by <> 'adoption' GROUP BY 1), "
    "moments AS (SELECT r.return_id, r.rma, r.updated_at AS event_at, "
    "(SELECT min(received_at) FROM recon.inbox k WHERE k.source = 'swap' AND k.return_id = r.return_id "
    "AND k.received_at >= r.updated_at - interval '1 minute') AS accepted_at, r.changed_at AS read_at, "
    "(SELECT max(received_at) FROM recon.inspections i WHERE i.rma = r.rma) AS inspected_at, "
    "(SELECT min(drafted_at) FROM recon.drafts d WHERE d.return_id = r.return_id AND d.state = 'ready') AS drafted_at, "
    "p.offered_at, p.handed_out_at, p.witnessed_at FROM swap.returns r LEFT JOIN posted p USING (return_id) "
    "WHERE r.return_id IN (SELECT return_id FROM touched)) "
    "INSERT INTO recon.latency AS old (return_id, rma, event_at, accepted_at, read_at, inspected_at, gate_at, "
    "drafted_at, offered_at, handed_out_at, witnessed_at) "
    "SELECT return_id, rma, event_at, accepted_at, read_at, inspected_at, "
    "greatest(coalesce(accepted_at, CASE WHEN event_at >= %(began)s THEN event_at ELSE read_at END), inspected_at), "
    "drafted_at, offered_at, handed_out_at, witnessed_at FROM moments "
    "ON CONFLICT (return_id) DO UPDATE SET "
    + ", ".join(
        f"{name} = CASE WHEN old.offered_at IS NULL THEN EXCLUDED.{name} ELSE old.{name} END"
        for name in ("event_at", "accepted_at", "read_at", "inspected_at", "gate_at", "drafted_at", "offered_at")
    )
    + ", handed_out_at = coalesce(old.handed_out_at, EXCLUDED.handed_out_at), "
    "witnessed_at = coalesce(old.witnessed_at, EXCLUDED.witnessed_at) "
    "WHERE old.offered_at IS NULL OR (old.handed_out_at IS NULL AND EXCLUDED.handed_out_at IS NOT NULL) "
    "OR (old.witnessed_at IS NULL AND EXCLUDED.witnessed_at IS NOT NULL) RETURNING offered_at, gate_at"
)


@dataclass(frozen=True, slots=True)
class DayOfLatency:
    """Seconds from the last gate to open until on offer, for the documents offered on one London day."""

    day: date
    offered: int
    p50_seconds: int
    p95_seconds: int


def touched(conn: psycopg.Connection[Any], since: datetime) -> list[str]:
    """The returns that moved since a moment."""
    return [row[0] for row in conn.execute(_TOUCHED.encode(), {"since": since})]


def gather(conn: psycopg.Connection[Any], return_ids: Sequence[str], began: datetime) -> int:
    """Write the moments of these returns, where they say more than before; how many.

    ``began`` is our first look at Swap: a change before it counts from its reading.
    """
    written = conn.execute(_GATHER.encode(), {"ids": list(return_ids), "began": began}).fetchall()
    days = {offered_at.astimezone(LONDON).date() for offered_at, gate_at in written if offered_at and gate_at}
    add_up(conn, sorted(days))
    if len(written) >= RECOUNTED_ROWS:
        conn.execute("ANALYZE recon.latency")
    return len(written)


def add_up(conn: psycopg.Connection[Any], days: Sequence[date]) -> None:
    """Bring the percentiles of these London days up to date."""
    spans = [(day, *(datetime.combine(one, time(), LONDON) for one in (day, day + A_DAY))) for day in days]
    conn.execute(
        "INSERT INTO recon.latency_days AS old SELECT span.day, count(*), "
        f"{_PERCENTILES} FROM unnest(%s::date[], %s::timestamptz[], %s::timestamptz[]) AS span (day, since, until) "
        "JOIN recon.latency l ON l.offered_at >= span.since AND l.offered_at < span.until AND l.gate_at IS NOT NULL "
        "GROUP BY 1 ON CONFLICT (day) DO UPDATE SET offered = EXCLUDED.offered, "
        "p50_seconds = EXCLUDED.p50_seconds, p95_seconds = EXCLUDED.p95_seconds".encode(),
        [list(column) for column in zip(*spans, strict=True)] or [[], [], []],
    )


def by_day(conn: psycopg.Connection[Any], since: datetime) -> list[DayOfLatency]:
    """Percentiles by London day of the offer from the day of a moment on, oldest first."""
    with conn.cursor(row_factory=class_row(DayOfLatency)) as cursor:
        return cursor.execute(
            "SELECT day, offered, p50_seconds, p95_seconds FROM recon.latency_days WHERE day >= %s ORDER BY day",
            (london_date(since),),
        ).fetchall()


def since(conn: psycopg.Connection[Any], moment: datetime) -> tuple[int, int, int]:
    """Documents offered since a moment, and p50 and p95 seconds from gate to offer over all of them."""
    row = conn.execute(
        f"SELECT count(*), {_PERCENTILES} FROM recon.latency WHERE offered_at >= %s AND gate_at IS NOT NULL".encode(),
        (moment,),
    ).fetchone()
    return (row[0], row[1] or 0, row[2] or 0) if row else (0, 0, 0)


def slowest(conn: psycopg.Connection[Any], moment: datetime, limit: int) -> list[dict[str, Any]]:
    """The returns that took longest from gate to offer since a moment, with every moment of theirs."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT rma, l.seconds, event_at, accepted_at, read_at, inspected_at, gate_at, drafted_at, offered_at, "
            "handed_out_at, witnessed_at FROM recon.latency l JOIN (SELECT return_id FROM recon.latency "
            "WHERE offered_at >= %s AND gate_at IS NOT NULL ORDER BY seconds DESC, return_id LIMIT %s) worst "
            "USING (return_id) ORDER BY l.seconds DESC, rma",
            (moment, limit),
        ).fetchall()


_PERCENTILES = (
    "percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds)"
)
