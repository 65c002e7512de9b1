"""Sales Orders, Credit Notes and payouts that a person brought as a file, in the mirrors of what is told by itself.

Belongs here: keeping what a file told, and the record of each import. Stays out: reading files (``adapters.files``)
and whom a document concerns (``stages.orders``). What Khaos itself told of a document is never changed by a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk, notes, orders
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.records.orders import SalesOrder

Kind = Literal["sales-orders", "credit-notes", "payouts", "write-offs"]
FILE: notes.Source = "file"


@dataclass(frozen=True, slots=True)
class Import:
    """One file that was brought: its name, SHA-256 of its bytes, documents in it and how many of them were news.

    ``complete_to`` (UTC): every document made before that moment is in the file, as the person says; None: not said.
    ``life`` is the life of the database in which it was brought.
    """

    kind: Kind
    file_name: str
    file_hash: str
    documents: int
    changed: int
    complete_to: datetime | None
    life: str
    imported_at: datetime
    imported_by: str


COLUMNS = tuple(Import.__dataclass_fields__)


def record(conn: psycopg.Connection, brought: Import) -> int:
    """Keep the record of an import; its id."""
    row = conn.execute(
        f"INSERT INTO recon.imports ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))}) "
        "RETURNING import_id",
        [getattr(brought, name) for name in COLUMNS],
    ).fetchone()
    assert row is not None, "INSERT … RETURNING gives a row"
    return int(row[0])


def newest(conn: psycopg.Connection, kind: Kind, *, is_complete: bool = False) -> Import | None:
    """The last import of a kind; with ``is_complete`` the one that is complete up to the latest moment."""
    chosen = "complete_to IS NOT NULL ORDER BY complete_to DESC" if is_complete else "true ORDER BY imported_at DESC"
    with conn.cursor(row_factory=class_row(Import)) as cursor:
        query = f"SELECT {', '.join(COLUMNS)} FROM recon.imports WHERE kind = %s AND {chosen}, import_id DESC LIMIT 1"
        return cursor.execute(query, (kind,)).fetchone()


def new_orders(conn: psycopg.Connection, told: Sequence[SalesOrder]) -> tuple[list[SalesOrder], int]:
    """Orders that are new or told differently, and how many are left as Khaos told them.

    An order that the file gives no code of its own is the one that Khaos told under the same reference.
    """
    rows = conn.execute(
        "SELECT so_code, associated_ref, source, file_hash FROM khaos.sales_orders "
        "WHERE so_code = ANY(%s) OR associated_ref = ANY(%s)",
        ([one.so_code for one in told], sorted({one.associated_ref for one in told})),
    ).fetchall()
    by_khaos = {row[0] for row in rows if row[2] != FILE}
    refs_by_khaos = {row[1] for row in rows if row[2] != FILE}
    known = {row[0]: row[3] for row in rows if row[2] == FILE}
    ours = [
        one
        for one in told
        if one.so_code not in by_khaos and (one.so_code != one.associated_ref or one.so_code not in refs_by_khaos)
    ]
    return [one for one in ours if known.get(one.so_code) != hash_of(one)], len(told) - len(ours)


def save_orders(conn: psycopg.Connection, told: Sequence[SalesOrder], import_id: int | None, now: datetime) -> None:
    """Keep orders of a file with their lines; ``new_orders`` chose them."""
    columns = (*orders.HEADER, "detail_read_at", "seen_at", "source", "import_id", "file_hash")
    rows = [(*(getattr(one, name) for name in orders.HEADER), now, now, FILE, import_id, hash_of(one)) for one in told]
    bulk.upsert(conn, "khaos.sales_orders", columns, ["so_code"], rows)
    orders.replace_lines(conn, told)


def new_notes(conn: psycopg.Connection, told: Sequence[CreditNote]) -> tuple[list[CreditNote], int]:
    """Notes that are new or told differently, and how many are left as Khaos told them."""
    known = notes.known(conn, [note.credit_note_code for note in told])
    by_khaos = {code for code, one in known.items() if one.source != FILE}
    ours = [note for note in told if note.credit_note_code not in by_khaos]
    return [note for note in ours if not notes.is_known(note, known, FILE)], len(by_khaos)


def absent_notes(conn: psycopg.Connection, codes: Sequence[str], before: date) -> list[str]:
    """Notes that only a file told of, made before a day, that are in none of ``codes``; sorted."""
    rows = conn.execute(
        "SELECT credit_note_code FROM khaos.credit_notes WHERE source = %s AND NOT is_cancelled AND created_on < %s "
        "AND credit_note_code <> ALL(%s) ORDER BY 1",
        (FILE, before, list(codes)),
    ).fetchall()
    return [row[0] for row in rows]


def hash_of(order: SalesOrder) -> str:
    """SHA-256 of what a file told of an order."""
    return hashlib.sha256(repr(order).encode()).hexdigest()


def customers_of_refs(conn: psycopg.Connection, refs: Sequence[str]) -> dict[str, str]:
    """The customer of each order reference, where all orders of it are one customer's."""
    rows = conn.execute(
        "SELECT associated_ref, min(customer_code) FROM khaos.sales_orders WHERE associated_ref = ANY(%s) "
        "AND customer_code <> '' GROUP BY 1 HAVING count(DISTINCT customer_code) = 1",
        (list(refs),),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def customers_of_postings(conn: psycopg.Connection, references: Sequence[str]) -> dict[str, str]:
    """The customer for whom each of our references was made."""
    rows = conn.execute(
        "SELECT reference, customer_code FROM recon.postings WHERE reference = ANY(%s)", (list(references),)
    ).fetchall()
    return {row[0]: row[1] for row in rows}
