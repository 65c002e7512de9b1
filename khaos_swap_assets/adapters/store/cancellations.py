"""Orders that the shop cancelled, and how far Khaos is with each.

Belongs here: tables ``storefront.cancelled_orders`` and ``recon.cancellations`` (migrations 0042, 0049). Stays out:
what is trouble (``domain.goods.cancellations``), when Khaos is asked (``stages.orders.cancellations``). Money is pence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk, cancel_calls
from khaos_swap_assets.domain.goods.cancel_calls import CancelCall
from khaos_swap_assets.domain.goods.cancellations import PACKING, UNSENT, CancelledOrder, OrderProgress
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID

ORDER = tuple(field.name for field in fields(CancelledOrder))
_ORDER = ", ".join(f"c.{name}" for name in ORDER)
PROGRESS = ("order_id", "progress", "so_codes", "stage_id", "out_pence", "sent_on", "asked_at", "next_ask_at")
STEPS = {
    "picking_seen_at": "k.progress = 'picking' AND k.stage_id <> ALL(%(packing)s)",
    "packing_seen_at": "k.progress = 'picking' AND k.stage_id = ANY(%(packing)s)",
    "sent_seen_at": "k.progress = 'sent'",
    "cancelled_seen_at": "k.progress = 'cancelled'",
}
"""When a step was seen first, and by what."""
HAS_RETURN = (
    "EXISTS (SELECT 1 FROM swap.returns r WHERE (r.order_name = c.order_name OR r.order_id = c.order_id) "
    "AND r.status <> ALL(%s))"
)
"""A return of the order that has not ended without goods."""


@dataclass(frozen=True, slots=True)
class FollowedOrder:
    """One cancelled order: how far it is, whether a return of it is known, and when each step was seen first.

    ``hindrance`` says why Khaos was not asked to cancel it.
    """

    order: CancelledOrder
    progress: OrderProgress
    asked_at: datetime
    has_return: bool
    hindrance: str
    picking_seen_at: datetime | None
    packing_seen_at: datetime | None
    sent_seen_at: datetime | None
    cancelled_seen_at: datetime | None
    call: CancelCall | None = None


def unknown(conn: psycopg.Connection, cancelled: Sequence[CancelledOrder]) -> list[CancelledOrder]:
    """Those that were not known to be cancelled."""
    before = known(conn, [one.order_id for one in cancelled]) if cancelled else set()
    return [one for one in cancelled if one.order_id not in before]


def known(conn: psycopg.Connection, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that are known to be cancelled as a whole."""
    query = "SELECT order_id FROM storefront.cancelled_orders WHERE order_id = ANY(%s)"
    return {row[0] for row in conn.execute(query, (list(order_ids),))}


def save(conn: psycopg.Connection, cancelled: Sequence[CancelledOrder], now: datetime) -> None:
    """Keep what the shop says; a new one is to be asked about at once."""
    if rows := [(*astuple(one), now) for one in cancelled]:
        bulk.upsert(conn, "storefront.cancelled_orders", (*ORDER, "seen_at"), ["order_id"], rows)


def due(conn: psycopg.Connection, since: date, now: datetime, limit: int) -> list[CancelledOrder]:
    """Orders cancelled at or after ``since`` (London) that Khaos is to be asked about now, the newest first.

    An earlier one that was asked about before ``since`` was moved waits for nothing any more.
    """
    conn.execute(
        "UPDATE recon.cancellations k SET next_ask_at = NULL FROM storefront.cancelled_orders c "
        "WHERE k.next_ask_at <= %s AND k.order_id = c.order_id "
        "AND c.cancelled_at < %s::timestamp AT TIME ZONE 'Europe/London'",
        (now, since),
    )
    query = (
        f"SELECT {_ORDER} FROM storefront.cancelled_orders c LEFT JOIN recon.cancellations k USING (order_id) "
        "WHERE c.cancelled_at >= %s::timestamp AT TIME ZONE 'Europe/London' "
        "AND (k.order_id IS NULL OR k.next_ask_at <= %s) ORDER BY c.cancelled_at DESC, c.order_id LIMIT %s"
    )
    with conn.cursor(row_factory=class_row(CancelledOrder)) as cursor:
        return cursor.execute(query.encode(), (since, now, limit)).fetchall()


