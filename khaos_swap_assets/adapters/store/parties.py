"""Names and addresses of returns, sealed, as long as a document may need them.

Belongs here: ``swap.parties``, which only an installation of Khaos Cloud fills. Those of orders are in ``orders``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import psycopg

from khaos_swap_assets.adapters.store import bulk


def wanted(conn: psycopg.Connection, return_ids: Collection[str]) -> set[str]:
    """Which of these returns have no party kept and no document that is over."""
    if not return_ids:
        return set()
    rows = conn.execute(
        "SELECT r.return_id FROM swap.returns r WHERE r.return_id = ANY(%s) "
        "AND NOT EXISTS (SELECT 1 FROM swap.parties k WHERE k.return_id = r.return_id) "
        "AND NOT EXISTS (SELECT 1 FROM recon.postings p WHERE p.return_id = r.return_id "
        "AND p.state IN ('confirmed', 'refused'))",
        (list(return_ids),),
    )
    return {row[0] for row in rows}


def save(conn: psycopg.Connection, sealed: Mapping[str, bytes], now: datetime) -> None:
    """Keep the sealed party of each return."""
    rows = [(return_id, party, now) for return_id, party in sealed.items()]
    bulk.upsert(conn, "swap.parties", ("return_id", "party_sealed", "kept_at"), ["return_id"], rows)


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, bytes]:
    """The sealed party of these returns, where kept."""
    if not return_ids:
        return {}
    rows = conn.execute("SELECT return_id, party_sealed FROM swap.parties WHERE return_id = ANY(%s)", (return_ids,))
    return {row[0]: bytes(row[1]) for row in rows}


def forget(conn: psycopg.Connection, kept_before: datetime) -> int:
    """Erase those that no document waits for any more: neither open in Swap nor with a draft that is not over."""
    return conn.execute(
        "DELETE FROM swap.parties k USING swap.returns r WHERE r.return_id = k.return_id AND kept_at < %s "
        "AND NOT r.is_open AND NOT EXISTS (SELECT 1 FROM recon.drafts d WHERE d.return_id = k.return_id "
        "AND d.state IN ('ready', 'held') AND NOT EXISTS (SELECT 1 FROM recon.postings p WHERE "
        "(p.store_id, p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal) "
        "AND p.state IN ('confirmed', 'refused')))",
        (kept_before,),
    ).rowcount
