"""What a waiver does, and its end: an exception is closed although its condition holds, and open again.

Belongs here: both hands, and what is judged again because of them. Stays out: when a waiver ends by itself
(``adapters.store.decisions``) and how much a member may waive alone (``desk.members``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from khaos_swap_assets.adapters.store import Conn, audit_log, decisions, exceptions, links, returns, verdicts, worklist
from khaos_swap_assets.adapters.store.decisions import KeptDecision
from khaos_swap_assets.domain.judging.money_conditions import PAID_OUTSIDE
from khaos_swap_assets.domain.judging.value_conditions import VALUE_RULES
from khaos_swap_assets.domain.records.decisions import WAIVED, Figures, PersonDecision
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person


def waive(conn: Conn, exception_id: int, person: Person, *, now: datetime, until: datetime | None = None) -> str:
    """Close an open exception although its condition holds, until its facts change; gives its kind and subject."""
    with conn.transaction():
        name = waived(conn, exception_id, person, now=now, until=until)
    conn.commit()
    return name


def waived(conn: Conn, exception_id: int, person: Person, *, now: datetime, until: datetime | None = None) -> str:
    """The rule of ``waive`` in the caller's transaction; ``until`` is the moment at which it ends by itself."""
    found = exceptions.close(conn, exception_id, person.by, person.reason, now)
    if found is None:
        raise ActionError(f"exception {exception_id} is not open; khaos-swap exceptions list shows what is")
    kind, subject, return_id, pence, currency = found
    on = _facts(conn, kind, return_id, Figures(pence, currency=currency))
    made = PersonDecision(WAIVED, subject, kind, person.by, reason=person.reason, decided_at=now, on=on)
    decisions.record(conn, [KeptDecision(made, return_id, exception_id, until)])
    audit_log.append(
        conn, [audit_log.Entry(now, person.by, "waived", f"exception {kind} {subject}", reason=person.reason)]
    )
    follow_waiver(conn, kind, subject)
    return f"{kind} {subject}"


def _facts(conn: Conn, kind: str, return_id: str, at_risk: Figures) -> Figures:
    """What a waiver rests on: the money at risk; of a difference in value also what was refunded and credited."""
    found = verdicts.figures(conn, return_id) if kind in VALUE_RULES else None
    if found is None:
        return at_risk
    return replace(at_risk, refund_pence=found.refund_pence, credited_pence=found.credited_pence)


def reopen(conn: Conn, exception_id: int, person: Person, *, now: datetime) -> str:
    """Take a waiver back: the exception is open again, as old as it is, where its condition holds; says which."""
    with conn.transaction():
        name = reopened(conn, exception_id, person, now=now)
    conn.commit()
    return name


def reopened(conn: Conn, exception_id: int, person: Person, *, now: datetime) -> str:
    """The rule of ``reopen`` in the caller's transaction."""
    ended = decisions.take_back(conn, exception_id, person.by, person.reason, now)
    if ended is None:
        raise ActionError(f"exception {exception_id} is not waived; khaos-swap exceptions list --waived shows what is")
    follow_waiver(conn, ended.kind, ended.subject)
    return f"{ended.kind} {ended.subject}{'' if ended.exception_id else ', whose condition is gone'}"


def follow_waiver(conn: Conn, kind: str, subject: str) -> None:
    """Judge again what a waiver, or its end, changes: whose note a note of nobody may be, and whose money is proved."""
    if kind == "credit_note_orphan":
        worklist.queue(conn, "reconcile", links.maybe_covered(conn, subject))
    if kind == "stock_not_returned":
        worklist.queue(conn, "custody", returns.named(conn, [subject]))
    if kind == PAID_OUTSIDE:
        worklist.queue(conn, "draft", returns.named(conn, [subject]))
