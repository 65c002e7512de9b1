"""Stock moves and observed levels in our store.

Belongs here: the moves that a return asks for, levels as observed, other documents that moved a code. Stays out: the
verdict on a level (``goods.dispositions``). Quantities are units; a level is what Khaos says is available to sell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.money.periods import london_date


@dataclass(frozen=True, slots=True)
class Move:
    """Units of one line that went one way; ``level_verdict`` is '', pending, confirmed, cannot_tell or failed."""

    return_id: str
    product_id: str
    disposition: str
    rma: str
    stock_code: str
    quantity: int
    carried_by: str
    state: str
    level_verdict: str
    level_before: int | None
    level_before_at: datetime | None
    level_after: int | None
    level_after_at: datetime | None
    changed_at: datetime

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is, in all of our store."""
        return self.return_id, self.product_id, self.disposition, self.stock_code


COLUMNS = tuple(Move.__dataclass_fields__)
_KEY = ("return_id", "product_id", "disposition", "stock_code")
_CHANGING = COLUMNS[6:-1]
# To the letter the condition of the index stock_moves_followed, or the server looks through every move there ever was.
UNDONE = "state IN ('due', 'offered') OR (level_verdict IN ('', 'pending') AND disposition <> 'missing')"


def observe(conn: psycopg.Connection, levels: Sequence[tuple[str, int, int]], now: datetime) -> int:
    """Record levels (stock_code, site_id, available); history grows only where a level changed. How many changed."""
    codes = [level[0] for level in levels]
    rows = conn.execute(
        "SELECT stock_code, site_id, available FROM khaos.stock_levels WHERE stock_code = ANY(%s)", (codes,)
    ).fetchall()
    known = {(row[0], row[1]): row[2] for row in rows}
    fresh = [(code, site, level, now) for code, site, level in levels if known.get((code, site)) != level]
    columns = ("stock_code", "site_id", "available", "observed_at")
    seen = [(*level, now, False) for level in levels]
    bulk.upsert(conn, "khaos.stock_levels", (*columns, "is_as_told"), ["stock_code", "site_id"], seen)
    bulk.upsert(conn, "khaos.stock_level_history", columns, ["stock_code", "site_id", "observed_at"], fresh)
    return len(fresh)


def told(conn: psycopg.Connection, levels: Sequence[tuple[str, int, int]], told_at: datetime) -> int:
    """Record levels as Khaos pushed them, where nothing newer is known; how many were news. The last of a key wins."""
    newest = {level[:2]: level for level in levels}
    values = [[level[part] for level in newest.values()] for part in (0, 1, 2)]
    return conn.execute(
        "WITH news AS (INSERT INTO khaos.stock_levels AS known "
        "(stock_code, site_id, available, is_as_told, observed_at) "
        "SELECT code, site, available, true, %s FROM unnest(%s::text[], %s::integer[], %s::integer[]) "
        "AS pushed (code, site, available) ON CONFLICT (stock_code, site_id) DO UPDATE SET "
        "available = EXCLUDED.available, is_as_told = true, observed_at = EXCLUDED.observed_at "
        "WHERE known.observed_at < EXCLUDED.observed_at RETURNING stock_code, site_id, observed_at, available) "
        "INSERT INTO khaos.stock_level_history SELECT * FROM news ON CONFLICT DO NOTHING",
        (told_at, *values),
    ).rowcount


def level(conn: psycopg.Connection, stock_codes: Sequence[str], site_id: int) -> dict[str, tuple[int, datetime]]:
    """The newest level of these codes at a site with the time it was seen."""
    if not stock_codes:
        return {}
    rows = conn.execute(
        "SELECT stock_code, available, observed_at FROM khaos.stock_levels WHERE site_id = %s AND stock_code = ANY(%s)",
        (site_id, list(stock_codes)),
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}


def moved(conn: psycopg.Connection, movements: Sequence[tuple[str, str, int, date | None]], now: datetime) -> None:
    """Remember that a document (stock_code, document_code, quantity, newest date) moved a code; first sight counts."""
    columns = ("stock_code", "document_code", "quantity", "dated_on", "seen_at")
    rows = [(*movement, now) for movement in movements]
    bulk.upsert(conn, "khaos.movements", columns, columns[:2], rows, only_when_new=columns)


