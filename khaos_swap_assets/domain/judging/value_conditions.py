"""What the Credit Notes of a return say about its refund, and when that is trouble: the table ``VALUE_RULES``.

Belongs here: the status by value, the conditions of a value, and which return takes part in the tolerances with which
residual: a document of ours is exact, so a return that has one takes none. Stays out: other conditions of a return
(``judging.conditions``), the legs of a gap (``judging.waterfall``) and the rules of the tolerances
(``money.tolerance``). Source: FINANCE_RULES U-12 to U-15, U-20, U-28.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import JudgedReturn, Rule, has_unexplained_growth
from khaos_swap_assets.domain.judging.document_facts import NOTHING
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.return_waterfall import waterfall_of, weighed
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.tolerance import Residual, Systematic, Tolerances, residual_of
from khaos_swap_assets.domain.records.returns import rightful_pence
from khaos_swap_assets.domain.refunds.money_shown import is_awaited

Status = Literal[
    "duplicate",
    "ambiguous",
    "value_gap",
    "paid_twice",
    "credit_note_missing",
    "credit_note_orphan",
    "refund_without_return",
    "in_flight",
    "decided",
    "within_tolerance",
    "matched",
    "nothing_due",
]
WORST_FIRST: tuple[Status, ...] = get_args(Status)
UNRECONCILED: frozenset[Status] = frozenset(WORST_FIRST[: WORST_FIRST.index("in_flight")])


def _credit_note_duplicate(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    if status_by_value(facts) == "duplicate" and not facts.is_unproven:
        codes = ", ".join(sorted(note.note.credit_note_code for note in facts.notes))
        message = f"{codes} credit {case.money(facts.credited_pence)} for a refund of {case.money(facts.refund_pence)}"
        yield case.problem("credit_note_duplicate", message, facts.apart_pence)


def _value_gap(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    is_part_payment = facts.is_credited_as_posted and has_unexplained_growth(facts)
    is_unpaid = facts.is_unproven or is_awaited(facts.money, facts.said)
    is_told_elsewhere = is_part_payment or facts.tolerance == "systematic" or is_unpaid or _is_of_money(facts)
    if status_by_value(facts) == "value_gap" and not is_told_elsewhere:
        codes = ", ".join(sorted(note.note.credit_note_code for note in facts.notes))
        message = f"Refund {case.money(facts.refund_pence)}, credited {case.money(facts.credited_pence)} by {codes}"
        why = waterfall_of(facts).explained(facts.return_.currency)
        yield case.problem("value_gap", f"{message}: {why}", abs(facts.apart_pence))


def _is_of_money(facts: ReturnFacts) -> bool:
    """True where the notes are what Swap asks for, and the whole gap is money that differs from that."""
    moved_pence = facts.paid.moved_pence if facts.paid and facts.paid.state == "differs" else None
    return moved_pence is not None and facts.apart_pence == facts.asked_pence - moved_pence


def status_by_value(facts: ReturnFacts) -> Status | None:
    """What the attributed notes say about the refund; None without notes.

    One of duplicate, value_gap, in_flight, within_tolerance and matched. A gap that documents of ours on their way
    fill, or that new lines explain, is in flight and no gap yet.
    """
    if not facts.notes:
        return None
    if facts.is_waiting_for_swap:
        return "in_flight" if is_early_credit(facts) else "value_gap"
    if facts.apart_pence == 0:
        return "matched"
    if facts.tolerance == "accepted":
        return "within_tolerance"
    if _is_doubled(facts):
        return "duplicate"
    is_on_its_way = -facts.apart_pence == facts.undone_pence
    is_second_refund = facts.apart_pence < 0 and facts.is_credited_as_posted and facts.is_growth_explained
    return "in_flight" if is_on_its_way or is_second_refund else "value_gap"


def is_early_credit(facts: ReturnFacts) -> bool:
    """True where the notes credit what is yet to be paid: Swap's refund, or the goods; or are documents of ours."""
    return_ = facts.said or facts.return_
    rows = sum(line.cost_pence for line in return_.refund_lines)
    rightful = rightful_pence(return_, return_.refund_pence or rows, facts.order_delivery_pence)
    return bool(facts.postings) or facts.credited_pence in rightful


def _is_doubled(facts: ReturnFacts) -> bool:
    """True where one of several notes could go, and the others would still credit all the goods."""
    if len(facts.notes) < 2 or facts.apart_pence <= 0:
        return False
    goods = [one.note.gross_pence - one.note.delivery_gross_pence for one in facts.notes]
    waterfall = waterfall_of(facts)
    apart = facts.apart_pence - waterfall.pence("delivery") - waterfall.pence("fee")
    return apart >= min(goods) > 0


def _exchange_overpaid(case: JudgedReturn) -> Iterator[Problem]:
    if pence := case.facts.overpaid_pence:
        paid = case.money(case.facts.refund_pence)
        message = f"{paid} were paid out although goods went out in exchange: {case.money(pence)} more than is owed"
        yield case.problem("exchange_overpaid", message, pence)


def _over_credited(case: JudgedReturn) -> Iterator[Problem]:
    """What the notes of an order credit beyond it, where neither the return's own gap nor its goods say so (U-26)."""
    facts, over = case.facts, case.facts.over_credit
    is_told = bool(facts.over_returned) or status_by_value(facts) not in ("matched", "within_tolerance")
    if over != NOTHING and not is_told:
        codes = f" of {', '.join(over.codes)}" if over.codes else ""
        beyond = f": {case.money(over.pence)} more than was paid" if over.pence else ""
        message = f"The Credit Notes of order {facts.return_.order_name} hold more than was sold{codes}{beyond}"
        yield case.problem("credited_beyond_sale", message, over.pence)


VALUE_RULES: dict[str, Rule] = {
    "credit_note_duplicate": _credit_note_duplicate,
    "value_gap": _value_gap,
    "exchange_overpaid": _exchange_overpaid,
    "credited_beyond_sale": _over_credited,
}


SYSTEMATIC = "differences_systematic"


def small_residual(facts: ReturnFacts, tolerances: Tolerances) -> Residual | None:
    """The residual of a return that people's notes leave a little apart; beyond what was paid none is small (U-26)."""
    is_exact = bool(facts.postings or facts.over_credit.pence) or not facts.gap_pence
    if is_exact or status_by_value(weighed(facts)) != "value_gap":
        return None
    lines = sum(len(one.note.lines) for one in facts.notes)
    return_ = facts.return_
    found = residual_of(return_.return_id, waterfall_of(facts), lines, return_.currency, tolerances)
    return found if found.pence and tolerances.is_small(found.pence, found.lines) else None


def systematic_problem(found: Systematic, period: str) -> Problem:
    """What is said of a month, whose differences of one cause all have the same sign."""
    total = format_money(found.pence, found.currency)
    message = f"{found.count} differences of {period} by {found.reason}, all of one sign, {total} together"
    subject = f"{period} {found.reason} {found.currency}".strip()
    return Problem(SYSTEMATIC, subject, message, money_at_risk_pence=abs(found.pence), currency=found.currency)
