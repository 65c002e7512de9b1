"""Khaos Credit Notes in our store.

Belongs here: saving what the status feed or a file told, loading notes as domain records. Stays out: linking them to
returns (``links``) and the passes that decide whose note it is (``linking.attribution``). Shape: ``khaos.credit_notes``
(migration 0002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Literal, LiteralString

import psycopg
from psycopg.rows import dict_row

from khaos_swap_assets.adapters.store import bulk, goodwill, links
from khaos_swap_assets.domain.documents.credit_notes import CreditNote

Source = Literal["khaos", "file"]
HEADER = tuple(field.name for field in fields(CreditNote) if field.name != "lines")


@dataclass(frozen=True, slots=True)
class StoredNote:
    """What is stored of a note, as far as another telling of it is compared."""

    content_hash: str
    source: Source
    order_ref: str
    is_cancelled: bool


def save(
    conn: psycopg.Connection, notes: Iterable[CreditNote], now: datetime, *, import_id: int | None = None
) -> list[str]:
    """Upsert notes; the codes of those that are new or changed. With ``import_id`` a file told them, else Khaos did.

    The order that only a file told of stays known. A note that was seen cancelled counts again.
    """
    newest = {note.credit_note_code: note for note in notes}
    stored = known(conn, list(newest))
    source: Source = "khaos" if import_id is None else "file"
    told = [_with_order(note, stored.get(code)) for code, note in newest.items()]
    changed = [note for note in told if not is_known(note, stored, source)]
    columns = (*HEADER, "content_hash", "changed_at", "source", "import_id", "is_cancelled", "first_seen_at")
    found = (now, source, import_id, False, now)
    rows = [(*(getattr(note, name) for name in HEADER), _hash(note), *found) for note in changed]
    bulk.upsert(conn, "khaos.credit_notes", columns, ["credit_note_code"], rows, only_when_new=["first_seen_at"])
    _replace_lines(conn, changed)
    goodwill.release(conn, codes := [note.credit_note_code for note in changed], now)
    return codes


def known(conn: psycopg.Connection, codes: Sequence[str]) -> dict[str, StoredNote]:
    """What is stored of these notes."""
    if not codes:
        return {}
    rows = conn.execute(
        "SELECT credit_note_code, content_hash, source, order_ref, is_cancelled FROM khaos.credit_notes "
        "WHERE credit_note_code = ANY(%s)",
        (list(codes),),
    ).fetchall()
    return {row[0]: StoredNote(*row[1:]) for row in rows}


def is_known(note: CreditNote, stored: Mapping[str, StoredNote], source: Source) -> bool:
    """True when the same source told the same of this note before, and nobody of its end."""
    found = stored.get(note.credit_note_code)
    return found is not None and (found.content_hash, found.source, found.is_cancelled) == (_hash(note), source, False)


def _with_order(note: CreditNote, stored: StoredNote | None) -> CreditNote:
    return replace(note, order_ref=note.order_ref or stored.order_ref) if stored else note


def _replace_lines(conn: psycopg.Connection, notes: Sequence[CreditNote]) -> None:
    if not notes:
        return
    codes = [note.credit_note_code for note in notes]
    conn.execute("DELETE FROM khaos.credit_note_lines WHERE credit_note_code = ANY(%s)", (codes,))
    rows = [(note.credit_note_code, number, *line) for note in notes for number, line in enumerate(note.lines)]
    bulk.copy_rows(conn, "khaos.credit_note_lines", ("credit_note_code", "line_no", "stock_code", "quantity"), rows)


def cancel(conn: psycopg.Connection, codes: Sequence[str], now: datetime) -> list[str]:
    """Mark known notes that Khaos shows as cancelled: they credit nothing and belong to no return any more."""
    if not codes:
        return []
    rows = conn.execute(
        "UPDATE khaos.credit_notes SET is_cancelled = true, changed_at = %s WHERE credit_note_code = ANY(%s) "
        "AND NOT is_cancelled RETURNING credit_note_code",
        (now, list(codes)),
    ).fetchall()
    links.detach(conn, gone := [row[0] for row in rows])
    goodwill.release(conn, gone, now)
    return gone


def by_code(conn: psycopg.Connection, codes: Sequence[str]) -> list[CreditNote]:
    """These notes."""
    return _load(conn, "credit_note_code = ANY(%s)", list(codes))


def in_force(conn: psycopg.Connection, codes: Sequence[str]) -> list[CreditNote]:
    """Those of these notes that Khaos has not cancelled."""
    return _load(conn, "NOT is_cancelled AND credit_note_code = ANY(%s)", list(codes))


def unattributed(conn: psycopg.Connection, customer_codes: Sequence[str]) -> list[CreditNote]:
    """Notes of these customers that belong to no return yet."""
    return _load(conn, "return_id IS NULL AND NOT is_cancelled AND customer_code = ANY(%s)", list(customer_codes))


def of_customers(conn: psycopg.Connection, customer_codes: Sequence[str]) -> list[CreditNote]:
    """Every note of these customers."""
    return _load(conn, "NOT is_cancelled AND customer_code = ANY(%s)", list(customer_codes))


def loose_of_refs(conn: psycopg.Connection, refs: Sequence[str]) -> list[CreditNote]:
    """Notes of whatever customer that carry one of these references and belong to no return."""
    return _load(conn, "return_id IS NULL AND NOT is_cancelled AND associated_ref = ANY(%s)", list(refs))


def without_items(conn: psycopg.Connection) -> list[CreditNote]:
    """Notes of no return whose items nobody told, and which nobody said to be of none."""
    return _load(
        conn,
        "return_id IS NULL AND NOT is_cancelled AND NOT EXISTS (SELECT 1 FROM khaos.credit_note_lines l "
        "WHERE l.credit_note_code = khaos.credit_notes.credit_note_code) AND NOT EXISTS "
        "(SELECT 1 FROM recon.decisions d WHERE d.decision = 'waived' AND d.ended_at IS NULL AND d.object = %s "
        "AND d.subject = khaos.credit_notes.credit_note_code)",
        "credit_note_orphan",
    )


def has_nobodys(conn: psycopg.Connection) -> bool:
    """True when a note that belongs to no return names no customer either."""
    query = "SELECT 1 FROM khaos.credit_notes WHERE customer_code = '' AND return_id IS NULL AND NOT is_cancelled"
    return conn.execute(f"{query} LIMIT 1").fetchone() is not None


def holding(conn: psycopg.Connection) -> list[str]:
    """Codes of loose notes made since the goods were invoiced, for which a draft of their customer waits."""
    rows = conn.execute(
        "SELECT DISTINCT credit_note_code FROM recon.drafts d JOIN recon.matched_returns m USING (return_id) "
        "JOIN khaos.sales_orders o USING (so_code) JOIN khaos.credit_notes n ON n.customer_code = m.customer_code "
        "WHERE d.state = 'ready' AND NOT d.is_done AND n.loose_since >= o.invoiced_on AND NOT EXISTS ("
        "SELECT 1 FROM recon.postings p WHERE (p.store_id, p.return_id, p.ordinal) = "
        "(d.store_id, d.return_id, d.ordinal) AND p.state <> 'withdrawn' AND p.doubt = '') ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def told_by_file(conn: psycopg.Connection, customer_codes: Sequence[str]) -> list[CreditNote]:
    """Notes of these customers that only a file told of."""
    return _load(conn, "source = 'file' AND NOT is_cancelled AND customer_code = ANY(%s)", list(customer_codes))


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[tuple[CreditNote, str]]]:
    """The notes linked to these returns with the pass that linked each.

    Of a note that several returns share it is the return's share alone: what goods and VAT it holds nobody tells.
    """
    if not return_ids:
        return {}
    rows = conn.execute(
        "SELECT l.credit_note_code, l.return_id, l.matched_by, coalesce(l.share_pence, n.gross_pence - coalesce(("
        "SELECT sum(o.share_pence) FROM recon.note_links o WHERE o.credit_note_code = l.credit_note_code), 0))::bigint "
        "FROM recon.note_links l JOIN khaos.credit_notes n USING (credit_note_code) WHERE l.return_id = ANY(%s) "
        "AND n.return_id IS NOT NULL AND NOT is_cancelled",
        (list(return_ids),),
    ).fetchall()
    loaded = {note.credit_note_code: note for note in by_code(conn, [row[0] for row in rows])}
    found: dict[str, list[tuple[CreditNote, str]]] = {}
    for code, return_id, matched_by, pence in sorted(rows):
        found.setdefault(return_id, []).append((_share(loaded[code], pence), matched_by))
    return found


def _share(note: CreditNote, pence: int) -> CreditNote:
    if pence == note.gross_pence:
        return note
    return replace(note, gross_pence=pence, net_pence=None, delivery_gross_pence=0, lines=())


def _load(conn: psycopg.Connection, where: LiteralString, value: object) -> list[CreditNote]:
    if value == []:
        return []
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            "SELECT credit_note_code, stock_code, quantity FROM khaos.credit_note_lines JOIN khaos.credit_notes "
            f"USING (credit_note_code) WHERE {where} ORDER BY credit_note_code, line_no",
            (value,),
        )
        lines: dict[str, list[tuple[str, int]]] = {}
        for row in cursor:
            lines.setdefault(row["credit_note_code"], []).append((row["stock_code"], row["quantity"]))
        cursor.execute(
            f"SELECT {', '.join(HEADER)} FROM khaos.credit_notes WHERE {where} ORDER BY credit_note_code", (value,)
        )
        return [CreditNote(**row, lines=tuple(lines.get(row["credit_note_code"], ()))) for row in cursor]


def _hash(note: CreditNote) -> str:
    return hashlib.sha256(repr(note).encode()).hexdigest()


def credited_by_day(conn: psycopg.Connection, days: int) -> list[tuple[date, str, int]]:
    """(day of making, currency, pence) of the notes of returns, over so many days up to the newest of them."""
    return conn.execute(
        "SELECT created_on, currency, sum(gross_pence)::bigint FROM khaos.credit_notes WHERE return_id IS NOT NULL "
        "AND created_on > (SELECT max(created_on) FROM khaos.credit_notes WHERE return_id IS NOT NULL) - %s "
        "GROUP BY 1, 2 ORDER BY 1, 2",
        (days,),
    ).fetchall()
