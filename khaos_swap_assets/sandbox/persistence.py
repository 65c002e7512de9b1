"""Keeping the sandbox's world in one SQLite file, so that a killed sandbox forgets nothing it has answered for.

Belongs here: writing changed records through to disk, and reading them all back. Stays out: deciding when to save: a
server saves before it answers a request that changed something. A ``Keeper`` without a path keeps nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from khaos_swap_assets.sandbox.payout_records import StorePayout
from khaos_swap_assets.sandbox.world import (
    Customer,
    Note,
    Order,
    ReturnDocument,
    Rma,
    StockItem,
    StoreRefund,
    World,
)

BOOKS: dict[type[Any], tuple[str, str]] = {
    StockItem: ("items", "stock_code"),
    Customer: ("customers", "urn"),
    Order: ("orders", "so_code"),
    Rma: ("rmas", "rma_number"),
    Note: ("notes", "code"),
    ReturnDocument: ("documents", "return_code"),
    StoreRefund: ("store_refunds", "refund_id"),
    StorePayout: ("store_payouts", "payout_id"),
}
"""Kinds of record that are kept one row each: the mapping of ``World`` that holds them, and the field of their key."""

JSON: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (*BOOKS, World)}
ROOT = ("world", "root")

SCHEMA = "CREATE TABLE IF NOT EXISTS record (book TEXT, key TEXT, body BLOB NOT NULL, PRIMARY KEY (book, key))"
UPSERT = "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (book, key) DO UPDATE SET body = excluded.body"

Row = tuple[str, str, bytes]


class Keeper:
    """Writes records through to ``path``; with None every call does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = _open(path) if path else None

    def load(self) -> World | None:
        """The world as last saved, or None when there is none."""
        rows = self._file.execute("SELECT book, key, body FROM record ORDER BY rowid").fetchall() if self._file else []
        return _world(rows) if rows else None

    def save(self, *records: object) -> None:
        """Write these records, durably, in one transaction; a ``World`` stands for its clock, plants and memory."""
        if self._file:
            with self._file:
                self._file.executemany(UPSERT, [_row(record) for record in records])

    def save_all(self, world: World) -> None:
        """Write the world and every record in it: once, when it is new."""
        self.save(world, *(record for book, _ in BOOKS.values() for record in getattr(world, book).values()))

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path, check_same_thread=False)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")
    file.execute(SCHEMA)
    file.commit()
    return file


def _row(record: Any) -> Row:
    if isinstance(record, World):
        no_records: dict[str, Any] = {book: {} for book, _ in BOOKS.values()}
        return *ROOT, JSON[World].dump_json(replace(record, **no_records))
    book, key = BOOKS[type(record)]
    return book, getattr(record, key), JSON[type(record)].dump_json(record)


def _world(rows: list[Row]) -> World:
    """Rows come in the order of their first write, so that the mappings keep theirs."""
    kinds = {book: kind for kind, (book, _) in BOOKS.items()}
    world: World = next(JSON[World].validate_json(body) for book, key, body in rows if (book, key) == ROOT)
    for book, key, body in rows:
        if book in kinds:
            getattr(world, book)[key] = JSON[kinds[book]].validate_json(body)
    return world
