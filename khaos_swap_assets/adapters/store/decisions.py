"""What people decided, in one record: who, why, on which facts, and until when.

Belongs here: writing, ending and reading ``recon.decisions`` (migration 0030). Stays out: what a decision allows
(``stages.credit_notes.people``, ``stages.credit_notes.unlinking``) and what follows from it (linker and judge). Nothing
is deleted: a decision that ended says by whom and why. Two kinds stand in it: ``waived`` (subject and kind of an
exception) and ``not_this_return`` (Credit Note and return id). Money is pence, times UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import audit_log, bulk

DecisionKind = Literal["waived", "not_this_return"]
WAIVED: DecisionKind = "waived"
NOT_THIS_RETURN: DecisionKind = "not_this_return"
OURSELVES = "khaos-swap"
_COLUMNS = (
    "decision",
    "subject",
    "object",
    "decided_by",
    "reason",
    "decided_at",
    "return_id",
    "exception_id",
    "money_at_risk_pence",
    "currency",
)


@dataclass(frozen=True, slots=True)
class PersonDecision:
    """One decision; ``money_at_risk_pence`` and ``currency`` are the facts that it was made on, where it has such."""

    decision: DecisionKind
    subject: str
    object: str
    decided_by: str
    reason: str
    decided_at: datetime
    return_id: str = ""
    exception_id: int | None = None
    money_at_risk_pence: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A waiver that stands, as people list it; ``exception_id`` is the exception that it closed."""

    exception_id: int
    kind: str
    subject: str
    owner: str
    message: str
    money_at_risk_pence: int
    currency: str
    waived_by: str
    reason: str
    waived_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A waiver that ended, and the exception that is open again because of it (0: its condition is gone)."""

    kind: str
    subject: str
    exception_id: int


def record(conn: psycopg.Connection[Any], made: Iterable[PersonDecision]) -> None:
    """Write decisions; one about the same thing that stands already ends by the new one."""
    new = list(made)
    for one in new:
        end(conn, one.decision, [(one.subject, one.object)], one.decided_by, "decided anew", one.decided_at)
    bulk.copy_rows(conn, "recon.decisions", _COLUMNS, list(map(astuple, new)))


def end(
    conn: psycopg.Connection[Any],
    decision: DecisionKind,
    pairs: Sequence[tuple[str, str]],
    by: str,
    reason: str,
    now: datetime,
) -> int:
    """End the standing decisions about these pairs of subject and object; how many there were."""
    subjects, objects = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return conn.execute(
        "UPDATE recon.decisions SET ended_at = %s, ended_by = %s, end_reason = %s WHERE decision = %s "
        "AND ended_at IS NULL AND (subject, object) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
        (now, by, reason, decision, subjects, objects),
    ).rowcount


def waivers(conn: psycopg.Connection[Any], *, owner: str = "", kind: str = "") -> list[Waiver]:
    """The waivers that stand, of an owner or kind (empty: all), the most money first."""
    with conn.cursor(row_factory=class_row(Waiver)) as cursor:
        return cursor.execute(
            "SELECT e.exception_id, e.kind, e.subject, e.owner, e.message, e.money_at_risk_pence, e.currency, "
            "d.decided_by AS waived_by, d.reason, d.decided_at AS waived_at "
            "FROM recon.decisions d JOIN recon.exceptions e USING (exception_id) "
            "WHERE d.decision = 'waived' AND d.ended_at IS NULL AND %s IN ('', e.owner) AND %s IN ('', e.kind) "
            "ORDER BY e.money_at_risk_pence DESC, e.exception_id",
            (owner, kind),
        ).fetchall()


def waived_returns(conn: psycopg.Connection[Any], kind: str, return_ids: Sequence[str]) -> set[str]:
    """Those of these returns of which a person waived an exception of this kind."""
    rows = conn.execute(
        "SELECT return_id FROM recon.decisions WHERE decision = 'waived' AND ended_at IS NULL AND object = %s "
        "AND return_id = ANY(%s)",
        (kind, list(return_ids)),
    ).fetchall()
    return {row[0] for row in rows}


def take_back(conn: psycopg.Connection[Any], exception_id: int, by: str, reason: str, now: datetime) -> Ended | None:
    """End the waiver of an exception and open that again where its condition holds; None where none stands."""
    rows = _ended(conn, "d.exception_id = %(exception)s", by, reason, now, exception=exception_id)
    return rows[0] if rows else None


def end_waivers(
    conn: psycopg.Connection[Any], kind: str, subjects: Sequence[str], reason: str, now: datetime
) -> list[Ended]:
    """End the waivers of exceptions of a kind about these subjects."""
    which = "d.object = %(kind)s AND d.subject = ANY(%(subjects)s)"
    return _ended(conn, which, OURSELVES, reason, now, kind=kind, subjects=list(subjects))


def end_outdated(conn: psycopg.Connection[Any], now: datetime, *, may_end: bool) -> list[Ended]:
    """End the waivers whose facts are no longer those they were given on.

    One whose exception puts other money at risk now ends and its exception opens again, as old as it is. One whose
    condition is gone ends too, so that the next time is judged afresh; only where ``may_end``, since what was not seen
    may still be so.
    """
    changed = _ended(conn, f"f.kind IS NOT NULL AND {_OTHER_MONEY}", OURSELVES, "the money at risk changed", now)
    gone = _ended(conn, "f.kind IS NULL", OURSELVES, "its condition is gone", now) if may_end else []
    return [*changed, *gone]


_OTHER_MONEY = (
    "d.money_at_risk_pence IS NOT NULL "
    "AND (f.money_at_risk_pence, f.currency) IS DISTINCT FROM (d.money_at_risk_pence, d.currency)"
)


def _ended(
    conn: psycopg.Connection[Any], which: str, by: str, reason: str, now: datetime, **values: object
) -> list[Ended]:
    """End the waivers that ``which`` names (d: the decision, f: what is found now)."""
    rows = conn.execute(
        "WITH ended AS (UPDATE recon.decisions t SET ended_at = %(now)s, ended_by = %(by)s, end_reason = %(reason)s "
        "FROM (SELECT d.decision_id, d.exception_id, f.kind AS holds FROM recon.decisions d "
        "LEFT JOIN recon.findings f ON f.kind = d.object AND f.subject = d.subject "
        f"WHERE d.decision = 'waived' AND d.ended_at IS NULL AND {which}) d "
        "WHERE t.decision_id = d.decision_id RETURNING t.object, t.subject, d.exception_id, d.holds), "
        "again AS (UPDATE recon.exceptions e SET closed_at = NULL, closed_by = '', close_reason = '' FROM ended "
        "WHERE ended.holds IS NOT NULL AND e.exception_id = ended.exception_id) "
        "SELECT object, subject, CASE WHEN holds IS NULL THEN 0 ELSE coalesce(exception_id, 0) END FROM ended "
        "ORDER BY object, subject".encode(),
        {"now": now, "by": by, "reason": reason, **values},
    ).fetchall()
    log = [audit_log.Entry(now, by, "waiver ended", f"exception {row[0]} {row[1]}", reason=reason) for row in rows]
    audit_log.append(conn, log)
    return [Ended(*row) for row in rows]
