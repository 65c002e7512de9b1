"""Khaos Sales Orders in our store, and the orders that an open return names but nobody has read yet.

Belongs here: saving full orders and later statuses, candidates by reference, the line of wanted orders. Stays out:
which order a return is about (``records.orders``). Names and addresses are held sealed only (``party_sealed``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder

HEADER = tuple(field.name for field in fields(SalesOrder) if field.name != "lines")
LINE = tuple(field.name for field in fields(OrderLine))


def save(conn: psycopg.Connection, orders: Sequence[tuple[SalesOrder, bytes | None]], now: datetime) -> None:
    """Keep the content of orders just read with their sealed party; an invoice date once known is not forgotten.

    What a file told of the same references gives way.
    """
    merged = _with_statuses(conn, [order for order, _ in orders])
    columns = (*HEADER, "party_sealed", "detail_read_at", "seen_at", "source", "file_hash")
    rows = [
        (*(getattr(order, name) for name in HEADER), sealed, now, now, "khaos", "")
        for order, (_, sealed) in zip(merged, orders, strict=True)
    ]
    bulk.upsert(conn, "khaos.sales_orders", columns, ["so_code"], rows)
    conn.execute(
        "DELETE FROM khaos.sales_orders WHERE source = 'file' AND associated_ref = ANY(%s)",
        (sorted({order.associated_ref for order in merged}),),
    )
    replace_lines(conn, merged)


def _with_statuses(conn: psycopg.Connection, orders: Sequence[SalesOrder]) -> list[SalesOrder]:
    """The orders with what the status feed told before: full orders say nothing of invoices (khaos.md §7.5)."""
    rows = conn.execute(
        "SELECT so_code, ordered_on, invoiced_on, is_cancelled, delivery_gross_pence FROM khaos.sales_orders "
        "WHERE so_code = ANY(%s) AND source = 'khaos'",
        ([order.so_code for order in orders],),
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    return [_merged(order, known[order.so_code]) if order.so_code in known else order for order in orders]


def _merged(order: SalesOrder, stored: tuple[date | None, date | None, bool, int]) -> SalesOrder:
    ordered_on, invoiced_on, is_cancelled, delivery = stored
    return replace(
        order,
        ordered_on=ordered_on,
        invoiced_on=order.invoiced_on or invoiced_on,
        is_cancelled=is_cancelled,
        delivery_gross_pence=delivery,
    )


def replace_lines(conn: psycopg.Connection, orders: Sequence[SalesOrder]) -> None:
    """Keep the lines of these orders in the place of those known before."""
    if not orders:
        return
    conn.execute("DELETE FROM khaos.order_lines WHERE so_code = ANY(%s)", ([order.so_code for order in orders],))
    unique = {order.so_code: order for order in orders}.values()
    rows = [(order.so_code, *(getattr(line, name) for name in LINE)) for order in unique for line in order.lines]
    bulk.copy_rows(conn, "khaos.order_lines", ("so_code", *LINE), rows)


def update_statuses(conn: psycopg.Connection, statuses: Sequence[tuple[str, date | None, bool, int]]) -> list[str]:
    """Apply (so_code, invoiced_on, is_cancelled, delivery_gross_pence); the refs of orders that changed by it.

    An order that a file told of is Khaos's own word from then on.
    """
    if not statuses:
        return []
    rows = conn.execute(
        "UPDATE khaos.sales_orders o SET invoiced_on = n.invoiced_on, is_cancelled = n.is_cancelled, "
        "delivery_gross_pence = n.delivery, source = 'khaos' FROM (SELECT * FROM "
        "unnest(%s::text[], %s::date[], %s::boolean[], %s::bigint[]) "
        "AS n (so_code, invoiced_on, is_cancelled, delivery)) n WHERE o.so_code = n.so_code AND "
        "(o.invoiced_on, o.is_cancelled, o.delivery_gross_pence, o.source) IS DISTINCT FROM "
        "(n.invoiced_on, n.is_cancelled, n.delivery, 'khaos') RETURNING o.associated_ref",
        [list(column) for column in zip(*statuses, strict=True)],
    ).fetchall()
    return [row[0] for row in rows]


def by_ref(conn: psycopg.Connection, refs: Sequence[str]) -> dict[str, list[SalesOrder]]:
    """Orders in our store by associated reference, compared to the letter; a reference may stand on several."""
    return _grouped(conn, "associated_ref", refs)


def by_code(conn: psycopg.Connection, so_codes: Sequence[str]) -> dict[str, SalesOrder]:
    """Orders by Sales Order code."""
    return {code: found[0] for code, found in _grouped(conn, "so_code", so_codes).items()}


def _grouped(conn: psycopg.Connection, column: str, values: Sequence[str]) -> dict[str, list[SalesOrder]]:
    if not values:
        return {}
    with conn.cursor(row_factory=dict_row) as cursor:
        heads = cursor.execute(
            f"SELECT {', '.join(HEADER)} FROM khaos.sales_orders WHERE {column} = ANY(%s) "
            "AND detail_read_at IS NOT NULL ORDER BY so_code",
            (list(values),),
        ).fetchall()
        cursor.execute(
            f"SELECT so_code, {', '.join(LINE)} FROM khaos.order_lines WHERE so_code = ANY(%s) ORDER BY line_no",
            ([head["so_code"] for head in heads],),
        )
        lines: dict[str, list[OrderLine]] = {}
        for row in cursor:
            lines.setdefault(row.pop("so_code"), []).append(OrderLine(**row))
    found: dict[str, list[SalesOrder]] = {}
    for head in heads:
        order = SalesOrder(**head, lines=tuple(lines.get(head["so_code"], ())))
        found.setdefault(head[column], []).append(order)
    return found


def want(conn: psycopg.Connection, refs: Sequence[str], now: datetime) -> None:
    """Put references in line to be read, once each."""
    if not refs:
        return
    conn.execute(
        "INSERT INTO khaos.wanted_orders (order_ref, state, asked_at) SELECT r, 'waiting', %s "
        "FROM unnest(%s::text[]) r ON CONFLICT DO NOTHING",
        (now, sorted(set(refs))),
    )


NOT_PAUSED = (
    "NOT EXISTS (SELECT 1 FROM recon.setbacks s WHERE s.operation = 'Khaos ExportOrders' "
    "AND s.subject IN ('', order_ref) AND s.next_try_at > %(now)s)"
)
"""SQL: Khaos did not just refuse to answer about an ``order_ref``, or about any."""


def wanted(conn: psycopg.Connection, budget: int, retry_before: datetime, now: datetime) -> list[str]:
    """The next references to read: those never tried first, then those tried without luck before ``retry_before``.

    One that Khaos refused waits for its pause to end.
    """
    rows = conn.execute(
        "SELECT order_ref FROM khaos.wanted_orders WHERE (state = 'waiting' OR (state = 'not_found' "
        f"AND tried_at < %(retry)s)) AND {NOT_PAUSED} "
        "ORDER BY tried_at NULLS FIRST, asked_at, order_ref LIMIT %(budget)s".encode(),
        {"retry": retry_before, "budget": budget, "now": now},
    ).fetchall()
    return [row[0] for row in rows]


def answered(conn: psycopg.Connection, outcomes: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """Record what came of each reference: (state, error text)."""
    if not outcomes:
        return
    conn.execute(
        "UPDATE khaos.wanted_orders w SET state = n.state, error = n.error, tried_at = %s, attempts = attempts + 1 "
        "FROM unnest(%s::text[], %s::text[], %s::text[]) AS n (ref, state, error) WHERE w.order_ref = n.ref",
        (now, list(outcomes), *([one[part] for one in outcomes.values()] for part in (0, 1))),
    )


def unanswered(conn: psycopg.Connection) -> list[str]:
    """Every reference of which no order is known yet."""
    rows = conn.execute("SELECT order_ref FROM khaos.wanted_orders WHERE state <> 'read' ORDER BY order_ref").fetchall()
    return [row[0] for row in rows]


def states(conn: psycopg.Connection, refs: Sequence[str]) -> dict[str, str]:
    """Where each reference stands: waiting, read or not_found."""
    query = "SELECT order_ref, state FROM khaos.wanted_orders WHERE order_ref = ANY(%s)"
    return {row[0]: row[1] for row in conn.execute(query, (list(refs),))}


def parties(conn: psycopg.Connection, so_codes: Sequence[str]) -> dict[str, bytes]:
    """The sealed name and address of these orders' customers, where still held."""
    if not so_codes:
        return {}
    query = "SELECT so_code, party_sealed FROM khaos.sales_orders WHERE so_code = ANY(%s) AND party_sealed IS NOT NULL"
    return {row[0]: bytes(row[1]) for row in conn.execute(query, (list(so_codes),))}


