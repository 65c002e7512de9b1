"""One return under two policies: the worth of its note, the VAT between them, and the sums by currency."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import Sale
from khaos_swap_assets.domain.policy.trial import Rates, Trial, outcome_words, totals, value_of, vat_of
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets_tests.domain.records import line, returned
from khaos_swap_assets_tests.domain.test_policy import decided

DEFAULT = CreditNotePolicy()
GOODS, CREDIT = line("P1", 6000), line("P2", 6000, outcome="Store Credit")
STANDARD: Rates = {"P1": 20, "P2": 20}


def trial(now: int = 0, then: int = 0, vat: int | None = 0, **changes: Any) -> Trial:
    base: dict[str, Any] = {
        "rma": "RMA1001",
        "return_id": "R1",
        "currency": "GBP",
        "refund_pence": 5000,
        "outcome_now": "",
        "outcome_then": "",
        "is_posted": False,
    }
    return Trial(**base | changes, note_now_pence=now, note_then_pence=then, vat_effect_pence=vat)


@pytest.mark.parametrize(
    ("one", "changed"),
    [
        (trial(), False),
        (trial(5000, 5000), False),
        (trial(5000, 4705), True),
        (trial(0, 5000), True),
        (trial(5000, 5000, vat=-1), True),
        (trial(5000, 5000, vat=None), False),
        (trial(5000, 5000, outcome_then="task: exchange"), True),
    ],
)
def test_a_policy_changes_a_return_by_a_penny_or_a_word(one: Trial, changed: bool) -> None:
    assert one.is_changed is changed


def test_currencies_are_never_added_up() -> None:
    some = [trial(100, 300, 33), trial(7, 7, currency="EUR"), trial(50, 0, None), trial(1000, 0, -1, currency="JPY")]
    found = totals(some)
    assert [(one.currency, one.returns, one.changed, one.difference_pence) for one in found] == [
        ("EUR", 1, 0, 0),
        ("GBP", 2, 2, 150),
        ("JPY", 1, 1, -1000),
    ]
    assert [(one.vat_effect_pence, one.without_rate) for one in found] == [(0, 0), (33, 1), (-1, 0)]


def test_no_returns_have_no_totals() -> None:
    assert totals([]) == []


pence = st.integers(0, 10**6)
trials = st.builds(
    trial,
    pence,
    pence,
    st.none() | st.integers(-999, 999),
    currency=st.sampled_from(["GBP", "EUR", "JPY"]),
)


@settings(max_examples=50)
@given(st.lists(trials, max_size=10), st.randoms(use_true_random=False))
def test_totals_hold_every_return_whatever_its_place(some: list[Trial], random: Any) -> None:
    found = totals(some)
    assert sum(one.returns for one in found) == len(some)
    assert sum(one.difference_pence for one in found) == sum(one.difference_pence for one in some)
    assert sum(one.without_rate for one in found) == sum(one.vat_effect_pence is None for one in some)
    random.shuffle(some)
    assert totals(some) == found


def settled(return_: Return, policy: CreditNotePolicy = DEFAULT, sale: Sale | None = None) -> Settlement:
    return settle(return_, policy, sale=sale)


FEE = returned(GOODS, handling_fee_pence=295, refund_pence=5705)
ODD = returned(GOODS, refund_pence=5999)
STORE = returned(CREDIT, store_credit_pence=6000)
SWAPPED = returned(line("P3", 4500, outcome="Exchange"))


@pytest.mark.parametrize(
    ("return_", "policy", "words", "value"),
    [
        (returned(GOODS), DEFAULT, "Credit Note of £60.00", 6000),
        (returned(GOODS, currency="JPY"), DEFAULT, "Credit Note of 6,000 JPY", 6000),
        (FEE, DEFAULT, "Credit Note of £57.05", 5705),
        (FEE, decided(label_fee="charge_service"), "Credit Note of £60.00", 6000),
        (STORE, DEFAULT, "task: Store Credit", 0),
        (STORE, decided(store_credit="mpv_reduce_now"), "Credit Note of £60.00", 6000),
        (SWAPPED, DEFAULT, "task: Exchange", 0),
        (returned(), DEFAULT, "no Credit Note", 0),
    ],
)
def test_what_becomes_of_a_return_in_words(return_: Return, policy: CreditNotePolicy, words: str, value: int) -> None:
    found = settled(return_, policy)
    assert (outcome_words(found, return_.currency), value_of(found)) == (words, value)


def test_what_holds_a_return_is_told_and_worth_nothing() -> None:
    found = settled(ODD)
    assert outcome_words(found, "GBP").startswith("refund not explained: ")
    assert "Credit Note of" not in outcome_words(found, "GBP")
    assert (value_of(found), vat_of(found, STANDARD, DEFAULT)) == (0, 0)


@pytest.mark.parametrize(
    ("return_", "policy", "rates", "vat"),
    [
        (returned(GOODS), DEFAULT, STANDARD, 1000),
        (returned(GOODS), DEFAULT, {"P1": 0}, 0),
        (returned(GOODS), DEFAULT, {"P1": None}, None),
        (returned(GOODS), DEFAULT, {}, None),
        (FEE, DEFAULT, STANDARD, 951),
        (FEE, decided(label_fee="charge_service"), STANDARD, 951),
        (FEE, decided(label_fee="charge_service"), {"P1": 0}, -49),
        (STORE, DEFAULT, STANDARD, 0),
        (STORE, DEFAULT, {}, 0),
        (STORE, decided(store_credit="mpv_reduce_now"), STANDARD, 1000),
        (STORE, decided(store_credit="spv_neutral"), STANDARD, 0),
        (returned(GOODS, line("P2", 6000)), DEFAULT, {"P1": 20, "P2": 0}, 1000),
    ],
)
def test_vat_that_a_note_claims_back(return_: Return, policy: CreditNotePolicy, rates: Rates, vat: int | None) -> None:
    assert vat_of(settled(return_, policy), rates, policy) == vat


DELIVERED = returned(GOODS, refund_pence=6600)


@pytest.mark.parametrize(
    ("mode", "rates", "vat"),
    [("follow_goods", {"P1": 0}, 0), ("standard", {"P1": 0}, 100), ("follow_goods", STANDARD, 1100)],
)
def test_vat_of_delivery_goes_by_its_own_decision(mode: str, rates: Rates, vat: int) -> None:
    policy = decided(delivery="as_refunded", delivery_vat=mode)
    found = settled(DELIVERED, policy, Sale(delivery_pence=600))
    assert (value_of(found), vat_of(found, rates, policy)) == (6600, vat)


def test_tax_on_top_is_tax_as_a_whole() -> None:
    policy = decided(tax_on_top="own_line")
    found = settled(returned(GOODS, refund_pence=6500, taxes_on_top_pence=500), policy)
    assert (value_of(found), vat_of(found, {"P1": 0}, policy)) == (6500, 500)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=4), st.integers(0, 300))
def test_a_fee_withheld_is_shared_out_over_the_rows_to_the_penny(costs: list[int], fee: int) -> None:
    rows = [line(f"P{number}", cost) for number, cost in enumerate(costs)]
    assume(fee < sum(costs))
    found = settled(returned(*rows, handling_fee_pence=fee, refund_pence=sum(costs) - fee))
    half = {f"P{number}": number % 2 * 20 for number in range(len(costs))}
    vat = vat_of(found, half, DEFAULT)
    assert value_of(found) == sum(costs) - fee
    assert vat is not None
    assert 0 <= vat <= value_of(found)
    assert vat_of(found, dict.fromkeys(half, 0), DEFAULT) == 0
