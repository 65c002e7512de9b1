"""When Swap and the money disagree: a table of each kind open and closed, the grace, and what holds a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.exceptions.catalogue import kinds_about
from khaos_swap_assets.domain.judging.conditions import RULES
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.money_conditions import MONEY_RULES, PROOF_RULES, money_holds, without_return
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.linking.refund_links import link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Money, as_money_says
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets_tests.domain.cases import LATE, LIMITS, REFUNDED, SOON, a_line, a_return, attributed
from khaos_swap_assets_tests.domain.payments import PAID_AT, a_payment, a_refund

IN_GRACE = REFUNDED + timedelta(days=3)
PAST_GRACE = IN_GRACE + timedelta(microseconds=1)


def facts_of(*refunds: Refund, said: Return | None = None, **changes: Any) -> ReturnFacts:
    """The clean return of £50.00 as the storefront's refunds show it."""
    said = said or a_return()
    money = link([Claimant(said)], refunds).money[said.return_id]
    paid = as_money_says(said, money, is_in_sight=True)
    return ReturnFacts(paid, (a_line(),), "GBP", money=money, said=said, **changes)


def kinds(facts: ReturnFacts, now: datetime = LATE) -> set[str]:
    found = {problem.kind for problem in judge(facts, LIMITS, now).problems}
    return found & {*kinds_about("money")}


def twice() -> list[Refund]:
    return [a_refund("F1"), a_refund("F2", a_payment(number="T2", gateway="manual"))]


TABLE: list[tuple[set[str], ReturnFacts]] = [
    (set(), facts_of(a_refund("F1"))),
    ({"refund_not_paid"}, facts_of()),
    ({"refund_not_paid"}, facts_of(a_refund("F1", a_payment(status="FAILURE")))),
    ({"refund_not_paid"}, facts_of(said=a_return(processed_at=None))),
    ({"closed_without_refund"}, facts_of(said=a_return(processed_at=None, closed_at=None))),
    (set(), facts_of(a_refund("F1"), said=a_return(processed_at=None))),
    (set(), facts_of(a_refund("F1"), said=a_return(processed_at=None, closed_at=None))),
    ({"refund_not_paid", "credited_without_refund"}, facts_of(notes=(attributed(5000),))),
    (set(), facts_of(a_refund("F1"), notes=(attributed(5000),))),
    ({"refund_amount_differs"}, facts_of(a_refund("F1", a_payment(4900)))),
    ({"refund_amount_differs"}, facts_of(a_refund("F1", a_payment(5395)))),
    ({"refund_currency_differs"}, facts_of(a_refund("F1", a_payment(currency="EUR")))),
    ({"refund_paid_twice"}, facts_of(*twice())),
]


@pytest.mark.parametrize(("expected", "facts"), TABLE)
def test_table(expected: set[str], facts: ReturnFacts) -> None:
    assert kinds(facts) == expected


def test_two_returns_of_one_refund_are_ambiguous() -> None:
    said = a_return()
    money = link([Claimant(said), Claimant(a_return(return_id="R2"))], [a_refund("F1")]).money["R1"]
    assert kinds(ReturnFacts(said, (a_line(),), "GBP", money=money, said=said)) == {"refund_ambiguous"}


def test_without_a_storefront_none_of_them_ever_holds() -> None:
    assert kinds(ReturnFacts(a_return(), (a_line(),), "GBP")) == set()


def test_every_kind_of_a_return_has_a_rule() -> None:
    ruled = {*MONEY_RULES, *PROOF_RULES}
    assert ruled == {*kinds_about("money")} - {"refund_without_return", "payment_kind_unknown", *RULES}


def test_refunds_that_fit_two_returns_say_nothing_of_one_that_swap_does_not_show_as_paid() -> None:
    said = a_return(processed_at=None)
    money = link([Claimant(said), Claimant(a_return(return_id="R2"))], [a_refund("F1")]).money["R1"]
    assert kinds(ReturnFacts(said, (a_line(),), "GBP", money=money, said=said)) == {"refund_ambiguous"}


@pytest.mark.parametrize(("now", "expected"), [(SOON, set()), (IN_GRACE, set()), (PAST_GRACE, {"refund_not_paid"})])
def test_money_has_three_days_to_follow(now: datetime, expected: set[str]) -> None:
    assert kinds(facts_of(), now) == expected


def test_the_return_is_looked_at_again_when_the_grace_ends() -> None:
    assert judge(facts_of(), LIMITS, SOON).next_due_at == PAST_GRACE


def test_unpaid_money_is_one_exception_and_nothing_is_due() -> None:
    verdict = judge(facts_of(), LIMITS, LATE)
    assert [problem.kind for problem in verdict.problems] == ["refund_not_paid"]
    assert (verdict.status, verdict.gap_pence) == ("in_flight", 0)


