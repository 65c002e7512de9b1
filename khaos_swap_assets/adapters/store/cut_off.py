"""The end of a month in our store: returns that were not paid by then, and VAT by the day of note and payment.

Belongs here: those two questions. Stays out: what follows from them (``reporting.month_end``). Days and months are
London's. Rates come as Khaos's VAT codes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.domain.records.returns import ENDED_UNPAID

_OWED = """
WITH owed AS (
    SELECT r.return_id, r.currency, coalesce(r.delivered_at < %(ends)s, false) AS is_received, r.refund_pence,
        greatest(r.handling_fee_pence, 0) AS fee_pence, coalesce((SELECT sum(m.refund_pence) FROM recon.monthly m
            WHERE m.return_id = r.return_id AND m.period BETWEEN '0' AND %(period)s), 0) AS paid_pence
    FROM swap.returns r
    WHERE coalesce(r.submitted_at, r.created_at) < %(ends)s AND (r.closed_at IS NULL OR r.closed_at >= %(ends)s)
        AND NOT r.status = ANY(%(ended)s)
)
SELECT o.return_id, o.currency, o.is_received,
    (CASE WHEN o.refund_pence > 0 THEN o.refund_pence
        ELSE sum(l.cost_pence) OVER (PARTITION BY o.return_id) - o.fee_pence END - o.paid_pence)::bigint AS due_pence,
    l.cost_pence, coalesce(s.vat_code, ''),
    s.buy_pence * (l.quantity - l.kept_quantity - l.missing_quantity - l.written_off_quantity)
FROM owed o JOIN recon.matched_lines l USING (return_id) LEFT JOIN LATERAL (
    SELECT t.vat_code, (SELECT c.buy_pence FROM khaos.stock_codes c WHERE c.stock_code = l.stock_code) AS buy_pence
    FROM (SELECT 1) one LEFT JOIN recon.matched_returns m ON m.return_id = o.return_id
    LEFT JOIN khaos.order_lines t ON t.so_code = m.so_code AND t.line_no = l.order_line_no) s ON true
WHERE l.outcome = 'Refund' ORDER BY o.return_id, l.product_id
"""
_POSTED = """
SELECT currency, coalesce(sum(posted), 0)::bigint, coalesce(sum(due), 0)::bigint FROM (
    SELECT coalesce(return_id, credit_note_code) AS key, currency, gross_pence - net_pence AS posted, 0 AS due
    FROM khaos.credit_notes WHERE NOT is_cancelled AND to_char(coalesce(issued_on, created_on), 'YYYY-MM') = %(period)s
    UNION ALL SELECT return_id, currency, 0, refund_vat_pence FROM recon.monthly WHERE period = %(period)s
) found GROUP BY key, currency
"""


def owed(conn: psycopg.Connection, period: str, ends: datetime) -> list[tuple[Any, ...]]:
    """Lines of the returns that were made and not paid when the month ended, those of a return together.

    Return id, currency, whether it had arrived, pence due for the return, of the line, VAT code, cost of its units. A
    return that was closed without money is owed nothing.
    """
    rows = conn.execute(_OWED.encode(), {"period": period, "ends": ends, "ended": list(ENDED_UNPAID)}).fetchall()
    return [row for row in rows if row[3] > 0]


def posted_vat(conn: psycopg.Connection, period: str) -> list[tuple[str, int, int]]:
    """Currency, VAT of the month's notes and of its payments, a row for each return and each note of none."""
    return conn.execute(_POSTED.encode(), {"period": period}).fetchall()
