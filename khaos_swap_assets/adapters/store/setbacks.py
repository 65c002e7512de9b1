"""What could not be done about one record: a vendor's refusal or a fault of our own, and when it is tried again.

Belongs here: keeping, asking and ending rows of ``recon.setbacks`` (migration 0021). Stays out: what follows from one
(``stages.refusing``, ``stages.isolating``). A pause doubles with each attempt, from a quarter of an hour to a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

WHOLE = ""
"""The subject of a setback that concerns an operation and no single record."""

FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=1)
MOST_DOUBLINGS = 7
LONGEST_SUBJECT, LONGEST_REASON = 200, 1000


@dataclass(frozen=True, slots=True)
class Setback:
    """One of them; ``rma`` and the money are those of the return whose id the subject is, where it is one."""

    operation: str
    subject: str
    reason: str
    attempts: int
    first_at: datetime
    rma: str = ""
    refund_pence: int = 0
    currency: str = ""


def keep(
    conn: psycopg.Connection[Any],
    operation: str,
    reasons: Mapping[str, str],
    now: datetime,
    *,
    longest: timedelta = LONGEST_PAUSE,
) -> None:
    """Record one more attempt in vain on each subject, with its reason in one line."""
    rows = {_subject(subject): _line(reason) for subject, reason in reasons.items()}
    if rows:
        conn.execute(
            "INSERT INTO recon.setbacks AS old (operation, subject, reason, attempts, first_at, last_at, next_try_at) "
            "SELECT %(operation)s, subject, reason, 1, %(now)s, %(now)s, %(now)s + %(first)s "
            "FROM unnest(%(subjects)s::text[], %(reasons)s::text[]) AS new (subject, reason) ORDER BY subject "
            "ON CONFLICT (operation, subject) DO UPDATE SET reason = EXCLUDED.reason, attempts = old.attempts + 1, "
            "last_at = %(now)s, next_try_at = %(now)s + "
            "least(%(first)s * power(2, least(old.attempts, %(doublings)s)), %(longest)s)",
            {
                "operation": operation, "now": now, "first": FIRST_PAUSE, "longest": longest,
                "doublings": MOST_DOUBLINGS, "subjects": list(rows), "reasons": list(rows.values()),
            },
        )  # fmt: skip


def over(conn: psycopg.Connection[Any], operations: Sequence[str], subjects: Iterable[str]) -> list[str]:
    """These subjects went through: the setbacks of these operations on them end. Says which there were."""
    through = [_subject(one) for one in subjects]
    if not through:
        return []
    rows = conn.execute(
        "DELETE FROM recon.setbacks WHERE operation = ANY(%s) AND subject = ANY(%s) RETURNING subject",
        (list(operations), through),
    ).fetchall()
    return sorted({row[0] for row in rows})


def paused(conn: psycopg.Connection[Any], operation: str, now: datetime) -> frozenset[str]:
    """The subjects that are not tried again yet; ``WHOLE`` among them where nothing of the operation is."""
    rows = conn.execute(
        "SELECT subject FROM recon.setbacks WHERE operation = %s AND next_try_at > %s", (operation, now)
    )
    return frozenset(row[0] for row in rows)


def refused(conn: psycopg.Connection[Any], operations: Collection[str]) -> dict[str, datetime]:
    """Those of these operations that are refused as a whole, and when each is tried again."""
    rows = conn.execute(
        "SELECT operation, next_try_at FROM recon.setbacks WHERE subject = '' AND operation = ANY(%s)",
        (list(operations),),
    )
    return dict(rows.fetchall())


def due(conn: psycopg.Connection[Any], operations: Sequence[str], now: datetime) -> list[str]:
    """The single subjects whose time to be tried again has come."""
    rows = conn.execute(
        "SELECT DISTINCT subject FROM recon.setbacks WHERE operation = ANY(%s) AND subject <> '' AND next_try_at <= %s "
        "ORDER BY 1",
        (list(operations), now),
    )
    return [row[0] for row in rows]


def next_tries(conn: psycopg.Connection[Any], operation: str, subjects: Iterable[str]) -> dict[str, datetime]:
    """Subject → when it is tried again."""
    rows = conn.execute("SELECT subject, next_try_at FROM recon.setbacks WHERE operation = %s", (operation,))
    moments = dict(rows.fetchall())
    return {one: moments[_subject(one)] for one in subjects}


def of_subjects(conn: psycopg.Connection[Any], operations: Sequence[str], subjects: Collection[str]) -> dict[str, str]:
    """Subject → reason of the setbacks of these operations on these subjects."""
    if not subjects:
        return {}
    rows = conn.execute(
        "SELECT subject, reason FROM recon.setbacks WHERE operation = ANY(%s) AND subject = ANY(%s)",
        (list(operations), [_subject(one) for one in subjects]),
    )
    return {row[0]: row[1] for row in rows}


def standing(conn: psycopg.Connection[Any]) -> list[Setback]:
    """Every one."""
    with conn.cursor(row_factory=class_row(Setback)) as cursor:
        return cursor.execute(
            "SELECT s.operation, s.subject, s.reason, s.attempts, s.first_at, coalesce(r.rma, '') AS rma, "
            "coalesce(r.refund_pence, 0) AS refund_pence, coalesce(r.currency, '') AS currency "
            "FROM recon.setbacks s LEFT JOIN swap.returns r ON r.return_id = s.subject ORDER BY 1, 2"
        ).fetchall()


def _subject(text: str) -> str:
    return text[:LONGEST_SUBJECT]


def _line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:LONGEST_REASON]