def test_the_message_names_what_became_of_the_payment_and_the_money_at_risk() -> None:
    (problem,) = judge(facts_of(a_refund("F1", a_payment(status="FAILURE"))), LIMITS, LATE).problems
    assert problem.message.endswith("moved no money: shopify_payments failure")
    assert (problem.money_at_risk_pence, problem.currency, problem.owner) == (5000, "GBP", "cx")


def test_money_that_differs_is_the_only_trouble_and_its_pence_are_the_difference() -> None:
    (problem,) = judge(facts_of(a_refund("F1", a_payment(4900))), LIMITS, LATE).problems
    assert (problem.kind, problem.money_at_risk_pence) == ("refund_amount_differs", 100)
    assert problem.message == "Swap refunded £50.00, the storefront moved £49.00"


def test_a_second_payment_names_its_means_and_does_not_hold_the_first_ones_credit() -> None:
    facts = facts_of(*twice())
    (problem,) = [one for one in judge(facts, LIMITS, LATE).problems if one.kind == "refund_paid_twice"]
    assert problem.message == "£50.00 went out once more by manual: refund F2"
    assert money_holds(facts.money) == ()


EARLIER = REFUNDED - timedelta(days=30)


def outside(
    moved_pence: int, *, extra_pence: int = 300, exchange: dict[str, Any] | None = None, **changes: Any
) -> ReturnFacts:
    """A return of £50.00 whose goods came by an earlier exchange of the order, for which £3.00 were paid extra."""
    paid = {"refund_pence": 0, "additional_payment_pence": extra_pence, "submitted_at": EARLIER, "return_id": "R0"}
    before, said = a_return(**{**paid, **(exchange or {})}), a_return()
    refunds = [a_refund("F1", a_payment(moved_pence))] if moved_pence else []
    money = link([Claimant(before), Claimant(said)], refunds).money["R1"]
    told = replace(money, is_proved=changes.pop("is_proved", False))
    return ReturnFacts(
        as_money_says(said, told, is_in_sight=True), (a_line(),), "GBP", money=told, said=said, **changes
    )


@pytest.mark.parametrize(
    ("expected", "facts"),
    [
        ({"paid_outside_storefront"}, outside(4700)),
        ({"paid_outside_storefront"}, outside(4800)),
        ({"refund_amount_differs"}, outside(4699)),
        ({"refund_amount_differs"}, outside(5001)),
        (set(), outside(5000)),
        ({"paid_outside_storefront"}, outside(0, extra_pence=5000)),
        ({"refund_not_paid"}, outside(0)),
        ({"refund_amount_differs"}, outside(4700, exchange={"order_name": "#LX2", "order_id": "2"})),
        ({"refund_amount_differs"}, outside(4700, exchange={"submitted_at": REFUNDED})),
        ({"refund_amount_differs"}, outside(4700, exchange={"currency": "EUR"})),
        ({"refund_amount_differs"}, outside(4700, exchange={"status": "Cancelled"})),
    ],
)
def test_an_earlier_extra_payment_may_have_gone_back_outside_the_storefront(
    expected: set[str], facts: ReturnFacts
) -> None:
    assert kinds(facts) == expected


@pytest.mark.parametrize("credited", [4700, 5000])
def test_what_was_paid_outside_is_never_a_value_gap(credited: int) -> None:
    verdict = judge(outside(4700, notes=(attributed(credited),)), LIMITS, LATE)
    assert (verdict.status, verdict.open_pence) == ("matched", 0)
    assert [(one.kind, one.money_at_risk_pence) for one in verdict.problems] == [("paid_outside_storefront", 300)]


def test_what_was_paid_outside_holds_the_draft_until_a_person_proves_it() -> None:
    assert [one.kind for one in money_holds(outside(4700).money)] == ["paid_outside_storefront"]
    proved = outside(4700, is_proved=True)
    assert (money_holds(proved.money), proved.refund_pence) == ((), 5000)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("differs", "refund_amount_differs"),
        ("currency", "refund_currency_differs"),
        ("ambiguous", "refund_ambiguous"),
        ("paid", ""),
        ("unpaid", ""),
    ],
)
def test_a_draft_is_held_while_the_money_does_not_agree(state: Any, kind: str) -> None:
    assert [reason.kind for reason in money_holds(Money(state, (a_refund("F1"),)))] == ([kind] if kind else [])


def test_nothing_holds_without_a_storefront() -> None:
    assert money_holds(None) == ()


def test_money_without_a_return_names_the_order_the_means_and_its_returns() -> None:
    split = a_refund("F9", a_payment(4000), a_payment(2000, number="T2", gateway="gift_card"))
    problem = without_return(split, ("RMA7",))
    assert problem.subject == "#LX1/F9"
    assert (problem.money_at_risk_pence, problem.currency, problem.owner) == (6000, "GBP", "finance")
    assert "£40.00 by shopify_payments, £20.00 by gift_card" in problem.message
    assert problem.message.endswith("its order has RMA7, which it does not fit")


def test_the_date_of_the_money_is_the_date_of_the_refund() -> None:
    assert facts_of(a_refund("F1")).return_.refunded_at == PAID_AT
