"""Closed is not paid: what proves a refund in Swap, what is told without proof, and the numbers for the choice."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.proof import Carried, Proof, carried
from khaos_swap_assets_tests.domain.cases import (
    LATE,
    REFUNDED,
    a_line,
    a_return,
    attributed,
    kinds,
    some_facts,
    verdict,
)

CLOSED = Proof("closed")
LISTED = Proof(words=("Done",))
TABLE: list[tuple[Proof, dict[str, Any], bool]] = [
    (Proof(), {}, True),
    (Proof(), {"closed_at": None}, True),
    (Proof(), {"processed_at": None}, False),
    (Proof(), {"processed_at": None, "processed_word": "Yes"}, True),
    (Proof(), {"processed_at": None, "processed_word": "TRUE"}, True),
    (Proof(), {"processed_at": None, "processed_word": "processed"}, True),
    (Proof(), {"processed_at": None, "processed_word": "Yes", "closed_at": None}, False),
    (Proof(), {"processed_at": None, "processed_word": "Pending"}, False),
    (Proof(), {"processed_at": None, "processed_by": "Sam Reyes"}, False),
    (LISTED, {"processed_at": None, "processed_word": "done"}, True),
    (LISTED, {"processed_at": None, "processed_word": "Yes"}, False),
    (CLOSED, {"processed_at": None}, True),
    (CLOSED, {"processed_at": None, "closed_at": None}, False),
    (CLOSED, {"processed_at": None, "processed_word": "No"}, False),
]


def by(proof: Proof, **changes: Any) -> Return:
    return proof.on(a_return(**changes))


def judged(return_: Return, **facts: Any) -> set[str]:
    return kinds(some_facts(return_, **facts), LATE)


@pytest.mark.parametrize(("proof", "changes", "is_paid"), TABLE)
def test_what_proves_a_refund(proof: Proof, changes: dict[str, Any], is_paid: bool) -> None:
    return_ = by(proof, **changes)
    assert (return_.is_refund_confirmed, some_facts(return_).due_pence) == (is_paid, 5000 if is_paid else 0)
    assert judged(return_, notes=(attributed(),)) == (
        set() if is_paid else {"closed_without_refund", "credited_without_refund"}
    )


@pytest.mark.parametrize("changes", [{"closed_at": None}, {"processed_word": "No"}, {"is_closing_proof": True}])
def test_a_return_that_swap_did_not_close_is_none_of_them(changes: dict[str, Any]) -> None:
    for status in ("Open", "Cancelled", "Expired"):
        assert not judged(a_return(status=status, processed_at=None, delivered_at=None, **changes))


def test_nothing_of_value_was_to_be_paid() -> None:
    assert not judged(by(Proof(), processed_at=None, refund_pence=0), lines=())


def test_store_credit_that_was_never_given_is_told_too() -> None:
    return_ = by(Proof(), processed_at=None, refund_pence=0, store_credit_pence=5000)
    assert judged(return_, lines=(a_line(outcome="Store Credit"),)) >= {"closed_without_refund"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "rma_processed is empty"),
        ({"processed_word": "Pending"}, "rma_processed says 'Pending'"),
        ({"closed_at": None}, "rma_processed is empty, without a date of closing"),
        ({"processed_by": "Sam Reyes"}, "rma_processed is empty; processed_by names Sam Reyes: ask there"),
    ],
)
def test_it_tells_its_value_what_swap_shows_and_whom_it_names(changes: dict[str, Any], said: str) -> None:
    facts = some_facts(by(Proof(), processed_at=None, **changes))
    (problem,) = verdict(facts, LATE).problems
    assert (problem.kind, problem.money_at_risk_pence, problem.owner) == ("closed_without_refund", 5000, "cx")
    assert problem.message == f"Closed with £50.00, and nothing shows that it was paid: {said}"
    assert "in the shop" in problem.action


def test_a_note_without_a_refund_is_told_with_what_it_credits_and_is_no_other_gap() -> None:
    notes = (attributed(), attributed(4000, "CN2"))
    found = verdict(some_facts(by(Proof(), processed_at=None), notes=notes), LATE)
    problem = next(one for one in found.problems if one.kind == "credited_without_refund")
    assert (problem.money_at_risk_pence, problem.owner) == (9000, "finance")
    assert problem.message.startswith("CN1, CN2 credit £90.00, and nothing shows a refund: rma_processed is empty")
    assert (found.gap_pence, {one.kind for one in found.problems}) == (
        9000,
        {"closed_without_refund", "credited_without_refund"},
    )


def test_it_is_settled_when_the_proof_comes() -> None:
    unpaid = ReturnFacts(by(Proof(), processed_at=None), (a_line(),), "GBP", notes=(attributed(),))
    paid = ReturnFacts(by(Proof()), (a_line(),), "GBP", notes=(attributed(),))
    assert (verdict(unpaid, LATE).status, verdict(paid, LATE).status) == ("value_gap", "matched")
    assert not verdict(paid, LATE).problems


def test_rules_that_say_the_same_are_told_the_same() -> None:
    assert Proof(words=("yes", "TRUE", "Processed")).told == Proof().told == "processed: processed, true, yes"
    assert len({Proof().told, CLOSED.told, LISTED.told}) == 3


def test_the_numbers_count_closed_returns_with_a_value_only() -> None:
    some = [
        a_return(),
        a_return(processed_at=None, processed_word="Yes"),
        a_return(processed_at=None, processed_word="Pending"),
        a_return(processed_at=None, refund_pence=0, store_credit_pence=1),
        a_return(processed_at=None, status="Open"),
        a_return(processed_at=None, refund_pence=0),
    ]
    found = carried(some)
    assert found == Carried(1, {"Yes": 1, "Pending": 1}, 1)
    assert [found.unproven(proof) for proof in (Proof(), CLOSED, LISTED)] == [2, 1, 3]
    assert str(found) == (
        "of 4 closed returns with a value 1 carry a date of processing, "
        "1 the word 'Pending', 1 the word 'Yes', 1 nothing"
    )


@pytest.mark.parametrize(
    ("found", "proof", "said"),
    [
        (Carried(9, {}, 1), Proof(), ""),
        (Carried(9, {}, 0), CLOSED, ""),
        (Carried(), Proof(), ""),
        (Carried(0, {}, 9), CLOSED, ""),
        (Carried(0, {}, 9), Proof(), "KHAOS_SWAP_REFUND_PROOF=closed"),
        (Carried(8, {}, 1), CLOSED, "set KHAOS_SWAP_REFUND_PROOF=processed"),
        (Carried(8, {"Done": 1}, 0), Proof(), "'Done': no proof; KHAOS_SWAP_REFUND_PROOF_WORDS"),
    ],
)
def test_what_the_numbers_say_against_the_rule_in_force(found: Carried, proof: Proof, said: str) -> None:
    assert said in found.advice(proof)
    assert bool(said) == bool(found.advice(proof))


def test_the_day_of_closing_dates_a_refund_only_where_it_is_proof() -> None:
    later = REFUNDED.replace(day=20)
    assert by(Proof(), closed_at=later).refunded_at == REFUNDED
    assert by(Proof(), processed_at=None, processed_word="Yes", closed_at=later).refunded_at == later
