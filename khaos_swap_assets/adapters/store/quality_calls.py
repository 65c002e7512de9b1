"""The ledger of calls to Swap's quality control: one row an inspection.

Belongs here: table ``recon.quality_calls`` (migration 0057), each call that left with its lines of the audit log. Stays
out: the rules of a call (``domain.goods.quality_calls``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log, inspections, returns
from khaos_swap_assets.domain.goods.quality_calls import KIND, Finding, QualityCall, State
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID

COLUMNS = ", ".join(f"q.{field.name}" for field in fields(QualityCall))
WHO = "engine"
LOOK_EVERY = timedelta(minutes=15)
"""How often a finding that waits is looked at again."""
CORRECTED = "EXISTS (SELECT 1 FROM recon.inspections c WHERE c.corrects = q.inspection_id AND c.corrects <> '')"
TWIN = (
    "EXISTS (SELECT 1 FROM swap.returns r JOIN swap.return_lines l USING (return_id) JOIN swap.returns o "
    "ON o.order_name = r.order_name AND o.return_id <> r.return_id AND NOT o.status = ANY(%(ended)s) "
    "JOIN swap.return_lines m ON m.return_id = o.return_id "
    "AND CASE l.line_item_id WHEN '' THEN m.sku = l.sku ELSE m.line_item_id = l.line_item_id END "
    "WHERE r.rma = i.rma AND CASE i.line_item_id WHEN '' THEN l.sku = i.sku ELSE l.line_item_id = i.line_item_id END)"
)
REPLACING = (
    "EXISTS (WITH RECURSIVE before AS (SELECT i.corrects AS id UNION SELECT b.corrects FROM recon.inspections b "
    "JOIN before ON b.inspection_id = before.id WHERE before.id <> '') SELECT 1 FROM recon.quality_calls t "
    "JOIN before ON t.inspection_id = before.id WHERE t.state IN ('sent', 'accepted', 'unknown'))"
)


def plan(conn: psycopg.Connection[Any], since: datetime, now: datetime) -> int:
    """Write down what was reported since a moment and is not in the ledger; what was corrected meanwhile goes."""
    conn.execute(
        "UPDATE recon.quality_calls q SET state = 'withdrawn', said = 'corrected before it was told' "
        f"WHERE state = 'planned' AND {CORRECTED}".encode()
    )
    return conn.execute(
        "INSERT INTO recon.quality_calls (inspection_id, rma, state, asked, said, planned_at, look_at) "
        "SELECT inspection_id, rma, 'planned', quantity || ' x ' || coalesce(nullif(sku, ''), line_item_id) || ' ' || "
        "condition, '', %s, %s FROM recon.inspections i WHERE received_at >= %s AND NOT EXISTS (SELECT 1 "
        "FROM recon.inspections c WHERE c.corrects = i.inspection_id AND c.corrects <> '') ON CONFLICT DO NOTHING",
        (now, now, since),
    ).rowcount


def waiting(conn: psycopg.Connection[Any], now: datetime, limit: int) -> list[Finding]:
    """Findings that are to be looked at now, the oldest first; they are not looked at again for a while."""
    rows = conn.execute(
        "SELECT i.inspection_id, coalesce((SELECT min(r.return_id) FROM swap.returns r WHERE r.rma = i.rma), ''), "
        f"{REPLACING}, {TWIN} FROM recon.quality_calls q JOIN recon.inspections i "
        "USING (inspection_id) WHERE q.state = 'planned' AND q.look_at <= %(now)s ORDER BY q.look_at, 1 "
        "LIMIT %(limit)s".encode(),
        {"now": now, "ended": list(ENDED_UNPAID), "limit": limit},
    ).fetchall()
    conn.execute(
        "UPDATE recon.quality_calls SET look_at = %s WHERE inspection_id = ANY(%s)",
        (now + LOOK_EVERY, [row[0] for row in rows]),
    )
    told = inspections.by_ids(conn, [row[0] for row in rows])
    known = returns.load(conn, [row[1] for row in rows])
    return [Finding(told[name], known.get(return_id), *more) for name, return_id, *more in rows]


def judged(conn: psycopg.Connection[Any], found: Mapping[str, tuple[State, str]]) -> None:
    """Keep what became of findings (by id) that were not told."""
    conn.execute(
        "UPDATE recon.quality_calls q SET state = n.state, said = n.said FROM unnest(%s::text[], %s::text[], "
        "%s::text[]) AS n (inspection_id, state, said) WHERE q.inspection_id = n.inspection_id "
        "AND q.state = 'planned'",
        (list(found), [one[0] for one in found.values()], [one[1] for one in found.values()]),
    )


def claim(conn: psycopg.Connection[Any], found: Finding, now: datetime) -> bool:
    """Write the intent down; False where it was told, or corrected, meanwhile."""
    name = found.inspection.inspection_id
    is_ours = (
        conn.execute(
            "UPDATE recon.quality_calls q SET state = 'sent', sent_at = %s, said = '' WHERE inspection_id = %s "
            f"AND state = 'planned' AND NOT {CORRECTED}".encode(),
            (now, name),
        ).rowcount
        == 1
    )
    if is_ours:
        _tell(conn, found.words, name, "quality control asked", "", now)
    return is_ours


def settle(conn: psycopg.Connection[Any], found: Finding, state: State, said: str, now: datetime) -> None:
    """Keep what a call that was sent came to."""
    name = found.inspection.inspection_id
    done = conn.execute(
        "UPDATE recon.quality_calls SET state = %s, said = %s WHERE inspection_id = %s AND state = 'sent'",
        (state, said, name),
    )
    if done.rowcount:
        _tell(conn, found.words, name, f"quality control {state}", said, now)


def abandon(conn: psycopg.Connection[Any], before: datetime) -> None:
    """Of what was sent before a moment and has no outcome nobody can tell: whoever sent it is gone."""
    conn.execute(
        "UPDATE recon.quality_calls SET state = 'unknown', said = 'the process ended before the answer' "
        "WHERE state = 'sent' AND sent_at <= %s",
        (before,),
    )


def tasks(conn: psycopg.Connection[Any]) -> list[tuple[QualityCall, str]]:
    """Calls that people have to look into, with Swap's status of their return; what they waived for good is done."""
    conn.execute(
        "UPDATE recon.quality_calls q SET settled_at = d.decided_at FROM recon.decisions d "
        "WHERE q.settled_at IS NULL AND q.state IN ('unknown', 'refused') AND d.decision = 'waived' AND d.object = %s "
        "AND d.subject = q.rma || '/' || q.inspection_id AND d.ended_at IS NULL AND d.until_at IS NULL",
        (KIND,),
    )
    status = "SELECT min(r.quality_control_status) FROM swap.returns r WHERE r.rma = q.rma"
    rows = conn.execute(
        f"SELECT {COLUMNS}, coalesce(({status}), '') FROM recon.quality_calls q WHERE settled_at IS NULL "
        "AND state IN ('unknown', 'refused') ORDER BY 1".encode()
    ).fetchall()
    return [(QualityCall(*row[:-1]), row[-1]) for row in rows]


def counts(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """How many calls there are that wait or that people have to look into, by state."""
    return dict(
        conn.execute(
            "SELECT state, count(*) FROM recon.quality_calls WHERE state IN ('planned', 'sent') "
            "OR (settled_at IS NULL AND state IN ('unknown', 'refused')) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )


def _tell(conn: psycopg.Connection[Any], words: str, name: str, what: str, said: str, now: datetime) -> None:
    entry = audit_log.Entry(now, WHO, what, f"inspection {name}", after={"finding": words}, reason=said)
    audit_log.append(conn, [entry])
