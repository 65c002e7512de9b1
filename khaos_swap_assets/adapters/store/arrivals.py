"""What the gateway writes before it answers, many messages in one transaction.

Belongs here: knocks that are kept in bulk, and the count of what was refused. Stays out: whether a message may be
believed (``gateway``), listing and consuming (``inbox``). Shapes: ``recon.inbox``, ``recon.refused_messages``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

HEADS_AN_HOUR = 100
ROWS_AN_HOUR = 1_000
HEAD_BYTES = 4_096
LOCK = 0x6B687265
"""Any constant that nothing else in this database uses as an advisory lock."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A verified knock: of Swap about a return, or of the storefront about an order.

    ``body`` holds no personal data, ``received_at`` is UTC.
    """

    store_id: str
    event: str
    return_id: str
    body: Mapping[str, Any]
    received_at: datetime
    source: Literal["swap", "storefront"] = "swap"
    order_id: str = ""

    @property
    def about(self) -> tuple[str, ...]:
        """What it says; knocks that say the same fold while they wait."""
        return self.source, self.store_id, self.event, self.return_id, self.order_id


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that was not believed or not understood: its whole size, SHA-256 of its bytes, and a first part."""

    reason: str
    sender: str
    size_bytes: int
    body_hash: str
    head: bytes | None
    received_at: datetime


def keep(conn: psycopg.Connection[Any], messages: Sequence[Knock | RefusedMessage]) -> None:
    """Write and commit all of them or none, on a connection in autocommit mode: knocks alone are one trip to it."""
    knocks = [one for one in messages if isinstance(one, Knock)]
    refusals = [one for one in messages if isinstance(one, RefusedMessage)]
    with conn.transaction() if refusals else nullcontext():
        keep_knocks(conn, knocks)
        count_refusals(conn, refusals)


def keep_knocks(conn: psycopg.Connection[Any], knocks: Sequence[Knock]) -> None:
    """Keep verified knocks; one that repeats a knock that waits makes it younger and due at once.

    Sorted, so that two gateways that write the same knocks at once wait for each other and never for themselves.
    """
    if not knocks:
        return
    newest = {one.about: one for one in knocks}
    told = [newest[key] for key in sorted(newest)]
    bodies = [json.dumps(dict(one.body), sort_keys=True, separators=(",", ":")) for one in told]
    conn.execute(
        "INSERT INTO recon.inbox AS waiting "
        "(source, store_id, event, return_id, order_id, body, body_hash, received_at, next_try_at) "
        "SELECT source, store_id, event, return_id, order_id, body::jsonb, hash, at, at FROM unnest(%s::text[], "
        "%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[]) "
        "AS told (source, store_id, event, return_id, order_id, body, hash, at) "
        "ON CONFLICT (source, store_id, event, return_id, order_id) "
        "WHERE source IN ('swap', 'storefront') AND consumed_at IS NULL DO UPDATE SET body = EXCLUDED.body, "
        "body_hash = EXCLUDED.body_hash, tries = 0, next_try_at = EXCLUDED.next_try_at, "
        "received_at = GREATEST(EXCLUDED.received_at, waiting.received_at + interval '1 microsecond')",
        (
            *([one.about[part] for one in told] for part in range(5)),
            bodies,
            [hashlib.sha256(body.encode()).hexdigest() for body in bodies],
            [one.received_at for one in told],
        ),
    )


def count_refusals(conn: psycopg.Connection[Any], refusals: Sequence[RefusedMessage]) -> None:
    """Count every one; alike ones share a row, and past a thousand rows an hour only the reason is told apart."""
    if not refusals:
        return
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    for one in refusals:
        hour = one.received_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        rows, heads = conn.execute(
            "SELECT count(*), count(head) FROM recon.refused_messages WHERE hour = %s", (hour,)
        ).fetchone() or (0, 0)
        is_told_apart = rows < ROWS_AN_HOUR
        head = one.head[:HEAD_BYTES] if one.head is not None and heads < HEADS_AN_HOUR and is_told_apart else None
        who = (one.sender, one.body_hash) if is_told_apart else ("", "")
        conn.execute(
            "INSERT INTO recon.refused_messages AS old VALUES (%s, %s, %s, %s, %s, 1, %s, %s, %s) "
            "ON CONFLICT (hour, reason, sender, body_hash) DO UPDATE SET times = old.times + 1, "
            "last_at = GREATEST(old.last_at, EXCLUDED.last_at), "
            "size_bytes = GREATEST(old.size_bytes, EXCLUDED.size_bytes)",
            (hour, one.reason, *who, one.size_bytes, one.received_at, one.received_at, head),
        )


def refused(conn: psycopg.Connection[Any], since: datetime) -> dict[str, int]:
    """How many messages were refused since a moment, by reason; hours are counted whole."""
    rows = conn.execute(
        "SELECT reason, sum(times)::bigint FROM recon.refused_messages WHERE last_at >= %s GROUP BY 1 ORDER BY 1",
        (since,),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def forget_refused(conn: psycopg.Connection[Any], before: datetime) -> int:
    """Delete what was refused before a moment; how many rows."""
    return conn.execute("DELETE FROM recon.refused_messages WHERE last_at < %s", (before,)).rowcount


def forget_used(conn: psycopg.Connection[Any], before: datetime) -> int:
    """Delete messages used before a moment, but for the newest push of each event, which a repeat is compared with."""
    return conn.execute(
        "DELETE FROM recon.inbox WHERE consumed_at < %s AND inbox_id NOT IN "
        "(SELECT max(inbox_id) FROM recon.inbox WHERE source = 'khaos' GROUP BY event)",
        (before,),
    ).rowcount
