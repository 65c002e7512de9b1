"""When each return took each step: event, accepted, read, inspected, drafted, offered, handed out, witnessed.

Belongs here: gathering the moments from our tables, and percentiles by day. Stays out: the objective
(``stages.completeness``). Shape: table ``recon.latency`` (migration 0004). Times are UTC; what led to an offer stays
as it was when the offer was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

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
    "WITH touched AS (" + _TOUCHED + "), posted AS ("
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
    "witnessed_at = coalesce(old.witnessed_at, EXCLUDED.witnessed_at)"
)


@dataclass(frozen=True, slots=True)
class DayOfLatency:
    """Seconds from the last gate to open until on offer, for the documents offered on one London day."""

    day: date
    offered: int
    p50_seconds: int
    p95_seconds: int


def gather(conn: psycopg.Connection[Any], since: datetime, began: datetime) -> int:
    """Write the moments of every return that moved since a moment; how many.

    ``began`` is our first look at Swap: a change before it counts from its reading.
    """
    return conn.execute(_GATHER.encode(), {"since": since, "began": began}).rowcount


def by_day(conn: psycopg.Connection[Any], since: datetime) -> list[DayOfLatency]:
    """Percentiles by London day of the offer, oldest first."""
    london = "(offered_at AT TIME ZONE 'Europe/London')::date"
    rows = conn.execute(
        f"SELECT {london}, count(*), {_PERCENTILES} FROM recon.latency "
        "WHERE offered_at >= %s AND gate_at IS NOT NULL GROUP BY 1 ORDER BY 1".encode(),
        (since,),
    ).fetchall()
    return [DayOfLatency(*row) for row in rows]


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
            f"SELECT rma, {_SECONDS}::int AS seconds, event_at, accepted_at, read_at, inspected_at, gate_at, "
            "drafted_at, offered_at, handed_out_at, witnessed_at FROM recon.latency "
            f"WHERE offered_at >= %s AND gate_at IS NOT NULL ORDER BY {_SECONDS} DESC, rma LIMIT %s".encode(),
            (moment, limit),
        ).fetchall()


_SECONDS = "greatest(0, extract(epoch FROM offered_at - gate_at))"
_PERCENTILES = (
    f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {_SECONDS})::int, "
    f"percentile_disc(0.95) WITHIN GROUP (ORDER BY {_SECONDS})::int"
)