def documents_between(conn: psycopg.Connection, spans: Mapping[str, tuple[datetime, datetime]]) -> dict[str, set[str]]:
    """By Stock Code of ``spans``: the documents that may have moved it between its two moments.

    Khaos dates documents by the day, so one of the day of the first moment counts, and so does one without a date.
    """
    if not spans:
        return {}
    values = [(code, since, until, london_date(since)) for code, (since, until) in spans.items()]
    rows = conn.execute(
        "SELECT m.stock_code, m.document_code "
        "FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[]) AS span (code, since, until, day) "
        "JOIN khaos.movements m ON m.stock_code = span.code AND m.seen_at >= span.since "
        "AND m.seen_at <= span.until AND (m.dated_on IS NULL OR m.dated_on >= span.day)",
        [list(column) for column in zip(*values, strict=True)],
    ).fetchall()
    found: dict[str, set[str]] = {code: set() for code in spans}
    for code, document in rows:
        found[code].add(document)
    return found


def raised_by(conn: psycopg.Connection, documents: Mapping[str, set[str]]) -> dict[str, int]:
    """By Stock Code of ``documents``: the units by which the Credit Notes among them can have raised its level."""
    pairs = [(code, document) for code, some in documents.items() for document in some]
    rows = conn.execute(
        "SELECT m.stock_code, sum(m.quantity)::integer FROM unnest(%s::text[], %s::text[]) AS asked (code, document) "
        "JOIN khaos.movements m ON m.stock_code = asked.code AND m.document_code = asked.document "
        "JOIN khaos.credit_notes n ON n.credit_note_code = asked.document GROUP BY 1",
        ([code for code, _ in pairs], [document for _, document in pairs]),
    ).fetchall()
    return dict.fromkeys(documents, 0) | dict(rows)


