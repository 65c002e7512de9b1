"""Swap's returns in our store: the mirror of what was last read.

Belongs here: saving a sweep, loading returns as domain records. Stays out: reading Swap (``adapters.swap``).
Shapes: tables ``swap.returns``, ``swap.return_lines``, ``swap.unreadable`` (migration 0001).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from khaos_swap_assets.adapters.store import bulk, stores
from khaos_swap_assets.adapters.swap.records import ReadReturn
from khaos_swap_assets.domain.records.returns import Return, ReturnLine

HEADER = tuple(field.name for field in fields(Return) if field.name != "lines")
LINE = tuple(field.name for field in fields(ReturnLine))


def changed(conn: psycopg.Connection, read: Iterable[ReadReturn]) -> list[ReadReturn]:
    """Those whose content differs from the mirror's; a return read twice in one sweep counts once, the newest."""
    newest = {one.record.return_id: one for one in sorted(read, key=_age)}
    rows = conn.execute(
        "SELECT return_id, content_hash FROM swap.returns WHERE return_id = ANY(%s)", (list(newest),)
    ).fetchall()
    known = {row[0]: row[1] for row in rows}
    return [one for return_id, one in newest.items() if known.get(return_id) != one.content_hash]


def save(conn: psycopg.Connection, read: Sequence[ReadReturn], now: datetime) -> None:
    """Replace the mirror of these returns and their lines (lines can shrink: swap.md §8.2)."""
    columns = (*HEADER, "refunded_at", "is_open", "content_hash", "unknown_fields", "raw")
    stamps = ("first_seen_at", "changed_at", "read_at")
    rows = [_row(one, now) for one in read]
    bulk.upsert(conn, "swap.returns", (*columns, *stamps), ["return_id"], rows, only_when_new=["first_seen_at"])
    conn.execute("DELETE FROM swap.return_lines WHERE return_id = ANY(%s)", ([one.record.return_id for one in read],))
    bulk.copy_rows(conn, "swap.return_lines", ("position", *LINE), _line_rows(read))


def load(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, Return]:
    """These returns with their lines, by return id; unknown ids are left out."""
    if not return_ids:
        return {}
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            f"SELECT {', '.join(LINE)} FROM swap.return_lines WHERE return_id = ANY(%s) ORDER BY position",
            (list(return_ids),),
        )
        lines: dict[str, list[ReturnLine]] = {}
        for row in cursor:
            lines.setdefault(row["return_id"], []).append(ReturnLine(**row))
        cursor.execute(f"SELECT {', '.join(HEADER)} FROM swap.returns WHERE return_id = ANY(%s)", (list(return_ids),))
        return {row["return_id"]: _record(row, lines.get(row["return_id"], [])) for row in cursor}


