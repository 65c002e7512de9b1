"""What people decided, in one record: who, why, on which figures, and until when.

Belongs here: writing, ending and reading ``recon.decisions`` (migrations 0030, 0035, 0038, 0041). Stays out: the kinds
(``domain.records.decisions``), what a person may decide (``stages.deciding``) and what follows from it (linker and
judge). Nothing is deleted: a decision that ended says by whom and why. A return stands in it by its id. Money is pence,
times UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, get_args

import psycopg
from psycopg.rows import class_row

from khaos_swap_assets.adapters.store import audit_log, bulk
from khaos_swap_assets.domain.records.decisions import DecisionKind, Figures, PersonDecision

OURSELVES = "khaos-swap"
_COLUMNS = (
    *("decision", "subject", "object", "decided_by", "reason", "decided_at"),
    *("money_at_risk_pence", "refund_pence", "credited_pence", "currency", "return_id", "exception_id", "until_at"),
)


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision with the return that it is about (empty: none), the exception that it closed, and its last moment."""

    decision: PersonDecision
    return_id: str = ""
    exception_id: int | None = None
    until_at: datetime | None = None


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


def record(conn: psycopg.Connection[Any], made: Iterable[KeptDecision]) -> None:
    """Write decisions; one about the same thing that stands already ends by the new one."""
    new = list(made)
    for kept in new:
        one = kept.decision
        end(conn, one.decision, [(one.subject, one.object)], one.decided_by, "decided anew", one.decided_at)
    bulk.copy_rows(conn, "recon.decisions", _COLUMNS, list(map(_row, new)))


def _row(kept: KeptDecision) -> tuple[Any, ...]:
    one, on = kept.decision, kept.decision.on
    figures = (on.money_at_risk_pence, on.refund_pence, on.credited_pence, on.currency)
    what = (one.decision, one.subject, one.object, one.decided_by, one.reason, one.decided_at)
    return *what, *figures, kept.return_id, kept.exception_id, kept.until_at


def _kept(row: tuple[Any, ...]) -> KeptDecision:
    kind, subject, other, by, reason, made_at, *rest = row
    on, (return_id, exception_id, until_at) = Figures(*rest[:4]), rest[4:]
    return KeptDecision(
        PersonDecision(
            decision=kind, subject=subject, object=other, decided_by=by, reason=reason, decided_at=made_at, on=on
        ),
        return_id,
        exception_id,
        until_at,
    )


def _standing(conn: psycopg.Connection[Any], where: LiteralString, *values: object) -> list[KeptDecision]:
    columns = ", ".join(_COLUMNS)
    rows = conn.execute(
        f"SELECT {columns} FROM recon.decisions WHERE {where} ORDER BY decided_at, decision_id".encode(), values
    ).fetchall()
    return list(map(_kept, rows))


def standing(conn: psycopg.Connection[Any]) -> list[KeptDecision]:
    """All decisions that stand, the oldest first; those of the queue alone are in ``desk_decisions``."""
    return _standing(conn, "ended_at IS NULL AND decision = ANY(%s)", list(get_args(DecisionKind)))


def values(conn: psycopg.Connection[Any], return_ids: Sequence[str]) -> dict[str, PersonDecision]:
    """What people decided on the value of these returns, by return id."""
    kinds = "decision IN ('accepted_value', 'settled_outside')"
    found = _standing(conn, f"ended_at IS NULL AND return_id = ANY(%s) AND {kinds}", list(return_ids))
    return {one.return_id: one.decision for one in found}


def outside(conn: psycopg.Connection[Any], return_ids: Sequence[str]) -> dict[str, PersonDecision]:
    """The returns of which a person settled something outside the books and has not taken that back.

    Also where its figures changed since: a document of ours would credit once more what was settled.
    """
    which = "decision = 'settled_outside' AND return_id = ANY(%s) AND ended_by IN ('', %s)"
    found = _standing(conn, which, list(return_ids), OURSELVES)
    return {one.return_id: one.decision for one in found}


