"""Drafts in our store: the Credit Note that each confirmed refund asks for, or why there is none yet.

Belongs here: saving and loading drafts. Stays out: the gates (``domain.credit_notes``). Shape: ``recon.drafts``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.credit_notes import Draft, DraftLine

State = Literal["ready", "held", "covered"]
COLUMNS = ("store_id", "return_id", "ordinal", "state", "reasons", "draft", "value_pence", "currency", "drafted_at")


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """One row: ``reasons`` are (code, text) pairs and say why it is held, or what covers it."""

    store_id: str
    return_id: str
    ordinal: int
    state: State
    reasons: tuple[tuple[str, str], ...]
    draft: Draft | None
    currency: str
    drafted_at: datetime


def save(conn: psycopg.Connection, drafts: Sequence[SavedDraft]) -> None:
    """Upsert drafts by (store, return, ordinal)."""
    bulk.upsert(conn, "recon.drafts", COLUMNS, ["store_id", "return_id", "ordinal"], [_row(one) for one in drafts])


OUT = (
    "EXISTS (SELECT 1 FROM recon.postings p WHERE p.state IN ('in_doubt', 'confirmed', 'refused') "
    "AND (p.store_id, p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal))"
)


def drop_undone(conn: psycopg.Connection, return_ids: Sequence[str]) -> None:
    """Forget the drafts of these returns that were never handed out, before new ones are saved."""
    conn.execute(f"DELETE FROM recon.drafts d WHERE return_id = ANY(%s) AND NOT {OUT}", (list(return_ids),))


def handed_out(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[SavedDraft]]:
    """The drafts of these returns that left for Khaos, whatever became of them, by ordinal."""
    found: dict[str, list[SavedDraft]] = {}
    for one in _load(conn, f"{OUT} AND d.return_id = ANY(%s)", list(return_ids)):
        found.setdefault(one.return_id, []).append(one)
    return found


def ready(conn: psycopg.Connection) -> list[SavedDraft]:
    """Drafts that pass every gate and have no posting of their key yet, oldest first."""
    return _load(conn, f"d.state = 'ready' AND NOT d.is_done AND NOT {OUT} AND %s", True)


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[SavedDraft]]:
    """All drafts of these returns."""
    found: dict[str, list[SavedDraft]] = {}
    for one in _load(conn, "d.return_id = ANY(%s)", list(return_ids)):
        found.setdefault(one.return_id, []).append(one)
    return found


def hold(conn: psycopg.Connection, found: Sequence[tuple[SavedDraft, str, str]]) -> None:
    """Turn ready drafts into held ones: (draft, code and text of the reason)."""
    if found:
        rows = [(one.store_id, one.return_id, one.ordinal, json.dumps([[code, text]])) for one, code, text in found]
        conn.execute(
            "UPDATE recon.drafts d SET state = 'held', reasons = h.reasons FROM "
            "unnest(%s::text[], %s::text[], %s::integer[], %s::jsonb[]) AS h (store_id, return_id, ordinal, reasons) "
            "WHERE (d.store_id, d.return_id, d.ordinal) = (h.store_id, h.return_id, h.ordinal)",
            [list(column) for column in zip(*rows, strict=True)],
        )


def _row(one: SavedDraft) -> tuple[Any, ...]:
    content = Jsonb(asdict(one.draft)) if one.draft else None
    reasons = Jsonb([list(reason) for reason in one.reasons])
    value = one.draft.value_pence if one.draft else 0
    return (one.store_id, one.return_id, one.ordinal, one.state, reasons, content, value, one.currency, one.drafted_at)


def _load(conn: psycopg.Connection, where: str, value: object) -> list[SavedDraft]:
    query = (
        "SELECT d.store_id, d.return_id, d.ordinal, d.state, d.reasons, d.draft, d.currency, d.drafted_at "
        f"FROM recon.drafts d WHERE {where} ORDER BY d.drafted_at, d.return_id, d.ordinal"
    )
    return [
        SavedDraft(
            store, rid, ordinal, state, tuple((code, text) for code, text in reasons), _draft(content), currency, at
        )
        for store, rid, ordinal, state, reasons, content, currency, at in conn.execute(query, (value,))
    ]


def _draft(content: dict[str, Any] | None) -> Draft | None:
    if content is None:
        return None
    return Draft(**{**content, "lines": tuple(DraftLine(**line) for line in content["lines"])})
