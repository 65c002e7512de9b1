"""What a person does to exceptions of a queue, one or many at once: note, hand over, put off, waive, take back.

Belongs here: each act with what it asks for, in one transaction: every row is answered, and where one cannot be done
none is. Stays out: limits of waivers (``desk.members``), links and values (``deciding``), documents
(``credit_notes.people``). Nothing is deleted; every act names its person and stands in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.store import Conn, audit_log, desk_case, desk_decisions
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.adapters.store.desk_decisions import CaseDecision, QueueDecision
from khaos_swap_assets.domain.desk.members import Member, WaiverLimits, may_grant
from khaos_swap_assets.domain.money.amounts import money_words
from khaos_swap_assets.domain.money.periods import day_words, london_date
from khaos_swap_assets.domain.records.decisions import QueueKind
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person

LONGEST_AWAY = timedelta(days=92)
"""A quarter and a day: what is put off longer is no longer waited for."""
LONGEST_WAIVER = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Picked:
    """An exception that a person picked, and the pence that they saw it at."""

    exception_id: int
    pence: int


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What came of one row: ``problem`` says why it cannot be done, and is empty where it was or could be."""

    exception_id: int
    told: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ActWish:
    """What a member wants done: ``until`` is the last moment (put off, waived), ``told`` whose hands or the note."""

    member: Member
    reason: str
    told: str = ""
    until: datetime | None = None


Act = Callable[[Conn, CaseRow, ActWish, datetime], str]


def do(conn: Conn, act: Act, picked: Sequence[Picked], wish: ActWish, *, now: datetime) -> list[RowAnswer]:
    """Do an act to each of these, or to none where one cannot be done; an answer a row, in their order."""
    with conn.transaction() as whole:
        found = desk_case.cases(conn, [one.exception_id for one in picked])
        answers = [_answered(conn, act, one, found, wish, now) for one in picked]
        if not answers or any(one.problem for one in answers):
            raise psycopg.Rollback(whole)
    conn.commit()
    return answers


def _answered(
    conn: Conn, act: Act, one: Picked, found: Mapping[int, CaseRow], wish: ActWish, now: datetime
) -> RowAnswer:
    """One row done in the transaction of all, or why it cannot be."""
    row = found.get(one.exception_id)
    try:
        if row is None or row.closed_at is not None:
            raise ActionError("it is no longer open")
        if row.money_at_risk_pence != one.pence:
            raise ActionError(f"its money at risk is {_money(row)} now, another than you saw")
        return RowAnswer(one.exception_id, act(conn, row, wish, now))
    except ActionError as error:
        return RowAnswer(one.exception_id, row.subject if row else str(one.exception_id), str(error))


def note(conn: Conn, row: CaseRow, wish: ActWish, now: datetime) -> str:
    """Leave a note for everybody who looks at the case."""
    Person(wish.member.name, wish.told)
    _keep(conn, row, "noted", wish, now)
    return f"{row.subject}: noted"


def assign(conn: Conn, row: CaseRow, wish: ActWish, now: datetime) -> str:
    """Say in whose hands it is."""
    if not wish.told.strip():
        raise ActionError("say who takes it")
    _keep(conn, row, "assigned", wish, now)
    return f"{row.subject}: in the hands of {wish.told}"


def snooze(conn: Conn, row: CaseRow, wish: ActWish, now: datetime) -> str:
    """Put it off until a day, or until its money changes; it stays open and counts as before."""
    _require_reason(wish)
    until = _moment(wish, now, LONGEST_AWAY)
    _keep(conn, row, "snoozed", wish, now)
    return f"{row.subject}: put off until {day_words(london_date(until))}"


def waive(limits: WaiverLimits) -> Act:
    """The act of waiving: at once within the member's limit, else asked of a second person."""

    def waive_one(conn: Conn, row: CaseRow, wish: ActWish, now: datetime) -> str:
        _require_reason(wish)
        if wish.until is not None:
            _moment(wish, now, LONGEST_WAIVER)
        if limits.needs_second(wish.member, row.money_at_risk_pence):
            _keep(conn, row, "waiver_asked", wish, now)
            return f"{row.subject}: {_money(row)} waits for a second person"
        person = Person(wish.member.name, wish.reason)
        return f"{waivers.waived(conn, row.exception_id, person, now=now, until=wish.until)}: {_money(row)} waived"

    return waive_one


def grant(conn: Conn, decision_id: int, member: Member, reason: str, *, now: datetime) -> str:
    """Waive what another member asked for, in both names, on the money of when it was asked; says what."""
    with conn.transaction():
        wanted = _standing(conn, decision_id)
        if wanted.decision != "waiver_asked" or wanted.exception_id is None:
            raise ActionError("nobody asked for this waiver")
        if not may_grant(member, wanted.decided_by):
            raise ActionError("a waiver above the limit is granted by another person, who may grant it")
        row = desk_case.cases(conn, [wanted.exception_id]).get(wanted.exception_id)
        if row is None or row.closed_at is not None:
            raise ActionError("the exception is no longer open")
        if row.money_at_risk_pence != wanted.money_at_risk_pence:
            raise ActionError(f"its money at risk is {_money(row)} now, another than was asked for")
        both = Person(f"{wanted.decided_by} and {member.name}", f"{wanted.reason}; granted: {reason}")
        Person(member.name, reason)
        desk_decisions.end(conn, decision_id, member.name, "granted", now)
        told = waivers.waived(conn, row.exception_id, both, now=now, until=wanted.until_at)
    conn.commit()
    return told


def take_back(conn: Conn, decision_id: int, member: Member, reason: str, *, now: datetime) -> str:
    """End one decision about the queue; a waiver's exception is open again. Says what ended."""
    person = Person(member.name, reason)
    with conn.transaction():
        found = _standing(conn, decision_id)
        if found.decision == "waived" and found.exception_id is not None:
            told = waivers.reopened(conn, found.exception_id, person, now=now)
        else:
            desk_decisions.end(conn, decision_id, person.by, person.reason, now)
            told = f"{found.object} {found.subject}"
            audit_log.append(conn, [_entry(f"{found.decision} taken back", found.object, found.subject, person, now)])
    conn.commit()
    return told


def _standing(conn: Conn, decision_id: int) -> CaseDecision:
    found = desk_decisions.one(conn, decision_id)
    if found is None or found.ended_at is not None:
        raise ActionError("this decision has ended already")
    return found


def _keep(conn: Conn, row: CaseRow, kind: QueueKind, wish: ActWish, now: datetime) -> None:
    by, reason = wish.member.name, wish.reason
    made = QueueDecision(kind, row, by, reason, decided_at=now, until_at=wish.until, told=wish.told)
    desk_decisions.write(conn, made)
    person = Person(by, reason or wish.told)
    audit_log.append(conn, [_entry(kind.replace("_", " "), row.kind, row.subject, person, now)])


def _entry(what: str, kind: str, subject: str, person: Person, now: datetime) -> audit_log.Entry:
    return audit_log.Entry(now, person.by, what, f"exception {kind} {subject}", reason=person.reason)


def _require_reason(wish: ActWish) -> None:
    if not wish.reason.strip():
        raise ActionError("say why")


def _moment(wish: ActWish, now: datetime, longest: timedelta) -> datetime:
    """The last moment, which lies ahead and not too far."""
    if wish.until is None or not now < wish.until <= now + longest:
        raise ActionError(f"give a day from tomorrow to {day_words(london_date(now + longest))}")
    return wish.until


def _money(row: CaseRow) -> str:
    return money_words(row.money_at_risk_pence, row.currency)