def parts(conn: psycopg.Connection, return_ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """These members of what Swap sent, by return id, as JSON without personal data; a missing one is None."""
    members = sql.SQL(", ").join(sql.SQL("raw -> {}").format(name) for name in names)
    query = sql.SQL("SELECT return_id, {} FROM swap.returns WHERE return_id = ANY(%s)").format(members)
    rows = conn.execute(query, (list(return_ids),)).fetchall() if return_ids else []
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def rmas_of(conn: psycopg.Connection, return_ids: Sequence[str]) -> dict[str, str]:
    """The RMA numbers of these returns, as far as they were ever read."""
    if not return_ids:
        return {}
    query = "SELECT return_id, rma FROM swap.returns WHERE return_id = ANY(%s)"
    return {row[0]: row[1] for row in conn.execute(query, (list(return_ids),))}


def order_names(conn: psycopg.Connection, return_ids: Sequence[str]) -> list[str]:
    """The orders that these returns and their lines name, each once."""
    if not return_ids:
        return []
    rows = conn.execute(
        "SELECT order_name FROM swap.returns WHERE return_id = ANY(%(ids)s) AND order_name <> '' UNION "
        "SELECT original_order_name FROM swap.return_lines WHERE return_id = ANY(%(ids)s) "
        "AND original_order_name <> '' ORDER BY 1",
        {"ids": list(return_ids)},
    )
    return [row[0] for row in rows]


def named(conn: psycopg.Connection, references: Sequence[str]) -> list[str]:
    """Returns that these references name: by RMA, with its store or without, or by a reference of ours."""
    if not references:
        return []
    rows = conn.execute(
        "SELECT return_id FROM swap.returns WHERE rma = ANY(%s) UNION "
        "SELECT return_id FROM recon.postings WHERE reference = ANY(%s)",
        (stores.spelled(conn, references), list(references)),
    ).fetchall()
    return [row[0] for row in rows]


def found_by(conn: psycopg.Connection, name: str) -> list[str]:
    """Returns with this RMA, or of the order with this name; a person may leave its ``#`` and its store out."""
    bare = name.strip().removeprefix("#")
    rows = conn.execute(
        "SELECT return_id FROM swap.returns WHERE rma = ANY(%(names)s) OR order_name = ANY(%(names)s) ORDER BY 1",
        {"names": stores.spelled(conn, [bare, f"#{bare}"])},
    ).fetchall()
    return [row[0] for row in rows]


def waiting(conn: psycopg.Connection) -> list[tuple[date, str, int, int]]:
    """Open returns that arrived: London day of arrival, currency, how many, and what Swap will refund, pence."""
    return conn.execute(
        "SELECT (delivered_at AT TIME ZONE 'Europe/London')::date, currency, count(*), sum(refund_pence)::bigint "
        "FROM swap.returns WHERE is_open AND delivered_at IS NOT NULL AND refund_pence > 0 GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()


def oldest_open(conn: psycopg.Connection, since: datetime, store: str = "") -> datetime | None:
    """When the oldest return of a store still open, submitted after ``since``, was submitted."""
    row = conn.execute(
        "SELECT min(submitted_at) FROM swap.returns WHERE is_open AND submitted_at >= %s AND store = %s", (since, store)
    ).fetchone()
    return row[0] if row else None


def save_unreadable(
    conn: psycopg.Connection, faults: Sequence[tuple[str, str, str]], now: datetime, store: str = ""
) -> None:
    """Record rows of a store that could not be read: (row hash, subject, reason)."""
    if not faults:
        return
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO swap.unreadable (row_hash, subject, reason, raw, first_seen_at, last_seen_at, store) "
            "VALUES (%s, %s, %s, '{}', %s, %s, %s) ON CONFLICT (row_hash) DO UPDATE "
            "SET last_seen_at = EXCLUDED.last_seen_at, reason = EXCLUDED.reason, resolved_at = NULL",
            [(*fault, now, now, store) for fault in faults],
        )


def resolve_unreadable(conn: psycopg.Connection, subjects: Sequence[str], now: datetime) -> None:
    """A row of this subject was read since: its old fault is over."""
    if not subjects:
        return
    conn.execute(
        "UPDATE swap.unreadable SET resolved_at = %s WHERE resolved_at IS NULL AND subject = ANY(%s)",
        (now, list(subjects)),
    )


def resolve_nameless(conn: psycopg.Connection, now: datetime, store: str = "") -> None:
    """All of a store was just read again: what names no return, and does not come back, is no longer sent."""
    conn.execute(
        "UPDATE swap.unreadable SET resolved_at = %s WHERE resolved_at IS NULL AND subject = row_hash AND store = %s",
        (now, store),
    )


def _age(one: ReadReturn) -> tuple[bool, datetime | None]:
    return (one.record.updated_at is not None, one.record.updated_at)


def _row(one: ReadReturn, now: datetime) -> tuple[Any, ...]:
    record = one.record
    header = tuple(list(value) if isinstance(value := getattr(record, name), tuple) else value for name in HEADER)
    extras = (record.refunded_at, record.is_open, one.content_hash, list(one.unknown_fields), Jsonb(dict(one.raw)))
    return (*header, *extras, now, now, now)


def _line_rows(read: Sequence[ReadReturn]) -> Iterable[tuple[Any, ...]]:
    for one in read:
        for position, line in enumerate(one.record.lines):
            yield (position, *(getattr(line, name) for name in LINE))


def _record(row: dict[str, Any], lines: Sequence[ReturnLine]) -> Return:
    return Return(**{**row, "outcomes": tuple(row["outcomes"])}, lines=tuple(lines))


def refunded_since(conn: psycopg.Connection, since: datetime, *, also_paid: bool) -> list[str]:
    """Closed returns refunded since a moment, the oldest first; with ``also_paid`` those with a payment since too."""
    paid = (
        "OR return_id IN (SELECT f.return_id FROM storefront.refunds f "
        "JOIN storefront.transactions t USING (refund_id) WHERE t.processed_at >= %(since)s)"
    )
    query = (
        "SELECT return_id FROM swap.returns WHERE status = 'Closed' "
        f"AND (refunded_at >= %(since)s {paid if also_paid else ''}) ORDER BY refunded_at, rma"
    )
    return [row[0] for row in conn.execute(query.encode(), {"since": since})]
