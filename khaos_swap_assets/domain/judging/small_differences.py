"""Small differences of single returns, for the tolerances, and what is said where they all lean to one side.

Belongs here: which return takes part with which residual. Stays out: the rules of the tolerances (``money.tolerance``)
and what a return is then (``judging.conditions``). A document of ours is exact, so a return that has one takes no part.
Source: FINANCE_RULES U-20.
"""

from __future__ import annotations

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.return_waterfall import waterfall_of, weighed
from khaos_swap_assets.domain.judging.value_conditions import status_by_value
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.tolerance import Residual, Systematic, Tolerances, residual_of

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
