"""What people decide, taken into the one record: by a command or from a file, each with its name, reason and figures.

Belongs here: what each kind asks for before it is taken, what is looked at again because of it, and ending what no
longer fits. Stays out: the record (``adapters.store.decisions``) and what follows (linker and judge). Nothing here
posts: a decision only links, holds back, or says that nobody has to act. Raises ``ActionError`` where it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from khaos_swap_assets.adapters.store import (
    Conn,
    audit_log,
    catalogue,
    decisions,
    exceptions,
    links,
    matches,
    monthly,
    notes,
    returns,
    verdicts,
    worklist,
)
from khaos_swap_assets.adapters.store.decisions import OURSELVES, KeptDecision
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_month
from khaos_swap_assets.domain.records import decisions as kinds
from khaos_swap_assets.domain.records.decisions import DecisionKind, Figures, PersonDecision
from khaos_swap_assets.domain.reporting.month_open import blocking
from khaos_swap_assets.stages import waivers
from khaos_swap_assets.stages.credit_notes import linking
from khaos_swap_assets.stages.credit_notes.attributing import candidates_of
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person, ledger

ORPHAN = "credit_note_orphan"
STANDS = "stands already"


def decide(conn: Conn, wish: PersonDecision, *, now: datetime) -> str:
    """Take one decision; what came of it, in words. A return is named by its RMA or id."""
    Person(wish.decided_by, wish.reason)
    if wish.decision == kinds.SETTLED_OUTSIDE and notes.in_force(conn, [wish.subject]):
        wish = replace(wish, decision=kinds.WAIVED, object=ORPHAN)
    if wish.decision in kinds.OF_LINKS:
        wish = replace(wish, object=_return_of(conn, wish.object))
    elif wish.decision in kinds.OF_VALUES:
        wish = replace(wish, subject=_return_of(conn, wish.subject))
    if any(_is_same(one.decision, wish) for one in decisions.standing(conn)):
        return STANDS
    _TAKING[wish.decision](conn, wish, now)
    return "taken"


def take_back(
    conn: Conn, kind: DecisionKind, subject: str, other: str, person: Person, *, now: datetime
) -> KeptDecision:
    """End a decision that stands; all that it held is looked at again. Gives what ended."""
    names = {subject, other, *returns.named(conn, [subject, other])}
    found = [one for one in decisions.standing(conn) if one.decision.decision == kind and one.decision.subject in names]
    found = [one for one in found if one.decision.object in {*names, ""} or not other]
    if len(found) != 1:
        raise ActionError(f"{len(found)} such decisions stand; khaos-swap decisions list shows what does")
    one = found[0]
    if kind == kinds.WAIVED and one.exception_id is not None:
        waivers.reopen(conn, one.exception_id, person, now=now)
    elif kind == kinds.NOT_THIS_RETURN:
        rma = returns.rmas_of(conn, [one.return_id]).get(one.return_id, "")
        linking.allow(conn, one.decision.subject, person, now=now, rma=rma)
    else:
        with ledger(conn):
            _end(conn, one, person, now)
    return one


def end_unfit(conn: Conn, now: datetime) -> list[KeptDecision]:
    """End the decisions whose figures are others now; what they held is looked at again by the next run."""
    found = decisions.unfit(conn)
    for one, why in found:
        _end(conn, one, Person(OURSELVES, why), now)
    return [one for one, _ in found]


def exported(conn: Conn) -> list[PersonDecision]:
    """The decisions that stand as a file has them: a return by its RMA, where one alone has it."""
    kept = decisions.standing(conn)
    rmas = returns.rmas_of(conn, sorted({one.return_id for one in kept if one.return_id}))
    names = {key: rma if returns.named(conn, [rma]) == [key] else key for key, rma in rmas.items()}
    return [_named(one.decision, names) for one in kept]


def _named(one: PersonDecision, names: dict[str, str]) -> PersonDecision:
    if one.decision in kinds.OF_LINKS:
        return replace(one, object=names.get(one.object, one.object))
    return replace(one, subject=names.get(one.subject, one.subject)) if one.decision in kinds.OF_VALUES else one


def _is_same(one: PersonDecision, wish: PersonDecision) -> bool:
    what = (one.decision, one.subject, one.object, one.decided_by, one.reason)
    return what == (wish.decision, wish.subject, wish.object, wish.decided_by, wish.reason)


def _return_of(conn: Conn, name: str) -> str:
    """The id of the one return with this id or RMA."""
    ids = [name] if returns.load(conn, [name]) else returns.named(conn, [name])
    if len(ids) != 1:
        raise ActionError(f"{name or '(none)'} names {len(ids)} returns: give the RMA or the return's id")
    return ids[0]


def _require_figures(wish: PersonDecision, now: Figures) -> None:
    if not wish.on.still_hold(now):
        amounts = (
            ("at risk", now.money_at_risk_pence),
            ("refunded", now.refund_pence),
            ("credited", now.credited_pence),
        )
        told = ", ".join(f"{format_money(pence, now.currency)} {name}" for name, pence in amounts if pence is not None)
        raise ActionError(f"{wish.subject}: the figures are others now ({told})")


def _waive(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    found = exceptions.open_one(conn, wish.object, wish.subject)
    if found is None:
        raise ActionError(f"no exception {wish.object} about {wish.subject} is open")
    number, pence, currency = found
    _require_figures(wish, Figures(pence, 0, pence, currency))
    waivers.waive(conn, number, Person(wish.decided_by, wish.reason), now=now)


def _rule_out(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    note = _note(conn, wish)
    person = Person(wish.decided_by, wish.reason)
    linked = {one.return_id: one.rma for one in links.of_notes(conn, [note])}
    if wish.object in linked:
        linking.undo(conn, note, person, now=now, rma=linked[wish.object])
        return
    with conn.transaction():
        links.refuse(conn, [(note, wish.object)], wish.decided_by, wish.reason, now)
        _log(conn, wish, "ruled out", now)
        linking.look_again(conn, [wish.object])
    conn.commit()


def _link(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    """Link at once, in place of what the note was linked to: its links are what the linker makes of the decision."""
    with ledger(conn) as book:
        code = _note(conn, wish)
        if book.claimed([code]):
            raise ActionError(f"Credit Note {code} answers our own document; khaos-swap postings resolve is for that")
        if any(one.state == "in_doubt" for one in book.of_returns([wish.object])):
            raise ActionError(f"a document of ours is out for {wish.object}; khaos-swap postings resolve comes first")
        links.forgive(conn, [(code, wish.object)], wish.decided_by, wish.reason, now)
        before = links.detach(conn, [code])
        _keep(conn, wish, wish.object)
        found = candidates_of(conn, loose := notes.in_force(conn, [code]), []).attributed(loose)[0]
        links.attach(conn, found, now, by=wish.decided_by)
        linking.look_again(conn, [*before, wish.object])
        linking.hold_back(book, [code], Person(wish.decided_by, wish.reason), now, [wish.object])
        _log(conn, wish, "linked", now)


def _note(conn: Conn, wish: PersonDecision) -> str:
    """The code of the note, which is known and as it was."""
    found = notes.in_force(conn, [wish.subject])
    if not found:
        raise ActionError(f"no Credit Note {wish.subject} was read from Khaos")
    _require_figures(wish, Figures(credited_pence=found[0].gross_pence, currency=found[0].currency))
    return wish.subject


def _same_code(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    known = {item.stock_code for item in catalogue.exact(conn, [wish.subject, wish.object])}
    if wish.subject in known or wish.object not in known:
        raise ActionError(f"{wish.subject} must be no Stock Code, and {wish.object or 'the other'} must be one")
    with conn.transaction():
        _keep(conn, wish, "")
        worklist.queue(conn, "match", matches.ids_of_sku(conn, wish.subject))
        _log(conn, wish, "decided", now)
    conn.commit()


def _value(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    with ledger(conn) as book:
        figures = verdicts.figures(conn, wish.subject)
        if figures is None:
            raise ActionError(f"{wish.subject} was not judged yet: decide after the next run")
        _require_figures(wish, figures)
        if wish.decision == kinds.ACCEPTED_VALUE and not figures.credited_pence:
            raise ActionError(f"{wish.subject} has no Credit Note whose value could be accepted")
        if any(one.state == "in_doubt" for one in book.of_returns([wish.subject])):
            raise ActionError(f"a document of ours is out for {wish.subject}; khaos-swap postings resolve comes first")
        linking.hold_back(book, [], Person(wish.decided_by, wish.reason), now, [wish.subject])
        _keep(conn, replace(wish, on=figures), wish.subject)
        linking.look_again(conn, [wish.subject])
        _log(conn, wish, "decided", now)


def _sign(conn: Conn, wish: PersonDecision, now: datetime) -> None:
    """Put a name under a month that is over and green, in each currency; the month is added up again to show it."""
    period, found = wish.subject, monthly.figures(conn, wish.subject)
    if period >= london_month(now) or not found:
        raise ActionError(f"{period} is not over, or was not added up since it changed: materialize it first")
    if red := blocking(monthly.apart(conn, period), london_month(now)):
        raise ActionError(f"{period} is red: {len(red)} returns are apart, {red[0].rma} first")
    with conn.transaction():
        signed = [replace(wish, object=currency, on=figures) for currency, figures in found.items()]
        decisions.record(conn, [KeptDecision(one) for one in signed])
        monthly.touch(conn, [period], now)
        _log(conn, wish, "signed", now)
    conn.commit()


_TAKING: dict[DecisionKind, Callable[[Conn, PersonDecision, datetime], None]] = {
    kinds.WAIVED: _waive,
    kinds.NOT_THIS_RETURN: _rule_out,
    kinds.THIS_RETURN: _link,
    kinds.SAME_CODE: _same_code,
    kinds.ACCEPTED_VALUE: _value,
    kinds.SETTLED_OUTSIDE: _value,
    kinds.SIGNED: _sign,
}


def _keep(conn: Conn, one: PersonDecision, return_id: str) -> None:
    on = one.on
    if one.decision == kinds.THIS_RETURN:
        gross = notes.in_force(conn, [one.subject])[0]
        on = Figures(credited_pence=gross.gross_pence, currency=gross.currency)
    decisions.record(conn, [KeptDecision(replace(one, on=on), return_id)])


def _end(conn: Conn, kept: KeptDecision, person: Person, now: datetime) -> None:
    one = kept.decision
    decisions.end(conn, one.decision, [(one.subject, one.object)], person.by, person.reason, now)
    if one.decision == kinds.THIS_RETURN:
        linking.look_again(conn, links.detach(conn, [one.subject]))
    if one.decision == kinds.SAME_CODE:
        worklist.queue(conn, "match", matches.ids_of_sku(conn, one.subject))
    if kept.return_id:
        linking.look_again(conn, [kept.return_id])
    ended = replace(one, decided_by=person.by, reason=person.reason)
    _log(conn, ended, "decision ended", now)


def _log(conn: Conn, one: PersonDecision, what: str, now: datetime) -> None:
    about = " ".join(filter(None, (one.decision, one.subject, one.object)))
    audit_log.append(conn, [audit_log.Entry(now, one.decided_by, what, about, reason=one.reason)])
