"""How Khaos shows the items of Credit Notes, and what was read of them by their codes.

Belongs here: tables ``khaos.capabilities`` and ``khaos.note_items`` (migration 0022). Stays out: when a note is asked
for, and what follows from the answers (``stages.orders.note_items``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy
from khaos_swap_assets.domain.records.packs import Goods

CAPABILITY = "note_items"
COLUMNS = ("credit_note_code", "line_hash", "lines", "asked_at")


@dataclass(frozen=True, slots=True)
class ItemsReading:
    """What was read of a note when its line in the status list had ``line_hash``; ``lines`` is None while it waits."""

    credit_note_code: str
    line_hash: str
    lines: Goods | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Capability:
    """By which way Khaos shows the items of its notes, what showed it, and when a note was last asked for."""

    value: ItemsBy
    evidence: str
    asked_at: datetime


def hash_of_line(note: CreditNote) -> str:
    """Changes with what the status list says of a note: all but its goods, and the order that a file told."""
    return hashlib.sha256(repr(replace(note, lines=(), order_ref="")).encode()).hexdigest()


def readings(conn: psycopg.Connection, codes: Sequence[str]) -> dict[str, ItemsReading]:
    """What was read of these notes, by code."""
    if not codes:
        return {}
    rows = conn.execute(
        f"SELECT {', '.join(COLUMNS)} FROM khaos.note_items WHERE credit_note_code = ANY(%s)", (list(codes),)
    ).fetchall()
    return {row[0]: ItemsReading(row[0], row[1], _goods(row[2]), row[3]) for row in rows}


def _goods(lines: list[list[object]] | None) -> Goods | None:
    return None if lines is None else tuple((str(code), int(str(units))) for code, units in lines)


def save(conn: psycopg.Connection, found: Iterable[ItemsReading]) -> None:
    """Keep what was read, in place of what was read of the same notes before."""
    rows = [
        (one.credit_note_code, one.line_hash, None if one.lines is None else Jsonb(one.lines), one.asked_at)
        for one in found
    ]
    bulk.upsert(conn, "khaos.note_items", COLUMNS, ["credit_note_code"], rows)


def in_line(conn: psycopg.Connection, limit: int) -> list[str]:
    """Notes that wait to be asked for by their codes, the longest waiting first."""
    rows = conn.execute(
        "SELECT credit_note_code FROM khaos.note_items i JOIN khaos.credit_notes n USING (credit_note_code) "
        "WHERE i.lines IS NULL AND NOT is_cancelled AND NOT EXISTS (SELECT 1 FROM khaos.credit_note_lines l "
        "WHERE l.credit_note_code = i.credit_note_code) ORDER BY asked_at, 1 LIMIT %s",
        (limit,),
    ).fetchall()
    return [row[0] for row in rows]


def leave_line(conn: psycopg.Connection, codes: Sequence[str]) -> None:
    """These notes are not to be asked for any more: the list shows their items, or they are cancelled."""
    if not codes:
        return
    conn.execute("DELETE FROM khaos.note_items WHERE lines IS NULL AND credit_note_code = ANY(%s)", (list(codes),))


def count_unread(conn: psycopg.Connection) -> int:
    """How many notes wait to be read by their codes."""
    row = conn.execute("SELECT count(*) FROM khaos.note_items WHERE lines IS NULL").fetchone()
    return int(row[0]) if row else 0


def capability(conn: psycopg.Connection) -> Capability | None:
    """By which way Khaos shows the items; None while no note was seen."""
    row = conn.execute(
        "SELECT value, evidence, asked_at FROM khaos.capabilities WHERE name = %s", (CAPABILITY,)
    ).fetchone()
    return Capability(cast(ItemsBy, row[0]), row[1], row[2]) if row else None


def keep_capability(conn: psycopg.Connection, found: Capability) -> None:
    """Keep what was found."""
    columns = ("name", "value", "evidence", "asked_at")
    rows = [(CAPABILITY, found.value, found.evidence, found.asked_at)]
    bulk.upsert(conn, "khaos.capabilities", columns, ["name"], rows)
