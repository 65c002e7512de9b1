"""Orders that the shop cancelled, and how far Khaos is with each.

Belongs here: tables ``storefront.cancelled_orders`` and ``recon.cancellations`` (migration 0042). Stays out: what is
trouble (``domain.goods.cancellations``) and when Khaos is asked (``stages.orders.cancellations``). Money is pence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.goods.cancellations import UNSENT, CancelledOrder, OrderProgress
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID

ORDER = tuple(field.name for field in fields(CancelledOrder))
_ORDER = ", ".join(f"c.{name}" for name in ORDER)
PROGRESS = ("order_id", "progress", "so_codes", "stage_id", "asked_at", "next_ask_at")
HAS_RETURN = (
    "EXISTS (SELECT 1 FROM swap.returns r WHERE (r.order_name = c.order_name OR r.order_id = c.order_id) "
    "AND r.status <> ALL(%s))"
)
"""A return of the order that has not ended without goods."""


@dataclass(frozen=True, slots=True)
class FollowedOrder:
    """One cancelled order whose goods are not known to be safe: how far it is, and whether a return of it is known."""

    order: CancelledOrder
    progress: OrderProgress
    asked_at: datetime
    has_return: bool


def unknown(conn: psycopg.Connection, cancelled: Sequence[CancelledOrder]) -> list[CancelledOrder]:
    """Those that were not known to be cancelled."""
    query = "SELECT order_id FROM storefront.cancelled_orders WHERE order_id = ANY(%s)"
    known = {row[0] for row in conn.execute(query, ([one.order_id for one in cancelled],))} if cancelled else set()
    return [one for one in cancelled if one.order_id not in known]


def save(conn: psycopg.Connection, cancelled: Sequence[CancelledOrder], now: datetime) -> None:
    """Keep what the shop says; a new one is to be asked about at once."""
    if rows := [(*astuple(one), now) for one in cancelled]:
        bulk.upsert(conn, "storefront.cancelled_orders", (*ORDER, "seen_at"), ["order_id"], rows)


def due(conn: psycopg.Connection, since: date, now: datetime, limit: int) -> list[CancelledOrder]:
    """Orders cancelled at or after ``since`` (London) that Khaos is to be asked about now, the newest first."""
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
    rows = [(key, one.progress, list(one.so_codes), one.stage_id, now, again) for key, one, again in found]
    if rows:
        conn.execute(
            "UPDATE storefront.refunds f SET judge_at = %s "
            "FROM unnest(%s::text[], %s::text[]) AS n (order_id, progress) "
            "LEFT JOIN recon.cancellations k USING (order_id) WHERE f.order_id = n.order_id AND f.is_loose "
            "AND k.progress IS DISTINCT FROM n.progress",
            (now, [row[0] for row in rows], [row[1] for row in rows]),
        )
        bulk.upsert(conn, "recon.cancellations", PROGRESS, ["order_id"], rows)


def unsettled(conn: psycopg.Connection) -> list[FollowedOrder]:
    """Cancelled orders that are still open in Khaos, or whose goods left; the newest first."""
    query = (
        f"SELECT {_ORDER}, k.progress, k.so_codes, k.stage_id, k.asked_at, {HAS_RETURN} FROM recon.cancellations k "
        "JOIN storefront.cancelled_orders c USING (order_id) "
        "WHERE k.progress IN ('waiting', 'picking', 'sent') ORDER BY c.cancelled_at DESC, c.order_id"
    )
    rows = conn.execute(query.encode(), (list(ENDED_UNPAID),)).fetchall()
    count = len(ORDER)
    return [
        FollowedOrder(
            order=CancelledOrder(*row[:count]),
            progress=OrderProgress(row[count], tuple(row[count + 1]), row[count + 2]),
            asked_at=row[count + 3],
            has_return=row[-1],
        )
        for row in rows
    ]


def unsent(conn: psycopg.Connection, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that the shop cancelled and that Khaos has not sent: no sale stands in the books."""
    query = "SELECT order_id FROM recon.cancellations WHERE order_id = ANY(%s) AND progress = ANY(%s)"
    return {row[0] for row in conn.execute(query, (list(order_ids), list(UNSENT)))}


def counts(conn: psycopg.Connection) -> dict[str, int]:
    """How many cancelled orders there are by how far Khaos is with them."""
    return dict(conn.execute("SELECT progress, count(*) FROM recon.cancellations GROUP BY 1 ORDER BY 1").fetchall())