def codes_in_play(conn: psycopg.Connection) -> list[str]:
    """Stock Codes whose movements matter now: of moves not yet settled, and of adjustments that wait for people."""
    rows = conn.execute(
        f"SELECT stock_code FROM recon.stock_moves WHERE ({UNDONE}) AND disposition <> 'missing' UNION "
        "SELECT stock_code FROM recon.stock_adjustments WHERE state IN ('asked', 'sent') ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def codes_to_read(conn: psycopg.Connection) -> list[str]:
    """Stock Codes whose level matters now: moves due, offered, or confirmed by a document but not yet by the level."""
    rows = conn.execute(
        f"SELECT DISTINCT stock_code FROM recon.stock_moves WHERE ({UNDONE}) AND disposition <> 'missing' ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def save_due(conn: psycopg.Connection, moves: Sequence[tuple[str, str, str, str, str, int]], now: datetime) -> int:
    """Make what these returns have due these moves; how many are new or changed. What a document carries stays.

    A move: (return_id, product_id, disposition, rma, stock_code, quantity); all of a return must be given.
    """
    if not moves:
        return 0
    columns = [list(column) for column in zip(*moves, strict=True)]
    conn.execute(
        "DELETE FROM recon.stock_moves m WHERE state = 'due' AND return_id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM "
        "unnest(%s::text[], %s::text[], %s::text[], %s::text[]) AS new (return_id, product_id, disposition, code) "
        "WHERE (new.return_id, new.product_id, new.disposition, new.code) = "
        "(m.return_id, m.product_id, m.disposition, m.stock_code))",
        (columns[0], *columns[:3], columns[4]),
    )
    return conn.execute(
        "INSERT INTO recon.stock_moves AS old (return_id, product_id, disposition, rma, stock_code, quantity, state, "
        "due_at, changed_at) SELECT m.*, 'due', %s, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], "
        "%s::text[], %s::integer[]) m ON CONFLICT (return_id, product_id, disposition, stock_code) DO UPDATE SET "
        "quantity = EXCLUDED.quantity, changed_at = EXCLUDED.changed_at "
        "WHERE old.state = 'due' AND old.quantity <> EXCLUDED.quantity",
        [now, now, *columns],
    ).rowcount


def undone(conn: psycopg.Connection) -> list[Move]:
    """Moves not yet settled: not confirmed by their document, or still without a verdict by the level."""
    return _load(conn, f"({UNDONE}) AND %s", True)


def of_returns(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, list[Move]]:
    """The moves of these returns."""
    found: dict[str, list[Move]] = {}
    for move in _load(conn, "return_id = ANY(%s)", list(return_ids)):
        found.setdefault(move.return_id, []).append(move)
    return found


def update(conn: psycopg.Connection, moves: Sequence[Move], now: datetime) -> None:
    """Write back moves whose state, carrier, levels or verdict changed."""
    if moves:
        names = ", ".join(f"{name} = m.{name}" for name in _CHANGING)
        conn.execute(
            f"UPDATE recon.stock_moves old SET {names}, changed_at = %s FROM "
            "unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], "
            "%s::integer[], %s::timestamptz[], %s::integer[], %s::timestamptz[]) "
            f"AS m ({', '.join((*_KEY, *_CHANGING))}) WHERE "
            "(old.return_id, old.product_id, old.disposition, old.stock_code) = "
            "(m.return_id, m.product_id, m.disposition, m.stock_code)",
            [now, *([getattr(move, name) for move in moves] for name in (*_KEY, *_CHANGING))],
        )


def judge_after(conn: psycopg.Connection, moves: Sequence[Move], patience: timedelta) -> None:
    """These moves are judged again that long after their note was seen issued, or in a run before."""
    if not moves:
        return
    keys = [[getattr(move, name) for move in moves] for name in _KEY]
    conn.execute(
        "UPDATE recon.stock_moves SET judge_at = changed_at + %s WHERE (return_id, product_id, disposition, "
        "stock_code) IN (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[]))",
        (patience, *keys),
    )


def _load(conn: psycopg.Connection, where: str, value: object) -> list[Move]:
    with conn.cursor(row_factory=class_row(Move)) as cursor:
        cursor.execute(
            f"SELECT {', '.join(COLUMNS)} FROM recon.stock_moves WHERE {where} "
            "ORDER BY return_id, product_id, disposition, stock_code",
            (value,),
        )
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Carrier:
    """A document of ours that carries goods: its posting's state and, once witnessed, its note."""

    reference: str
    state: str
    note_code: str | None
    is_issued: bool


def to_carry(conn: psycopg.Connection, now: datetime) -> list[str]:
    """Returns with a document of which no move is known yet: planned, out, or confirmed within two days."""
    rows = conn.execute(
        "SELECT DISTINCT p.return_id FROM recon.postings p WHERE (p.state IN ('planned', 'in_doubt') OR "
        "(p.state = 'confirmed' AND p.ended_at > %s - interval '2 days')) "
        "AND (p.state = 'planned' OR NOT EXISTS (SELECT 1 FROM recon.stock_moves m "
        "WHERE m.return_id = p.return_id AND m.carried_by = p.reference))",
        (now,),
    )
    return [row[0] for row in rows]


def carriers(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[tuple[str, str], Carrier]:
    """By return and product row: the document that carries its goods."""
    rows = conn.execute(
        "SELECT p.return_id, line ->> 'product_id', p.reference, p.state, p.credit_note_code, "
        "coalesce(n.issued_on IS NOT NULL OR n.stage_id >= 70, false) FROM recon.postings p JOIN recon.drafts d "
        "USING (store_id, return_id, ordinal) CROSS JOIN jsonb_array_elements(d.draft -> 'lines') line "
        "LEFT JOIN khaos.credit_notes n USING (credit_note_code) "
        "WHERE p.return_id = ANY(%s) AND p.state <> 'withdrawn' AND d.draft IS NOT NULL",
        (list(return_ids),),
    )
    return {(row[0], row[1]): Carrier(*row[2:]) for row in rows}


def units_by_state(conn: psycopg.Connection, disposition: str, since: datetime) -> list[tuple[str, str, int]]:
    """(state, verdict of the level, units) of the moves of a disposition that changed since."""
    return conn.execute(
        "SELECT state, level_verdict, sum(quantity)::integer FROM recon.stock_moves "
        "WHERE disposition = %s AND changed_at > %s GROUP BY 1, 2",
        (disposition, since),
    ).fetchall()
