"""Khaos Stock Codes in our store.

Belongs here: saving what ExportStock or a push told, exact look-up in bulk, and what else a SKU finds.
Stays out: the matching rule (``records.stock_codes``). Shape: table ``khaos.stock_codes`` (migration 0002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.packs import PackItem, Packs, weights_of
from khaos_swap_assets.domain.records.stock_codes import StockCode, asked_by, found_by

COLUMNS = (
    "stock_code, stock_id, description, other_ref, barcodes, is_discontinued, is_stock_controlled, pack_components, "
    "sell_pence, buy_pence, is_run_to_zero, variants"
)
# Most items are no pack: an empty list would be taken apart for each of them.
READ = COLUMNS.replace("pack_components", "nullif(pack_components, '[]')") + ", former_codes"


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
    columns = [*COLUMNS.split(", "), "found_by", "content_hash", "changed_at", "seen_at"]
    bulk.upsert(conn, "khaos.stock_codes", columns, ["stock_code"], [_row(item, now) for item in fresh])
    _keep_costs(conn, fresh, london_date(now))
    return [item.stock_code for item in changed] + _drop_renamed(conn, changed)


def _keep_costs(conn: psycopg.Connection, items: Sequence[StockCode], today: date) -> None:
    """Keep the cost of each item from today on, where it is another than the one told last."""
    conn.execute(
        "INSERT INTO khaos.stock_costs SELECT f.stock_id, %(today)s, f.pence FROM unnest(%(ids)s::text[], "
        "%(pence)s::bigint[]) AS f (stock_id, pence) LEFT JOIN LATERAL (SELECT buy_pence FROM khaos.stock_costs c "
        "WHERE c.stock_id = f.stock_id ORDER BY told_on DESC LIMIT 1) last ON true "
        "WHERE f.pence IS DISTINCT FROM last.buy_pence "
        "ON CONFLICT (stock_id, told_on) DO UPDATE SET buy_pence = EXCLUDED.buy_pence",
        {
            "today": today,
            "ids": list({item.stock_id: None for item in items}),
            "pence": list({item.stock_id: item.buy_pence for item in items}.values()),
        },
    )


def _drop_renamed(conn: psycopg.Connection, changed: Sequence[StockCode]) -> list[str]:
    """An item keeps its id when its code is renamed: a Stock Code of before stays as what the new one was called."""
    rows = conn.execute(
        "DELETE FROM khaos.stock_codes WHERE stock_id = ANY(%s) AND stock_code <> ALL(%s) "
        "RETURNING stock_code, stock_id, array_append(former_codes, stock_code)",
        ([item.stock_id for item in changed], [item.stock_code for item in changed]),
    ).fetchall()
    former = Jsonb([{"stock_id": stock_id, "codes": codes} for _, stock_id, codes in rows])
    conn.execute(
        "UPDATE khaos.stock_codes s SET former_codes = array_remove(f.codes, s.stock_code) "
        "FROM jsonb_to_recordset(%s) AS f (stock_id text, codes text[]) WHERE s.stock_id = f.stock_id",
        (former,),
    )
    return sorted(row[0] for row in rows)


def of_ids(conn: psycopg.Connection, stock_ids: Sequence[str]) -> list[StockCode]:
    """The items of these ids, which stay when a code is renamed."""
    query = f"SELECT {READ} FROM khaos.stock_codes WHERE stock_id = ANY(%s)"
    return [_item(row) for row in conn.execute(query, (list(stock_ids),))]


def exact(conn: psycopg.Connection, codes: Sequence[str]) -> list[StockCode]:
    """The items whose Stock Code equals one of ``codes`` to the letter."""
    if not codes:
        return []
    query = f"SELECT {READ} FROM khaos.stock_codes WHERE stock_code = ANY(%s)"
    return [_item(row) for row in conn.execute(query, (list(codes),))]


def packs(conn: psycopg.Connection, codes: Iterable[str]) -> Packs:
    """Those of these Stock Codes that are packs, with how their components share the price."""
    if not (asked := sorted(set(codes))):
        return Packs([], {})
    query = f"SELECT {READ} FROM khaos.stock_codes WHERE stock_code = ANY(%s) AND pack_components <> '[]'"
    told = {item.stock_code: item for item in map(_item, conn.execute(query, (asked,)))}
    pushed, proportions = _pushed_packs(conn, asked)
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


def alike(conn: psycopg.Connection, skus: Collection[str]) -> list[StockCode]:
    """The items that these SKUs, none of which is a Stock Code, find by another name, spelling, barcode or pack."""
    if not skus:
        return []
    keys = sorted({key for sku in skus for _, key in asked_by(sku)})
    query = f"SELECT {READ} FROM khaos.stock_codes WHERE found_by && %s OR former_codes && %s ORDER BY stock_code"
    return [_item(row) for row in conn.execute(query, (keys, sorted(skus)))]


def codes(conn: psycopg.Connection) -> list[str]:
    """Every Stock Code, those on sale first: only the nearest spelling asks for them all."""
    query = 'SELECT stock_code FROM khaos.stock_codes ORDER BY is_discontinued, stock_code COLLATE "C"'
    return [row[0] for row in conn.execute(query)]


def content_hash(item: StockCode) -> str:
    """What tells a changed item from an unchanged one; its prices and what it was called before do not count."""
    plain = repr(replace(item, sell_pence=None, buy_pence=None, former_codes=()))
    for unsaid in (", sell_pence=None, buy_pence=None", ", is_run_to_zero=False", ", variants=()", ", former_codes=()"):
        plain = plain.replace(unsaid, "")
    return hashlib.sha256(plain.encode()).hexdigest()


def _row(item: StockCode, now: datetime) -> tuple[object, ...]:
    head = (item.stock_code, item.stock_id, item.description, item.other_ref, list(item.barcodes))
    flags = (item.is_discontinued, item.is_stock_controlled, Jsonb([list(pair) for pair in item.pack_components]))
    tail = (item.sell_pence, item.buy_pence, item.is_run_to_zero, list(item.variants))
    return (*head, *flags, *tail, found_by(item), content_hash(item), now, now)


def _item(row: tuple[Any, ...]) -> StockCode:
    code, stock_id, description, other_ref, barcodes, is_discontinued, is_controlled, packs, *others = row
    sell, buy, is_run_to_zero, variants, former = others
    return StockCode(
        stock_code=code,
        stock_id=stock_id,
        description=description,
        other_ref=other_ref,
        barcodes=tuple(barcodes),
        is_discontinued=is_discontinued,
        is_stock_controlled=is_controlled,
        pack_components=tuple((part, quantity) for part, quantity in packs or ()),
        sell_pence=sell,
        buy_pence=buy,
        is_run_to_zero=is_run_to_zero,
        variants=tuple(variants),
        former_codes=tuple(former),
    )
