"""Keeping the sandbox's world in one SQLite file, so that a killed sandbox forgets nothing it has answered for.

Belongs here: writing changed records through to disk, and reading them all back. Stays out: deciding when to save: a
server saves before it answers a request that changed something. A ``Keeper`` without a path keeps nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from khaos_swap_assets.sandbox.world import Customer, Item, Note, Order, ReturnDocument, Rma, World

BOOKS: dict[str, TypeAdapter[Any]] = {
    "items": TypeAdapter(Item),
    "customers": TypeAdapter(Customer),
    "orders": TypeAdapter(Order),
    "rmas": TypeAdapter(Rma),
    "notes": TypeAdapter(Note),
    "documents": TypeAdapter(ReturnDocument),
}
"""The mappings of a ``World`` that are kept one row a record."""

WORLD = TypeAdapter(World)
ROOT = ("world", "root")

SCHEMA = "CREATE TABLE IF NOT EXISTS record (book TEXT, key TEXT, body BLOB NOT NULL, PRIMARY KEY (book, key))"
UPSERT = "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (book, key) DO UPDATE SET body = excluded.body"

Row = tuple[str, str, bytes]


class Keeper:
    """Writes a world through to ``path``; with None every call does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = _open(path) if path else None
        self._written: dict[tuple[str, str], bytes] = {}

    def load(self) -> World | None:
        """The world as last saved, or None when there is none."""
        rows = self._file.execute("SELECT book, key, body FROM record ORDER BY rowid").fetchall() if self._file else []
        self._written = {(book, key): body for book, key, body in rows}
        return _world(rows) if rows else None

    def save(self, world: World) -> int:
        """Write every record that changed since the last save, durably, in one transaction; returns how many."""
        if self._file is None:
            return 0
        current = {(book, key): body for book, key, body in _rows(world)}
        changed = [(*at, body) for at, body in current.items() if self._written.get(at) != body]
        with self._file:
            self._file.executemany(UPSERT, changed)
            self._file.executemany(
                "DELETE FROM record WHERE book = ? AND key = ?", list(self._written.keys() - current.keys())
            )
        self._written = current
        return len(changed)

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


def _rows(world: World) -> Iterator[Row]:
    for book, adapter in BOOKS.items():
        for key, record in getattr(world, book).items():
            yield book, key, adapter.dump_json(record)
    no_records: dict[str, Any] = {book: {} for book in BOOKS}
    yield *ROOT, WORLD.dump_json(replace(world, **no_records))


def _world(rows: list[Row]) -> World:
    world = next(WORLD.validate_json(body) for book, key, body in rows if (book, key) == ROOT)
    for book, key, body in rows:
        if book in BOOKS:
            getattr(world, book)[key] = BOOKS[book].validate_json(body)
    return world
