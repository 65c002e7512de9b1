"""The ledger of calls by which Khaos is asked to cancel orders: one row an order.

Belongs here: table ``recon.cancel_calls`` (migration 0049), each change with its line of the audit log. Stays out: the
rules of a call (``domain.goods.cancel_calls``). Money is pence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import audit_log
from khaos_swap_assets.domain.goods.cancel_calls import CancelCall

COLUMNS = tuple(field.name for field in fields(CancelCall))
WHO = "engine"
CLAIM = (
    f"INSERT INTO recon.cancel_calls AS c ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "
    "ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, tries = excluded.tries, "
    "asked_at = excluded.asked_at, said = excluded.said, so_code = excluded.so_code "
    "WHERE c.state = 'open' AND c.tries < excluded.tries"
)


def of_orders(conn: psycopg.Connection[Any], order_ids: Iterable[str]) -> dict[str, CancelCall]:
    """The calls for these orders."""
    with conn.cursor(row_factory=class_row(CancelCall)) as cursor:
        query = f"SELECT {', '.join(COLUMNS)} FROM recon.cancel_calls WHERE order_id = ANY(%s)"
        return {one.order_id: one for one in cursor.execute(query.encode(), (list(order_ids),))}


def claim(conn: psycopg.Connection[Any], call: CancelCall) -> bool:
    """Write the intent down; False where another call for the order was not read back yet, or is at its end."""
    is_ours = conn.execute(CLAIM.encode(), astuple(call)).rowcount == 1
    if is_ours:
        _tell(conn, call, "cancellation asked for", call.asked_at)
    return is_ours


def settle(conn: psycopg.Connection[Any], before: CancelCall, now: CancelCall, at: datetime) -> None:
    """Keep what a call came to, unless the order was asked about once more since ``before`` was read."""
    done = conn.execute(
        "UPDATE recon.cancel_calls SET state = %s, tries = %s, said = %s "
        "WHERE order_id = %s AND state = %s AND tries = %s",
        (now.state, now.tries, now.said, now.order_id, before.state, before.tries),
    )
    if done.rowcount and now != before:
        _tell(conn, now, f"cancellation {now.state.replace('_', ' ')}", at)


def _tell(conn: psycopg.Connection[Any], call: CancelCall, what: str, at: datetime) -> None:
    after = {"state": call.state, "tries": call.tries}
    entry = audit_log.Entry(at, WHO, what, f"sales order {call.so_code}", after=after, reason=call.said)
    audit_log.append(conn, [entry])