def answered(
    conn: psycopg.Connection, found: Sequence[tuple[str, OrderProgress, datetime | None]], now: datetime
) -> None:
    """Keep how far Khaos is with each order (id), and when to ask again; None where nothing can change any more.

    Money without a return of an order that got further is looked at again.
    """
    rows = [
        (key, one.progress, list(one.so_codes), one.stage_id, one.out_pence, one.sent_on, now, again)
        for key, one, again in found
    ]
    if rows:
        conn.execute(
            "UPDATE storefront.refunds f SET judge_at = %s "
            "FROM unnest(%s::text[], %s::text[]) AS n (order_id, progress) "
            "LEFT JOIN recon.cancellations k USING (order_id) WHERE f.order_id = n.order_id AND f.is_loose "
            "AND k.progress IS DISTINCT FROM n.progress",
            (now, [row[0] for row in rows], [row[1] for row in rows]),
        )
        bulk.upsert(conn, "recon.cancellations", PROGRESS, ["order_id"], rows)
        seen = [f"{name} = coalesce({name}, CASE WHEN {told} THEN %(now)s END)" for name, told in STEPS.items()]
        changes = ", ".join(["hindrance = ''", *seen])
        conn.execute(
            f"UPDATE recon.cancellations k SET {changes} WHERE order_id = ANY(%(ids)s)".encode(),
            {"now": now, "packing": list(PACKING), "ids": [row[0] for row in rows]},
        )


def hinder(conn: psycopg.Connection, hindered: Mapping[str, str]) -> None:
    """Keep why Khaos was not asked to cancel each order (id)."""
    conn.execute(
        "UPDATE recon.cancellations k SET hindrance = n.why FROM unnest(%s::text[], %s::text[]) AS n (order_id, why) "
        "WHERE k.order_id = n.order_id",
        (list(hindered), list(hindered.values())),
    )


def unsettled(conn: psycopg.Connection) -> list[FollowedOrder]:
    """Cancelled orders that are still open in Khaos, or whose goods left; the newest first."""
    unsafe = "WHERE k.progress IN ('waiting', 'picking', 'sent')"
    return _followed(conn, f"{unsafe} ORDER BY c.cancelled_at DESC, c.order_id")


def newest(conn: psycopg.Connection, limit: int) -> list[FollowedOrder]:
    """Those of all that Khaos was asked about that were cancelled last."""
    return _followed(conn, "ORDER BY c.cancelled_at DESC, c.order_id LIMIT %s", limit)


def _followed(conn: psycopg.Connection, which: str, *given: object) -> list[FollowedOrder]:
    query = (
        f"SELECT {_ORDER}, k.progress, k.so_codes, k.stage_id, k.out_pence, k.sent_on, k.asked_at, {HAS_RETURN}, "
        f"k.hindrance, {', '.join(f'k.{name}' for name in STEPS)} "
        f"FROM recon.cancellations k JOIN storefront.cancelled_orders c USING (order_id) {which}"
    )
    rows = conn.execute(query.encode(), (list(ENDED_UNPAID), *given)).fetchall()
    calls = cancel_calls.of_orders(conn, [row[0] for row in rows])
    return [_read(row, calls) for row in rows]


def _read(row: Sequence[Any], calls: Mapping[str, CancelCall]) -> FollowedOrder:
    count = len(ORDER)
    progress, so_codes, *rest = row[count : count + 5]
    order, found = CancelledOrder(*row[:count]), OrderProgress(progress, tuple(so_codes), *rest)
    return replace(FollowedOrder(order, found, *row[count + 5 :]), call=calls.get(order.order_id))


def unsent(conn: psycopg.Connection, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that the shop cancelled and that Khaos has not sent: no sale stands in the books."""
    query = "SELECT order_id FROM recon.cancellations WHERE order_id = ANY(%s) AND progress = ANY(%s)"
    return {row[0] for row in conn.execute(query, (list(order_ids), list(UNSENT)))}


def counts(conn: psycopg.Connection) -> dict[str, int]:
    """How many cancelled orders there are by how far Khaos is with them."""
    return dict(conn.execute("SELECT progress, count(*) FROM recon.cancellations GROUP BY 1 ORDER BY 1").fetchall())
