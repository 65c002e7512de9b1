"""What a store says of each return, exception, draft and document: remembered, and laid beside what it says later.

Belongs here: both looks and their difference, in SQL, and the moment of the last judging. Stays out: what happens
between them (``rehearsal``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.domain.judging.upgrades import UpgradeChange

OLDEST = "0003"
"""The first version of the tables with all that is compared."""
SAID = """
    SELECT 'status' AS about, return_id AS key, '' AS kind, rma AS subject, '' AS owner, status AS state,
        gap_pence AS pence, currency
    FROM recon.reconciliation
    UNION ALL
    SELECT 'exception', kind || ' ' || subject, kind, subject, owner, 'open', money_at_risk_pence, currency
    FROM recon.exceptions WHERE closed_at IS NULL
    UNION ALL
    SELECT 'draft', d.store_id || ' ' || d.return_id || ' ' || d.ordinal, '', coalesce(r.rma, d.return_id), '',
        concat_ws(': ', d.state, (SELECT string_agg(DISTINCT one ->> 0, ', ' ORDER BY one ->> 0)
            FROM jsonb_array_elements(d.reasons) one)), d.value_pence, d.currency
    FROM recon.drafts d LEFT JOIN swap.returns r USING (return_id)
    UNION ALL
    SELECT 'document', p.reference, '', p.reference, '',
        CASE WHEN p.state = 'withdrawn' AND d.state IS NOT NULL THEN 'withdrawn, to be planned anew' ELSE p.state END,
        CASE WHEN p.state = 'withdrawn' THEN coalesce(d.value_pence, 0) ELSE p.value_pence END, p.currency
    FROM recon.postings p LEFT JOIN recon.drafts d ON d.state = 'ready'
        AND (d.store_id, d.return_id, d.ordinal) = (p.store_id, p.return_id, p.ordinal)
"""
DIFFERENCE = f"""
    SELECT about, coalesce(nullif(a.kind, ''), b.kind, ''), coalesce(a.subject, b.subject),
        coalesce(a.owner, b.owner), coalesce(b.state, ''), coalesce(a.state, ''), coalesce(b.pence, 0),
        coalesce(a.pence, 0), coalesce(nullif(a.currency, ''), b.currency, '')
    FROM recon.said_before b FULL JOIN ({SAID}) a USING (about, key)
    WHERE (a.state, a.pence, a.owner) IS DISTINCT FROM (b.state, b.pence, b.owner)
    ORDER BY greatest(abs(coalesce(a.pence, 0)), abs(coalesce(b.pence, 0))) DESC, about, 2, 3
"""


def remember(conn: psycopg.Connection[Any]) -> None:
    """Keep what this store says now, in a table beside the others: for a copy alone."""
    conn.execute(f"CREATE TABLE recon.said_before AS {SAID}")


def changes(conn: psycopg.Connection[Any]) -> list[UpgradeChange]:
    """What this store says otherwise than what was remembered, the most money first."""
    return [UpgradeChange(*row) for row in conn.execute(DIFFERENCE)]


def last_judged(conn: psycopg.Connection[Any]) -> datetime | None:
    """When a return or the exceptions were last judged, None where nothing ever was."""
    row = conn.execute(
        "SELECT greatest((SELECT reached_at FROM recon.watermarks WHERE source = 'recon/exceptions'), "
        "(SELECT max(reconciled_at) FROM recon.reconciliation))"
    ).fetchone()
    return row[0] if row else None
