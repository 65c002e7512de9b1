"""People's decisions beside what the files hold: which apply, which are about nothing here, which no longer fit.

Belongs here: laying each decision beside returns, notes, codes and exceptions, and what came of it. Stays out: reading
them (``adapters.files.decided``) and what follows from one that applies (``linking``, ``judging.verdict``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.verdict import figures_of, is_decided
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.records.decisions import (
    OF_LINKS,
    OF_VALUES,
    SAME_CODE,
    SETTLED_OUTSIDE,
    THIS_RETURN,
    WAIVED,
    Figures,
    PersonDecision,
)
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stock_codes import SkuMatch

State = Literal["applied", "about nothing in these files", "no longer fits"]
APPLIED: State = "applied"
ABSENT: State = "about nothing in these files"
UNFIT: State = "no longer fits"
ORPHAN = "credit_note_orphan"
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision with its figures, what became of it, and why where it no longer fits."""

    decision: PersonDecision
    state: State
    why: str = ""

    @property
    def words(self) -> str:
        """The state for a person."""
        return f"{self.state}: {self.why}" if self.why else self.state


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions of an audit as linker and judge ask for them; ``rulings`` are those that are settled already.

    ``told`` and ``refused`` are pairs of note code and return id, ``value_of`` is by return id, ``waivers`` by kind and
    subject.
    """

    told: frozenset[Pair] = frozenset()
    refused: frozenset[Pair] = frozenset()
    value_of: Mapping[str, PersonDecision] = field(default_factory=dict)
    waivers: Mapping[Pair, PersonDecision] = field(default_factory=dict)
    rulings: tuple[Ruling, ...] = ()

    def waiver(self, problem: Problem) -> PersonDecision | None:
        """The decision that nobody has to act on this, if one stands on the figures of now."""
        found = self.waivers.get((problem.kind, problem.subject))
        return found if found and found.on.still_hold(_at_risk(problem)) else None

    def settled(self, row: AuditRow, problems: Sequence[Problem]) -> AuditRow:
        """The row: nobody has to act on one of which all that puts money at risk was waived."""
        waivers = [found for one in problems if (found := self.waiver(one))]
        is_open = any(one.money_at_risk_pence and not self.waiver(one) for one in problems)
        if not row.is_unreconciled or not waivers or is_open:
            return row
        months = tuple(replace(one, open_pence=0) for one in row.months)
        words = "; ".join(dict.fromkeys(one.words for one in waivers))
        return row._replace(status="decided", open_pence=0, months=months, decision=words)


def same_codes(made: Iterable[PersonDecision]) -> dict[str, str]:
    """The Stock Code of each SKU of which a person said that it is one."""
    return {one.subject: one.object for one in made if one.decision == SAME_CODE}


def decided(
    made: Sequence[PersonDecision], returns: Sequence[Return], notes: Sequence[FileNote], skus: Mapping[str, SkuMatch]
) -> Decided:
    """Lay decisions beside the files; of several about the same thing the last one counts. ``skus`` are those asked."""
    work = _Laying(_ids(returns), {note.code: note for note in notes}, skus)
    for one in {_key(one): one for one in made}.values():
        work.lay(one)
    refused = frozenset(work.links) - {pair for pair, is_one in work.links.items() if is_one}
    told = frozenset(work.links) - refused
    return Decided(told=told, refused=refused, value_of=work.values, waivers=work.waivers, rulings=tuple(work.rulings))


def rulings(
    laid: Decided, facts: Iterable[ReturnFacts], problems: Iterable[Problem], subjects: Iterable[str]
) -> list[Ruling]:
    """What became of each decision; ``subjects`` are the RMAs, Credit Notes and orders of these files."""
    found = list(laid.rulings)
    known = {one.return_.return_id: one for one in facts if one.return_.return_id in laid.value_of}
    found += [_of_value(decision, known[key]) for key, decision in laid.value_of.items()]
    raised = {(one.kind, one.subject): one for one in problems if (one.kind, one.subject) in laid.waivers}
    here = frozenset(subjects) if laid.waivers else frozenset()
    found += [_of_waiver(one, raised.get(key), key[1], here) for key, one in laid.waivers.items()]
    return found


def _of_value(decision: PersonDecision, facts: ReturnFacts) -> Ruling:
    now = figures_of(facts)
    if is_decided(facts):
        return Ruling(replace(decision, on=now), APPLIED)
    refunded, credited = (format_money(pence or 0, now.currency) for pence in (now.refund_pence, now.credited_pence))
    return Ruling(decision, UNFIT, f"refunded {refunded}, credited {credited} now")


def _of_waiver(decision: PersonDecision, problem: Problem | None, subject: str, here: frozenset[str]) -> Ruling:
    if problem is None:
        is_here = bool({subject, subject.partition("/")[0]} & here)
        return Ruling(decision, UNFIT, "its condition is gone") if is_here else Ruling(decision, ABSENT)
    now = _at_risk(problem)
    if decision.on.still_hold(now):
        own = Figures(problem.money_at_risk_pence, currency=problem.currency)
        return Ruling(replace(decision, on=own) if decision.decision == WAIVED else decision, APPLIED)
    return Ruling(decision, UNFIT, f"{format_money(problem.money_at_risk_pence, now.currency)} at risk now")


def _at_risk(problem: Problem) -> Figures:
    """The figures of an exception; those of a Credit Note of nobody are all its value."""
    pence = problem.money_at_risk_pence
    return Figures(pence, 0, pence, problem.currency)


def _key(one: PersonDecision) -> tuple[str, ...]:
    """What a decision is about."""
    if one.decision in OF_LINKS:
        return ("link", *sorted((one.subject, one.object)))
    return ("value", one.subject) if one.decision in OF_VALUES else (one.decision, one.subject, one.object)


def _ids(returns: Iterable[Return]) -> dict[str, list[str]]:
    """The ids of the returns that a name means: the RMA or the return's own id."""
    found: dict[str, list[str]] = {}
    for one in returns:
        for name in {one.rma, one.return_id}:
            found.setdefault(name, []).append(one.return_id)
    return found


