"""Under which name each store of Swap was ever read.

Belongs here: ``swap.stores`` (migration 0060), and finding what people name without its store. Stays out: what a name
is for (``domain.records.stores``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.domain.records.stores import SEPARATOR, qualified


def claim(conn: psycopg.Connection[Any], store: str, store_id: str) -> str:
    """Keep that a store is read under a name; a line where that cannot be: its returns would be taken as new ones.

    The first store (an empty name) may be given another id, as ever.
    """
    conn.execute("INSERT INTO swap.stores (store_id, store) VALUES (%s, %s) ON CONFLICT DO NOTHING", (store_id, store))
    rows = conn.execute("SELECT store_id, store FROM swap.stores WHERE store_id = %s OR store = %s", (store_id, store))
    known = dict(rows.fetchall())
    if known[store_id] != store:
        before = known[store_id] or "the first store"
        return f"its returns were read as those of {before}; every one of them would be taken as new"
    if store and len(known) > 1:
        return "another store was read under this name; choose a new name"
    return ""


@dataclass(frozen=True, slots=True)
class StoreMonth:
    """What one store's returns of a month come to, in one currency; pence."""

    store: str
    currency: str
    returns: int
    refund_pence: int
    credited_pence: int
    issued_pence: int
    gap_pence: int


def of_month(conn: psycopg.Connection[Any], period: str) -> list[StoreMonth]:
    """The month ('2026-03') by store; together they are the month's own figures."""
    with conn.cursor(row_factory=class_row(StoreMonth)) as cursor:
        return cursor.execute(
            "SELECT r.store, m.currency, count(*) AS returns, sum(m.refund_pence)::bigint AS refund_pence, "
            "sum(m.credited_pence)::bigint AS credited_pence, sum(m.issued_pence)::bigint AS issued_pence, "
            "sum(m.gap_pence)::bigint AS gap_pence FROM recon.monthly m JOIN swap.returns r USING (return_id) "
            "WHERE m.period = %s GROUP BY 1, 2 ORDER BY 1, 2",
            (period,),
        ).fetchall()


def further(conn: psycopg.Connection[Any]) -> list[str]:
    """The names of the stores beside the first."""
    rows = conn.execute("SELECT DISTINCT store FROM swap.stores WHERE store <> '' ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def gone(conn: psycopg.Connection[Any], named: Sequence[str]) -> dict[str, str]:
    """By Swap's id, the further stores that were read and are none of these names."""
    rows = conn.execute(
        "SELECT store_id, store FROM swap.stores WHERE store <> '' AND store <> ALL(%s) ORDER BY store", (list(named),)
    )
    return dict(rows.fetchall())


def undone(conn: psycopg.Connection[Any], store: str) -> int:
    """How many returns of a further store are open, or have an open exception or a document that waits."""
    row = conn.execute(
        "SELECT count(*) FROM swap.returns r WHERE r.store = %s AND r.store <> '' AND (r.is_open OR EXISTS (SELECT "
        "FROM recon.exceptions e WHERE e.return_id = r.return_id AND e.closed_at IS NULL) OR EXISTS (SELECT FROM "
        "recon.postings p WHERE p.return_id = r.return_id AND p.state IN ('planned', 'in_doubt')))",
        (store,),
    ).fetchone()
    return int(row[0]) if row else 0


def rma_of(conn: psycopg.Connection[Any], rma: str) -> str:
    """The RMA that a label without a store means; empty where returns of several stores, or of none, carry it.

    Of one store it is that store's, known or not; so is one that begins with a store's name.
    """
    names = further(conn)
    if not names or rma.startswith(tuple(f"{store}{SEPARATOR}" for store in names)):
        return rma
    rows = conn.execute("SELECT DISTINCT rma FROM swap.returns WHERE rma = ANY(%s)", (spelled(conn, [rma]),)).fetchall()
    return str(rows[0][0]) if len(rows) == 1 else ""


def spelled(conn: psycopg.Connection[Any], words: Iterable[str]) -> list[str]:
    """These words, and each as any further store has it: whoever names an RMA or an order may leave its store out."""
    plain: Sequence[str] = list(words)
    return [*plain, *(qualified(store, word) for store in further(conn) for word in plain)]