def told(conn: psycopg.Connection[Any], codes: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Pairs of these Credit Notes and the return of which a person said that the note is its own."""
    found = _standing(conn, "ended_at IS NULL AND decision = 'this_return' AND subject = ANY(%s)", list(codes))
    return frozenset((one.decision.subject, one.decision.object) for one in found)


def same_codes(conn: psycopg.Connection[Any], skus: Sequence[str]) -> dict[str, str]:
    """The Stock Code of each of these SKUs of which a person said that it is one."""
    found = _standing(conn, "ended_at IS NULL AND decision = 'same_code' AND subject = ANY(%s)", list(skus))
    return {one.decision.subject: one.decision.object for one in found}


def unfit(conn: psycopg.Connection[Any]) -> list[tuple[KeptDecision, str]]:
    """The standing decisions, but waivers, that no longer fit what the store knows, each with the reason."""
    found: list[tuple[KeptDecision, str]] = []
    for why, where in _UNFIT.items():
        found += [(one, why) for one in _standing(conn, f"ended_at IS NULL AND {where}")]
    return found


_UNFIT: dict[str, LiteralString] = {
    "refund or credit is another now": "decision IN ('accepted_value', 'settled_outside') AND EXISTS ("
    "SELECT 1 FROM recon.reconciliation r WHERE r.return_id = decisions.return_id AND (r.refund_pence, "
    "r.credited_pence) IS DISTINCT FROM (decisions.refund_pence, decisions.credited_pence))",
    "the Credit Note is another now": "decision IN ('this_return', 'not_this_return') AND credited_pence IS NOT NULL "
    "AND EXISTS (SELECT 1 FROM khaos.credit_notes n WHERE n.credit_note_code = decisions.subject "
    "AND (n.is_cancelled OR n.gross_pence <> decisions.credited_pence))",
    "the SKU is a Stock Code now, or the other is none": "decision = 'same_code' AND (EXISTS (SELECT 1 FROM "
    "khaos.stock_codes s WHERE s.stock_code = decisions.subject) OR NOT EXISTS (SELECT 1 FROM khaos.stock_codes s "
    "WHERE s.stock_code = decisions.object))",
}


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


def end_signatures(conn: psycopg.Connection[Any], period: str, now: datetime) -> None:
    """End the signatures under a month whose figures are others now."""
    reason = "the month's figures are others now"
    rows = conn.execute(
        "UPDATE recon.decisions d SET ended_at = %s, ended_by = %s, end_reason = %s WHERE decision = 'signed' "
        "AND subject = %s AND ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM recon.month_end m WHERE "
        "(m.period, m.currency, m.refund_pence, m.issued_pence) = (d.subject, d.object, d.refund_pence, "
        "d.credited_pence)) RETURNING object",
        (now, OURSELVES, reason, period),
    ).fetchall()
    log = [
        audit_log.Entry(now, OURSELVES, "decision ended", f"signed {period} {row[0]}", reason=reason) for row in rows
    ]
    audit_log.append(conn, log)


def waivers(conn: psycopg.Connection[Any], *, owner: str = "", kinds: Sequence[str] = ()) -> list[Waiver]:
    """The waivers that stand, of an owner or of kinds (empty: all), the most money first."""
    with conn.cursor(row_factory=class_row(Waiver)) as cursor:
        return cursor.execute(
            "SELECT e.exception_id, e.kind, e.subject, e.owner, e.message, e.money_at_risk_pence, e.currency, "
            "d.decided_by AS waived_by, d.reason, d.decided_at AS waived_at "
            "FROM recon.decisions d JOIN recon.exceptions e USING (exception_id) "
            "WHERE d.decision = 'waived' AND d.ended_at IS NULL AND %s IN ('', e.owner) AND (%s OR e.kind = ANY(%s)) "
            "ORDER BY e.money_at_risk_pence DESC, e.exception_id",
            (owner, not kinds, list(kinds)),
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


def end_outdated(
    conn: psycopg.Connection[Any], now: datetime, *, may_end: bool, not_of: Sequence[str] = ()
) -> list[Ended]:
    """End the waivers whose facts are no longer those they were given on.

    One whose exception puts other money at risk now, or rests on another refund or credit, ends and its exception opens
    again, as old as it is. One whose condition is gone ends too, so that the next time is judged afresh; only where
    ``may_end``, and not of the returns of the stores ``not_of``, since what was not seen may still be so. One whose
    last moment has come ends whatever is seen.
    """
    over = _ended(conn, "d.until_at <= %(now)s", OURSELVES, "its last day has passed", now)
    changed = _ended(conn, f"f.kind IS NOT NULL AND {_OTHER_MONEY}", OURSELVES, "the money at risk changed", now)
    changed += _ended(conn, f"f.kind IS NOT NULL AND {_OTHER_VALUE}", OURSELVES, "refund or credit is another now", now)
    which = f"f.kind IS NULL AND NOT {_OF_STORES}"
    gone = _ended(conn, which, OURSELVES, "its condition is gone", now, stores=list(not_of)) if may_end else []
    return [*over, *changed, *gone]


_OF_STORES = "EXISTS (SELECT 1 FROM swap.returns s WHERE s.return_id = d.return_id AND s.store = ANY(%(stores)s))"
_OTHER_MONEY = (
    "d.money_at_risk_pence IS NOT NULL "
    "AND (f.money_at_risk_pence, f.currency) IS DISTINCT FROM (d.money_at_risk_pence, d.currency)"
)
_OTHER_VALUE = (
    "d.refund_pence IS NOT NULL AND EXISTS (SELECT 1 FROM recon.reconciliation r WHERE r.return_id = d.return_id "
    "AND (r.refund_pence, r.credited_pence) IS DISTINCT FROM (d.refund_pence, d.credited_pence))"
)
"""A difference of the same pence the other way round is another difference."""


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
