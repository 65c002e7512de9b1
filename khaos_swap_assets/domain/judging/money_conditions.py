"""When a disagreement between Swap and the money is trouble: the tables ``MONEY_RULES`` and ``PROOF_RULES``.

Belongs here: the conditions of one return whose money is known, of a closed return that nothing shows as paid, and of a
refund that no return asked for. Stays out: which refund pays which return (``linking.refund_links``), what proves a
payment (``refunds.proof``) and what a kind means (``exceptions.catalogue``). Where no storefront is connected none of
``MONEY_RULES`` ever holds. Source: contracts/swap.md §7.2, §8.2, §11, §14, FINANCE_RULES U-1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Literal

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.conditions import JudgedReturn, Rule
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.returns import HoldReason
from khaos_swap_assets.domain.refunds.money_shown import Money, is_awaited
from khaos_swap_assets.domain.refunds.payments import SETTING, PaymentKinds, Refund

WITHOUT_RETURN, PAID_OUTSIDE = "refund_without_return", "paid_outside_storefront"
UNKNOWN_KIND = "payment_kind_unknown"
HOLDS: dict[str, str] = {
    "differs": "refund_amount_differs",
    "outside": PAID_OUTSIDE,
    "currency": "refund_currency_differs",
    "ambiguous": "refund_ambiguous",
}
"""The states of the money that hold back a draft, and the kind that says so."""


def money_holds(money: Money | None) -> tuple[HoldReason, ...]:
    """Why nothing may be drafted as long as the money does not agree; unpaid money is a refund not yet confirmed."""
    kind = HOLDS.get(money.state) if money and not money.is_proved else None
    return (HoldReason(kind, f"the storefront's refunds do not agree: {_amounts(money)}"),) if kind and money else ()


def is_overdue(case: JudgedReturn) -> bool:
    """True where Swap closed it with money for the customer, and the storefront has moved none for too long."""
    money, said = case.facts.money, case.facts.said
    return is_awaited(money, said) and _is_past_grace(case) and not (money and money.outside_pence)


def _is_past_grace(case: JudgedReturn) -> bool:
    said = case.facts.said
    return said is not None and case.is_past(said.done_at, timedelta(days=case.limits.pay_days))


def _not_paid(case: JudgedReturn) -> Iterator[Problem]:
    money, said = case.facts.money, case.facts.said
    if money is None or said is None or not is_overdue(case):
        return
    stuck = f": {', '.join(money.stuck)}" if money.stuck else ""
    message = f"Swap closed it with {case.money(said.refund_pence)}, the storefront moved no money{stuck}"
    yield case.problem("refund_not_paid", message, said.refund_pence)


def _apart(state: Literal["differs", "currency"]) -> Rule:
    """Another amount moved than Swap refunded, or one of another currency."""

    def rule(case: JudgedReturn) -> Iterator[Problem]:
        money, owed = case.facts.money, case.facts.return_.refund_pence
        if money and money.state == state:
            is_amount = state == "differs"
            stuck = f" ({', '.join(money.stuck)})" if money.stuck and is_amount else ""
            message = f"Swap refunded {case.money(owed)}, the storefront moved {_amounts(money)}{stuck}"
            yield case.problem(HOLDS[state], message, abs(owed - money.moved_pence) if is_amount else owed)

    return rule


def _outside(case: JudgedReturn) -> Iterator[Problem]:
    money = case.facts.money
    if money and money.outside_pence and (money.refunds or _is_past_grace(case)):
        missing = case.money(money.outside_pence)
        message = (
            f"Swap refunded {case.money(case.facts.return_.refund_pence)}, the storefront moved {_amounts(money)}; "
            f"{missing} may have gone back to the card that had paid extra for an earlier exchange of this order"
        )
        yield case.problem(PAID_OUTSIDE, message, money.outside_pence)


def _ambiguous(case: JudgedReturn) -> Iterator[Problem]:
    money, owed = case.facts.money, case.facts.return_.refund_pence
    if money and money.state == "ambiguous":
        message = f"{_amounts(money)} of order {money.refunds[0].order_name} fit more than one return"
        yield case.problem("refund_ambiguous", message, owed)


def _paid_twice(case: JudgedReturn) -> Iterator[Problem]:
    money = case.facts.money
    if money and money.surplus:
        pence = money.surplus_pence
        ids = ", ".join(one.refund_id for one in money.surplus)
        gateways = ", ".join(sorted({part.gateway for one in money.surplus for part in one.moved}))
        message = f"{case.money(pence)} went out once more by {gateways or 'an unnamed gateway'}: refund {ids}"
        yield case.problem("refund_paid_twice", message, pence)


MONEY_RULES: dict[str, Rule] = {
    "refund_not_paid": _not_paid,
    "refund_amount_differs": _apart("differs"),
    PAID_OUTSIDE: _outside,
    "refund_currency_differs": _apart("currency"),
    "refund_ambiguous": _ambiguous,
    "refund_paid_twice": _paid_twice,
}


def without_return(refund: Refund, rmas: Sequence[str]) -> Problem:
    """The problem of a refund that moved money and pays no return; ``rmas`` are those of its order, if any."""
    order = refund.order_name or refund.order_id
    beside = f"; its order has {', '.join(rmas)}, which it does not fit" if rmas else ""
    parts = ", ".join(f"{format_money(one.amount_pence, one.currency)} by {one.gateway}" for one in refund.moved)
    return Problem(
        WITHOUT_RETURN,
        f"{order}/{refund.refund_id}",
        f"The storefront refunded {parts} on order {order}, and no return in Swap asked for it{beside}{_goods(refund)}",
        money_at_risk_pence=refund.moved_pence,
        currency=refund.currency,
    )


def _goods(refund: Refund) -> str:
    """What the refund did with goods, as the end of a message."""
    stopped = ", ".join(f"{one.quantity} x {one.sku}" for one in refund.lines if one.is_cancelled)
    back = ", ".join(f"{one.quantity} x {one.sku}" for one in refund.lines if one.is_restocked)
    told = f"; {stopped} taken off the order before dispatch"
    return f"{told if stopped else ''}{f'; {back} restocked in the storefront' if back else ''}"


def unknown_payment_kinds(seen: Iterable[tuple[str, str, str]], kinds: PaymentKinds) -> list[Problem]:
    """Gateways that nobody knows among those seen: (name, order and refund id of an example)."""
    strange = ((gateway, order, refund_id) for gateway, order, refund_id in seen if kinds.kind_of(gateway) is None)
    told = "Refunds went out by {0!r}, such as {1} of order {2}; nobody said what that is, and it is counted as money"
    return [
        Problem(
            UNKNOWN_KIND,
            gateway,
            told.format(gateway, refund_id, order or "(none)"),
            suggestion=f"{SETTING}={gateway}:money",
        )
        for gateway, order, refund_id in strange
    ]


def _amounts(money: Money) -> str:
    moved = [format_money(one.moved_pence, one.currency) for one in money.refunds if one.moved_pence]
    return " + ".join(moved) or "nothing"


CLOSED, CREDITED = "closed_without_refund", "credited_without_refund"


def _closed_without_refund(case: JudgedReturn) -> Iterator[Problem]:
    if case.facts.is_unproven:
        return_ = case.facts.return_
        pence = return_.refund_pence + return_.store_credit_pence or case.facts.settlement.value_pence
        message = f"Closed with {case.money(pence)}, and nothing shows that it was paid: {_shown(case.facts)}"
        yield case.problem(CLOSED, message, pence)


def _credited_without_refund(case: JudgedReturn) -> Iterator[Problem]:
    facts = case.facts
    is_early = _is_credited_too_early(case)
    if facts.notes and facts.credited_pence and (facts.is_unproven or is_overdue(case) or is_early):
        codes = ", ".join(sorted(note.note.credit_note_code for note in facts.notes))
        still = f"the return is still {facts.return_.status or 'without status'}"
        shown = still if is_early else _shown(facts) if facts.is_unproven else "the storefront moved no money"
        message = f"{codes} credit {case.money(facts.credited_pence)}, and nothing shows a refund: {shown}"
        yield case.problem(CREDITED, message, facts.credited_pence)


def _is_credited_too_early(case: JudgedReturn) -> bool:
    """True where a note stands for longer than refunds take, and the return is still open and unpaid."""
    facts = case.facts
    made = [note.note.created_on for note in facts.notes if note.note.created_on]
    is_old = bool(made) and london_date(case.now) > max(made) + timedelta(days=case.limits.refund_days)
    return facts.return_.is_open and facts.is_waiting_for_swap and is_old


def _shown(facts: ReturnFacts) -> str:
    """What Swap shows instead of a proof, and whom it names: a hint, no proof."""
    return_ = facts.return_
    said = f"says {return_.processed_word!r}" if return_.processed_word else "is empty"
    undated = "" if return_.closed_at else ", without a date of closing"
    hint = f"; processed_by names {return_.processed_by}: ask there" if return_.processed_by else ""
    return f"{return_.processed_field} {said}{undated}{hint}"


PROOF_RULES: dict[str, Rule] = {CLOSED: _closed_without_refund, CREDITED: _credited_without_refund}
