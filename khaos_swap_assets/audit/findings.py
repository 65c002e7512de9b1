"""What somebody has to do: the exceptions of an audit, each with its owner and the money at risk.

Belongs here: the exceptions of rows, refunds and rejected records. Stays out: the conditions of single returns
(``judging.conditions``), of which all are used that files can show: stock, inspections and postings they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from khaos_swap_assets.adapters.files.documents import Note
from khaos_swap_assets.adapters.files.faults import Fault
from khaos_swap_assets.adapters.files.layouts import RefundRow
from khaos_swap_assets.audit.cases import Case
from khaos_swap_assets.audit.engine import CERTAIN, Pairing, Reconciled, Span, is_late, is_waiting
from khaos_swap_assets.audit.kinds import AUDIT_KINDS
from khaos_swap_assets.audit.rows import Row
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem
from khaos_swap_assets.domain.exceptions.kinds import ExceptionKind
from khaos_swap_assets.domain.judging import conditions, month_conditions
from khaos_swap_assets.domain.judging.facts import Limits, NoteFacts, ReturnFacts
from khaos_swap_assets.domain.judging.proof_conditions import CREDITED, PROOF_RULES
from khaos_swap_assets.domain.judging.verdict import DRAFT_KINDS, HOLDING_KINDS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.money.tolerance import Systematic

RULES = conditions.RULES | PROOF_RULES
RETURN_KINDS = (*DRAFT_KINDS, "outcome_needs_policy", "refund_unconfirmed_too_long", *PROOF_RULES)
FOR_OPEN_ROWS = frozenset({"outcome_needs_policy"})
"""Kinds that ask what to post: where the books are right already, nobody has to be asked."""
ALL_KINDS = KINDS | AUDIT_KINDS


@dataclass(frozen=True, slots=True)
class Finding:
    """One exception. ``opened_on`` is the London day on which its condition began, if it can be told."""

    kind: str
    subject: str
    message: str
    rma: str = ""
    order_ref: str = ""
    sku: str = ""
    money_at_risk_pence: int = 0
    currency: str = ""
    opened_on: date | None = None
    suggestion: str = ""

    @property
    def described(self) -> ExceptionKind:
        """What the kind means, who acts on it and how."""
        return ALL_KINDS[self.kind]


def findings(done: Reconciled, pairing: Pairing, span: Span, faults: Sequence[Fault]) -> list[Finding]:
    """All exceptions: of rows, of money without a return, of rejected records; the most money first."""
    found: list[Finding] = []
    for row in done.rows:
        if row.return_id:
            found += _of_return(row, pairing, span)
        elif row.is_unreconciled:
            found += _of_note(row, pairing.note_of[row.credit_note_codes[0]], pairing)
    settled = {refund.refund_id for refund in pairing.money_of.values()}
    others = [refund for refund in pairing.cases.stray_refunds if refund.refund_id not in settled]
    strays = [refund for refund in others if span.holds(_refunded_on(refund))]
    found += map(_stray, strays)
    found += map(_systematic, done.systematic)
    found += _unreadable(faults)
    return sorted(found, key=lambda one: (-one.money_at_risk_pence, one.kind, one.subject))


def _of_return(row: Row, pairing: Pairing, span: Span) -> Iterator[Finding]:
    case, notes = pairing.case_of[row.return_id], [pairing.note_of[code] for code in row.credit_note_codes]
    judged = conditions.Case(_facts(row, case, notes), Limits(), span.now)
    kinds = [kind for kind in RETURN_KINDS if row.is_unreconciled or kind not in FOR_OPEN_ROWS]
    problems = [problem for kind in kinds for problem in RULES[kind](judged)]
    for problem in problems:
        yield _of_problem(problem, row)
    money = list(_of_money(row, case, span))
    told = {problem.kind for problem in problems} | {finding.kind for finding in money}
    if CREDITED not in told:
        yield from _of_value(row, case, is_held=bool(told & HOLDING_KINDS))
    yield from _of_vat(row)
    if pence := row.timing.shifted_pence:
        yield _of_money_kind(month_conditions.KIND, row, row.timing.told(row.currency, span.vat_periods), pence)
    yield from money


def _facts(row: Row, case: Case, notes: Sequence[Note]) -> ReturnFacts:
    """The facts of the return with its Credit Notes as one; what the audit lets be counts as covered."""
    if row.certainty != CERTAIN:
        return case.facts
    is_settled = row.status in ("matched", "within_tolerance")
    pence = case.facts.refund_pence if is_settled else row.credited_pence
    codes, lines = ";".join(row.credit_note_codes), tuple(one for note in notes for one in note.record.codes)
    note = CreditNote(codes, "", "", row.currency, row.day, row.day, None, pence, 0, lines=lines)
    return replace(case.facts, notes=(NoteFacts(note, row.return_id, row.rma),))


def _of_problem(problem: Problem, row: Row) -> Finding:
    return Finding(
        problem.kind,
        problem.subject,
        problem.message,
        problem.rma,
        row.order_ref,
        problem.sku,
        problem.money_at_risk_pence,
        problem.currency,
        row.day,
        problem.suggestion,
    )


def _of_value(row: Row, case: Case, *, is_held: bool) -> Iterator[Finding]:
    """What the row's status asks for; a missing note is not told twice where another exception explains it."""
    refund, credited = (format_money(pence, row.currency) for pence in (row.refund_pence, row.credited_pence))
    codes = ", ".join(row.credit_note_codes)
    if row.status == "duplicate":
        yield _row_finding("credit_note_duplicate", row, f"{codes} credit {credited} for a refund of {refund}", row.day)
    elif row.status == "value_gap":
        yield _row_finding("value_gap", row, f"Refund {refund}, credited {credited} by {codes}{_why(row)}", row.day)
    elif row.status in ("credit_note_missing", "ambiguous") and not row.credited_pence and not is_held:
        yield _row_finding("credit_note_missing", row, _missing(row, refund), _due_on(case), suggestion=codes)


