"""What each choice of the policy does to the books, for all amounts: no choice loses or invents a penny."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.values import Outcome, Whereabouts, stock_effect
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.policy.effects import NOTHING, delivery_due, exchange, fee_documents, store_credit

pence = st.integers(0, 10**7)
rates = st.sampled_from([0, 5, 20])
rules = st.sampled_from(["if_all_goods_come_back", "never", "as_refunded"])


@settings(max_examples=60)
@given(pence, pence, st.sampled_from(["all", "part", "faulty"]), rules)
def test_delivery_due_is_never_more_than_was_paid(paid: int, standard: int, back: Any, rule: Any) -> None:
    due = delivery_due(paid, standard, back, rule)
    assert 0 <= due <= paid
    assert back != "faulty" or due == paid
    assert back == "faulty" or due <= standard


@pytest.mark.parametrize(
    ("back", "rule", "due"),
    [
        ("part", "as_refunded", 395),
        ("part", "if_all_goods_come_back", 0),
        ("all", "never", 395),
        ("faulty", "never", 795),
    ],
)
def test_what_the_law_grants_is_no_choice(back: Literal["all", "part", "faulty"], rule: Any, due: int) -> None:
    assert delivery_due(795, 395, back, rule) == due


@settings(max_examples=60)
@given(st.integers(300, 10**7), st.integers(0, 300), rates)
def test_both_ways_of_a_fee_take_the_same_gross_off_the_books(goods: int, fee: int, rate: int) -> None:
    reduced, charged = (fee_documents(goods, fee, rate, rule) for rule in ("reduce_refund", "charge_service"))
    assert reduced.net_effect.gross_pence == charged.net_effect.gross_pence == goods - fee
    assert reduced.invoice == NOTHING
    assert charged.note == Amount.of(goods, rate)
    if rate == 20:
        assert abs(reduced.net_effect.vat_pence - charged.net_effect.vat_pence) <= 1


@settings(max_examples=60)
@given(pence, rates, rates, pence)
def test_store_credit_is_owed_in_full_under_every_rule(value: int, rate: int, spent: int, bonus: int) -> None:
    held, reduced, neutral = (
        store_credit(value, rate, rule, spent_vat_percent=spent, bonus_pence=bonus)
        for rule in ("hold_until_spent", "mpv_reduce_now", "spv_neutral")
    )
    assert {one.liability_pence for one in (held, reduced, neutral)} == {value}
    assert {one.marketing_pence for one in (held, reduced, neutral)} == {bonus}
    assert (held.now, held.when_spent) == ((), ())
    assert sum(reduced.now, NOTHING) + Amount.of(value, rate) == NOTHING
    assert reduced.when_spent == (Amount.of(value, spent),)
    assert (sum(neutral.now, NOTHING), neutral.when_spent) == (NOTHING, ())


@settings(max_examples=60)
@given(pence, pence, rates)
def test_an_exchange_and_its_reverse_cancel_out(returned: int, given_: int, rate: int) -> None:
    one, other = exchange(returned, given_, rate), exchange(given_, returned, rate)
    assert one.paid_back_pence == -other.paid_back_pence == returned - given_
    assert one.vat_effect_pence == -other.vat_effect_pence
    assert (one.note, one.sale) == (other.sale, other.note)
    assert one.refund_fault(max(returned - given_, 0)) == ""
    assert (one.note == NOTHING) or returned != given_


@pytest.mark.parametrize(
    ("returned", "given_", "refund", "fault"),
    [
        (6000, 4500, 1500, ""),
        (6000, 4500, 6000, "full_value"),
        (6000, 4500, 1499, "other_value"),
        (4500, 6000, 0, ""),
        (4500, 6000, 4500, "full_value"),
        (4500, 6000, -1500, "other_value"),
        (5000, 5000, 5000, "full_value"),
        (5000, 5000, 0, ""),
    ],
)
def test_money_that_an_exchange_should_not_have_paid(returned: int, given_: int, refund: int, fault: str) -> None:
    assert exchange(returned, given_, 20).refund_fault(refund) == fault


@settings(max_examples=60)
@given(st.sampled_from(["sellable", "b_grade", "scrap", "lost"]), pence, st.integers(-(10**6), 10**7))
def test_a_unit_come_back_is_worth_its_cost_somewhere(outcome: Outcome, cost: int, expected: int) -> None:
    effect = stock_effect(outcome, cost, expected)
    assert effect.stock_pence + effect.write_down_pence + effect.claim_pence == cost
    assert min(effect.stock_pence, effect.write_down_pence, effect.claim_pence) >= 0
    assert effect.available + effect.non_sellable == (outcome in ("sellable", "b_grade"))


@pytest.mark.parametrize(("told", "unaccounted"), [({}, 5), ({"kept": 3, "lost": 2}, 0), ({"received": 6}, -1)])
def test_units_that_are_nowhere_or_twice(told: dict[str, int], unaccounted: int) -> None:
    assert Whereabouts(**told).unaccounted(5) == unaccounted


@pytest.mark.parametrize("place", list(Whereabouts.__dataclass_fields__))
def test_a_unit_counts_wherever_it_is(place: str) -> None:
    assert Whereabouts(**{place: 1}).unaccounted(1) == 0
