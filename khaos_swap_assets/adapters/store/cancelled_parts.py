"""Units that the shop took off orders which go on, and how far Khaos is with each.

Belongs here: table ``recon.cancelled_parts`` (migration 0058) beside the refunds that tell of them. Stays out: what is
trouble (``domain.goods.cancellations``), when Khaos is asked (``stages.orders.cancellations``). Money is pence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.goods.cancellations import CancelledPart, SeenPart
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID
from khaos_swap_assets.domain.refunds.payments import CANCELLED

PART = tuple(field.name for field in fields(CancelledPart))
SEEN = tuple(field.name for field in fields(SeenPart))
_SKU = "coalesce(nullif(l.sku, ''), l.line_item_id)"
_TAKEN_OFF = f"l.restock_type = '{CANCELLED}' AND l.quantity > 0"
_LINES = "storefront.refund_lines l JOIN storefront.refunds f USING (refund_id)"
_PARTS = f"""
    SELECT c.order_id, c.order_name, c.sku, coalesce(s.stock_code, '') AS stock_code, c.units, c.stays, c.value_pence,
        c.currency, c.cancelled_at
    FROM (
        SELECT order_id, max(order_name) AS order_name, sku, sum(units)::int AS units, sum(value_pence)::bigint AS
            value_pence, (CASE WHEN min(ordered) > 0 THEN sum(ordered - units) END)::int AS stays,
            max(currency) AS currency, min(at) AS cancelled_at
        FROM (
            SELECT f.order_id, max(f.order_name) AS order_name, {_SKU} AS sku, sum(l.quantity) AS units,
                max(l.ordered_quantity) AS ordered, sum(l.subtotal_pence) AS value_pence, max(f.currency) AS currency,
                min(f.created_at) AS at
            FROM {_LINES} WHERE {_TAKEN_OFF}
                AND f.order_id IN (SELECT order_id FROM recon.cancelled_parts k WHERE {{0}})
                AND NOT EXISTS (SELECT 1 FROM storefront.cancelled_orders w WHERE w.order_id = f.order_id)
            GROUP BY f.order_id, l.sku, l.line_item_id
        ) AS lines GROUP BY order_id, sku
    ) AS c LEFT JOIN khaos.stock_codes s ON s.stock_code = c.sku
"""
_HAS_RETURN = (
    "EXISTS (SELECT 1 FROM swap.returns r JOIN swap.return_lines l USING (return_id) WHERE (r.order_id = c.order_id "
    "OR c.order_name IN (r.order_name, l.original_order_name)) AND c.sku IN (l.sku, l.line_item_id) "
    "AND r.status <> ALL(%(unpaid)s))"
)
"""A return of these goods that has not ended without them: one of other goods of the order brings none of them back."""


@dataclass(frozen=True, slots=True)
class FollowedPart:
    """One part, how it stood when Khaos was asked last, and whether a return of its goods is known."""

    part: CancelledPart
    seen: SeenPart
    has_return: bool


def queue(conn: psycopg.Connection, refund_ids: Sequence[str], now: datetime) -> None:
    """Have Khaos asked about whatever these refunds took off, at once; they were just read anew."""
    conn.execute(
        "INSERT INTO recon.cancelled_parts (order_id, sku, units, progress, so_codes, asked_at, next_ask_at) "
        f"SELECT DISTINCT f.order_id, {_SKU}, 0, 'not_found', '{{}}'::text[], %(now)s::timestamptz, "
        f"%(now)s::timestamptz FROM {_LINES} WHERE {_TAKEN_OFF} AND l.refund_id = ANY(%(ids)s) "
        "ON CONFLICT (order_id, sku) DO UPDATE SET next_ask_at = excluded.next_ask_at".encode(),
        {"ids": list(refund_ids), "now": now},
    )


def due(conn: psycopg.Connection, since: date, now: datetime, limit: int) -> list[FollowedPart]:
    """Parts that Khaos is to be asked about now, the newest first.

    Those that are none any more are forgotten: taken off before ``since`` (London), no longer told by the shop, or of
    an order that was cancelled as a whole.
    """
    conn.execute(
        f"DELETE FROM recon.cancelled_parts k WHERE next_ask_at <= %s AND NOT EXISTS (SELECT 1 FROM {_LINES} "
        f"WHERE {_TAKEN_OFF} AND (f.order_id, {_SKU}) = (k.order_id, k.sku) "
        "AND f.created_at >= %s::timestamp AT TIME ZONE 'Europe/London' "
        "AND NOT EXISTS (SELECT 1 FROM storefront.cancelled_orders w WHERE w.order_id = f.order_id))".encode(),
        (now, since),
    )
    return _followed(conn, "k.next_ask_at <= %(now)s", now=now, limit=limit)


def unsettled(conn: psycopg.Connection) -> list[FollowedPart]:
    """Parts that are still open in Khaos, or whose order left; the newest first."""
    return _followed(conn, "k.progress IN ('waiting', 'picking', 'sent')", limit=None)


def _followed(conn: psycopg.Connection, which: str, **given: object) -> list[FollowedPart]:
    shown = ", ".join([*(f"c.{name}" for name in PART), *(f"k.{name}" for name in SEEN)])
    query = (
        f"SELECT {shown}, {_HAS_RETURN} FROM ({_PARTS.format(which)}) AS c JOIN recon.cancelled_parts k "
        f"USING (order_id, sku) WHERE {which} ORDER BY c.cancelled_at DESC, c.order_id, c.sku LIMIT %(limit)s"
    )
    rows = conn.execute(query.encode(), {"unpaid": list(ENDED_UNPAID), **given}).fetchall()
    return [_read(row) for row in rows]


def _read(row: Sequence[Any]) -> FollowedPart:
    progress, so_codes, *rest = row[len(PART) : -1]
    return FollowedPart(CancelledPart(*row[: len(PART)]), SeenPart(progress, tuple(so_codes), *rest), row[-1])


def answered(
    conn: psycopg.Connection, found: Sequence[tuple[CancelledPart, SeenPart, datetime | None]], now: datetime
) -> None:
    """Keep how far Khaos is with each part, and when to ask again; None where nothing can change any more.

    Money without a return of an order whose part got further is looked at again.
    """
    if not found:
        return
    conn.execute(
        "UPDATE storefront.refunds f SET judge_at = %s "
        "FROM unnest(%s::text[], %s::text[], %s::text[]) AS n (order_id, sku, progress) "
        "LEFT JOIN recon.cancelled_parts k USING (order_id, sku) WHERE f.order_id = n.order_id AND f.is_loose "
        "AND k.progress IS DISTINCT FROM n.progress",
        (now, *([*column] for column in zip(*((a.order_id, a.sku, b.progress) for a, b, _ in found), strict=True))),
    )
    rows = [
        (part.order_id, part.sku, part.units, seen.progress, list(seen.so_codes), *astuple(seen)[2:], now, again)
        for part, seen, again in found
    ]
    columns = ("order_id", "sku", "units", *SEEN, "asked_at", "next_ask_at")
    bulk.upsert(conn, "recon.cancelled_parts", columns, ["order_id", "sku"], rows)


def taken_off(conn: psycopg.Connection, order_ids: Sequence[str]) -> set[tuple[str, str]]:
    """Order id and SKU of the parts of these orders that Khaos shows as taken off: no sale of them is in the books."""
    query = "SELECT order_id, sku FROM recon.cancelled_parts WHERE order_id = ANY(%s) AND progress = 'taken_off'"
    return {(row[0], row[1]) for row in conn.execute(query, (list(order_ids),))}
