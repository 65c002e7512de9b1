"""The inbox: what the gateway was told, written down before it answers, until a stage has used it.

Belongs here: storing, folding repeats, listing and consuming. Stays out: whether a message may be believed
(``gateway``) and what follows from it (``stages``). Shape: table ``recon.inbox`` (migration 0003).

A knock only says that a return of Swap, or an order of the storefront, is worth reading again, so knocks of one and the
same event fold while they wait;
a later one makes the row younger, and a reading that began earlier does not consume it. A reading lists the knocks
before it begins and consumes those whose change it shows; whichever clock wrote them, one that came later is not among
them. A knock whose change Swap does not show yet is tried again after 10 s, 1 min and 5 min, and then left to the
sweep: whatever the next reading shows of its return is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.domain.records.stores import SEPARATOR

Source = Literal["swap", "swap_unreadable", "khaos", "storefront"]
MOST_KNOCKS = 20_000
MOST_BYTES = 256 * 1024
"""Of bodies as the server packs them: a catalogue unpacks to ten times as much, and to far more as objects."""

TRY_AGAIN = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message that no stage has used yet; ``received_at`` is UTC."""

    inbox_id: int
    source: str
    event: str
    return_id: str
    body: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingKnock(Waiting):
    """A knock; ``next_try_at`` is None once the tries are used up, ``order_id`` is what the storefront's is about."""

    order_id: str
    next_try_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether its return or order should be looked for at ``now``."""
        return self.next_try_at is not None and self.next_try_at <= now


def store_unreadable(conn: psycopg.Connection[Any], *, store_id: str, body: Mapping[str, Any], now: datetime) -> None:
    """Keep a message that Swap signed and that names no return; one row each. The caller commits."""
    conn.execute(
        "INSERT INTO recon.inbox (source, event, store_id, body, body_hash, received_at) "
        "VALUES ('swap_unreadable', '', %s, %s, %s, %s)",
        (store_id, Jsonb(dict(body)), _hash(body), now),
    )


def store_push(conn: psycopg.Connection[Any], *, event: str, body: Mapping[str, Any], now: datetime) -> bool:
    """Keep a push of Khaos; False when it only repeats the newest one of its event. The caller commits.

    A level may go 5, 4, 5: only a repeat of the newest message is no news (khaos.md §8.2).
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('recon.inbox ' || %s, 0))", (event,))
    newest = conn.execute(
        "SELECT body_hash FROM recon.inbox WHERE source = 'khaos' AND event = %s ORDER BY inbox_id DESC LIMIT 1",
        (event,),
    ).fetchone()
    body_hash = _hash(body)
    if newest and newest[0] == body_hash:
        return False
    conn.execute(
        "INSERT INTO recon.inbox (source, event, body, body_hash, received_at) VALUES ('khaos', %s, %s, %s, %s)",
        (event, Jsonb(dict(body)), body_hash, now),
    )
    return True


def waiting(
    conn: psycopg.Connection[Any],
    source: Source,
    limit: int = 1000,
    *,
    event: str | None = None,
    most_bytes: int = MOST_BYTES,
) -> list[Waiting]:
    """Messages of one source, and of one event where one is named, that nobody has used yet, oldest first.

    As many as hold ``most_bytes`` together, and always one, so that no pile is too big for the memory of a run.
    """
    with conn.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            "WITH sized AS (SELECT inbox_id, sum(pg_column_size(body)) OVER (ORDER BY inbox_id) AS so_far FROM "
            "(SELECT inbox_id, body FROM recon.inbox WHERE source = %s AND consumed_at IS NULL "
            "AND (%s::text IS NULL OR event = %s) ORDER BY inbox_id LIMIT %s) AS oldest) "
            "SELECT inbox_id, source, event, return_id, body, received_at FROM recon.inbox JOIN sized USING (inbox_id) "
            "WHERE so_far <= %s OR inbox_id = (SELECT min(inbox_id) FROM sized) ORDER BY inbox_id",
            (source, event, event, limit, most_bytes),
        ).fetchall()


def knocks(
    conn: psycopg.Connection[Any],
    source: Literal["swap", "storefront"] = "swap",
    limit: int = MOST_KNOCKS,
    *,
    store: str = "",
) -> list[WaitingKnock]:
    """A store's knocks that nothing has used yet, the longest due first; those whose tries are used up come last.

    Whatever begins with no name of a further store is the first one's.
    """
    prefix = f"{store}{SEPARATOR}" if store else ""
    with conn.cursor(row_factory=class_row(WaitingKnock)) as cursor:
        return cursor.execute(
            "SELECT inbox_id, source, event, return_id, order_id, body, received_at, next_try_at FROM recon.inbox "
            "WHERE source = %(source)s AND consumed_at IS NULL AND CASE %(prefix)s WHEN '' THEN NOT EXISTS "
            "(SELECT FROM swap.stores s WHERE s.store <> '' "
            "AND starts_with(return_id || order_id, s.store || %(mark)s)) "
            "ELSE starts_with(return_id || order_id, %(prefix)s) END ORDER BY next_try_at, inbox_id LIMIT %(limit)s",
            {"source": source, "limit": limit, "prefix": prefix, "mark": SEPARATOR},
        ).fetchall()


def postpone(conn: psycopg.Connection[Any], knocks: Sequence[Waiting], now: datetime) -> int:
    """Try these knocks again later, except those used or renewed meanwhile; after the last try the sweep is left."""
    if not knocks:
        return 0
    return conn.execute(
        "UPDATE recon.inbox SET tries = tries + 1, next_try_at = %s + (%s::interval[])[tries + 1] "
        "FROM unnest(%s::bigint[], %s::timestamptz[]) AS tried (id, at) "
        "WHERE inbox_id = tried.id AND received_at = tried.at AND consumed_at IS NULL",
        (now, list(TRY_AGAIN), [one.inbox_id for one in knocks], [one.received_at for one in knocks]),
    ).rowcount


def consume(conn: psycopg.Connection[Any], messages: Sequence[Waiting], now: datetime) -> int:
    """Mark these messages as used, except those that became younger since they were listed; how many were."""
    if not messages:
        return 0
    return conn.execute(
        "UPDATE recon.inbox SET consumed_at = %s FROM unnest(%s::bigint[], %s::timestamptz[]) AS used (id, at) "
        "WHERE inbox_id = used.id AND received_at = used.at AND consumed_at IS NULL",
        (now, [one.inbox_id for one in messages], [one.received_at for one in messages]),
    ).rowcount


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
