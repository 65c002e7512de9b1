"""What we would have posted beside what staff posted, return by return and week by week.

Belongs here: scoring the returns that were judged anew, and reading the score. Stays out: drafts and verdicts, which it
is made from. Shapes: tables ``recon.shadow`` and ``recon.shadow_weeks`` (migration 0009). A week is an ISO week of the
refund's London day, ``YYYY-Www``; money is minor units of the row's currency.

Ours is what the Credit Note policy makes of the return. A return that has a document of ours is not scored, nor one
that neither side has anything for. Goods count as inspected and posting as begun, since an audit may have neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

import psycopg
from psycopg.rows import class_row, dict_row

Score = Literal["agreed", "differ", "they_only", "we_only"]
SCORES: tuple[Score, ...] = get_args(Score)
NO_HINDRANCE = ["covered", "before_post_from", "waiting_inspection"]

_OF_THESE = "return_id = ANY(%(ids)s)"
_TOLD = (
    "SELECT r.return_id, r.rma, r.currency, to_char(coalesce(s.processed_at, s.closed_at, s.submitted_at, "
    "r.reconciled_at) AT TIME ZONE 'Europe/London', 'IYYY-\"W\"IW') AS week, r.status, r.credited_pence, "
    "r.credit_note_codes <> '{}' AS is_credited, coalesce(nullif(d.due_pence, 0), r.refund_pence) AS due_pence, "
    "d.return_id IS NOT NULL AND greatest(d.due_pence, r.refund_pence) > 0 AND h.why IS NULL AS would, "
    "coalesce(h.why, '') AS why "
    "FROM recon.reconciliation r JOIN swap.returns s USING (return_id) "
    "LEFT JOIN recon.drafts d ON (d.store_id, d.return_id, d.ordinal) = (r.store_id, r.return_id, 1) "
    "LEFT JOIN LATERAL (SELECT string_agg(reason ->> 1, '; ') AS why FROM jsonb_array_elements(d.reasons) AS reason "
    "WHERE reason ->> 0 <> ALL(%(no_hindrance)s)) h ON true "
    f"WHERE r.{_OF_THESE} AND NOT EXISTS (SELECT 1 FROM recon.postings p "
    "WHERE p.return_id = r.return_id AND p.state <> 'withdrawn')"
)
_SCORED = (
    "SELECT *, CASE WHEN would AND is_credited THEN CASE WHEN credited_pence = due_pence THEN 'agreed' "
    "ELSE 'differ' END WHEN is_credited THEN 'they_only' "
    f"WHEN would AND status = 'credit_note_missing' THEN 'we_only' END AS score FROM ({_TOLD}) t"
)


@dataclass(frozen=True, slots=True)
class WeekScore:
    """Returns of one week, currency and score, and what each side credited for them."""

    week: str
    currency: str
    score: Score
    returns: int
    our_pence: int
    their_pence: int


def week_of(day: date) -> str:
    """The ISO week of a London day."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def newest(conn: psycopg.Connection) -> datetime | None:
    """When the newest verdict was made."""
    row = conn.execute("SELECT max(reconciled_at) FROM recon.reconciliation").fetchone()
    return row[0] if row else None


def judged(conn: psycopg.Connection, since: datetime, until: datetime) -> list[str]:
    """The returns judged after ``since`` up to ``until``."""
    query = "SELECT return_id FROM recon.reconciliation WHERE reconciled_at > %s AND reconciled_at <= %s"
    return [row[0] for row in conn.execute(query, (since, until))]


def score(conn: psycopg.Connection, return_ids: Sequence[str]) -> list[str]:
    """Score these returns, and add up the weeks that they are or were in; these weeks."""
    span = {"ids": list(return_ids), "no_hindrance": NO_HINDRANCE}
    gone = conn.execute(f"DELETE FROM recon.shadow WHERE {_OF_THESE} RETURNING week".encode(), span)
    weeks = {row[0] for row in gone.fetchall()}
    made = conn.execute(
        "INSERT INTO recon.shadow (return_id, rma, currency, week, score, our_pence, their_pence, why) "
        "SELECT return_id, rma, currency, week, score, CASE WHEN would THEN due_pence ELSE 0 END, credited_pence, "
        f"why FROM ({_SCORED}) s WHERE score IS NOT NULL RETURNING week".encode(),
        span,
    )
    weeks |= {row[0] for row in made.fetchall()}
    _add_up(conn, sorted(weeks))
    return sorted(weeks)


def _add_up(conn: psycopg.Connection, weeks: list[str]) -> None:
    conn.execute("DELETE FROM recon.shadow_weeks WHERE week = ANY(%s)", (weeks,))
    conn.execute(
        "INSERT INTO recon.shadow_weeks SELECT week, currency, score, count(*), sum(our_pence), sum(their_pence) "
        "FROM recon.shadow WHERE week = ANY(%s) GROUP BY 1, 2, 3",
        (weeks,),
    )


def weeks(conn: psycopg.Connection, first: str) -> list[WeekScore]:
    """The scores from one week on, the newest week first."""
    with conn.cursor(row_factory=class_row(WeekScore)) as cursor:
        return cursor.execute(
            "SELECT week, currency, score, returns, our_pence, their_pence FROM recon.shadow_weeks WHERE week >= %s "
            "ORDER BY week DESC, currency, score",
            (first,),
        ).fetchall()


def worst(
    conn: psycopg.Connection, which: Score, first: str, columns: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """The returns of a score from one week on that are furthest apart, with these columns of the reconciliation."""
    told = "".join(f", r.{name}" for name in columns)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"SELECT s.rma, s.currency, s.week, s.our_pence, s.their_pence, s.why, r.credit_note_codes{told} "
            "FROM recon.shadow s JOIN recon.reconciliation r USING (return_id) WHERE s.week >= %s AND s.score = %s "
            "ORDER BY abs(s.their_pence - s.our_pence) DESC, s.rma LIMIT %s".encode(),
            (first, which, limit),
        ).fetchall()
