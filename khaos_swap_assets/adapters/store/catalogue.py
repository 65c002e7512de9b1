"""Khaos Stock Codes in our store.

Belongs here: saving what ExportStock or a push told, exact look-up in bulk, and the whole catalogue for suggestions.
Stays out: the matching rule (``records.stock_codes``). Shape: table ``khaos.stock_codes`` (migration 0002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.records.packs import PackItem, Packs, weights_of
from khaos_swap_assets.domain.records.stock_codes import StockCode

COLUMNS = (
    "stock_code, stock_id, description, other_ref, barcodes, is_discontinued, is_stock_controlled, pack_components, "
    "sell_pence, buy_pence"
)


def save(conn: psycopg.Connection, items: Sequence[StockCode], now: datetime) -> list[str]:
    """Upsert these items; returns the Stock Codes that are new or changed, and those that a renaming took away.

    Another price is kept and is no change: what was matched by a code stays as it is.
    """
    newest = {item.stock_code: item for item in items}
    rows = conn.execute(
        "SELECT stock_code, content_hash, sell_pence, buy_pence FROM khaos.stock_codes WHERE stock_code = ANY(%s)",
        (list(newest),),
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    told = {code: (content_hash(item), item.sell_pence, item.buy_pence) for code, item in newest.items()}
    fresh = [item for code, item in newest.items() if known.get(code) != told[code]]
    changed = [item for item in fresh if known.get(item.stock_code, ("",))[0] != told[item.stock_code][0]]
    columns = [*COLUMNS.split(", "), "content_hash", "changed_at", "seen_at"]
    bulk.upsert(conn, "khaos.stock_codes", columns, ["stock_code"], [_row(item, now) for item in fresh])
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
    if not codes:
        return []
    query = f"SELECT {COLUMNS} FROM khaos.stock_codes WHERE stock_code = ANY(%s)"
    return [_item(row) for row in conn.execute(query, (list(codes),))]


def packs(conn: psycopg.Connection, codes: Iterable[str]) -> Packs:
    """Those of these Stock Codes that are packs, with how their components share the price."""
    query = f"SELECT {COLUMNS} FROM khaos.stock_codes WHERE stock_code = ANY(%s) AND pack_components <> '[]'"
    told = {item.stock_code: item for item in map(_item, conn.execute(query, (sorted(set(codes)),)))}
    pushed, proportions = _pushed_packs(conn, sorted(set(codes)))
    found = list((told | pushed).values())
    if not found:
        return Packs([], {})
    components = sorted({code for item in found for code, _ in item.pack_components})
    rows = conn.execute(
        "SELECT stock_code, sell_pence FROM khaos.stock_codes WHERE stock_code = ANY(%s) AND sell_pence IS NOT NULL",
        (components,),
    ).fetchall()
    prices = {row[0]: row[1] for row in rows}
    weights = {
        item.stock_code: weights_of(item.pack_components, proportions.get(item.stock_code, ()), prices)
        for item in found
    }
    return Packs(found, weights)


def save_packs(conn: psycopg.Connection, packs: Mapping[str, Sequence[PackItem]]) -> None:
    """Replace what these packs (by id) hold by what was pushed."""
    conn.execute("DELETE FROM khaos.pack_items WHERE stock_id = ANY(%s)", (list(packs),))
    rows = [(key, place, *item) for key, items in packs.items() for place, item in enumerate(items)]
    bulk.copy_rows(
        conn, "khaos.pack_items", ("stock_id", "position", "linked_stock_id", "quantity", "value_proportion"), rows
    )


def of_components(conn: psycopg.Connection, stock_ids: Sequence[str]) -> list[str]:
    """The Stock Codes of these packs (by id) and of all that they hold."""
    rows = conn.execute(
        "SELECT stock_code FROM khaos.stock_codes WHERE stock_id = ANY(%s) OR stock_id IN "
        "(SELECT linked_stock_id FROM khaos.pack_items WHERE stock_id = ANY(%s))",
        (list(stock_ids), list(stock_ids)),
    ).fetchall()
    return [row[0] for row in rows]


def _pushed_packs(
    conn: psycopg.Connection, codes: Sequence[str]
) -> tuple[dict[str, StockCode], dict[str, list[Decimal]]]:
    """Packs as they were pushed, of which every component is known, and the proportions of those that tell them all."""
    if not codes:
        return {}, {}
    rows = conn.execute(
        "SELECT p.stock_code, p.stock_id, c.stock_code, i.quantity, i.value_proportion FROM khaos.stock_codes p "
        "JOIN khaos.pack_items i USING (stock_id) LEFT JOIN khaos.stock_codes c ON c.stock_id = i.linked_stock_id "
        "WHERE p.stock_code = ANY(%s) ORDER BY p.stock_code, i.position",
        (list(codes),),
    ).fetchall()
    by_pack: dict[str, list[Any]] = {}
    for row in rows:
        by_pack.setdefault(row[0], []).append(row)
    whole = {code: some for code, some in by_pack.items() if all(row[2] for row in some)}
    items = {
        code: StockCode(code, some[0][1], pack_components=tuple((row[2], row[3]) for row in some))
        for code, some in whole.items()
    }
    return items, {
        code: [row[4] for row in some] for code, some in whole.items() if all(row[4] is not None for row in some)
    }


def whole(conn: psycopg.Connection) -> list[StockCode]:
    """Every item: only suggestions for a SKU without a match need them all."""
    return [_item(row) for row in conn.execute(f"SELECT {COLUMNS} FROM khaos.stock_codes ORDER BY stock_code")]


def content_hash(item: StockCode) -> str:
    """What tells a changed item from an unchanged one; its prices do not count."""
    plain = repr(replace(item, sell_pence=None, buy_pence=None)).replace(", sell_pence=None, buy_pence=None", "")
    return hashlib.sha256(plain.encode()).hexdigest()


def _row(item: StockCode, now: datetime) -> tuple[object, ...]:
    head = (item.stock_code, item.stock_id, item.description, item.other_ref, list(item.barcodes))
    flags = (item.is_discontinued, item.is_stock_controlled, Jsonb([list(pair) for pair in item.pack_components]))
    return (*head, *flags, item.sell_pence, item.buy_pence, content_hash(item), now, now)


def _item(row: tuple[object, ...]) -> StockCode:
    code, stock_id, description, other_ref, barcodes, is_discontinued, is_controlled, packs, *prices = row
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
        *(int(str(pence)) if pence is not None else None for pence in prices),
    )
