"""Why open returns will fail, in our store: what their matches say, and codes that were sold lately or are listed.

Belongs here: finding the causes, each by one statement over all returns, and keeping them. Stays out: whether a code is
right (``records.stock_codes``) and when to look (``stages.returns.foreseeing``). Shapes: ``recon.return_causes`` and
``storefront.variants`` (migration 0050). Lines in trouble have an index of their own: all others are passed by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.judging.foreseen import CODES, KIND, MOST_NAMED, ReturnCause
from khaos_swap_assets.domain.records.orders import WAITS
from khaos_swap_assets.domain.records.returns import REFUND
from khaos_swap_assets.domain.reporting.month_open import SKU_KINDS

COLUMNS = tuple(field.name for field in fields(ReturnCause))
OPEN = "r.is_open AND r.refunded_at IS NULL"
FAILING = f"""
SELECT l.return_id, r.rma, CASE l.problem WHEN 'pack_unclear' THEN 'pack' ELSE 'SKU' END AS about, l.sku AS code,
    l.problem AS kind, l.suggestion
FROM recon.matched_lines l JOIN swap.returns r USING (return_id)
WHERE l.problem <> '' AND l.outcome = '{REFUND}' AND {OPEN}
UNION ALL
SELECT m.return_id, r.rma, CASE p.kind WHEN 'customer_unknown' THEN 'customer' ELSE 'order' END,
    coalesce(CASE p.kind WHEN 'customer_unknown' THEN m.customer_code ELSE m.order_ref END, ''), p.kind, ''
FROM recon.matched_returns m JOIN swap.returns r USING (return_id), unnest(m.order_problems) AS p (kind)
WHERE m.order_problems <> '{{}}' AND p.kind <> ALL(ARRAY{sorted(WAITS)}) AND {OPEN}
"""
TAXED = f"""
SELECT l.return_id, r.rma, 'VAT code' AS about, o.vat_code AS code, %(kind)s AS kind, '' AS suggestion
FROM swap.returns r JOIN recon.matched_returns m USING (return_id) JOIN recon.matched_lines l USING (return_id)
JOIN khaos.order_lines o ON o.so_code = m.so_code AND o.line_no = l.order_line_no
WHERE {OPEN} AND o.vat_code <> '' AND o.vat_code <> ALL(%(rates)s)
"""
CAUSES = f"""
SELECT about, code, kind, max(suggestion) AS suggestion, count(DISTINCT return_id)::integer AS returns,
    (array_agg(DISTINCT rma))[1:{MOST_NAMED}] AS rmas, 0 AS sold, 0 AS listed
FROM ({{failing}}) f GROUP BY about, code, kind
"""
UNUSED = """
WITH told AS (
    SELECT l.stock_code AS sku, l.quantity AS sold, 0 AS listed FROM khaos.sales_orders o
        JOIN khaos.order_lines l USING (so_code) WHERE o.ordered_on >= %(since)s AND NOT o.is_cancelled
    UNION ALL SELECT sku, 0, 1 FROM storefront.variants)
SELECT sku, sum(sold)::integer AS sold, sum(listed)::integer AS listed FROM told t
LEFT JOIN khaos.stock_codes c ON c.stock_code = t.sku
WHERE (c.stock_code IS NULL OR c.is_discontinued) AND EXISTS (SELECT 1 FROM khaos.stock_codes)
GROUP BY sku ORDER BY 2 DESC, 3 DESC, 1 LIMIT %(limit)s
"""


def of_open_returns(conn: psycopg.Connection[Any], rates: Sequence[str], *, has_vat: bool) -> list[ReturnCause]:
    """The causes that hold open returns; those of VAT codes that are not among ``rates`` only where asked for."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(CAUSES.format(failing=_failing(has_vat)).encode(), _values(rates))
        return [ReturnCause(**{**row, "rmas": tuple(row["rmas"])}) for row in rows]


def count(conn: psycopg.Connection[Any], rates: Sequence[str], *, has_vat: bool) -> int:
    """How many open returns will fail, whatever the cause."""
    query = f"SELECT count(DISTINCT return_id) FROM ({_failing(has_vat)}) f"
    row = conn.execute(query.encode(), _values(rates)).fetchone()
    return int(row[0]) if row else 0


def children(conn: psycopg.Connection[Any], rates: Sequence[str], code: str, limit: int) -> list[dict[str, Any]]:
    """The open returns that a code holds, the earliest submitted first."""
    query = (
        "SELECT DISTINCT r.submitted_at, f.rma, f.about, f.code, f.kind, r.order_name, r.status, r.delivery_status "
        f"FROM ({_failing(True)}) f JOIN swap.returns r USING (return_id) WHERE f.code = %(code)s "
        "ORDER BY r.submitted_at NULLS LAST, f.rma, f.kind LIMIT %(limit)s"
    )
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), {**_values(rates), "code": code, "limit": limit}).fetchall()


def _failing(has_vat: bool) -> str:
    return f"{FAILING} UNION ALL {TAXED}" if has_vat else FAILING


def _values(rates: Sequence[str]) -> dict[str, object]:
    return {"kind": KIND, "rates": list(rates)}


def wrong_codes(conn: psycopg.Connection[Any], since: date, limit: int) -> list[tuple[str, int, int]]:
    """Codes sold since a day or listed that are no live Stock Code: (code, units sold, variants), most sold first.

    None while no Stock Code is known at all.
    """
    return conn.execute(UNUSED.encode(), {"since": since, "limit": limit}).fetchall()


def still_wrong(conn: psycopg.Connection[Any], codes: Sequence[str]) -> set[str]:
    """Those of these codes that are no live Stock Code."""
    rows = conn.execute(
        "SELECT code FROM unnest(%s::text[]) code LEFT JOIN khaos.stock_codes c ON c.stock_code = code "
        "WHERE c.stock_code IS NULL OR c.is_discontinued",
        (list(codes),),
    )
    return {row[0] for row in rows}


def told_of_returns(conn: psycopg.Connection[Any], codes: Sequence[str]) -> set[str]:
    """Those of these SKUs that an exception of a return tells of."""
    rows = conn.execute(
        "SELECT DISTINCT sku FROM recon.findings WHERE kind = ANY(%s) AND sku = ANY(%s)",
        (sorted(SKU_KINDS), list(codes)),
    )
    return {row[0] for row in rows}


def replace(conn: psycopg.Connection[Any], causes: Sequence[ReturnCause], now: datetime) -> None:
    """Make these the only causes."""
    conn.execute("DELETE FROM recon.return_causes")
    rows = [
        (*(list(v) if isinstance(v := getattr(one, name), tuple) else v for name in COLUMNS), now) for one in causes
    ]
    bulk.copy_rows(conn, "recon.return_causes", (*COLUMNS, "found_at"), rows)


def known(conn: psycopg.Connection[Any], limit: int | None = None) -> list[ReturnCause]:
    """The causes, wrong codes and the most returns first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM recon.return_causes "
            "ORDER BY returns DESC, about = ANY(%s) DESC, sold DESC, listed DESC, about, code, kind LIMIT %s".encode(),
            (list(CODES), limit),
        )
        return [ReturnCause(**{**row, "rmas": tuple(row["rmas"])}) for row in rows]
