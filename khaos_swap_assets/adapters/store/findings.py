"""Findings and exceptions in our store.

Belongs here: replacing the findings of what was just judged, opening and closing exceptions to agree with them.
Stays out: what is a finding (``judging.verdict``) and the hands that waive one (``stages.waivers``).
A finding is what holds now; an exception is its history with an owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import psycopg

from khaos_swap_assets.adapters.store import bulk
from khaos_swap_assets.domain.desk.queues import urgent_at
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem

COLUMNS = (
    "kind",
    "subject",
    "return_id",
    "rma",
    "sku",
    "credit_note_code",
    "message",
    "suggestion",
    "money_at_risk_pence",
    "currency",
)


def replace_of_returns(
    conn: psycopg.Connection, return_ids: Sequence[str], found: Iterable[Problem], now: datetime
) -> None:
    """Make ``found`` the only findings of these returns and of the Credit Notes attributed to them."""
    conn.execute("DELETE FROM recon.findings WHERE return_id = ANY(%s)", (list(return_ids),))
    _insert(conn, found, now)


def replace_of_notes(conn: psycopg.Connection, codes: Sequence[str], found: Iterable[Problem], now: datetime) -> None:
    """Make ``found`` the only findings of these Credit Notes."""
    conn.execute(
        "DELETE FROM recon.findings WHERE credit_note_code <> '' AND credit_note_code = ANY(%s)", (list(codes),)
    )
    _insert(conn, found, now)


def replace_of_subjects(
    conn: psycopg.Connection, kind: str, subjects: Sequence[str], found: Iterable[Problem], now: datetime
) -> None:
    """Make ``found`` the only findings of one kind about these subjects."""
    conn.execute("DELETE FROM recon.findings WHERE kind = %s AND subject = ANY(%s)", (kind, list(subjects)))
    _insert(conn, found, now)


def replace_unreadable(conn: psycopg.Connection, found: Iterable[Problem], now: datetime) -> None:
    """Make ``found`` the only findings of rows that could not be read."""
    conn.execute("DELETE FROM recon.findings WHERE kind = 'record_unreadable'")
    _insert(conn, found, now)


def replace_of_kinds(conn: psycopg.Connection, kinds: Sequence[str], found: Iterable[Problem], now: datetime) -> None:
    """Make ``found`` the only findings of these kinds."""
    conn.execute("DELETE FROM recon.findings WHERE kind = ANY(%s)", (list(kinds),))
    _insert(conn, found, now)


def replace_of_months(
    conn: psycopg.Connection, kind: str, periods: Sequence[str], found: Iterable[Problem], now: datetime
) -> None:
    """Make ``found`` the only findings of a kind whose subjects begin with one of these months."""
    conn.execute(
        "DELETE FROM recon.findings WHERE kind = %s AND split_part(subject, ' ', 1) = ANY(%s)", (kind, list(periods))
    )
    _insert(conn, found, now)


def _insert(conn: psycopg.Connection, found: Iterable[Problem], now: datetime) -> None:
    rows = [(*(getattr(one, name) for name in COLUMNS), now) for one in found]
    bulk.upsert(conn, "recon.findings", (*COLUMNS, "found_at"), ["kind", "subject"], rows)


def unreadable(conn: psycopg.Connection) -> list[tuple[str, str, str]]:
    """Rows of every vendor that could not be read and still cannot: (vendor, subject, reason)."""
    return list(
        conn.execute(
            "SELECT 'Swap', subject, reason FROM swap.unreadable WHERE resolved_at IS NULL UNION ALL "
            "SELECT 'Khaos', subject, reason FROM khaos.unreadable WHERE resolved_at IS NULL UNION ALL "
            "SELECT 'Storefront', subject, reason FROM storefront.unreadable WHERE resolved_at IS NULL ORDER BY 1, 2"
        ).fetchall()
    )


def open_and_close(
    conn: psycopg.Connection,
    now: datetime,
    *,
    may_close: bool = True,
    kinds: Sequence[str] | None = None,
    not_of: Sequence[str] = (),
) -> tuple[list[Problem], int]:
    """Open an exception for each new finding that nobody waived, close those whose condition is gone.

    Returns the newly opened problems and how many were closed. An open one gets its newest text and money. Without
    ``may_close`` none is closed: not everything was seen; nor is any of the returns of the stores ``not_of``. With
    ``kinds`` all others stay as they are.
    """
    of_stores = "AND NOT EXISTS (SELECT 1 FROM swap.returns r WHERE r.return_id = e.return_id AND r.store = ANY(%s))"
    unseen = of_stores if not_of else ""
    closed = conn.execute(
        "UPDATE recon.exceptions e SET closed_at = %s, closed_by = 'condition', close_reason = 'no longer holds' "
        "WHERE %s AND closed_at IS NULL AND (%s::text[] IS NULL OR kind = ANY(%s)) AND NOT EXISTS "
        f"(SELECT 1 FROM recon.findings f WHERE f.kind = e.kind AND f.subject = e.subject) {unseen}".encode(),
        (now, may_close, kinds and list(kinds), kinds and list(kinds), *([list(not_of)] if not_of else [])),
    ).rowcount
    changed = conn.execute(
        "UPDATE recon.exceptions e SET message = f.message, suggestion = f.suggestion, "
        "money_at_risk_pence = f.money_at_risk_pence FROM recon.findings f WHERE e.closed_at IS NULL "
        "AND f.kind = e.kind AND f.subject = e.subject AND (e.message, e.suggestion, e.money_at_risk_pence) "
        "IS DISTINCT FROM (f.message, f.suggestion, f.money_at_risk_pence) "
        "RETURNING e.exception_id, e.kind, e.money_at_risk_pence, e.opened_at"
    ).fetchall()
    _put_in_order(conn, changed)
    return _open(conn, now, kinds), closed


def _put_in_order(conn: psycopg.Connection, changed: Sequence[tuple[int, str, int, datetime]]) -> None:
    """Give exceptions (id, kind, pence, when opened) the place in their queue that their money has now."""
    places = [(number, urgent_at(kind, pence, opened_at)) for number, kind, pence, opened_at in changed]
    conn.execute(
        "UPDATE recon.exceptions e SET urgent_at = n.urgent_at FROM unnest(%s::bigint[], %s::timestamptz[]) "
        "AS n (exception_id, urgent_at) WHERE n.exception_id = e.exception_id AND n.urgent_at <> e.urgent_at",
        ([number for number, _ in places], [moment for _, moment in places]),
    )


def _open(conn: psycopg.Connection, now: datetime, kinds: Sequence[str] | None) -> list[Problem]:
    rows = conn.execute(
        f"SELECT {', '.join(COLUMNS)} FROM recon.findings f WHERE (%s::text[] IS NULL OR kind = ANY(%s)) "
        "AND NOT EXISTS (SELECT 1 FROM recon.exceptions e "
        "WHERE e.closed_at IS NULL AND e.kind = f.kind AND e.subject = f.subject) AND NOT EXISTS "
        "(SELECT 1 FROM recon.decisions d WHERE d.decision = 'waived' AND d.ended_at IS NULL AND d.object = f.kind "
        "AND d.subject = f.subject) ORDER BY kind, subject",
        (kinds and list(kinds), kinds and list(kinds)),
    ).fetchall()
    opened = [Problem(**dict(zip(COLUMNS, row, strict=True))) for row in rows]
    values = [
        (*row, KINDS[one.kind].owner, KINDS[one.kind].severity, now, urgent_at(one.kind, one.money_at_risk_pence, now))
        for row, one in zip(rows, opened, strict=True)
    ]
    bulk.copy_rows(conn, "recon.exceptions", (*COLUMNS, "owner", "severity", "opened_at", "urgent_at"), values)
    return opened


def count(conn: psycopg.Connection) -> int:
    """How many findings hold now."""
    row = conn.execute("SELECT count(*) FROM recon.findings").fetchone()
    return int(row[0]) if row else 0


def unjudged_orphans(conn: psycopg.Connection, since: date, also: Sequence[str]) -> list[str]:
    """Codes of notes of no return since a day, and of ``also``, that no finding tells of; findings that are over go.

    What money of no return settles is none; of ``also`` it is one all the same.
    """
    conn.execute(
        "DELETE FROM recon.findings f USING khaos.credit_notes n WHERE f.kind = 'credit_note_orphan' "
        "AND n.credit_note_code = f.credit_note_code AND (n.return_id IS NOT NULL OR n.is_cancelled)"
    )
    rows = conn.execute(
        "SELECT credit_note_code FROM (SELECT credit_note_code FROM khaos.credit_notes c WHERE loose_since >= %s "
        "AND NOT EXISTS (SELECT 1 FROM storefront.refunds f WHERE f.settled_by = c.credit_note_code) "
        "UNION SELECT unnest(%s::text[])) n WHERE NOT EXISTS "
        "(SELECT 1 FROM recon.findings f WHERE f.kind = 'credit_note_orphan' AND f.subject = n.credit_note_code)",
        (since, list(also)),
    )
    return [row[0] for row in rows]
