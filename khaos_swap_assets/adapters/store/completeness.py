"""How the mirror of Swap compares with what Swap says it holds, day by day of submission.

Belongs here: counting the mirror, keeping and listing comparisons. Stays out: asking Swap (``stages.completeness``).
Shape: table ``recon.completeness`` (migration 0004). Days are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

COLUMNS = "day, told, mirrored, missing_rmas, vanished_rmas, unreadable_rows, mended, checked_at, store"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one store: what Swap told, what the mirror holds after mending, and which RMAs were apart."""

    day: date
    told: int
    mirrored: int
    missing_rmas: Sequence[str]
    vanished_rmas: Sequence[str]
    unreadable_rows: int
    mended: int
    checked_at: datetime
    store: str = ""

    @property
    def short(self) -> int:
        """Returns that Swap holds and the mirror does not, after mending and without rows that cannot be read."""
        return max(0, self.told - self.mirrored - self.unreadable_rows)


def mirrored(conn: psycopg.Connection[Any], first: date, last: date, store: str = "") -> dict[date, int]:
    """Returns of a store in the mirror by day of submission, both days included."""
    rows = conn.execute(
        "SELECT (submitted_at AT TIME ZONE 'UTC')::date, count(*) FROM swap.returns WHERE submitted_at >= %s "
        "AND submitted_at < %s AND store = %s GROUP BY 1",
        (f"{first} 00:00Z", f"{last + timedelta(days=1)} 00:00Z", store),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def rmas_on(conn: psycopg.Connection[Any], day: date, store: str = "") -> dict[str, str]:
    """RMA by return id, of the mirror's returns of a store submitted on one day."""
    rows = conn.execute(
        "SELECT return_id, rma FROM swap.returns WHERE submitted_at >= %s AND submitted_at < %s AND store = %s",
        (f"{day} 00:00Z", f"{day + timedelta(days=1)} 00:00Z", store),
    ).fetchall()
    return {row[0]: row[1] for row in rows}


def out_of_reach(conn: psycopg.Connection[Any], since: datetime, limit: int, store: str = "") -> list[str]:
    """RMAs of a store's open returns that no sweep by date reaches, at most so many; night by night another part."""
    rows = conn.execute(
        "SELECT rma FROM swap.returns WHERE is_open AND (submitted_at IS NULL OR submitted_at < %s) AND store = %s "
        "ORDER BY rma",
        (since, store),
    ).fetchall()
    first = since.toordinal() * limit % len(rows) if len(rows) > limit else 0
    return [row[0] for row in (*rows[first:], *rows[:first])[:limit]]


def save(conn: psycopg.Connection[Any], days: Sequence[Day]) -> None:
    """Keep the newest comparison of each day."""
    if not days:
        return
    with conn.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO recon.completeness ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT (day, store) DO UPDATE SET told = EXCLUDED.told, mirrored = EXCLUDED.mirrored, "
            "missing_rmas = EXCLUDED.missing_rmas, vanished_rmas = EXCLUDED.vanished_rmas, "
            "unreadable_rows = EXCLUDED.unreadable_rows, mended = EXCLUDED.mended, checked_at = EXCLUDED.checked_at",
            [
                (
                    one.day,
                    one.told,
                    one.mirrored,
                    list(one.missing_rmas),
                    list(one.vanished_rmas),
                    one.unreadable_rows,
                    one.mended,
                    one.checked_at,
                    one.store,
                )
                for one in days
            ],
        )


def days(conn: psycopg.Connection[Any], since: date) -> list[Day]:
    """The comparisons of days from ``since`` on, the newest first."""
    with conn.cursor(row_factory=class_row(Day)) as cursor:
        return cursor.execute(
            f"SELECT {COLUMNS} FROM recon.completeness WHERE day >= %s ORDER BY day DESC, store", (since,)
        ).fetchall()


@dataclass(frozen=True, slots=True)
class Traffic:
    """What arrived since a moment: knocks, returns that changed, returns submitted after our first look."""

    knocks: int
    changed: int
    submitted: int


def traffic(conn: psycopg.Connection[Any], since: datetime, store: str | None = None) -> Traffic:
    """Count what tells *nothing happened* from *nothing arrived*, of one store or of all."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM recon.inbox i WHERE source = 'swap' AND received_at >= %(since)s "
        "AND (%(store)s::text IS NULL OR "
        "%(store)s = coalesce((SELECT s.store FROM swap.stores s WHERE s.store_id = i.store_id), ''))), "
        "(SELECT count(*) FROM swap.returns WHERE changed_at >= %(since)s "
        "AND (%(store)s::text IS NULL OR store = %(store)s)), "
        "(SELECT count(*) FROM swap.returns WHERE submitted_at >= %(since)s "
        "AND (%(store)s::text IS NULL OR store = %(store)s) "
        "AND submitted_at > (SELECT reached_at FROM recon.watermarks WHERE source = %(first)s))",
        {"since": since, "first": FIRST_LOOK, "store": store},
    ).fetchone()
    return Traffic(*row) if row else Traffic(0, 0, 0)


FIRST_LOOK = "swap/completeness first"


def documents(conn: psycopg.Connection[Any], since: datetime) -> list[dict[str, Any]]:
    """By day of hand-out: documents offered, seen as Credit Notes, refused, still waited for."""
    rows = conn.execute(
        "SELECT (handed_out_at AT TIME ZONE 'UTC')::date, count(*), count(*) FILTER (WHERE state = 'confirmed'), "
        "count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE state = 'in_doubt') "
        "FROM recon.postings WHERE handed_out_at >= %s GROUP BY 1 ORDER BY 1 DESC",
        (since,),
    ).fetchall()
    names = ("day", "offered", "seen", "refused", "waited_for")
    return [dict(zip(names, row, strict=True)) for row in rows]