def _of_vat(row: Row) -> Iterator[Finding]:
    """The right gross at another VAT than that of the sale (U-5, U-6)."""
    apart = row.vat_gap_pence or 0
    if apart and (row.gap_pence == 0 or row.status == "matched"):
        told, codes = format_money(abs(apart), row.currency), ", ".join(row.credit_note_codes)
        which = "more" if apart > 0 else "less"
        yield replace(
            _row_finding("vat_differs", row, f"{codes}: VAT is {told} {which} than at the rate of the sale", row.day),
            money_at_risk_pence=abs(apart),
        )


def _why(row: Row) -> str:
    """The legs of the gap with their evidence."""
    legs = [
        f"{name} {format_money(row.legs[name], row.currency)} ({evidence})" for name, evidence in row.evidence.items()
    ]
    return f": {', '.join(legs)}" if legs else ""


def _missing(row: Row, refund: str) -> str:
    if row.status == "ambiguous":
        return f"Refund of {refund}, and more than one Credit Note or return fits: nobody can tell which"
    if row.credit_note_codes:
        return f"Refund of {refund} and no Credit Note for certain; {', '.join(row.credit_note_codes)} may be it"
    return f"Refund of {refund} and no Credit Note"


def _due_on(case: Case) -> date | None:
    moment = case.refunded_at
    return london_date(moment + timedelta(days=Limits().credit_note_days)) if moment else None


def _row_finding(kind: str, row: Row, message: str, opened_on: date | None, *, suggestion: str = "") -> Finding:
    return Finding(
        kind,
        row.rma,
        message,
        row.rma,
        row.order_ref,
        money_at_risk_pence=abs(row.gap_pence),
        currency=row.currency,
        opened_on=opened_on,
        suggestion=suggestion,
    )


