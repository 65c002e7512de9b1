"""The storefront's refunds in our store, and the returns that share an order with them.

Belongs here: saving a reading, loading refunds as domain records, links and what is to be judged. Stays out: reading
the storefront (``adapters.storefront``) and what links a refund (``linking.refund_links``).
Shapes: schema ``storefront``. Everything is by batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store import bulk, cancelled_parts
from khaos_swap_assets.adapters.storefront.records import ReadRefund, RefundSweep
from khaos_swap_assets.adapters.storefront.wire import cancelled_subject
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.refunds.payments import ForeignPayment, Refund, RefundLine, Transaction

HEADER = tuple(field.name for field in fields(Refund) if field.name not in ("transactions", "lines"))
PAYMENT = tuple(field.name for field in fields(Transaction) if field.name != "kinds")
LINE = tuple(field.name for field in fields(RefundLine))
_MOVED = (
    "t.kind = 'REFUND' AND t.status = 'SUCCESS' AND NOT t.is_test "
    "AND t.processed_at >= (%(first)s)::timestamp AT TIME ZONE 'Europe/London' "
    "AND t.processed_at < ((%(first)s)::timestamp + interval '1 month') AT TIME ZONE 'Europe/London'"
)
RETURN_REF_SPELLINGS = ("{0}", "gid://shopify/Return/{0}")
"""How Swap may write the storefront's number of a return (contracts/swap.md §2.3 leaves it open)."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders by id and by name, and the storefront's numbers of returns: whatever leads from one side to the other."""

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    return_refs: frozenset[str] = frozenset()

    def __or__(self, other: Orders) -> Orders:
        return Orders(self.ids | other.ids, self.names | other.names, self.return_refs | other.return_refs)

    @classmethod
    def of(cls, refunds: Iterable[Refund]) -> Orders:
        """The orders of these refunds."""
        some = list(refunds)
        keys = ({one.order_id for one in some}, {one.order_name for one in some}, {one.return_ref for one in some})
        return cls(*(frozenset(found - {""}) for found in keys))


def changed(conn: psycopg.Connection, read: Iterable[ReadRefund]) -> list[ReadRefund]:
    """Those that are new or say something else than last time."""
    newest = {one.record.refund_id: one for one in read}
    query = "SELECT refund_id, content_hash FROM storefront.refunds WHERE refund_id = ANY(%s)"
    known: dict[str, str] = dict(conn.execute(query, (list(newest),)).fetchall())
    return [one for key, one in newest.items() if known.get(key) != one.content_hash]


def save(conn: psycopg.Connection, read: Sequence[ReadRefund], now: datetime) -> None:
    """Replace what is known of these refunds; each of them is to be judged at once."""
    if not read:
        return
    ids = [one.record.refund_id for one in read]
    extras = (
        "moved_pence",
        "gift_card_pence",
        "moved_at",
        "content_hash",
        "first_seen_at",
        "changed_at",
        "judge_at",
        "settled_by",
    )
    query = "SELECT refund_id, first_seen_at FROM storefront.refunds WHERE refund_id = ANY(%s)"
    seen: dict[str, datetime] = dict(conn.execute(query, (ids,)).fetchall())
    rows = [_row(one, seen.get(one.record.refund_id, now), now) for one in read]
    bulk.upsert(conn, "storefront.refunds", (*HEADER, *extras), ["refund_id"], rows)
    for table in ("transactions", "refund_lines"):
        conn.execute(f"DELETE FROM storefront.{table} WHERE refund_id = ANY(%s)".encode(), (ids,))
    payments = [
        (one.record.refund_id, *(getattr(part, name) for name in PAYMENT))
        for one in read
        for part in one.record.transactions
    ]
    bulk.copy_rows(conn, "storefront.transactions", ("refund_id", *PAYMENT), payments)
    lines = [
        (one.record.refund_id, at, *(getattr(line, name) for name in LINE))
        for one in read
        for at, line in enumerate(one.record.lines)
    ]
    bulk.copy_rows(conn, "storefront.refund_lines", ("refund_id", "position", *LINE), lines)
    cancelled_parts.queue(conn, ids, now)


def save_faults(conn: psycopg.Connection, read: RefundSweep, now: datetime) -> None:
    """Record what could not be read; the fault of a refund or cancelled order that was read since is over."""
    subjects = [f"refund {one.record.refund_id}" for one in read.refunds]
    subjects += [cancelled_subject(one.order_name) for one in read.cancelled]
    keep_faults(conn, subjects, read.faults, now)


def keep_faults(conn: psycopg.Connection, subjects: Sequence[str], faults: Sequence[RowFault], now: datetime) -> None:
    """Record what could not be read; a fault of one of these subjects, which were read since, is over."""
    conn.execute(
        "UPDATE storefront.unreadable SET resolved_at = %s WHERE resolved_at IS NULL AND subject = ANY(%s)",
        (now, subjects),
    )
    columns = ("row_hash", "subject", "reason", "first_seen_at", "last_seen_at", "resolved_at")
    rows = [(one.row_hash, one.subject, one.reason, now, now, None) for one in faults]
    if rows:
        bulk.upsert(conn, "storefront.unreadable", columns, ["row_hash"], rows)


def of_orders(conn: psycopg.Connection, orders: Orders) -> list[Refund]:
    """Every refund of these orders, or that names one of these returns."""
    query = (
        f"SELECT {', '.join(HEADER)} FROM storefront.refunds WHERE order_id = ANY(%(ids)s) "
        "OR order_name = ANY(%(names)s) OR (return_ref <> '' AND return_ref = ANY(%(refs)s)) ORDER BY refund_id"
    )
    return _load(conn, query, _given(orders))


def to_judge(conn: psycopg.Connection, now: datetime) -> list[Refund]:
    """The refunds whose time to be linked and judged has come."""
    query = f"SELECT {', '.join(HEADER)} FROM storefront.refunds WHERE judge_at <= %(now)s ORDER BY refund_id"
    return _load(conn, query, {"now": now})


def judge_orders_of_waiting_returns(conn: psycopg.Connection, now: datetime) -> None:
    """Refunds on the order of a return that is in line are to be judged too: the return may have changed."""
    conn.execute(
        "UPDATE storefront.refunds SET judge_at = %s WHERE refund_id IN ("
        "SELECT f.refund_id FROM recon.worklist w JOIN swap.returns r USING (return_id) "
        "JOIN storefront.refunds f ON f.order_id = r.order_id OR f.order_name = r.order_name "
        "WHERE w.stage IN ('match', 'draft') UNION "
        "SELECT f.refund_id FROM recon.worklist w JOIN swap.return_lines l USING (return_id) "
        "JOIN storefront.refunds f ON f.order_name = l.original_order_name "
        "WHERE w.stage IN ('match', 'draft') AND l.original_order_name <> '')",
        (now,),
    )


def returns_of(conn: psycopg.Connection, orders: Orders) -> list[str]:
    """The returns that name one of these orders, in their head or in a line, or carry one of these numbers."""
    given = _given(orders)
    rows = conn.execute(
        "SELECT return_id FROM swap.returns WHERE order_id = ANY(%(ids)s) AND order_id <> '' UNION "
        "SELECT return_id FROM swap.returns WHERE order_name = ANY(%(names)s) UNION "
        "SELECT return_id FROM swap.return_lines WHERE original_order_name = ANY(%(names)s) "
        "AND original_order_name <> '' UNION SELECT return_id FROM swap.returns "
        "WHERE raw ->> 'shopify_return_id' = ANY(%(spelled)s) AND raw ->> 'shopify_return_id' IS NOT NULL",
        {**given, "spelled": [spelling.format(ref) for ref in given["refs"] for spelling in RETURN_REF_SPELLINGS]},
    ).fetchall()
    return sorted(row[0] for row in rows)


def return_refs(conn: psycopg.Connection, return_ids: Collection[str]) -> dict[str, str]:
    """The storefront's number of each return that Swap names one for, as Swap writes it."""
    rows = conn.execute(
        "SELECT return_id, raw ->> 'shopify_return_id' FROM swap.returns WHERE return_id = ANY(%s) "
        "AND raw ->> 'shopify_return_id' IS NOT NULL",
        (list(return_ids),),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def mark(conn: psycopg.Connection, rows: Sequence[tuple[str, str | None, str, datetime | None, bool]]) -> None:
    """Keep (refund id, return id, evidence, when to judge again, whether it moved money for no return)."""
    conn.execute(
        "UPDATE storefront.refunds f SET return_id = m.return_id, linked_by = m.linked_by, judge_at = m.judge_at, "
        "is_loose = m.is_loose, settled_by = CASE WHEN m.is_loose THEN f.settled_by ELSE '' END "
        "FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::boolean[]) "
        "AS m (refund_id, return_id, linked_by, judge_at, is_loose) "
        "WHERE f.refund_id = m.refund_id",
        [list(column) for column in zip(*rows, strict=True)],
    )


def judge_at(conn: psycopg.Connection, refund_ids: Sequence[str], moment: datetime) -> None:
    """These refunds are linked and judged at that moment, not before."""
    conn.execute("UPDATE storefront.refunds SET judge_at = %s WHERE refund_id = ANY(%s)", (moment, list(refund_ids)))


def _given(orders: Orders) -> dict[str, list[str]]:
    return {"ids": sorted(orders.ids), "names": sorted(orders.names), "refs": sorted(orders.return_refs)}


def _load(conn: psycopg.Connection, query: str, given: dict[str, Any]) -> list[Refund]:
    with conn.cursor(row_factory=dict_row) as cursor:
        heads = cursor.execute(query.encode(), given).fetchall()
        if not (ids := [row["refund_id"] for row in heads]):
            return []
        payments = _parts(cursor, "transactions", PAYMENT, "transaction_id", ids)
        lines = _parts(cursor, "refund_lines", LINE, "position", ids)
    return [
        Refund(
            **row,
            transactions=tuple(Transaction(**part) for part in payments.get(row["refund_id"], ())),
            lines=tuple(RefundLine(**part) for part in lines.get(row["refund_id"], ())),
        )
        for row in heads
    ]


def _parts(
    cursor: psycopg.Cursor[dict[str, Any]], table: str, columns: Sequence[str], order_by: str, ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    query = f"SELECT refund_id, {', '.join(columns)} FROM storefront.{table} WHERE refund_id = ANY(%s) "
    found: dict[str, list[dict[str, Any]]] = {}
    for row in cursor.execute(f"{query} ORDER BY refund_id, {order_by}".encode(), (list(ids),)):
        found.setdefault(row.pop("refund_id"), []).append(row)
    return found


def _row(one: ReadRefund, seen_at: datetime, now: datetime) -> tuple[Any, ...]:
    record = one.record
    moved = (record.moved_pence, record.tender_pence, record.moved_at)
    return (*(getattr(record, name) for name in HEADER), *moved, one.content_hash, seen_at, now, now, "")


def gateways(conn: psycopg.Connection) -> list[tuple[str, str, str]]:
    """The names of gateways that paid money back, each with the name of an order and the refund id of an example."""
    moved = "storefront.transactions WHERE kind = 'REFUND' AND status = 'SUCCESS' AND NOT is_test"
    rows = conn.execute(
        f"WITH RECURSIVE g AS (SELECT min(gateway) AS gateway FROM {moved} UNION ALL SELECT (SELECT min(t.gateway) "
        f"FROM {moved.replace(' WHERE', ' t WHERE')} AND t.gateway > g.gateway) FROM g WHERE g.gateway IS NOT NULL) "
        "SELECT g.gateway, f.order_name, f.refund_id FROM g JOIN LATERAL (SELECT refund_id FROM "
        f"{moved} AND gateway = g.gateway ORDER BY refund_id LIMIT 1) x ON true "
        "JOIN storefront.refunds f USING (refund_id) ORDER BY 1".encode()
    ).fetchall()
    return [(row[0], row[1], row[2]) for row in rows]


def foreign_in_month(conn: psycopg.Connection, period: str) -> list[ForeignPayment]:
    """Payments of a London month in another currency than the shop's; VAT is their part of that of their return."""
    rows = conn.execute(
        "SELECT t.currency, t.shop_currency, t.amount_pence, t.shop_pence, f.sold_pence, f.sold_shop_pence, "
        "round(r.refund_vat_pence::numeric * t.amount_pence / nullif(r.refund_pence, 0))::bigint "
        "FROM storefront.transactions t JOIN storefront.refunds f USING (refund_id) "
        "LEFT JOIN recon.reconciliation r ON r.return_id = f.return_id AND r.currency = t.currency "
        f"WHERE {_MOVED} AND t.currency <> t.shop_currency ORDER BY t.transaction_id".encode(),
        {"first": f"{period}-01"},
    ).fetchall()
    return [ForeignPayment(*row) for row in rows]


def moved_in_month(conn: psycopg.Connection, period: str) -> list[tuple[str, str, int, int, int]]:
    """Of payments that went through in a London month ('2026-03'), by currency and gateway, the largest sum first.

    Each with their number, their sum in pence, and what of it belongs to no return.
    """
    rows = conn.execute(
        "SELECT t.currency, t.gateway, count(*), sum(t.amount_pence)::bigint, "
        "coalesce(sum(t.amount_pence) FILTER (WHERE f.return_id IS NULL), 0)::bigint "
        "FROM storefront.transactions t JOIN storefront.refunds f USING (refund_id) "
        f"WHERE {_MOVED} GROUP BY 1, 2 ORDER BY 1, 4 DESC, 2".encode(),
        {"first": f"{period}-01"},
    ).fetchall()
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]
