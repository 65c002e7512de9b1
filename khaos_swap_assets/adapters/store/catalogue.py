"""Khaos Stock Codes in our store.

Belongs here: saving what ExportStock or a push told, exact look-up in bulk, and the whole catalogue for suggestions.
Stays out: the matching rule (``domain.stock_codes``). Shape: table ``khaos.stock_codes`` (migration 0002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.packs import Packs
from khaos_swap_assets.domain.stock_codes import StockCode

COLUMNS = (
    "stock_code, stock_id, description, other_ref, barcodes, is_discontinued, is_stock_controlled, pack_components"
)


def save(conn: psycopg.Connection, items: Sequence[StockCode], now: datetime) -> list[str]:
    """Upsert these items; returns the Stock Codes that are new or changed, and those that a renaming took away."""
    newest = {item.stock_code: item for item in items}
    rows = conn.execute(
        "SELECT stock_code, content_hash FROM khaos.stock_codes WHERE stock_code = ANY(%s)", (list(newest),)
    ).fetchall()
    known = {row[0]: row[1] for row in rows}
    changed = [item for item in newest.values() if known.get(item.stock_code) != content_hash(item)]
    columns = [*COLUMNS.split(", "), "content_hash", "changed_at", "seen_at"]
    bulk.upsert(conn, "khaos.stock_codes", columns, ["stock_code"], [_row(item, now) for item in changed])
    return [item.stock_code for item in changed] + _drop_renamed(conn, changed)


def _drop_renamed(conn: psycopg.Connection, changed: Sequence[StockCode]) -> list[str]:
    """An item keeps its id when its code is renamed: no Stock Code of before may stay beside the new one."""
    rows = conn.execute(
        "DELETE FROM khaos.stock_codes WHERE stock_id = ANY(%s) AND stock_code <> ALL(%s) RETURNING stock_code",
        ([item.stock_id for item in changed], [item.stock_code for item in changed]),
    ).fetchall()
    return sorted(row[0] for row in rows)


def of_ids(conn: psycopg.Connection, stock_ids: Sequence[str]) -> list[StockCode]:
    """The items of these ids, which stay when a code is renamed."""
    query = f"SELECT {COLUMNS} FROM khaos.stock_codes WHERE stock_id = ANY(%s)"
    return [_item(row) for row in conn.execute(query, (list(stock_ids),))]


def exact(conn: psycopg.Connection, codes: Sequence[str]) -> list[StockCode]:
    """The items whose Stock Code equals one of ``codes`` to the letter."""
    query = f"SELECT {COLUMNS} FROM khaos.stock_codes WHERE stock_code = ANY(%s)"
    return [_item(row) for row in conn.execute(query, (list(codes),))]


def packs(conn: psycopg.Connection, codes: Iterable[str]) -> Packs:
    """Those of these Stock Codes that are packs."""
    query = f"SELECT {COLUMNS} FROM khaos.stock_codes WHERE stock_code = ANY(%s) AND pack_components <> '[]'"
    return Packs(_item(row) for row in conn.execute(query, (sorted(set(codes)),)))


def whole(conn: psycopg.Connection) -> list[StockCode]:
    """Every item: only suggestions for a SKU without a match need them all."""
    return [_item(row) for row in conn.execute(f"SELECT {COLUMNS} FROM khaos.stock_codes ORDER BY stock_code")]


def content_hash(item: StockCode) -> str:
    """What tells a changed item from an unchanged one."""
    return hashlib.sha256(repr(item).encode()).hexdigest()


def _row(item: StockCode, now: datetime) -> tuple[object, ...]:
    head = (item.stock_code, item.stock_id, item.description, item.other_ref, list(item.barcodes))
    flags = (item.is_discontinued, item.is_stock_controlled, Jsonb([list(pair) for pair in item.pack_components]))
    return (*head, *flags, content_hash(item), now, now)


def _item(row: tuple[object, ...]) -> StockCode:
    code, stock_id, description, other_ref, barcodes, is_discontinued, is_controlled, packs = row
    assert isinstance(barcodes, list)
    assert isinstance(packs, list)
    return StockCode(
        str(code),
        str(stock_id),
        str(description),
        str(other_ref),
        tuple(barcodes),
        bool(is_discontinued),
        bool(is_controlled),
        tuple((str(part), int(quantity)) for part, quantity in packs),
    )
