"""What was matched: each return's order and each line's Stock Code, disposition and sold quantity.

Belongs here: saving and loading matches as they are. Stays out: how a match is found (``stages.returns.matching``).
Shapes: tables ``recon.matched_returns``, ``recon.matched_lines`` (migration 0003).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.records.matches import MatchedLine, MatchedReturn
from khaos_swap_assets.domain.records.orders import WAITING, WAITS
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID

RETURN_COLUMNS = tuple(field.name for field in fields(MatchedReturn))
LINE_COLUMNS = tuple(field.name for field in fields(MatchedLine))


def save(conn: psycopg.Connection, returns: Sequence[MatchedReturn], lines: Iterable[MatchedLine]) -> None:
    """Replace the matches of these returns."""
    ids = [one.return_id for one in returns]
    conn.execute("DELETE FROM recon.matched_lines WHERE return_id = ANY(%s)", (ids,))
    bulk.upsert(
        conn, "recon.matched_returns", RETURN_COLUMNS, ["return_id"], [_values(one, RETURN_COLUMNS) for one in returns]
    )
    bulk.copy_rows(conn, "recon.matched_lines", LINE_COLUMNS, [_values(line, LINE_COLUMNS) for line in lines])


def _values(record: object, columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(list(value) if isinstance(value := getattr(record, name), tuple) else value for name in columns)


def returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, MatchedReturn]:
    """The matched returns among these ids."""
    if not return_ids:
        return {}
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"SELECT {', '.join(RETURN_COLUMNS)} FROM recon.matched_returns WHERE return_id = ANY(%s)",
            (list(return_ids),),
        )
        return {row["return_id"]: MatchedReturn(**_tuples(row)) for row in cursor}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def lines(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[MatchedLine]]:
    """The matched lines of these returns, in the order of their product ids."""
    if not return_ids:
        return {}
    found: dict[str, list[MatchedLine]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"SELECT {', '.join(LINE_COLUMNS)} FROM recon.matched_lines WHERE return_id = ANY(%s) "
            "ORDER BY return_id, product_id",
            (list(return_ids),),
        )
        for row in cursor:
            found.setdefault(row["return_id"], []).append(MatchedLine(**row))
    return found


def mark_over_returned(conn: psycopg.Connection, heads: Sequence[MatchedReturn]) -> None:
    """Write back which Stock Codes these returns take back beyond what was sold, and the pence beyond what was paid."""
    found = Jsonb([{"return_id": one.return_id, "codes": one.over_returned, "pence": one.over_pence} for one in heads])
    conn.execute(
        "UPDATE recon.matched_returns m SET over_returned = f.codes, over_pence = f.pence "
        "FROM jsonb_to_recordset(%s) AS f (return_id text, codes text[], pence bigint) WHERE m.return_id = f.return_id",
        (found,),
    )


def overspent(conn: psycopg.Connection, so_codes: Sequence[str]) -> set[tuple[str, str]]:
    """(Sales Order, Stock Code) of which a return takes more than was sold and has its document out already."""
    if not so_codes:
        return set()
    rows = conn.execute(
        "SELECT m.so_code, unnest(m.over_returned) FROM recon.matched_returns m WHERE m.so_code = ANY(%s) "
        "AND m.over_returned <> '{}' AND EXISTS (SELECT 1 FROM recon.postings p WHERE p.return_id = m.return_id "
        "AND p.state IN ('in_doubt', 'confirmed'))",
        (list(so_codes),),
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


def proven_codes(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """By return and product id: Stock Codes of rows that a document or note is out for, and that are no code now."""
    rows = conn.execute(
        "SELECT l.return_id, l.product_id, l.stock_code FROM recon.matched_lines l WHERE l.return_id = ANY(%s) "
        "AND l.stock_code IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM khaos.stock_codes s WHERE s.stock_code = l.stock_code) "
        "AND (EXISTS (SELECT 1 FROM khaos.credit_notes n WHERE n.return_id = l.return_id AND NOT n.is_cancelled) "
        "OR EXISTS (SELECT 1 FROM recon.postings p WHERE p.return_id = l.return_id "
        "AND p.state IN ('in_doubt', 'confirmed')))",
        (list(return_ids),),
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


def ids_of_orders(conn: psycopg.Connection, so_codes: Sequence[str]) -> list[str]:
    """Returns that are about one of these orders."""
    return _ids(conn, "SELECT return_id FROM recon.matched_returns WHERE so_code = ANY(%s)", so_codes)


def ids_of_refs(conn: psycopg.Connection, refs: Sequence[str]) -> list[str]:
    """Returns that name one of these order references."""
    return _ids(conn, "SELECT return_id FROM recon.matched_returns WHERE order_ref = ANY(%s)", refs)


def ids_of_customers(conn: psycopg.Connection, customer_codes: Sequence[str]) -> list[str]:
    """Returns of these customers."""
    return _ids(conn, "SELECT return_id FROM recon.matched_returns WHERE customer_code = ANY(%s)", customer_codes)


def ids_without_note(conn: psycopg.Connection, customer_codes: Sequence[str]) -> list[str]:
    """Returns of these customers to which no Credit Note is linked."""
    return _ids(
        conn,
        "SELECT return_id FROM recon.matched_returns m WHERE customer_code = ANY(%s) "
        "AND NOT EXISTS (SELECT 1 FROM recon.note_links l WHERE l.return_id = m.return_id)",
        customer_codes,
    )


def ids_touched_by_codes(conn: psycopg.Connection, stock_codes: Sequence[str]) -> list[str]:
    """Returns that a new or changed Stock Code may concern: lines matched to it, and lines still without a match."""
    return _ids(
        conn,
        "SELECT DISTINCT return_id FROM recon.matched_lines, (SELECT %s::text[] AS codes) given "
        "WHERE stock_code = ANY(codes) OR stock_code IS NULL OR (b_grade_code <> '' AND b_grade_code = ANY(codes))",
        stock_codes,
    )


def ids_of_sku(conn: psycopg.Connection, sku: str) -> list[str]:
    """Returns with a row of this SKU."""
    return _ids(conn, "SELECT DISTINCT return_id FROM recon.matched_lines WHERE sku = ANY(%s)", [sku])


def ids_of_waiting(conn: psycopg.Connection) -> list[str]:
    """Returns whose match waits for what Khaos has not told: an order, its invoice, or any Stock Code."""
    query = (
        "SELECT return_id FROM recon.matched_returns WHERE order_problems <> '{}' AND order_problems && %(waits)s "
        "UNION SELECT return_id FROM recon.matched_lines WHERE stock_code IS NULL AND problem = ''"
    )
    return [row[0] for row in conn.execute(query, {"waits": list(WAITS)})]


def awaited(conn: psycopg.Connection) -> list[tuple[str, str, str, int]]:
    """(store, RMA, currency, pence of the refund) of the returns for whose order Khaos has not answered."""
    query = (
        "SELECT r.store, r.rma, r.currency, r.refund_pence FROM recon.matched_returns m JOIN swap.returns r "
        "USING (return_id) WHERE m.order_problems <> '{}' AND %(waiting)s = ANY(m.order_problems)"
    )
    return conn.execute(query, {"waiting": WAITING}).fetchall()


def missed(conn: psycopg.Connection, skus: Sequence[str]) -> list[str]:
    """Those of these SKUs that a row was told to have no Stock Code for."""
    return _ids(
        conn,
        "SELECT DISTINCT sku FROM recon.matched_lines WHERE stock_code IS NULL AND problem <> '' AND sku = ANY(%s)",
        skus,
    )


def ids_of_unclear_packs(conn: psycopg.Connection) -> list[str]:
    """Returns with a row of which nobody could tell out of which pack, or at which price, it came."""
    query = "SELECT DISTINCT return_id FROM recon.matched_lines WHERE problem = 'pack_unclear'"
    return [row[0] for row in conn.execute(query)]


def _ids(conn: psycopg.Connection, query: str, values: Sequence[str]) -> list[str]:
    return [row[0] for row in conn.execute(query, (list(values),))] if values else []


def taken_from(conn: psycopg.Connection, so_codes: Sequence[str]) -> dict[str, dict[str, int]]:
    """By Sales Order: what each of its returns takes out of it, in pence; what ended unpaid takes none."""
    if not so_codes:
        return {}
    found: dict[str, dict[str, int]] = {}
    for so_code, return_id, pence in conn.execute(
        "SELECT m.so_code, r.return_id, "
        "greatest(r.refund_pence + r.store_credit_pence, coalesce(sum(l.cost_pence), 0))::bigint "
        "FROM recon.matched_returns m JOIN swap.returns r USING (return_id) LEFT JOIN swap.return_lines l "
        "USING (return_id) WHERE m.so_code = ANY(%s) AND NOT r.status = ANY(%s) GROUP BY 1, 2, "
        "r.refund_pence, r.store_credit_pence",
        (list(so_codes), list(ENDED_UNPAID)),
    ):
        found.setdefault(so_code, {})[return_id] = pence
    return found
