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

from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.domain.goods.dispositions import Inspection

INSERT = (
    "INSERT INTO recon.inspections (inspection_id, rma, sku, line_item_id, condition, quantity, inspected_at, "
    "inspected_by, body_hash, received_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
    "ON CONFLICT DO NOTHING RETURNING 1"
)
SELECT = (
    "SELECT inspection_id, rma, sku, line_item_id, condition, quantity, inspected_at, inspected_by "
    "FROM recon.inspections WHERE rma = ANY(%s) ORDER BY inspected_at, inspection_id"
)

Saved = Literal["new", "repeated", "conflict"]


def save(conn: psycopg.Connection[Any], inspection: Inspection, now: datetime) -> Saved:
    """Keep an inspection and put every return of its RMA in line to be matched. The caller commits.

    ``repeated``: the same was told before, nothing is written. ``conflict``: its id was used for something else,
    nothing is written. The RMA may be unknown yet: matching finds the inspection when the return arrives.
    """
    body_hash = fingerprint(inspection)
    row = conn.execute(INSERT, (*_values(inspection), body_hash, now)).fetchone()
    if not row:
        return "repeated" if body_hash == _known_hash(conn, inspection.inspection_id) else "conflict"
    found = conn.execute("SELECT return_id FROM swap.returns WHERE rma = %s", (inspection.rma,)).fetchall()
    worklist.queue(conn, "match", [one[0] for one in found])
    return "new"


def of_rmas(conn: psycopg.Connection[Any], rmas: Sequence[str]) -> list[Inspection]:
    """Every inspection of these RMA numbers, earliest first."""
    with conn.cursor(row_factory=class_row(Inspection)) as cursor:
        return cursor.execute(SELECT, (list(rmas),)).fetchall()


def fingerprint(inspection: Inspection) -> str:
    """SHA-256 over what an inspection says; the zone in which its time was written does not count."""
    told = [str(value.astimezone(UTC) if isinstance(value, datetime) else value) for value in _values(inspection)]
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()


def _known_hash(conn: psycopg.Connection[Any], inspection_id: str) -> str:
    row = conn.execute("SELECT body_hash FROM recon.inspections WHERE inspection_id = %s", (inspection_id,)).fetchone()
    return str(row[0]) if row else ""


def _values(inspection: Inspection) -> tuple[Any, ...]:
    return tuple(getattr(inspection, field.name) for field in fields(Inspection))
