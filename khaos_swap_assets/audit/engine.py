"""Both sides put together and judged: each return beside its Credit Notes, the notes and the refunds that are left.

Belongs here: asking the judge, and the rows that follow. Stays out: the facts of each return and note (``pairing``),
and what is true of them (``judging.verdict``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.audit.cases import AuditedReturn
from khaos_swap_assets.audit.deciding import Decided, Ruling, rulings
from khaos_swap_assets.audit.pairing import Pairing, facts_of, note_facts
from khaos_swap_assets.audit.rows import AuditRow, RowMonth
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts, Tolerance
from khaos_swap_assets.domain.judging.money_conditions import without_return
from khaos_swap_assets.domain.judging.month_conditions import timing_of
from khaos_swap_assets.domain.judging.return_waterfall import month_parts_of, waterfall_of_note
from khaos_swap_assets.domain.judging.small_differences import small_residual, systematic_problem
from khaos_swap_assets.domain.judging.statuses import WORST_FIRST
from khaos_swap_assets.domain.judging.verdict import Verdict, judge, judge_note
from khaos_swap_assets.domain.judging.waterfall import LEGS, Waterfall
from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.money.periods import LONDON, VatPeriods, london_date
from khaos_swap_assets.domain.money.tolerance import Residual, Tolerances, govern
from khaos_swap_assets.domain.refunds.payments import Refund


@dataclass(frozen=True, slots=True)
class Span:
    """``as_of`` decides what is still in flight; rows outside ``first`` to ``last`` (London days) are left out."""

    as_of: date
    first: date | None = None
    last: date | None = None
    vat_periods: VatPeriods = field(default_factory=VatPeriods)

    @property
    def now(self) -> datetime:
        """The end of the day ``as_of``, UTC."""
        return datetime.combine(self.as_of + timedelta(days=1), time.min, LONDON).astimezone(UTC)

    def holds(self, day: date | None) -> bool:
        """Whether a row of this day takes part; a row without a day always does."""
        return day is None or ((self.first or date.min) <= day <= (self.last or date.max))


@dataclass(frozen=True, slots=True)
class Audited:
    """The rows of the span, the worst status first, then the most money, and what is wrong with each.

    ``others`` are problems of no row: of small differences that all lean to one side, and of money beside a return.
    ``rulings`` say what became of each decision of ``decided``.
    """

    rows: list[AuditRow]
    problems: list[tuple[AuditRow, Problem]]
    others: list[Problem]
    decided: Decided = field(default_factory=Decided)
    rulings: list[Ruling] = field(default_factory=list)


def reconciled(pairing: Pairing, span: Span) -> Audited:
    """Make and judge all rows, then leave those out that lie outside the span."""
    facts = [facts_of(case, pairing) for case in pairing.case_of.values()]
    tolerated, others = _tolerated(facts, pairing, span)
    others += pairing.cases.others
    limits, rows, problems = Limits(vat_periods=span.vat_periods), [], []
    for one in facts:
        tolerance = tolerated.get(one.return_.return_id)
        found = replace(one, tolerance=tolerance) if tolerance else one
        verdict = judge(found, limits, span.now)
        row = _return_row(pairing.case_of[one.return_.return_id], found, verdict, pairing)
        rows.append(pairing.decided.settled(row, verdict.problems))
        problems += [(row, problem) for problem in verdict.problems]
    ambiguous = {row.return_id for row in rows if row.status == "ambiguous"}
    for note in pairing.unmatched:
        money = pairing.money_of.get(note.code)
        facts_of_note = note_facts(note, pairing)
        row, told = _goodwill_row(note, money) if money else _note_row(facts_of_note, limits, span, pairing)
        row = row if money or not _is_surplus(note, pairing, ambiguous) else row._replace(open_pence=note.gross_pence)
        rows.append(pairing.decided.settled(row, [problem for _, problem in told]))
        problems += told
    counted = {refund.refund_id for one in facts for refund in _counted_beside(one)}
    settled = {refund.refund_id for refund in pairing.money_of.values()}
    for refund in (one for one in pairing.cases.stray_refunds if one.refund_id not in settled):
        row = _stray_row(refund, pairing, is_credited=refund.refund_id in counted)
        problem = without_return(refund, ())
        rows += [pairing.decided.settled(row, [problem])] if row.open_pence else []
        problems.append((row, problem))
    ruled = rulings(pairing.decided, facts, [*(one for _, one in problems), *others], _subjects(pairing))
    kept = [row for row in rows if span.holds(row.day)]
    told = [(row, problem) for row, problem in problems if span.holds(row.day)]
    return Audited(sorted(kept, key=order_of), told, others, pairing.decided, rulings=ruled)


def _subjects(pairing: Pairing) -> Iterator[str]:
    """What an exception may be about: returns, notes, and the orders of refunds without a return."""
    yield from pairing.note_of
    for case in pairing.case_of.values():
        yield from (case.return_.rma, case.return_.order_name)


def _is_surplus(note: FileNote, pairing: Pairing, ambiguous: Collection[str]) -> bool:
    """True for a note that may be of returns which others credit in full already: no return's row shows its pounds."""
    rivals = pairing.rivals_of.get(note.code, ())
    return bool(rivals) and all(pairing.links_of.get(one) and one not in ambiguous for one in rivals)


def order_of(row: AuditRow) -> tuple[int, int, str, str, tuple[str, ...], str]:
    """The worst status first, then the most money."""
    size = -max(abs(row.gap_pence), row.open_pence)
    return WORST_FIRST.index(row.status), size, row.rma, row.return_id, row.credit_note_codes, row.order_ref


