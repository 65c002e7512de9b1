"""What a return came to, and the note that the policy makes of it: each field, each choice, to the penny."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import Posted, Sale
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets_tests.domain.records import line, returned
from khaos_swap_assets_tests.domain.test_policy import decided

CHOSEN = decided(
    day=date(2026, 1, 1),
    delivery="as_refunded",
    label_fee="reduce_refund",
    gift_card="credit_in_full",
    store_credit="mpv_reduce_now",
    exchange="credit_returned_goods",
    extra_payment="sale_of_its_own",
    part_payment="credit_when_paid",
    tax_on_top="own_line",
    duties="own_line",
)
CHARGED = CHOSEN.model_copy(update={"label_fee": decided(label_fee="charge_service", day=date(2026, 1, 1)).label_fee})
GOODS, CREDIT, SWAP = line("P1", 6000), line("P2", 6000, outcome="Store Credit"), line("P3", 4500, outcome="Exchange")
DELIVERED = Sale(delivery_pence=795, is_all_back=False)


def note(found: Settlement) -> tuple[int, int, dict[str, int]]:
    """Value, what of it is beside the refund, and the parts on a code of their own."""
    assert not found.faults, found.faults
    return found.value_pence, found.beyond_pence, {part.stock_code: part.pence for part in found.parts}


def faults(found: Settlement) -> list[str]:
    return [fault.kind for fault in found.faults]


@pytest.mark.parametrize(
    ("rows", "changes", "policy", "value", "beyond", "parts"),
    [
        ((GOODS,), {}, CHOSEN, 6000, 0, {}),
        ((GOODS,), {"handling_fee_pence": 295, "refund_pence": 5705}, CHOSEN, 5705, 0, {}),
        ((GOODS,), {"handling_fee_pence": 295, "refund_pence": 5705}, CHARGED, 6000, 295, {}),
        ((GOODS,), {"handling_fee_pence": 295}, CHARGED, 6000, 0, {}),
        ((GOODS,), {"refund_pence": 4000, "store_credit_pence": 2000}, CHOSEN, 6000, 2000, {}),
        ((GOODS,), {"refund_pence": 0, "store_credit_pence": 6000}, CHOSEN, 6000, 6000, {}),
        ((CREDIT,), {"store_credit_pence": 6000}, CHOSEN, 6000, 6000, {}),
        ((CREDIT,), {"store_credit_pence": 6600}, CHOSEN, 6000, 6000, {}),
        ((CREDIT,), {"store_credit_pence": 5705, "handling_fee_pence": 295}, CHOSEN, 5705, 5705, {}),
        ((CREDIT,), {"store_credit_pence": 5705, "handling_fee_pence": 295}, CHARGED, 6000, 6000, {}),
        ((GOODS, CREDIT), {"store_credit_pence": 6000}, CHOSEN, 12000, 6000, {}),
        ((GOODS, CREDIT), {"refund_pence": 4000, "store_credit_pence": 8000}, CHOSEN, 12000, 8000, {}),
        ((SWAP,), {"refund_pence": 1500, "exchange_pence": 3000}, CHOSEN, 4500, 3000, {}),
        ((SWAP,), {"additional_payment_pence": 1500, "exchange_pence": 6000}, CHOSEN, 4500, 4500, {}),
        ((SWAP,), {"additional_payment_pence": 1500}, CHOSEN, 4500, 4500, {}),
        ((GOODS, SWAP), {"refund_pence": 7500, "exchange_pence": 3000}, CHOSEN, 10500, 3000, {}),
        ((GOODS,), {"refund_pence": 6795}, CHOSEN, 6795, 0, {"DELIVERY": 795}),
        ((GOODS,), {"refund_pence": 6200, "taxes_on_top_pence": 200}, CHOSEN, 6200, 0, {"TAX_ON_TOP": 200}),
        (
            (GOODS,),
            {"refund_pence": 6500, "taxes_on_top_pence": 200, "duties_on_top_pence": 300},
            CHOSEN,
            6500,
            0,
            {"TAX_ON_TOP": 200, "DUTIES": 300},
        ),
        (
            (GOODS,),
            {"refund_pence": 6500, "handling_fee_pence": 295, "taxes_on_top_pence": 795},
            CHOSEN,
            6500,
            0,
            {"TAX_ON_TOP": 795},
        ),
    ],
)
def test_a_note_is_worth_what_the_fields_and_the_policy_say(
    rows: tuple[ReturnLine, ...],
    changes: dict[str, Any],
    policy: CreditNotePolicy,
    value: int,
    beyond: int,
    parts: dict[str, int],
) -> None:
    sale = DELIVERED if "refund_pence" in changes and "taxes_on_top_pence" not in changes else None
    found = settle(returned(*rows, **changes), policy, sale=sale)
    assert note(found) == (value, beyond, parts)
    assert (found.undecided, found.open_credit_pence) == ((), 0)


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ((GOODS,), {"refund_pence": 5999}),
        ((GOODS,), {"refund_pence": 6395}),
        ((GOODS,), {"refund_pence": 4000, "store_credit_pence": 1999}),
        ((GOODS,), {"refund_pence": 0, "store_credit_pence": 6001}),
        ((CREDIT,), {"store_credit_pence": 5999}),
        ((CREDIT,), {"store_credit_pence": 5705, "handling_fee_pence": 294}),
        ((CREDIT,), {"store_credit_pence": 6000, "refund_pence": 100}),
        ((SWAP,), {"refund_pence": 4500, "exchange_pence": 3000}),
        ((SWAP,), {"refund_pence": 1500}),
        ((SWAP,), {"exchange_pence": 6000}),
        ((SWAP,), {"additional_payment_pence": 1500, "exchange_pence": 5900}),
        ((GOODS, SWAP), {"refund_pence": 6000, "exchange_pence": 3000}),
        ((GOODS,), {"refund_pence": 6795, "taxes_on_top_pence": 795}),
        ((line("P1", -1), line("P2", 101)), {}),
        ((line("P1", 100),), {"refund_pence": 1, "handling_fee_pence": 200, "taxes_on_top_pence": 101}),
        ((), {"refund_pence": 500}),
    ],
)
def test_a_remainder_without_a_field_holds(rows: tuple[ReturnLine, ...], changes: dict[str, Any]) -> None:
    found = settle(returned(*rows, **changes), CHOSEN, sale=DELIVERED)
    assert faults(found) == ["refund_not_explained"]
    assert found.beyond_pence == 0


def test_an_even_exchange_needs_no_note() -> None:
    """FINANCE_RULES U-15: same value for same value, the goods alone move."""
    for changes in ({}, {"exchange_pence": 4500}):
        found = settle(returned(SWAP, **changes), CHOSEN)
        assert (found.is_due, found.lines, found.undecided) == (False, (), ())
    beside = settle(returned(GOODS, SWAP), CHOSEN)
    assert (note(beside), beside.lines) == ((6000, 0, {}), (GOODS,))


@pytest.mark.parametrize(
    ("row", "changes", "outcome"),
    [
        (CREDIT, {"store_credit_pence": 6000}, "Store Credit"),
        (replace(CREDIT, outcome="Shop Later Credit"), {"store_credit_pence": 6000}, "Shop Later Credit"),
        (SWAP, {}, "Exchange"),
        (line("P9", 100, outcome="Warranty"), {}, "Warranty"),
    ],
)
def test_nothing_is_drafted_that_is_undecided(row: ReturnLine, changes: dict[str, Any], outcome: str) -> None:
    alone = settle(returned(row, **changes), CreditNotePolicy())
    assert (alone.is_due, alone.undecided, alone.lines) == (False, (outcome,), ())
    assert alone.open_credit_pence == changes.get("store_credit_pence", 0)
    beside = settle(returned(GOODS, row, **changes), CreditNotePolicy())
    assert (note(beside), beside.lines, beside.undecided) == ((6000, 0, {}), (GOODS,), (outcome,))


def test_what_no_decision_speaks_of_stays_a_task_whatever_is_chosen() -> None:
    found = settle(returned(GOODS, line("P9", 100, outcome="Warranty")), CHOSEN)
    assert (note(found), found.undecided) == ((6000, 0, {}), ("Warranty",))


def test_an_extra_payment_is_a_decision_of_its_own() -> None:
    policy = decided(exchange="credit_returned_goods")
    up = returned(SWAP, additional_payment_pence=1500, exchange_pence=6000)
    assert settle(up, policy).undecided == ("Exchange",)


@pytest.mark.parametrize(
    ("rule", "is_all_back", "standard", "refund", "is_explained"),
    [
        ("if_all_goods_come_back", True, None, 6795, True),
        ("if_all_goods_come_back", True, 395, 6395, True),
        ("if_all_goods_come_back", True, 395, 6795, True),
        ("if_all_goods_come_back", False, None, 6795, False),
        ("as_refunded", False, None, 6795, True),
        ("never", True, None, 6795, False),
    ],
)
def test_u9_delivery_is_a_line_where_the_order_shows_it(
    rule: str, is_all_back: bool, standard: int | None, refund: int, is_explained: bool
) -> None:
    policy = decided(delivery=rule)
    delivery = policy.delivery.model_copy(update={"standard_pence": standard})
    policy = policy.model_copy(update={"delivery": delivery})
    found = settle(returned(GOODS, refund_pence=refund), policy, sale=Sale(795, is_all_back))
    assert (found.faults == ()) is is_explained
    assert found.value_pence == (refund if is_explained else 0)


@pytest.mark.parametrize(
    ("refund", "changes", "is_told"),
    [
        (GOODS.cost_pence + 795, {}, True),
        (GOODS.cost_pence + 500, {"handling_fee_pence": 295}, True),
        (GOODS.cost_pence + 795, {"handling_fee_pence": 295}, True),
        (GOODS.cost_pence + 794, {}, False),
        (GOODS.cost_pence - 795, {}, False),
    ],
)
def test_a_refund_off_by_the_delivery_names_the_decision(refund: int, changes: dict[str, Any], is_told: bool) -> None:
    (fault,) = settle(returned(GOODS, refund_pence=refund, **changes), CreditNotePolicy(), sale=DELIVERED).faults
    words = "; off by exactly the order's delivery of £7.95: the policy's decision `delivery` is if_all_goods_come_back"
    assert fault.hint == (f"{words} and has no stock_code" if is_told else "")
    assert fault.text.endswith(fault.hint)


def test_without_a_stock_code_delivery_and_tax_are_a_persons_work() -> None:
    bare = CHOSEN.model_copy(
        update={
            name: getattr(CHOSEN, name).model_copy(update={"stock_code": ""}) for name in ("delivery", "tax_on_top")
        }
    )
    for changes in ({"refund_pence": 6795}, {"refund_pence": 6200, "taxes_on_top_pence": 200}):
        assert faults(settle(returned(GOODS, **changes), bare, sale=DELIVERED)) == ["refund_not_explained"]


FIRST = Posted(("P1",), 6000)


@pytest.mark.parametrize(
    ("changes", "room", "policy", "kinds", "value"),
    [
        ({"refund_pence": 6500}, 500, CHOSEN, [], 500),
        ({"refund_pence": 6500}, 499, CHOSEN, ["outcome_needs_policy"], 0),
        ({"refund_pence": 6500}, 500, CreditNotePolicy(), ["outcome_needs_policy"], 0),
        ({"refund_pence": 5999}, 500, CHOSEN, ["value_gap"], 0),
    ],
)
def test_u2_a_later_part_payment_is_a_line_of_its_own(
    changes: dict[str, Any], room: int, policy: CreditNotePolicy, kinds: list[str], value: int
) -> None:
    found = settle(returned(GOODS, **changes), policy, already=[FIRST], sale=Sale(room_pence=room))
    assert (faults(found), found.value_pence) == (kinds, value)
    assert [part.stock_code for part in found.parts] == ["PART_PAYMENT"][: bool(value)]


def test_what_was_undecided_is_drafted_beside_the_first_document() -> None:
    both = returned(GOODS, CREDIT, store_credit_pence=6000)
    found = settle(both, CHOSEN, already=[FIRST])
    assert (note(found), found.lines) == ((6000, 6000, {}), (CREDIT,))
    after = settle(both, CHOSEN, already=[FIRST, Posted(("P2",), 6000, 0)])
    assert (after.is_due, after.undecided, after.open_credit_pence) == (False, (), 0)


def test_a_gift_card_that_was_credited_is_closed() -> None:
    card = returned(GOODS, refund_pence=4000, store_credit_pence=2000)
    after = settle(card, CHOSEN, already=[Posted(("P1",), 6000, 4000)])
    assert (after.is_due, after.open_credit_pence) == (False, 0)


@st.composite
def ended_returns(draw: st.DrawFn) -> Return:
    """A return of some rows whose money is made of its fields, and sometimes off by a penny."""
    outcomes = st.sampled_from(["Refund", "Refund", "Store Credit", "Exchange", "Warranty"])
    rows = [line(f"P{n}", draw(st.integers(0, 9_000)), outcome=draw(outcomes)) for n in range(draw(st.integers(1, 5)))]
    of = {name: sum(row.cost_pence for row in rows if row.outcome == name) for name in ("Refund", "Store Credit")}
    fee, tax, card = draw(st.integers(0, 400)), draw(st.integers(0, 300)), draw(st.integers(0, 5_000))
    refund = (
        of["Refund"]
        - draw(st.sampled_from([0, fee]))
        + draw(st.sampled_from([0, tax]))
        - draw(st.sampled_from([0, card]))
    )
    return returned(
        *rows,
        refund_pence=max(refund + draw(st.sampled_from([0, 0, 1])), 0),
        handling_fee_pence=fee,
        taxes_on_top_pence=tax,
        store_credit_pence=of["Store Credit"] + draw(st.sampled_from([0, card])),
    )


@given(ended_returns(), st.sampled_from([CreditNotePolicy(), CHOSEN, CHARGED]))
def test_every_penny_of_a_note_is_a_row_or_a_field(return_: Return, policy: CreditNotePolicy) -> None:
    found = settle(return_, policy)
    if found.faults or not found.is_due:
        return
    costs = sum(row.cost_pence for row in found.lines)
    parts = sum(part.pence for part in found.parts)
    assert found.value_pence - costs - parts in (0, -return_.handling_fee_pence)
    assert all(0 <= credit.value_pence <= sum(row.cost_pence for row in credit.lines) for credit in found.credits)
    assert 0 <= found.beyond_pence <= return_.store_credit_pence + return_.handling_fee_pence + costs
    assert found.money_pence == return_.refund_pence


@given(ended_returns())
def test_without_decisions_only_refund_lines_less_the_whole_fee_are_drafted(return_: Return) -> None:
    goods = sum(row.cost_pence for row in return_.refund_lines)
    found = settle(return_, CreditNotePolicy())
    is_explained = bool(return_.refund_lines) and return_.refund_pence in (goods, goods - return_.handling_fee_pence)
    if return_.refund_pence:
        assert (found.faults == ()) is is_explained
    assert found.beyond_pence == 0
    assert found.value_pence in (0, return_.refund_pence)


@given(ended_returns(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(return_: Return, random: Any) -> None:
    shuffled = replace(return_, lines=tuple(random.sample(return_.lines, len(return_.lines))))
    assert settle(shuffled, CHOSEN) == settle(return_, CHOSEN)
