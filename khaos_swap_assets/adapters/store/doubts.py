"""Which Credit Notes of no return may be of which returns, in our store, as attribution last said.

Belongs here: keeping and reading the pairs. Stays out: when a note is in doubt (``linking.loose_notes``). Shape: table
``recon.note_doubts`` (migration 0036). A note that found its return, or was cancelled, is in no doubt any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

import psycopg

from khaos_swap_assets.adapters.store import bulk


@dataclass(frozen=True, slots=True, order=True)
class NoteDoubt:
    """A note that may be of a return and of another one alike; ``is_merged``: of several of them together."""

    credit_note_code: str
    return_id: str
    is_merged: bool


COLUMNS = tuple(field.name for field in fields(NoteDoubt))


def replace(conn: psycopg.Connection, codes: Sequence[str], found: Iterable[NoteDoubt]) -> list[str]:
    """Make ``found`` the only doubts of these notes; the returns of which a doubt began, ended or changed."""
    query = "DELETE FROM recon.note_doubts WHERE credit_note_code = ANY(%s) RETURNING *"
    rows = conn.execute(query, (list(codes),)).fetchall()
    before, now = {NoteDoubt(*row) for row in rows}, set(found)
    bulk.copy_rows(conn, "recon.note_doubts", COLUMNS, [astuple(one) for one in sorted(now)])
    return sorted({one.return_id for one in before ^ now})


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[NoteDoubt]]:
    """The doubts of these returns, each return's by note."""
    if not return_ids:
        return {}
    rows = conn.execute(
        "SELECT credit_note_code, d.return_id, is_merged FROM recon.note_doubts d JOIN khaos.credit_notes n "
        "USING (credit_note_code) WHERE d.return_id = ANY(%s) AND n.loose_since IS NOT NULL ORDER BY 1, 2",
        (list(return_ids),),
    ).fetchall()
    found: dict[str, list[NoteDoubt]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(NoteDoubt(*row))
    return found