def _tolerated(
    facts: Iterable[ReturnFacts], pairing: Pairing, span: Span
) -> tuple[dict[str, Tolerance], list[Problem]]:
    """What the tolerances make of each return of the span, month by month, and what leans to one side."""
    tolerances = Tolerances()
    by_month: defaultdict[str, list[Residual]] = defaultdict(list)
    for one in facts:
        day = day_of(pairing.case_of[one.return_.return_id])
        if span.holds(day) and (residual := small_residual(one, tolerances)):
            by_month[f"{day:%Y-%m}" if day else ""].append(residual)
    found: dict[str, Tolerance] = {}
    problems = []
    for month, residuals in sorted(by_month.items()):
        governed = govern(residuals, tolerances)
        found |= {residual.subject: "accepted" for residual, _ in governed.cleared}
        found |= {one.residual.subject: "systematic" for one in governed.refused if one.rule == "systematic"}
        problems += [systematic_problem(one, month) for one in governed.systematic]
    return found, problems


def _return_row(case: AuditedReturn, facts: ReturnFacts, verdict: Verdict, pairing: Pairing) -> AuditRow:
    """The row of a return. A note that is only suggested is named and credits nothing."""
    return_id = case.return_.return_id
    told = pairing.links_of.get(return_id) or pairing.suggested_of.get(return_id, ())
    parts = month_parts_of(facts, verdict.waterfall, verdict.vat_gap_pence, verdict.status)
    weights = [abs(sum(part.legs)) for part in parts]
    opened = spread(verdict.open_pence, weights if any(weights) else [*[0] * (len(parts) - 1), 1]) if parts else []
    return AuditRow(
        rma=case.return_.rma,
        return_id=return_id,
        order_ref=case.order_ref or case.return_.order_name,
        credit_note_codes=tuple(link.note_code for link in told),
        currency=case.return_.currency,
        refund_pence=facts.refund_pence,
        credited_pence=facts.credited_pence,
        status=verdict.status,
        matched_by=";".join(sorted({link.matched_by for link in told})),
        certainty=told[0].certainty if told else "",
        day=day_of(case),
        vat_gap_pence=verdict.vat_gap_pence,
        timing=timing_of(facts),
        decision=facts.decision.words if facts.decision and verdict.status == "decided" else "",
        open_pence=verdict.open_pence,
        months=tuple(
            RowMonth(part.period, part.refund_pence, part.credited_pence, pence)
            for part, pence in zip(parts, opened, strict=True)
        ),
        legs=_legs(verdict.waterfall),
        evidence=_evidence(verdict.waterfall),
    )


def _legs(waterfall: Waterfall) -> dict[str, int]:
    return {leg: waterfall.pence(leg) for leg in LEGS}


def _evidence(waterfall: Waterfall) -> dict[str, str]:
    return {leg.name: "; ".join(leg.evidence) for leg in waterfall.legs}


def _note_row(
    facts: NoteFacts, limits: Limits, span: Span, pairing: Pairing
) -> tuple[AuditRow, list[tuple[AuditRow, Problem]]]:
    """The row of a note that no return has for certain, with what is wrong with it."""
    note, verdict, waterfall = facts.note, judge_note(facts, limits, span.now), waterfall_of_note(facts)
    suggested = pairing.suggestion_of.get(note.credit_note_code)
    row = AuditRow(
        rma="",
        return_id="",
        order_ref=note.order_ref,
        credit_note_codes=(note.credit_note_code,),
        currency=note.currency,
        refund_pence=0,
        credited_pence=note.gross_pence,
        status=verdict.status,
        matched_by=suggested.matched_by if suggested else "",
        certainty=suggested.certainty if suggested else "",
        day=note.created_on,
        open_pence=verdict.open_pence,
        legs=_legs(waterfall),
        evidence=_evidence(waterfall),
    )
    return row, [(row, problem) for problem in verdict.problems]


def _goodwill_row(note: FileNote, money: Refund) -> tuple[AuditRow, list[tuple[AuditRow, Problem]]]:
    """The row of a note and of money that have no return and settle each other."""
    day = london_date(money.moved_at) if money.moved_at else note.created_on
    pence = (money.moved_pence, note.gross_pence)
    legs = {str(leg): 0 for leg in LEGS}
    return AuditRow("", "", note.order_ref, (note.code,), note.currency, *pence, "matched", day=day, legs=legs), []


def _counted_beside(facts: ReturnFacts) -> Iterator[Refund]:
    """Money without a return that the notes of the order's one return credit."""
    if facts.paid and facts.beside_pence:
        yield from facts.paid.beside


def _stray_row(refund: Refund, pairing: Pairing, *, is_credited: bool) -> AuditRow:
    """The row of money that no return asked for."""
    name = refund.order_name or refund.return_ref
    return AuditRow(
        rma="",
        return_id="",
        order_ref=pairing.cases.naming.ref_of(name),
        credit_note_codes=(),
        currency=refund.currency,
        refund_pence=refund.moved_pence,
        credited_pence=0,
        status="refund_without_return",
        day=london_date(refund.moved_at) if refund.moved_at else None,
        open_pence=0 if is_credited else refund.moved_pence,
        legs={leg: -refund.moved_pence if leg == "goods" else 0 for leg in LEGS},
        evidence={"goods": "no Credit Note"},
    )


def day_of(case: AuditedReturn) -> date | None:
    """The London day of a return: of its refund, else of its closing or making."""
    return london_date(case.happened_at) if case.happened_at else None