def want_again(conn: psycopg.Connection, refs: Sequence[str]) -> None:
    """Put references back in line that were read before: what is kept of them is no longer enough."""
    if not refs:
        return
    conn.execute("UPDATE khaos.wanted_orders SET state = 'waiting' WHERE order_ref = ANY(%s)", (list(refs),))


def forget_parties(conn: psycopg.Connection, read_before: datetime) -> int:
    """Erase sealed parties of orders that no document waits for any more; how many were erased.

    A return that Swap may still change, or whose draft is not out yet, keeps the party of its order.
    """
    return conn.execute(
        "UPDATE khaos.sales_orders o SET party_sealed = NULL WHERE party_sealed IS NOT NULL AND detail_read_at < %s "
        "AND NOT EXISTS (SELECT 1 FROM recon.matched_returns m JOIN swap.returns r USING (return_id) "
        "WHERE m.so_code = o.so_code AND (r.is_open OR EXISTS (SELECT 1 FROM recon.drafts d WHERE "
        "d.return_id = m.return_id AND d.state IN ('ready', 'held') AND NOT EXISTS (SELECT 1 FROM recon.postings p "
        "WHERE (p.store_id, p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal) "
        "AND p.state IN ('confirmed', 'refused')))))",
        (read_before,),
    ).rowcount


def count_waiting(conn: psycopg.Connection) -> dict[str, Any]:
    """How many references wait, and since when the oldest does."""
    row = conn.execute("SELECT count(*), min(asked_at) FROM khaos.wanted_orders WHERE state = 'waiting'").fetchone()
    return {"waiting": row[0] if row else 0, "oldest": row[1] if row else None}
