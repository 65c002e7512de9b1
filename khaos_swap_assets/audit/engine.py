"""Both sides put together and judged: each return beside its Credit Notes, the notes and the refunds that are left.

Belongs here: asking the judge, the rows that follow, and what somebody has to do, as an audit shows it. Stays out: the
facts of each return and note (``pairing``), and what is true of them (``judging.verdict``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta

from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.adapters.files.faults import Fault
from khaos_swap_assets.audit.cases import AuditedReturn
from khaos_swap_assets.audit.deciding import Decided, Ruling
from khaos_swap_assets.audit.pairing import Pairing, facts_of, note_facts
from khaos_swap_assets.audit.rows import CERTAIN, NO_LEGS, SUGGESTED, AuditRow, RowMonth
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts, Tolerance
from khaos_swap_assets.domain.judging.money_conditions import without_return
from khaos_swap_assets.domain.judging.month_conditions import timing_of
from khaos_swap_assets.domain.judging.return_waterfall import month_parts_of, waterfall_of_note
from khaos_swap_assets.domain.judging.value_conditions import small_residual, systematic_problem
from khaos_swap_assets.domain.judging.verdict import Verdict, judge, judge_note
from khaos_swap_assets.domain.judging.waterfall import LEGS, Waterfall
from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.money.periods import LONDON, VatPeriods, london_date
from khaos_swap_assets.domain.money.tolerance import Tolerances, govern
from khaos_swap_assets.domain.records.decisions import PersonDecision
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets.domain.sums import grouped


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
    decided: Decided
    rulings: list[Ruling]


def reconciled(pairing: Pairing, span: Span) -> Audited:
    """Make and judge all rows, then leave those out that lie outside the span."""
    facts = [facts_of(case, pairing) for case in pairing.case_of.values()]
    tolerated, others = _tolerated(facts, pairing, span)
    others += pairing.cases.paid.others
    limits = Limits(vat_periods=span.vat_periods)
    rows: list[AuditRow] = []
    problems: list[tuple[AuditRow, Problem]] = []

    def take(row: AuditRow, some: Sequence[Problem]) -> None:
        rows.append(pairing.decided.settled(row, some))
        problems.extend((row, one) for one in some)

    for one in facts:
        tolerance = tolerated.get(one.return_.return_id)
        found = replace(one, tolerance=tolerance) if tolerance else one
        verdict = judge(found, limits, span.now)
        take(_return_row(found, verdict, pairing), verdict.problems)
    ambiguous = {row.return_id for row in rows if row.status == "ambiguous"}
    for note in pairing.unmatched:
        take(*_of_note(note, limits, span, pairing, ambiguous))
    counted = {refund.refund_id for one in facts for refund in _counted_beside(one)}
    settled = {refund.refund_id for refund in pairing.money_of.values()}
    for refund in (one for one in pairing.cases.paid.strays if one.refund_id not in settled):
        row, problem = _stray_row(refund, pairing), without_return(refund, ())
        if refund.refund_id not in counted and row.open_pence:
            take(row, [problem])
        else:
            problems.append((row, problem))
    ruled = pairing.decided.ruled(facts, [*(one for _, one in problems), *others], _subjects(pairing))
    kept = [row for row in rows if span.holds(row.day)]
    told = [(row, problem) for row, problem in problems if span.holds(row.day)]
    kept.sort(key=lambda row: row.turn)
    return Audited(kept, told, others, decided=pairing.decided, rulings=ruled)


def _subjects(pairing: Pairing) -> Iterator[str]:
    """What an exception may be about: returns, notes, and the orders of refunds without a return."""
    yield from pairing.note_of
    for case in pairing.case_of.values():
        yield from (case.return_.rma, case.return_.order_name)


def _tolerated(
    facts: Iterable[ReturnFacts], pairing: Pairing, span: Span
) -> tuple[dict[str, Tolerance], list[Problem]]:
    """What the tolerances make of each return of the span, month by month, and what leans to one side."""
    tolerances = Tolerances()
    dated = ((day_of(pairing.case_of[one.return_.return_id]), one) for one in facts)
    by_month = grouped(
        (f"{day:%Y-%m}" if day else "", residual)
        for day, one in dated
        if span.holds(day) and (residual := small_residual(one, tolerances))
    )
    found: dict[str, Tolerance] = {}
    problems = []
    for month, residuals in sorted(by_month.items()):
        governed = govern(residuals, tolerances)
        found |= {residual.subject: "accepted" for residual, _ in governed.cleared}
        found |= {one.subject: "systematic" for one, rule in governed.refused if rule == "systematic"}
        problems += [systematic_problem(one, month) for one in governed.systematic]
    return found, problems


def _return_row(facts: ReturnFacts, verdict: Verdict, pairing: Pairing) -> AuditRow:
    """The row of a return. A note that is only suggested is named and credits nothing."""
    case = pairing.case_of[facts.return_.return_id]
    certain = pairing.links_of.get(case.return_.return_id, ())
    told = certain or pairing.suggested_of.get(case.return_.return_id, ())
    parts = month_parts_of(facts, verdict.waterfall, verdict.vat_gap_pence, verdict.status)
    weights = [abs(sum(part.legs)) for part in parts]
    opened = spread(verdict.open_pence, weights if any(weights) else [*[0] * (len(parts) - 1), 1]) if parts else []
    return AuditRow(
        rma=case.return_.rma,
        return_id=case.return_.return_id,
        order_ref=case.order_ref or case.return_.order_name,
        credit_note_codes=tuple(link.credit_note_code for link in told),
        currency=case.return_.currency,
        refund_pence=facts.refund_pence,
        credited_pence=facts.credited_pence,
        status=verdict.status,
        matched_by=";".join(sorted({link.matched_by for link in told})),
        certainty=CERTAIN if certain else SUGGESTED if told else "",
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
    )


def _legs(waterfall: Waterfall) -> dict[str, int]:
    return {leg: waterfall.pence(leg) for leg in LEGS}


def _of_note(
    note: FileNote, limits: Limits, span: Span, pairing: Pairing, ambiguous: Collection[str]
) -> tuple[AuditRow, Sequence[Problem]]:
    """The row of a note that no return has for certain, with what is wrong with it.

    All of one that may be of returns which others credit in full already is open: no row of a return shows its pounds.
    """
    plain = AuditRow(
        order_ref=note.order_ref,
        credit_note_codes=(note.code,),
        currency=note.currency,
        refund_pence=0,
        credited_pence=note.gross_pence,
        status="matched",
        day=note.created_on,
    )
    if money := pairing.money_of.get(note.code):
        day = london_date(money.moved_at) if money.moved_at else note.created_on
        return plain._replace(refund_pence=money.moved_pence, day=day), ()
    facts, why = note_facts(note, pairing), pairing.why_of[note.code]
    verdict = judge_note(facts, limits, span.now)
    is_surplus = bool(why.rivals) and all(pairing.links_of.get(one) and one not in ambiguous for one in why.rivals)
    row = plain._replace(
        status=verdict.status,
        matched_by=why.suggested_by,
        certainty=SUGGESTED if why.suggested_by else "",
        open_pence=note.gross_pence if is_surplus else verdict.open_pence,
        legs=_legs(waterfall_of_note(facts)),
    )
    return row, verdict.problems


def _counted_beside(facts: ReturnFacts) -> Iterator[Refund]:
    """Money without a return that the notes of the order's one return credit."""
    if facts.paid and facts.beside_pence:
        yield from facts.paid.beside


