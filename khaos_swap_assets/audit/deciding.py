"""People's decisions beside what the files hold: which apply, which are about nothing here, which no longer fit.

Belongs here: laying each decision beside returns, notes, codes and exceptions, and what came of it. Stays out: reading
them (``adapters.files.decided``) and what follows from one that applies (``linking``, ``judging.verdict``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from khaos_swap_assets.domain.sums import grouped

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


class Decided:
    """The decisions of an audit laid beside its files, as linker and judge ask for them.

    Of several about the same thing the last one counts. ``told`` and ``refused`` are pairs of note code and return id,
    ``value_of`` is by return id, ``waivers`` by kind and subject; on all others ``rulings`` say what became of them.
    """

    def __init__(
        self,
        made: Iterable[PersonDecision],
        returns: Iterable[Return],
        notes: Mapping[str, FileNote],
        skus: Mapping[str, SkuMatch],
    ) -> None:
        self._ids, self._notes, self._skus = _ids(returns), notes, skus
        self._links: dict[Pair, bool] = {}
        self.value_of: dict[str, PersonDecision] = {}
        self.waivers: dict[Pair, PersonDecision] = {}
        self.rulings: list[Ruling] = []
        for one in {_key(one): one for one in made}.values():
            self._lay(one)
        self.told = frozenset(pair for pair, is_one in self._links.items() if is_one)
        self.refused = frozenset(self._links) - self.told

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

    def ruled(self, facts: Iterable[ReturnFacts], problems: Iterable[Problem], subjects: Iterable[str]) -> list[Ruling]:
        """What became of each decision; ``subjects`` are the RMAs, Credit Notes and orders of these files."""
        known = {one.return_.return_id: one for one in facts if one.return_.return_id in self.value_of}
        values = [_of_value(decision, known[key]) for key, decision in self.value_of.items()]
        raised = {(one.kind, one.subject): one for one in problems if (one.kind, one.subject) in self.waivers}
        here = frozenset(subjects) if self.waivers else frozenset()
        waived = [_of_waiver(one, raised.get(key), key[1], here) for key, one in self.waivers.items()]
        return [*self.rulings, *values, *waived]

    def _lay(self, one: PersonDecision) -> None:
        """Take one decision to where it counts, or rule on it at once."""
        if one.decision in OF_LINKS:
            self.rulings.append(self._link(one))
        elif one.decision == SAME_CODE:
            self.rulings.append(self._code(one))
        elif one.decision == WAIVED:
            self.waivers[one.object, one.subject] = one
        elif one.decision == SETTLED_OUTSIDE and one.subject in self._notes:
            self.waivers[ORPHAN, one.subject] = one
        elif one.decision in OF_VALUES:
            self._value(one)
        else:
            self.rulings.append(Ruling(one, ABSENT))

    def _value(self, one: PersonDecision) -> None:
        ids = self._ids.get(one.subject, [])
        if len(ids) == 1:
            self.value_of[ids[0]] = one
        else:
            self.rulings.append(Ruling(one, UNFIT, _several(one.subject, ids)) if ids else Ruling(one, ABSENT))

    def _link(self, one: PersonDecision) -> Ruling:
        code, name = (one.subject, one.object) if one.subject in self._notes else (one.object, one.subject)
        note, ids = self._notes.get(code), self._ids.get(name, [])
        if note is None or not ids:
            return Ruling(one, ABSENT)
        if len(ids) > 1:
            return Ruling(one, UNFIT, _several(name, ids))
        now = Figures(credited_pence=note.gross_pence, currency=note.currency)
        if not one.on.still_hold(now):
            return Ruling(one, UNFIT, f"{code} credits {format_money(note.gross_pence, now.currency)} now")
        self._links[code, ids[0]] = one.decision == THIS_RETURN
        return Ruling(replace(one, subject=code, object=name, on=now), APPLIED)

    def _code(self, one: PersonDecision) -> Ruling:
        found = self._skus.get(one.subject)
        if found is None:
            return Ruling(one, ABSENT)
        if found.stock_code:
            return Ruling(one, UNFIT, f"{one.subject} is a Stock Code of its own")
        is_told = found.suggestion == one.object
        return Ruling(one, APPLIED) if is_told else Ruling(one, UNFIT, f"{one.object} is no Stock Code")


def same_codes(made: Iterable[PersonDecision]) -> dict[str, str]:
    """The Stock Code of each SKU of which a person said that it is one."""
    return {one.subject: one.object for one in made if one.decision == SAME_CODE}


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
    return grouped((name, one.return_id) for one in returns for name in {one.rma, one.return_id})


def _several(name: str, ids: Sequence[str]) -> str:
    return f"{name} names {len(ids)} returns: give the return id"
