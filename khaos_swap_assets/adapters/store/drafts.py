"""Drafts in our store: the Credit Note that each confirmed refund asks for, or why there is none yet.

Belongs here: saving and loading drafts. Stays out: the gates (``documents.credit_notes``). Shape: ``recon.drafts``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine

State = Literal["ready", "held", "covered"]
COLUMNS = (
    *("store_id", "return_id", "ordinal", "state", "reasons", "draft", "value_pence", "currency", "drafted_at"),
    *("policy_version", "due_pence", "due_product_ids"),
)


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """One row: ``reasons`` are (code, text) pairs and say why it is held, or what covers it.

    ``due_pence`` is what the note should be worth and ``due_product_ids`` the rows that it is for, whoever makes it, by
    the policy of that version; 0 where the fields of the return do not tell.
    """

    store_id: str
    return_id: str
    ordinal: int
    state: State
    reasons: tuple[tuple[str, str], ...]
    draft: Draft | None
    currency: str
    drafted_at: datetime
    policy_version: str = ""
    due_pence: int = 0
    due_product_ids: tuple[str, ...] = ()


def save(conn: psycopg.Connection, drafts: Sequence[SavedDraft]) -> None:
    """Upsert drafts by (store, return, ordinal)."""
    bulk.upsert(conn, "recon.drafts", COLUMNS, ["store_id", "return_id", "ordinal"], [_row(one) for one in drafts])


OUT = (
    "EXISTS (SELECT 1 FROM recon.postings p WHERE p.state IN ('in_doubt', 'confirmed', 'refused') "
    "AND (p.store_id, p.return_id, p.ordinal) = (d.store_id, d.return_id, d.ordinal))"
)

READY = f"d.state = 'ready' AND NOT d.is_done AND NOT {OUT}"


def drop_undone(conn: psycopg.Connection, return_ids: Sequence[str]) -> None:
    """Forget the drafts of these returns that were never handed out, before new ones are saved."""
    if not return_ids:
        return
    conn.execute(f"DELETE FROM recon.drafts d WHERE return_id = ANY(%s) AND NOT {OUT}", (list(return_ids),))


def handed_out(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[SavedDraft]]:
    """The drafts of these returns that left for Khaos, whatever became of them, by ordinal."""
    found: dict[str, list[SavedDraft]] = {}
    for one in _load(conn, f"{OUT} AND d.return_id = ANY(%s)", list(return_ids)):
        found.setdefault(one.return_id, []).append(one)
    return found


def ready(conn: psycopg.Connection) -> list[SavedDraft]:
    """Drafts that pass every gate and have no posting of their key yet, oldest first."""
    return _load(conn, f"{READY} AND %s", True)


def ready_keys(conn: psycopg.Connection) -> set[tuple[str, int]]:
    """Return and ordinal of every draft that ``ready`` gives."""
    rows = conn.execute(f"SELECT d.return_id, d.ordinal FROM recon.drafts d WHERE {READY}")
    return {(row[0], row[1]) for row in rows}


def ready_goods(conn: psycopg.Connection) -> set[tuple[str, str]]:
    """Stock Code and disposition of the lines of every draft that ``ready`` gives."""
    rows = conn.execute(
        "SELECT DISTINCT line ->> 'stock_code', line ->> 'disposition' FROM recon.drafts d "
        f"CROSS JOIN jsonb_array_elements(d.draft -> 'lines') line WHERE {READY}"
    )
    return {(row[0], row[1]) for row in rows}


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[SavedDraft]]:
    """All drafts of these returns."""
    found: dict[str, list[SavedDraft]] = {}
    for one in _load(conn, "d.return_id = ANY(%s)", list(return_ids)):
        found.setdefault(one.return_id, []).append(one)
    return found


def due_beyond(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, tuple[int, list[str]]]:
    """Where the first note should be worth something else than the refund: its value and rows, by return id."""
    if not return_ids:
        return {}
    rows = conn.execute(
        "SELECT d.return_id, d.due_pence, d.due_product_ids FROM recon.drafts d JOIN swap.returns r USING (return_id) "
        "WHERE d.return_id = ANY(%s) AND d.ordinal = 1 AND d.due_pence NOT IN (0, r.refund_pence)",
        (list(return_ids),),
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


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


def hold_returns(conn: psycopg.Connection, reasons: Mapping[str, tuple[str, str]]) -> None:
    """Turn every ready draft of these returns that did not leave into a held one: code and text of the reason."""
    conn.execute(
        "UPDATE recon.drafts d SET state = 'held', reasons = jsonb_build_array(jsonb_build_array(h.code, h.text)) "
        "FROM unnest(%s::text[], %s::text[], %s::text[]) AS h (return_id, code, text) "
        f"WHERE d.return_id = h.return_id AND d.state = 'ready' AND NOT {OUT}",
        (list(reasons), *([reason[part] for reason in reasons.values()] for part in (0, 1))),
    )


def _row(one: SavedDraft) -> tuple[Any, ...]:
    content = Jsonb(one.draft.as_json) if one.draft else None
    reasons = Jsonb([list(reason) for reason in one.reasons])
    value = one.draft.value_pence if one.draft else 0
    due = (one.policy_version, one.due_pence, list(one.due_product_ids))
    key = (one.store_id, one.return_id, one.ordinal)
    return (*key, one.state, reasons, content, value, one.currency, one.drafted_at, *due)


def _load(conn: psycopg.Connection, where: str, value: object) -> list[SavedDraft]:
    if value == []:
        return []
    query = (
        "SELECT d.store_id, d.return_id, d.ordinal, d.state, d.reasons, d.draft, d.currency, d.drafted_at, "
        "d.policy_version, d.due_pence, d.due_product_ids "
        f"FROM recon.drafts d WHERE {where} ORDER BY d.drafted_at, d.return_id, d.ordinal"
    )
    return [_saved(row) for row in conn.execute(query, (value,))]


def _saved(row: tuple[Any, ...]) -> SavedDraft:
    store_id, return_id, ordinal, state, reasons, content, *rest, product_ids = row
    told = tuple((code, text) for code, text in reasons)
    currency, drafted_at, version, due_pence = rest
    return SavedDraft(
        *(store_id, return_id, ordinal, state, told, _draft(content)),
        *(currency, drafted_at, version, due_pence, tuple(product_ids)),
    )


def _draft(content: dict[str, Any] | None) -> Draft | None:
    if content is None:
        return None
    return Draft(**{**content, "lines": tuple(DraftLine(**line) for line in content["lines"])})
