"""Files for Khaos's import screen as they were meant to be, in our store, before any of them exists.

Belongs here: the intent of a file, byte for byte, and whether it was written. Stays out: what a row says
(``adapters.files.adjustments``), what became of its units (``stock_transfers``). Shape: ``recon.stock_files``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class StockFile:
    """A file by its number; ``content`` is all of it, as text of UTF-8."""

    file_id: int
    file_name: str
    content: str


def next_number(conn: psycopg.Connection[Any]) -> int:
    """A number that no other file has."""
    row = conn.execute("SELECT nextval(pg_get_serial_sequence('recon.stock_files', 'file_id'))").fetchone()
    assert row is not None
    return int(row[0])


def newest_at(conn: psycopg.Connection[Any]) -> datetime | None:
    """When the newest was meant."""
    row = conn.execute("SELECT max(made_at) FROM recon.stock_files").fetchone()
    return row[0] if row else None


def keep(conn: psycopg.Connection[Any], file: StockFile, now: datetime) -> None:
    """Write down a file that is to be. The caller commits before it is written."""
    conn.execute(
        "INSERT INTO recon.stock_files (file_id, file_name, content, made_at) OVERRIDING SYSTEM VALUE "
        "VALUES (%s, %s, %s, %s)",
        (file.file_id, file.file_name, file.content, now),
    )


def unwritten(conn: psycopg.Connection[Any]) -> list[StockFile]:
    """Those that are not known to be written, the oldest first."""
    with conn.cursor(row_factory=class_row(StockFile)) as cursor:
        return cursor.execute(
            "SELECT file_id, file_name, content FROM recon.stock_files WHERE written_at IS NULL ORDER BY file_id"
        ).fetchall()


def written(conn: psycopg.Connection[Any], file_id: int, now: datetime) -> None:
    """Record that a file is there."""
    conn.execute("UPDATE recon.stock_files SET written_at = %s WHERE file_id = %s", (now, file_id))
