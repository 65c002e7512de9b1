"""The audit log: who or what did which thing to which document, before and after. Append-only by trigger.

Belongs here: writing and reading entries of ``recon.audit_log``. Entries hold no name, address or secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk

TABLE = "recon.audit_log"
COLUMNS = ("at", "who", "what", "document", "before", "after", "reason")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; ``document`` names what was changed, e.g. ``posting RMA1001``. ``at`` is UTC."""

    at: datetime
    who: str
    what: str
    document: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""


def append(conn: psycopg.Connection[Any], entries: Iterable[Entry]) -> None:
    """Write entries in the caller's transaction: they count if and only if what they speak of does."""
    rows = [(e.at, e.who, e.what, e.document, _json(e.before), _json(e.after), e.reason) for e in entries]
    if rows:
        bulk.copy_rows(conn, TABLE, COLUMNS, rows)


def of_document(conn: psycopg.Connection[Any], document: str) -> Sequence[Entry]:
    """The history of one document, oldest first."""
    with conn.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM {TABLE} WHERE document = %s ORDER BY entry_id",
            (document,),
        ).fetchall()


def _json(value: Mapping[str, Any] | None) -> Jsonb | None:
    return None if value is None else Jsonb(dict(value))
