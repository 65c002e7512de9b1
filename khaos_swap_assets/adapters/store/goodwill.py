"""Which Credit Note of no return settles which money of no return, in our store.

Belongs here: pairs that may settle each other, keeping those that do, and ending those that no longer do, where a note
changes (money that changes settles nothing until it is laid beside the notes again). Stays out: which do
(``linking.goodwill``). Shape: ``storefront.refunds`` (migration 0033).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

_FITS = (
    "n.return_id IS NULL AND NOT n.is_cancelled AND (n.currency, n.gross_pence) = (f.currency, f.moved_pence) "
    "AND f.is_loose"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A loose note beside loose money of the same currency and value; ``moved_at`` is UTC."""

    credit_note_code: str
    refund_id: str
    order_name: str
    currency: str
    moved_pence: int
    moved_at: datetime


def candidates(conn: psycopg.Connection) -> list[Candidate]:
    """Every pair that value and currency allow, of notes and money that nothing settles yet."""
    with conn.cursor(row_factory=class_row(Candidate)) as cursor:
        return cursor.execute(
            "SELECT credit_note_code, refund_id, order_name, f.currency, moved_pence, moved_at "
            "FROM storefront.refunds f JOIN khaos.credit_notes n ON n.loose_since IS NOT NULL "
            f"AND {_FITS} WHERE settled_by = '' AND return_ref = '' AND order_name <> '' AND NOT EXISTS "
            "(SELECT 1 FROM storefront.refunds o WHERE o.settled_by = n.credit_note_code) ORDER BY 1, 2"
        ).fetchall()


def keep(conn: psycopg.Connection, found: Mapping[str, str]) -> None:
    """Keep refund id by note code; neither side is trouble any more."""
    codes, refund_ids = list(found), list(found.values())
    conn.execute(
        "UPDATE storefront.refunds f SET settled_by = m.code FROM "
        "unnest(%s::text[], %s::text[]) AS m (code, refund_id) WHERE f.refund_id = m.refund_id",
        (codes, refund_ids),
    )
    conn.execute(
        "DELETE FROM recon.findings w WHERE (kind = 'credit_note_orphan' AND subject = ANY(%s)) OR "
        "(kind = 'refund_without_return' AND split_part(subject, '/', -1) = ANY(%s))",
        (codes, refund_ids),
    )


def credited(conn: psycopg.Connection, refs: Sequence[str]) -> dict[str, int]:
    """Pence of the notes that settle goodwill already, by the reference of an order that they carry."""
    rows = conn.execute(
        "SELECT ref, sum(gross_pence)::bigint FROM storefront.refunds f JOIN khaos.credit_notes n "
        "ON n.credit_note_code = f.settled_by CROSS JOIN LATERAL (SELECT coalesce(nullif(order_ref, ''), "
        "associated_ref) AS ref) r WHERE f.settled_by <> '' AND ref = ANY(%s) GROUP BY 1",
        (list(refs),),
    ).fetchall()
    return dict(rows)


def release(conn: psycopg.Connection, codes: Collection[str], now: datetime) -> None:
    """End what these notes settled and settle no longer; such money is linked and told again."""
    if not codes:
        return
    conn.execute(
        "UPDATE storefront.refunds f SET settled_by = '', judge_at = %s "
        "WHERE settled_by = ANY(%s) AND settled_by <> '' AND NOT EXISTS "
        f"(SELECT 1 FROM khaos.credit_notes n WHERE n.credit_note_code = f.settled_by AND {_FITS})",
        (now, list(codes)),
    )


def settled(conn: psycopg.Connection, refund_ids: Collection[str]) -> set[str]:
    """Those of these refunds that a note settles."""
    query = "SELECT refund_id FROM storefront.refunds WHERE refund_id = ANY(%s) AND settled_by <> ''"
    return {row[0] for row in conn.execute(query, (list(refund_ids),))}