def _of_money(row: Row, case: Case, span: Span) -> Iterator[Finding]:
    """Where the refunds file is the money: Swap's figure beside it."""
    return_, money = case.return_, case.money
    if money is None or not return_.is_refund_confirmed:
        return
    said, moved = return_.refund_pence, money.cash_pence + money.tender_pence
    told = format_money(said, return_.currency)
    if not moved:
        if is_late(case, span) and is_waiting(case):
            yield _of_money_kind("refund_not_paid", row, f"Swap closed it with {told}, no money moved", said)
            yield from _of_unpaid_note(row)
    elif money.currency != return_.currency:
        paid_in = money.currency or "several currencies"
        yield _of_money_kind("refund_differs", row, f"Swap says {told}, the money moved in {paid_in}", said)
    elif said not in (moved, money.cash_pence):
        paid = format_money(moved, return_.currency)
        yield _of_money_kind("refund_differs", row, f"Swap says {told}, {paid} moved", abs(said - moved))


def _of_unpaid_note(row: Row) -> Iterator[Finding]:
    """What was credited although no money moved: no refund, no reduction (U-1)."""
    if row.credited_pence:
        credited, codes = format_money(row.credited_pence, row.currency), ", ".join(row.credit_note_codes)
        yield _of_money_kind(CREDITED, row, f"{codes} credit {credited}, and no money moved", row.credited_pence)


def _of_money_kind(kind: str, row: Row, message: str, pence: int) -> Finding:
    return Finding(
        kind,
        row.rma,
        message,
        row.rma,
        row.order_ref,
        money_at_risk_pence=pence,
        currency=row.currency,
        opened_on=row.day,
    )


def _of_note(row: Row, note: Note, pairing: Pairing) -> Iterator[Finding]:
    message, suggestion = _why_orphan(note, pairing)
    yield Finding(
        "credit_note_orphan",
        note.code,
        message,
        order_ref=note.order_ref,
        money_at_risk_pence=row.credited_pence,
        currency=row.currency,
        opened_on=row.day,
        suggestion=suggestion,
    )


def _why_orphan(note: Note, pairing: Pairing) -> tuple[str, str]:
    """The message, and what would make it fit its nearest return."""
    if rivals := pairing.rivals_of.get(note.code):
        names = ", ".join(pairing.case_of[rival].return_.rma for rival in rivals)
        return f"Fits in more than one way, so nobody can tell to which it belongs: {names}", names
    reason = pairing.reason_of.get(note.code)
    if reason is None:
        return f"Reference {note.associated_ref or '(none)'} and no return is near it", ""
    nearest = pairing.case_of[reason.return_id].return_.rma
    return f"Belongs to no return for certain; nearest is {nearest}: {reason.clause}", f"{nearest}: {reason.change}"


def _refunded_on(refund: RefundRow) -> date | None:
    return london_date(refund.refunded_at) if refund.refunded_at else None


def _stray(refund: RefundRow) -> Finding:
    paid = format_money(refund.amount_pence, refund.currency)
    named = f"return {refund.return_id}" if refund.return_id else f"order {refund.order_ref}"
    return Finding(
        "refund_without_return",
        refund.refund_id,
        f"{paid} moved for {named}, and no return in Swap asks for it",
        order_ref=refund.order_ref,
        money_at_risk_pence=refund.amount_pence,
        currency=refund.currency,
        opened_on=_refunded_on(refund),
    )


def _systematic(of_month: tuple[str, Systematic]) -> Finding:
    month, found = of_month
    total = format_money(found.pence, found.currency)
    return Finding(
        "differences_systematic",
        f"{found.reason} {month}".strip(),
        f"{found.count} differences of the cause {found.reason}, all of one sign, {total} together",
        money_at_risk_pence=abs(found.pence),
        currency=found.currency,
    )


def _unreadable(faults: Sequence[Fault]) -> Iterator[Finding]:
    """One a rejected record, with everything wrong with it."""
    by_record: dict[tuple[str, int, int], list[Fault]] = {}
    for fault in faults:
        by_record.setdefault((fault.file, fault.line, fault.record), []).append(fault)
    for (file, line, _), some in by_record.items():
        yield Finding("record_unreadable", f"{file}:{line}", "; ".join(map(_told, some)))


def _told(fault: Fault) -> str:
    return f"{fault.column}: {fault.reason}" if fault.column else fault.reason
