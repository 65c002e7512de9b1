"""When a return that Swap has closed was not paid: without a Credit Note, and with one. The table ``PROOF_RULES``.

Belongs here: the conditions of a closed return that nothing shows as paid. Stays out: what proves a payment
(``refunds.proof``, ``refunds.money_shown``) and what a kind means (``exceptions.money_kinds``).
Source: contracts/swap.md §7.2, §14, FINANCE_RULES U-1.
"""

from __future__ import annotations

from collections.abc import Iterator

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import Case, Rule
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.money_conditions import is_overdue
from khaos_swap_assets.domain.refunds.proof import is_unproven

CLOSED, CREDITED = "closed_without_refund", "credited_without_refund"


def _closed_without_refund(case: Case) -> Iterator[Problem]:
    if is_unproven(case.facts):
        pence = _worth(case.facts)
        message = f"Closed with {case.money(pence)}, and nothing shows that it was paid: {_shown(case.facts)}"
        yield case.problem(CLOSED, message, pence)


def _credited_without_refund(case: Case) -> Iterator[Problem]:
    facts = case.facts
    if facts.notes and facts.credited_pence and (is_unproven(facts) or is_overdue(case)):
        codes = ", ".join(sorted(note.note.credit_note_code for note in facts.notes))
        shown = _shown(facts) if is_unproven(facts) else "the storefront moved no money"
        message = f"{codes} credit {case.money(facts.credited_pence)}, and nothing shows a refund: {shown}"
        yield case.problem(CREDITED, message, facts.credited_pence)


def _worth(facts: ReturnFacts) -> int:
    return_ = facts.return_
    return return_.refund_pence + return_.store_credit_pence or facts.settlement.value_pence


def _shown(facts: ReturnFacts) -> str:
    """What Swap shows instead of a proof, and whom it names: a hint, no proof."""
    return_ = facts.return_
    said = f"{return_.processed_field} " + (
        f"says {return_.processed_word!r}" if return_.processed_word else "is empty"
    )
    undated = "" if return_.closed_at else ", without a date of closing"
    hint = f"; processed_by names {return_.processed_by}: ask there" if return_.processed_by else ""
    return f"{said}{undated}{hint}"


PROOF_RULES: dict[str, Rule] = {
    CLOSED: _closed_without_refund,
    CREDITED: _credited_without_refund,
}
