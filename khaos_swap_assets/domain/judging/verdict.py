"""The verdict on one return and on one Credit Note: status, gap and its causes, what is wrong, when to look again.

Belongs here: what follows from all conditions together. Stays out: the single conditions (``judging.conditions``) and
which note belongs to which return (``linking.attribution``). Source: DESIGN §4.8, §7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from khaos_swap_assets.domain.documents.credit_notes import CODE_NOT_KNOWN
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import RULES, JudgedReturn, Rule
from khaos_swap_assets.domain.judging.deadlines import deadlines, first_change, note_deadlines
from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.judging.goods_conditions import GOODS_RULES
from khaos_swap_assets.domain.judging.money_conditions import MONEY_RULES, PROOF_RULES, is_overdue
from khaos_swap_assets.domain.judging.month_conditions import TAX_RULES
from khaos_swap_assets.domain.judging.return_waterfall import vat_gap_of, waterfall_of, weighed
from khaos_swap_assets.domain.judging.value_conditions import UNRECONCILED, VALUE_RULES, Status, status_by_value
from khaos_swap_assets.domain.judging.waterfall import Waterfall
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.decisions import ACCEPTED_VALUE, Figures
from khaos_swap_assets.domain.records.orders import INVOICE_NOT_KNOWN
from khaos_swap_assets.domain.records.returns import hold_words

DRAFT_KINDS = (
    *("sku_unknown", "sku_ambiguous", "sku_discontinued", "order_not_found", "order_ambiguous", "order_not_invoiced"),
    *("customer_unknown", "over_return", "currency_mismatch", "refund_not_explained", "pack_unclear"),
)
"""What holds a draft back for what the shop, Swap and the orders say."""
TABLES = (RULES, VALUE_RULES, TAX_RULES, GOODS_RULES, PROOF_RULES, MONEY_RULES)
EVERY_RULE = tuple(rule for table in TABLES for rule in table.values())
DECIDED_STATUSES = frozenset({"duplicate", "value_gap", "credit_note_missing"})
DECIDED_KINDS = DECIDED_STATUSES - {"duplicate"} | {"credit_note_duplicate"}
"""What a person's decision on the value of a return answers."""
HOLDING_KINDS = frozenset({*DRAFT_KINDS, "posting_refused", "posting_in_doubt", "kept_unclear", "kept_without_reason"})
AWAITED = frozenset({INVOICE_NOT_KNOWN, CODE_NOT_KNOWN})
Told = tuple[Rule | None, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is true of a return now. ``next_due_at`` is the next moment when time alone will change it (UTC), if any.

    ``vat_gap_pence`` is VAT credited less VAT of the refund; None without a note, or where a net or rate is not known.
    ``open_pence`` is what the books do not show or show wrongly, without sign; 0 where nobody has to act.
    """

    status: Status
    waterfall: Waterfall
    vat_gap_pence: int | None
    problems: tuple[Problem, ...]
    next_due_at: datetime | None = None
    open_pence: int = 0

    @property
    def gap_pence(self) -> int:
        """Credited less refunded."""
        return self.waterfall.gap_pence


@dataclass(frozen=True, slots=True)
class NoteVerdict:
    """What is true of a note now; ``open_pence``: what the books show wrongly, 0 where a return has its pounds."""

    problems: tuple[Problem, ...]
    next_due_at: datetime | None = None
    status: Status = "credit_note_orphan"
    open_pence: int = 0


def judge(facts: ReturnFacts, limits: Limits, now: datetime) -> Verdict:
    """Judge a return and the Credit Notes attributed to it at ``now`` (aware). Problems come in catalogue order."""
    own = weighed(facts)
    told = tuple(_told(JudgedReturn(own, limits, now)))

    def at(moment: datetime) -> tuple[Status, tuple[Problem, ...]]:
        return _judge(JudgedReturn(own, limits, moment), told)

    status, problems = found = at(now)
    due = first_change(at, deadlines(facts, limits), now, found)
    open_pence = _open_pence(own, status)
    return Verdict(status, waterfall_of(facts), vat_gap_of(own), problems, next_due_at=due, open_pence=open_pence)


def _open_pence(facts: ReturnFacts, status: Status) -> int:
    """Every pound of the return that the books do not show, or show wrongly, once."""
    surplus = facts.money.surplus_pence if facts.money else 0
    apart = facts.apart_pence if facts.notes else -facts.due_pence
    if status not in UNRECONCILED:
        return 0
    return max(apart, surplus, facts.overpaid_pence) if apart > 0 else max(surplus - apart, facts.overpaid_pence)


def judge_note(facts: NoteFacts, limits: Limits, now: datetime) -> NoteVerdict:
    """Judge one Credit Note; ``judge`` already does it for the notes attributed to its return."""

    def at(moment: datetime) -> tuple[Problem, ...]:
        return tuple(_note_problems(facts, limits, moment))

    found = at(now)
    due = first_change(at, note_deadlines(facts, limits), now, found)
    status: Status = "ambiguous" if facts.rival_rmas else "credit_note_orphan"
    return NoteVerdict(found, due, status, 0 if facts.rival_rmas or facts.is_suggested else _whole_pence(facts))


def judge_unreadable(subject: str, reason: str, return_id: str = "") -> Problem:
    """The problem of a row that could not be read; ``subject`` is its RMA, or its hash when it shows none."""
    return Problem("record_unreadable", subject, reason, return_id=return_id, rma=subject if return_id else "")


def _told(case: JudgedReturn) -> Iterator[Told]:
    """What each rule says now, and the rule itself where it asked for the moment: no other says else at another one."""
    for rule in EVERY_RULE:
        case.is_timed = False
        problems = tuple(rule(case))
        yield rule if case.is_timed else None, problems


def _judge(case: JudgedReturn, told: Sequence[Told]) -> tuple[Status, tuple[Problem, ...]]:
    problems = [problem for rule, found in told for problem in (rule(case) if rule else found)]
    if _is_note_missing(case, {problem.kind for problem in problems}):
        problems.append(_note_missing(case))
    if _is_ambiguous(case):
        problems.append(_note_ambiguous(case))
    for note in case.facts.notes:
        problems.extend(_note_problems(note, case.limits, case.now))
    status = _status(case)
    if status not in DECIDED_STATUSES or not is_decided(case.facts):
        return status, tuple(problems)
    return "decided", tuple(problem for problem in problems if problem.kind not in DECIDED_KINDS)


def figures_of(facts: ReturnFacts) -> Figures:
    """The figures on which a person decides about the value of a return."""
    return Figures(None, facts.refund_pence, facts.credited_pence, facts.return_.currency)


def is_decided(facts: ReturnFacts) -> bool:
    """Whether a person accepted this value, or settled it outside the books, on figures that still are so."""
    decision = facts.decision
    is_apt = decision is not None and (decision.decision != ACCEPTED_VALUE or bool(facts.notes))
    return is_apt and decision is not None and decision.on.still_hold(figures_of(facts))


def _status(case: JudgedReturn) -> Status:
    facts = case.facts
    by_value = status_by_value(facts)
    if by_value == "duplicate":
        return by_value
    if _is_ambiguous(case):
        return "ambiguous"
    if by_value == "in_flight" and is_overdue(case):
        return "value_gap"
    if by_value in ("matched", "within_tolerance") and facts.money and facts.money.surplus:
        return "paid_twice"
    if by_value in ("matched", "within_tolerance") and facts.overpaid_pence:
        return "value_gap"
    return by_value or _status_alone(case)


def _status_alone(case: JudgedReturn) -> Status:
    """The status without a Credit Note."""
    facts = case.facts
    if facts.due_pence == 0:
        return "in_flight" if facts.is_waiting_for_swap or facts.is_unproven else "nothing_due"
    return "credit_note_missing" if _is_late(case) and not _is_waiting(case) else "in_flight"


def _is_ambiguous(case: JudgedReturn) -> bool:
    """True where a Credit Note may be this return's or another one's, something is due, and no other settles it."""
    facts = case.facts
    is_settled = bool(facts.notes) and (not facts.apart_pence or facts.tolerance == "accepted")
    return bool(facts.doubtful_notes) and bool(facts.due_pence or facts.notes) and not is_settled


def _is_late(case: JudgedReturn) -> bool:
    """No note, none of ours under way, and longer than the limit ago."""
    facts = case.facts
    is_alone = facts.due_pence > 0 and not facts.notes and not facts.undone_pence
    is_alone = is_alone and "credit_notes" not in facts.unknown
    is_undated = facts.paid is not None and facts.refunded_at is None
    return is_alone and (is_undated or case.is_past(facts.refunded_at, timedelta(days=case.limits.credit_note_days)))


def _is_waiting(case: JudgedReturn) -> bool:
    """A document of ours is held for something that is expected to come by itself."""
    facts = case.facts
    is_awaited = facts.is_held_for_inspection or facts.is_order_awaited or not AWAITED.isdisjoint(facts.holds)
    return facts.may_be_posted_later and is_awaited


def _is_note_missing(case: JudgedReturn, kinds: set[str]) -> bool:
    is_only_policy = "outcome_needs_policy" in kinds and not case.facts.refund_lines
    is_owned = bool(kinds & (HOLDING_KINDS | set(case.facts.holds))) or is_only_policy
    is_owned = is_owned or bool(case.facts.money and case.facts.money.is_doubtful)
    is_covered = bool(case.facts.covering_note_code or case.facts.doubtful_notes)
    return _is_late(case) and not (is_owned or _is_waiting(case) or is_covered)


def _note_missing(case: JudgedReturn) -> Problem:
    facts = case.facts
    beyond = f" and {case.money(facts.beyond_pence)} beside it by the policy" if facts.beyond_pence else ""
    tender = f" and {case.money(facts.tender_pence)} by gift card or store credit" if facts.tender_pence else ""
    message = f"Refund of {case.money(facts.refund_pence)}{tender}{beyond} and no Credit Note"
    why = f"; held: {', '.join(map(hold_words, facts.holds))}" if facts.holds else ""
    return case.problem("credit_note_missing", message + why + case.note_due, facts.due_pence)


def _note_ambiguous(case: JudgedReturn) -> Problem:
    facts = case.facts
    codes = ", ".join(facts.doubtful_notes)
    message = f"{case.money(facts.due_pence)} are due, and {codes} may be of this return or of another one"
    hint = f"Decide which return {codes} belongs to; post a Credit Note only for the other"
    if facts.merged_notes:
        hint = f"{', '.join(facts.merged_notes)} may credit several returns together; post none before that is decided"
    return case.problem("credit_note_ambiguous", message, abs(facts.apart_pence) or facts.due_pence, suggestion=hint)


def _note_problems(facts: NoteFacts, limits: Limits, now: datetime) -> Iterator[Problem]:
    today, note = london_date(now), facts.note
    if not facts.is_teller:
        return
    if not facts.return_id:
        if facts.seen_from is None or note.created_on is None or note.created_on >= facts.seen_from:
            yield _note_problem("credit_note_orphan", facts, _orphan_reason(facts))
    elif facts.is_issue_known and not note.is_issued and _is_older(note.created_on, limits.issue_days, today):
        yield _note_problem("credit_note_not_issued", facts, f"Made on {note.created_on} and not issued")
    elif _is_older(note.issued_on, limits.allocation_days, today) and _is_unallocated(facts):
        open_money = format_money(facts.unallocated_pence or 0, note.currency)
        yield _note_problem(
            "credit_note_unallocated",
            facts,
            f"Do not refund again: {note.issued_words}, and {open_money} of credit stands open on the account",
        )


def _decide(facts: NoteFacts) -> str:
    """What to do where it fits several returns, so that nothing is credited twice."""
    if not facts.rival_rmas:
        return ""
    rmas = ", ".join(facts.rival_rmas)
    if facts.is_merged:
        return f"{rmas}: decide which of them {facts.note.credit_note_code} credits; post for none before that"
    return f"{rmas}: decide which return {facts.note.credit_note_code} belongs to; post only for the other"


def _orphan_reason(facts: NoteFacts) -> str:
    if facts.is_merged:
        return f"May credit several returns together, and so goes to none of them: {', '.join(facts.rival_rmas)}"
    if facts.rival_rmas:
        return f"Fits more than one return or has a twin: {', '.join(facts.rival_rmas)}"
    reason = f"Reference {facts.note.associated_ref or '(none)'} and no return fits"
    return f"{reason}; nearest is {facts.nearest}" if facts.nearest else reason


def _is_unallocated(facts: NoteFacts) -> bool:
    return facts.unallocated_pence is not None and facts.unallocated_pence >= _whole_pence(facts) > 0


def _whole_pence(facts: NoteFacts) -> int:
    return facts.note.gross_pence if facts.whole_pence is None else facts.whole_pence


def _is_older(day: date | None, days: int, today: date) -> bool:
    return day is not None and today > day + timedelta(days=days)


def _note_problem(kind: str, facts: NoteFacts, message: str) -> Problem:
    return Problem(
        kind,
        facts.note.credit_note_code,
        message,
        return_id=facts.return_id,
        rma=facts.rma,
        credit_note_code=facts.note.credit_note_code,
        suggestion=_decide(facts) or facts.suggestion,
        money_at_risk_pence=_whole_pence(facts),
        currency=facts.note.currency,
    )
