"""The race between the shop's word and the warehouse: for each cancelled order when it got how far, and what it cost.

Belongs here: the rows of the report, which Dagster and ``khaos-swap cancellations list`` show alike. Stays out: the
rules (``goods.cancellations``, ``goods.cancel_calls``). Khaos tells no moment of a stage: a step is dated by the look
that saw it first, so it began before; one that no look saw is empty.
"""

from __future__ import annotations

from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import cancellations
from khaos_swap_assets.adapters.store.cancellations import FollowedOrder
from khaos_swap_assets.domain.goods.cancel_calls import outcome_words

BY_KHAOS = "goods as Khaos sold them, with VAT"
BY_SHOP = "order total in the shop"


def race(conn: psycopg.Connection, limit: int) -> list[dict[str, Any]]:
    """A row an order, those cancelled last first. The cost is the value of what went out, with where it is from."""
    return [_row(one) for one in cancellations.newest(conn, limit)]


def _row(one: FollowedOrder) -> dict[str, Any]:
    order, found = one.order, one.progress
    is_out = found.progress == "sent"
    by_khaos = is_out and found.out_pence is not None
    return {
        "order": order.order_name,
        "outcome": outcome_words(found, one.call.state if one.call else "", has_return=one.has_return),
        "cost_pence": (found.out_pence if by_khaos else order.total_pence) if is_out else 0,
        "currency": order.currency,
        "cancelled": order.cancelled_at,
        "picked": one.picking_seen_at,
        "packed": one.packing_seen_at,
        "shipped": one.sent_seen_at,
        "shipped_on": found.sent_on,
        "stopped": one.cancelled_seen_at,
        "sales_order": ", ".join(found.so_codes),
        "cost_is": (BY_KHAOS if by_khaos else BY_SHOP) if is_out else "",
    }
