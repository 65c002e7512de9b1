"""Refund, payout and Credit Note side by side, as finance reads them.

Belongs here: what is shown of payouts, and what their correcting journals are made of. Stays out: comparing
(``payouts``, ``domain.payouts``). Money is pence, days are London's. The return of a refund is the one that it pays
now, so what was linked later is seen too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store.payouts import SENT
from khaos_swap_assets.domain.payouts.comparing import Places

_BESIDE = (
    "recon.payout_refunds p LEFT JOIN storefront.refunds f ON f.refund_id = p.refund_id AND p.refund_id <> '' "
    "LEFT JOIN recon.reconciliation r ON r.return_id = coalesce(f.return_id, nullif(p.return_id, ''))"
)
_FIRST = (
    "((SELECT * FROM recon.payout_refunds WHERE place <> 'matched' ORDER BY compared_at DESC, line_id LIMIT %(most)s) "
    "UNION ALL (SELECT * FROM recon.payout_refunds WHERE place = 'matched' ORDER BY compared_at DESC LIMIT %(most)s))"
)
"""Those that are apart, then the newest; so many of each, by their indexes."""
_CREDITED = (
    "(SELECT string_agg(n.credit_note_code, ', ' ORDER BY n.credit_note_code) FROM khaos.credit_notes n "
    "WHERE n.return_id = r.return_id AND NOT n.is_cancelled)"
)


def side_by_side(conn: psycopg.Connection, limit: int) -> list[dict[str, Any]]:
    """The rows that are apart, then the newest: a line of a payout, its refund, and the credit of its return."""
    query = (
        "SELECT p.place, p.provider, p.payout_id, p.line_id, p.paid_out_on, p.currency, p.gross_pence, p.fee_pence, "
        "p.gross_pence - p.fee_pence AS net_pence, p.order_name, coalesce(r.rma, p.rma) AS rma, p.refunded_on, "
        f"p.refund_pence, p.apart_pence, {_CREDITED} AS credit_notes, r.issued_pence, "
        "(SELECT max(n.issued_on) FROM khaos.credit_notes n WHERE n.return_id = r.return_id) AS credited_on, "
        f"r.issued_pence - r.refund_pence AS credit_apart_pence, p.why, "
        "r.currency AS credited_in "
        f"FROM {_BESIDE.replace('recon.payout_refunds', _FIRST, 1)} "
        "ORDER BY p.place = 'matched', p.compared_at DESC, p.provider, p.payout_id, p.line_id LIMIT %(most)s"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), {"most": limit}).fetchall()


def months(conn: psycopg.Connection, since: date) -> list[tuple[str, str, str, int, Places]]:
    """By month, provider and currency since a day: how many payouts, and where each of their pennies belongs."""
    query = (
        "SELECT to_char(p.paid_on, 'YYYY-MM'), p.provider, p.currency, count(*), sum(s.matched_pence)::bigint, "
        "sum(s.apart_pence)::bigint, sum(s.beside_pence)::bigint, sum(s.fee_pence)::bigint, "
        "sum(p.apart_pence)::bigint FROM storefront.payouts p JOIN LATERAL (SELECT "
        "coalesce(sum(l.fee_pence), 0) AS fee_pence, coalesce(sum(r.matched_pence), 0) AS matched_pence, "
        "coalesce(sum(r.apart_pence), 0) AS apart_pence, "
        "coalesce(sum(l.gross_pence) FILTER (WHERE r.line_id IS NULL), 0) AS beside_pence "
        "FROM storefront.payout_lines l LEFT JOIN recon.payout_refunds r USING (provider, payout_id, line_id) "
        "WHERE l.provider = p.provider AND l.payout_id = p.payout_id) s ON true WHERE p.paid_on >= %s "
        f"AND {SENT} GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3"
    )
    rows = conn.execute(query.encode(), (since,)).fetchall()
    return [
        (*row[:4], Places(
            matched_pence=row[4], apart_pence=row[5], beside_pence=row[6], fee_pence=row[7], untold_pence=row[8]
        ))
        for row in rows
    ]  # fmt: skip


def other_kinds(conn: psycopg.Connection, since: date) -> list[tuple[str, str, int, int]]:
    """Lines of no refund since a day by their kind as the provider spells it: kind, currency, count, gross pence."""
    return conn.execute(
        "SELECT l.kind, p.currency, count(*), sum(l.gross_pence)::bigint FROM storefront.payouts p "
        "JOIN storefront.payout_lines l USING (provider, payout_id) WHERE p.paid_on >= %s "
        "AND lower(l.kind) <> 'refund' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        (since,),
    ).fetchall()


def credited_otherwise(conn: psycopg.Connection) -> list[tuple[str, str, int]]:
    """Returns paid out by a provider whose issued credit is another, and that have an open exception.

    RMA, currency and pence apart (credit less refund), the largest first.
    """
    return conn.execute(
        "SELECT r.rma, r.currency, r.issued_pence - r.refund_pence FROM recon.reconciliation r WHERE r.return_id IN "
        "(SELECT e.return_id FROM recon.exceptions e WHERE e.closed_at IS NULL AND e.return_id <> '') "
        "AND r.issued_pence <> r.refund_pence AND (EXISTS (SELECT 1 FROM recon.payout_refunds p "
        "WHERE p.return_id = r.return_id AND p.payout_id <> '') OR EXISTS (SELECT 1 FROM storefront.refunds f "
        "JOIN recon.payout_refunds p USING (refund_id) WHERE f.return_id = r.return_id AND p.payout_id <> '')) "
        "ORDER BY abs(r.issued_pence - r.refund_pence) DESC, r.rma"
    ).fetchall()


def apart_in(conn: psycopg.Connection, first: date, until: date) -> list[dict[str, Any]]:
    """What is apart in payouts from ``first`` to before ``until``; a refund in none counts on the day of its payment.

    Each with the return that it belongs to, and whether a Credit Note of it is issued.
    """
    query = (
        "SELECT p.place, p.provider, p.payout_id, p.line_id, p.currency, p.apart_pence, p.order_name, p.is_foreign, "
        "coalesce(p.paid_out_on, p.refunded_on) AS day, coalesce(r.rma, p.rma) AS rma, "
        "coalesce(r.return_id, '') AS return_id, coalesce(r.issued_pence, 0) > 0 AS is_credited "
        f"FROM {_BESIDE} WHERE p.place <> 'matched' AND coalesce(p.paid_out_on, p.refunded_on) >= %s "
        "AND coalesce(p.paid_out_on, p.refunded_on) < %s ORDER BY day, p.provider, p.payout_id, p.line_id"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), (first, until)).fetchall()


def totals_in(conn: psycopg.Connection, first: date, until: date) -> list[tuple[str, str, str, date, int, int]]:
    """Provider, payout, currency and day of each payout of these days; what its total says beyond its lines; its fees.

    Payouts with neither are left out.
    """
    return conn.execute(
        "SELECT p.provider, p.payout_id, p.currency, p.paid_on, p.apart_pence, coalesce(sum(l.fee_pence), 0)::bigint "
        "FROM storefront.payouts p LEFT JOIN storefront.payout_lines l USING (provider, payout_id) "
        f"WHERE p.paid_on >= %s AND p.paid_on < %s AND {SENT} GROUP BY p.provider, p.payout_id "
        "HAVING p.apart_pence <> 0 OR coalesce(sum(l.fee_pence), 0) <> 0 ORDER BY 4, 1, 2".encode(),
        (first, until),
    ).fetchall()


def goods_by_code(conn: psycopg.Connection, return_ids: Sequence[str]) -> list[tuple[str, str, int]]:
    """The refunded goods of each return by the VAT code of their sale, empty where it is not known: pence."""
    return conn.execute(
        "SELECT l.return_id, coalesce(t.vat_code, ''), sum(l.cost_pence)::bigint FROM recon.matched_lines l "
        "LEFT JOIN recon.matched_returns m USING (return_id) LEFT JOIN khaos.order_lines t ON t.so_code = m.so_code "
        "AND t.line_no = l.order_line_no WHERE l.return_id = ANY(%s) AND l.outcome = 'Refund' "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        (list(return_ids),),
    ).fetchall()
