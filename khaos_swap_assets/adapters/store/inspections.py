"""What the warehouse found, one row for each of its own ids.

Belongs here: storing once, and listing by RMA. Stays out: what a condition means (``goods.dispositions``).
Shape: table ``recon.inspections`` (migration 0003).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import stores, worklist
from khaos_swap_assets.adapters.store.desk_lists import spellings
from khaos_swap_assets.domain.goods.bench_rows import OpenLine, bare
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import ENDED_UNPAID
from khaos_swap_assets.domain.records.stores import bare as of_store

INSERT = (
    "INSERT INTO recon.inspections (inspection_id, rma, sku, line_item_id, condition, quantity, inspected_at, "
    "inspected_by, corrects, body_hash, received_at, source) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING RETURNING 1"
)
SELECT = (
    "SELECT inspection_id, rma, sku, line_item_id, condition, quantity, inspected_at, inspected_by, corrects "
    "FROM recon.inspections i WHERE "
)
STANDS = "NOT EXISTS (SELECT 1 FROM recon.inspections c WHERE c.corrects = i.inspection_id AND c.corrects <> '')"

Saved = Literal["new", "repeated", "conflict", "nothing_to_correct"]
Source = Literal["gateway", "file", "person", "bench"]


def save(conn: psycopg.Connection[Any], inspection: Inspection, now: datetime, source: Source = "gateway") -> Saved:
    """Keep an inspection and put every return of its RMA in line to be matched. The caller commits.

    ``repeated``: the same was told before, nothing is written. ``conflict``: its id was used for something else,
    nothing is written. ``nothing_to_correct``: the return has no such inspection. The RMA may be unknown yet: matching
    finds the inspection when the return arrives.
    """
    if inspection.corrects and getattr(load(conn, inspection.corrects), "rma", None) != inspection.rma:
        return "nothing_to_correct"
    body_hash = fingerprint(inspection)
    row = conn.execute(INSERT, (*_values(inspection), body_hash, now, source)).fetchone()
    if not row:
        return "repeated" if body_hash == _known_hash(conn, inspection.inspection_id) else "conflict"
    found = conn.execute("SELECT return_id FROM swap.returns WHERE rma = %s", (inspection.rma,)).fetchall()
    worklist.queue(conn, "match", [one[0] for one in found])
    return "new"


def of_rmas(conn: psycopg.Connection[Any], rmas: Sequence[str]) -> list[Inspection]:
    """The inspections of these RMA numbers that stand, earliest first."""
    with conn.cursor(row_factory=class_row(Inspection)) as cursor:
        query = f"{SELECT} rma = ANY(%s) AND {STANDS} ORDER BY inspected_at, inspection_id"
        return cursor.execute(query.encode(), (list(rmas),)).fetchall()


def returns_named(conn: psycopg.Connection[Any], word: str) -> list[str]:
    """The returns that a label names: by RMA or by order, with ``#`` or without, as typed or in capitals."""
    rows = conn.execute(
        "SELECT return_id FROM swap.returns WHERE rma = ANY(%(words)s) OR order_name = ANY(%(words)s) ORDER BY 1",
        {"words": stores.spelled(conn, spellings(word))},
    )
    return [row[0] for row in rows]


def load(conn: psycopg.Connection[Any], inspection_id: str) -> Inspection | None:
    """One inspection, whether it stands or was corrected."""
    with conn.cursor(row_factory=class_row(Inspection)) as cursor:
        return cursor.execute(f"{SELECT} inspection_id = %s".encode(), (inspection_id,)).fetchone()


def by_ids(conn: psycopg.Connection[Any], inspection_ids: Sequence[str]) -> dict[str, Inspection]:
    """These inspections by id, whether they stand or were corrected."""
    with conn.cursor(row_factory=class_row(Inspection)) as cursor:
        found = cursor.execute(f"{SELECT} inspection_id = ANY(%s)".encode(), (list(inspection_ids),)).fetchall()
    return {one.inspection_id: one for one in found}


def known(conn: psycopg.Connection[Any], inspection_ids: Sequence[str]) -> set[str]:
    """Those of these ids that were told before."""
    rows = conn.execute(
        "SELECT inspection_id FROM recon.inspections WHERE inspection_id = ANY(%s)", (list(inspection_ids),)
    )
    return {row[0] for row in rows}


def open_lines(conn: psycopg.Connection[Any], order_refs: Sequence[str]) -> dict[tuple[str, str], list[OpenLine]]:
    """Lines of live returns of these orders, by bare order and SKU, with the units that were not inspected yet.

    An order is found with its store and without, so that the same number of two stores is both.
    """
    names = stores.spelled(conn, sorted({name for ref in order_refs for name in (bare(ref), f"#{bare(ref)}")}))
    rows = conn.execute(
        "SELECT r.return_id, r.rma, coalesce(nullif(l.original_order_name, ''), r.order_name), l.line_item_id, l.sku, "
        "sum(l.quantity - coalesce(m.kept_quantity, 0))::integer - coalesce((SELECT sum(i.quantity)::integer "
        "FROM recon.inspections i WHERE i.rma = r.rma AND lower(i.condition) <> 'pending' AND (CASE i.line_item_id "
        f"WHEN '' THEN i.sku = l.sku ELSE i.line_item_id = l.line_item_id END) AND {STANDS}), 0), r.store "
        "FROM swap.returns r JOIN swap.return_lines l USING (return_id) "
        "LEFT JOIN recon.matched_lines m USING (return_id, product_id) "
        "WHERE r.order_name = ANY(%s) AND NOT r.status = ANY(%s) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 4".encode(),
        (names, sorted(ENDED_UNPAID)),
    )
    found: dict[tuple[str, str], list[OpenLine]] = {}
    for row in rows:
        one = OpenLine(*row)
        for name in {bare(one.order_name), bare(of_store(one.store, one.order_name))}:
            found.setdefault((name, one.sku), []).append(one)
    return found


def fingerprint(inspection: Inspection) -> str:
    """SHA-256 over what an inspection says; the zone in which its time was written does not count."""
    values = _values(inspection)[: None if inspection.corrects else -1]
    told = [str(value.astimezone(UTC) if isinstance(value, datetime) else value) for value in values]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()


def _known_hash(conn: psycopg.Connection[Any], inspection_id: str) -> str:
    row = conn.execute("SELECT body_hash FROM recon.inspections WHERE inspection_id = %s", (inspection_id,)).fetchone()
    return str(row[0]) if row else ""


def _values(inspection: Inspection) -> tuple[Any, ...]:
    return tuple(getattr(inspection, field.name) for field in fields(Inspection))