@dataclass(slots=True)
class _Laying:
    """What the files hold by its names, and what was made of the decisions so far; ``links`` say yes or no."""

    ids: Mapping[str, list[str]]
    notes: Mapping[str, FileNote]
    skus: Mapping[str, SkuMatch]
    links: dict[Pair, bool] = field(default_factory=dict)
    values: dict[str, PersonDecision] = field(default_factory=dict)
    waivers: dict[Pair, PersonDecision] = field(default_factory=dict)
    rulings: list[Ruling] = field(default_factory=list)

    def lay(self, one: PersonDecision) -> None:
        """Take one decision to where it counts, or rule on it at once."""
        if one.decision in OF_LINKS:
            self.rulings.append(self._link(one))
        elif one.decision == SAME_CODE:
            self.rulings.append(self._code(one))
        elif one.decision == WAIVED:
            self.waivers[one.object, one.subject] = one
        elif one.decision == SETTLED_OUTSIDE and one.subject in self.notes:
            self.waivers[ORPHAN, one.subject] = one
        elif one.decision in OF_VALUES:
            self._value(one)
        else:
            self.rulings.append(Ruling(one, ABSENT))

    def _value(self, one: PersonDecision) -> None:
        ids = self.ids.get(one.subject, [])
        if len(ids) == 1:
            self.values[ids[0]] = one
        else:
            self.rulings.append(Ruling(one, UNFIT, _several(one.subject, ids)) if ids else Ruling(one, ABSENT))

    def _link(self, one: PersonDecision) -> Ruling:
        code, name = (one.subject, one.object) if one.subject in self.notes else (one.object, one.subject)
        note, ids = self.notes.get(code), self.ids.get(name, [])
        if note is None or not ids:
            return Ruling(one, ABSENT)
        if len(ids) > 1:
            return Ruling(one, UNFIT, _several(name, ids))
        now = Figures(credited_pence=note.gross_pence, currency=note.currency)
        if not one.on.still_hold(now):
            return Ruling(one, UNFIT, f"{code} credits {format_money(note.gross_pence, now.currency)} now")
        self.links[code, ids[0]] = one.decision == THIS_RETURN
        return Ruling(replace(one, subject=code, object=name, on=now), APPLIED)

    def _code(self, one: PersonDecision) -> Ruling:
        found = self.skus.get(one.subject)
        if found is None:
            return Ruling(one, ABSENT)
        if found.stock_code:
            return Ruling(one, UNFIT, f"{one.subject} is a Stock Code of its own")
        is_told = found.suggestion == one.object
        return Ruling(one, APPLIED) if is_told else Ruling(one, UNFIT, f"{one.object} is no Stock Code")


def _several(name: str, ids: Sequence[str]) -> str:
    return f"{name} names {len(ids)} returns: give the return id"
