"""Customers' accounts in Khaos as last read, and whose account is to be asked for.

Belongs here: keeping what an account holds, and which notes that shows allocated. Stays out: asking Khaos
(``stages.credit_notes.allocation``). Shape: table ``khaos.customers`` (migration 0002). Money is pence, times UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import psycopg

from khaos_swap_assets.adapters.store import bulk

COLUMNS = ("customer_code", "currency", "unallocated_pence", "read_at")


def save(conn: psycopg.Connection, told: Mapping[str, tuple[str, int]], now: datetime) -> list[str]:
    """Keep (currency, pence unallocated) of each customer; the returns that have a note of theirs.

    An issued note that is worth more than all that is unallocated is allocated.
    """
    bulk.upsert(conn, "khaos.customers", COLUMNS, COLUMNS[:1], [(code, *one, now) for code, one in told.items()])
    conn.execute(
        "UPDATE khaos.credit_notes n SET allocated_at = %s FROM khaos.customers c WHERE n.customer_code = "
        "c.customer_code AND n.customer_code = ANY(%s) AND n.allocated_at IS NULL AND n.issued_on IS NOT NULL "
        "AND c.unallocated_pence < n.gross_pence",
        (now, list(told)),
    )
    rows = conn.execute(
        "SELECT DISTINCT return_id FROM khaos.credit_notes WHERE return_id IS NOT NULL AND customer_code = ANY(%s)",
        (list(told),),
    )
    return [row[0] for row in rows]


def to_ask(
    conn: psycopg.Connection,
    *,
    issued_before: date,
    read_before: datetime,
    operation: str,
    paused: Collection[str],
    limit: int,
) -> list[str]:
    """Customers with an attributed note issued before a day that was not seen allocated, not read since a moment.

    ``paused`` are those about whom Khaos just refused to answer; those it ever refused by ``operation`` come last.
    """
    rows = conn.execute(
        "SELECT customer_code FROM khaos.credit_notes n WHERE is_followed AND issued_on < %s AND NOT EXISTS "
        "(SELECT 1 FROM khaos.customers c WHERE c.customer_code = n.customer_code AND c.read_at > %s) "
        "AND customer_code <> ALL(%s) GROUP BY 1 ORDER BY EXISTS (SELECT 1 FROM recon.setbacks s "
        "WHERE s.operation = %s AND s.subject = customer_code), 1 LIMIT %s",
        (issued_before, read_before, list(paused), operation, limit),
    )
    return [row[0] for row in rows]


def unallocated(conn: psycopg.Connection, customer_codes: Sequence[str]) -> dict[str, int]:
    """Pence that these customers' accounts hold unallocated, of those that were ever read."""
    query = "SELECT customer_code, unallocated_pence FROM khaos.customers WHERE customer_code = ANY(%s)"
    return {row[0]: row[1] for row in conn.execute(query, (list(customer_codes),))}