def _stray_row(refund: Refund, pairing: Pairing) -> AuditRow:
    """The row of money that no return asked for."""
    return AuditRow(
        order_ref=pairing.cases.shelf.orders.naming.ref(refund.order_name or refund.return_ref),
        currency=refund.currency,
        refund_pence=refund.moved_pence,
        credited_pence=0,
        status="refund_without_return",
        day=london_date(refund.moved_at) if refund.moved_at else None,
        open_pence=refund.moved_pence,
        legs={**NO_LEGS, "goods": -refund.moved_pence},
    )


def day_of(case: AuditedReturn) -> date | None:
    """The London day of a return: of its refund, else of its closing or making."""
    return london_date(case.happened_at) if case.happened_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding(Problem):
    """One exception. ``opened_on`` is the London day on which its condition began, if it can be told.

    ``waiver`` says who waived it and why; ``refund_pence`` and ``credited_pence`` are those of its row.
    """

    order_ref: str = ""
    opened_on: date | None = None
    waiver: PersonDecision | None = None
    refund_pence: int | None = None
    credited_pence: int | None = None


def findings(done: Audited, faults: Sequence[Fault]) -> list[AuditFinding]:
    """All exceptions: of rows, of whole months, of rejected records; the most money first."""
    found = [_finding(problem, row, done.decided) for row, problem in done.problems]
    found += [_finding(problem, None, done.decided) for problem in done.others]
    found += _unreadable(faults)
    return sorted(found, key=lambda one: (-one.money_at_risk_pence, one.kind, one.subject))


def _finding(problem: Problem, row: AuditRow | None, decided: Decided) -> AuditFinding:
    return AuditFinding(
        **{one.name: getattr(problem, one.name) for one in fields(Problem)},
        order_ref=row.order_ref if row else "",
        opened_on=_opened_on(problem, row) if row else None,
        waiver=decided.waiver(problem),
        refund_pence=row.refund_pence if row else None,
        credited_pence=row.credited_pence if row else None,
    )


def _opened_on(problem: Problem, row: AuditRow) -> date | None:
    """A note is missing from the day on which it should have been there, all else from the day of the row."""
    waits = timedelta(days=Limits().credit_note_days if problem.kind == "credit_note_missing" else 0)
    return row.day + waits if row.day else None


def _unreadable(faults: Sequence[Fault]) -> Iterator[AuditFinding]:
    """One a rejected record, with everything wrong with it."""
    by_record = grouped(((fault.file, fault.line, fault.record), fault) for fault in faults)
    for (file, line, _), some in by_record.items():
        yield AuditFinding("record_unreadable", f"{file}:{line}", "; ".join(map(_told, some)))


def _told(fault: Fault) -> str:
    return f"{fault.column}: {fault.reason}" if fault.column else fault.reason
