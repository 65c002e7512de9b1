"""The Credit Note policy: its version, its days, and how each outcome translates."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, Outcomes, Translation, translate
from khaos_swap_assets.domain.policy.words import WORDS, tasks_of
from khaos_swap_assets.domain.policy.words import told as words_of

DAY = date(2026, 4, 1)


def decided(*, day: date = DAY, **choices: Any) -> CreditNotePolicy:
    """The defaults with these choices, and a Stock Code for lines that need one."""
    made: dict[str, Any] = {
        name: {"choice": choice, "reason": "agreed", "approver": "Kim", "effective_on": day}
        for name, choice in choices.items()
    }
    for name in {"delivery", "part_payment", "tax_on_top", "duties"} & made.keys():
        made[name]["stock_code"] = name.upper()
    return CreditNotePolicy(**made)


def told(found: Translation) -> tuple[dict[str, int], dict[str, int]]:
    return {part.outcome: part.pence for part in found.parts}, {task.outcome: task.pence for task in found.tasks}


@pytest.mark.parametrize(
    ("outcomes", "choices", "parts", "tasks"),
    [
        ({"goods_pence": 5000}, {}, {"goods": 5000}, {}),
        ({"goods_pence": 5000, "fee_pence": 295}, {}, {"goods": 4705}, {}),
        ({"goods_pence": 5000, "fee_pence": 295}, {"label_fee": "charge_service"}, {"goods": 5000}, {}),
        ({"goods_pence": 200, "fee_pence": 295}, {}, {"goods": 200}, {"fee": 295}),
        ({"goods_pence": 5000, "order_discount_pence": 300, "promotion_pence": 200}, {}, {"goods": 5000}, {}),
        ({"goods_pence": 5000, "gift_card_pence": 2000}, {}, {}, {"gift_card": 5000}),
        ({"goods_pence": 5000, "gift_card_pence": 2000}, {"gift_card": "credit_in_full"}, {"goods": 5000}, {}),
        ({"delivery_due_pence": 395, "is_all_back": True}, {}, {}, {"delivery": 395}),
        (
            {"delivery_due_pence": 395, "is_all_back": True},
            {"delivery": "if_all_goods_come_back"},
            {"delivery": 395},
            {},
        ),
        ({"delivery_due_pence": 395}, {"delivery": "if_all_goods_come_back"}, {}, {}),
        ({"delivery_refunded_pence": 395}, {"delivery": "as_refunded"}, {"delivery": 395}, {}),
        ({"delivery_due_pence": 395, "is_all_back": True}, {"delivery": "never"}, {}, {}),
        ({"store_credit_pence": 6000}, {}, {}, {"store_credit": 6000}),
        ({"store_credit_pence": 6000}, {"store_credit": "mpv_reduce_now"}, {"store_credit": 6000}, {}),
        ({"store_credit_pence": 6000}, {"store_credit": "spv_neutral"}, {"store_credit": 6000}, {}),
        ({"exchange_returned_pence": 4500}, {}, {}, {"exchange": 4500}),
        ({"exchange_returned_pence": 4500}, {"exchange": "credit_returned_goods"}, {"exchange": 4500}, {}),
        ({"extra_payment_pence": 1500}, {}, {}, {"extra_payment": 1500}),
        ({"extra_payment_pence": 1500}, {"extra_payment": "sale_of_its_own"}, {}, {}),
        ({"part_payment_pence": 700}, {}, {}, {"part_payment": 700}),
        ({"part_payment_pence": 700}, {"part_payment": "credit_when_paid"}, {"part_payment": 700}, {}),
        ({"tax_on_top_pence": 200}, {}, {}, {"tax_on_top": 200}),
        ({"tax_on_top_pence": 200}, {"tax_on_top": "own_line"}, {"tax_on_top": 200}, {}),
        ({"duties_pence": 300}, {}, {}, {"duties": 300}),
        ({"duties_pence": 300}, {"duties": "own_line"}, {"duties": 300}, {}),
    ],
)
def test_each_outcome_becomes_a_part_or_a_task(
    outcomes: dict[str, Any], choices: dict[str, Any], parts: dict[str, int], tasks: dict[str, int]
) -> None:
    assert told(translate(Outcomes(**outcomes), decided(**choices))) == (parts, tasks)


def test_a_charged_fee_is_an_invoice_beside_the_note() -> None:
    outcomes = Outcomes(goods_pence=5000, fee_pence=295)
    assert translate(outcomes, decided(label_fee="charge_service")).fee_invoice_pence == 295
    assert translate(outcomes, decided()).fee_invoice_pence == 0


def test_delivery_and_duties_go_on_their_stock_code() -> None:
    outcomes = Outcomes(goods_pence=100, delivery_refunded_pence=395, duties_pence=300)
    found = translate(outcomes, decided(delivery="as_refunded", duties="own_line"))
    assert [(part.outcome, part.stock_code) for part in found.parts] == [
        ("goods", ""),
        ("delivery", "DELIVERY"),
        ("duties", "DUTIES"),
    ]
    assert sum(part.pence for part in found.parts) == 795


def test_a_version_is_of_the_content() -> None:
    versions = {
        decided().version,
        decided(gift_card="credit_in_full").version,
        decided(gift_card="credit_in_full", day=date(2026, 5, 1)).version,
    }
    assert len(versions) == 3
    assert decided().version == CreditNotePolicy().version
    assert translate(Outcomes(goods_pence=1), decided()).policy_version == CreditNotePolicy().version


def test_a_decision_holds_from_its_day_on() -> None:
    policy = decided(gift_card="credit_in_full", day=DAY)
    assert policy.on(DAY) == policy
    assert policy.on(date(2026, 3, 31)) == CreditNotePolicy()


@pytest.mark.parametrize(
    ("decision", "place"),
    [
        ({"choice": "maybe", "reason": "r", "approver": "a", "effective_on": "2026-01-01"}, "choice"),
        ({"choice": "task", "reason": "", "approver": "a", "effective_on": "2026-01-01"}, "reason"),
        ({"choice": "task", "reason": "r", "effective_on": "2026-01-01"}, "approver"),
        ({"choice": "task", "reason": "r", "approver": "a", "effective_on": "soon"}, "effective_on"),
        ({"choice": "task", "reason": "r", "approver": "a", "effective_on": "2026-01-01", "who": "x"}, "who"),
    ],
)
def test_a_decision_is_complete(decision: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as error:
        CreditNotePolicy(gift_card=decision)
    assert [fault["loc"] for fault in error.value.errors()] == [("gift_card", place)]


amounts = st.integers(0, 99_999)
outcomes_ = st.builds(
    Outcomes,
    **{name: amounts for name in Outcomes.model_fields if name.endswith("_pence")},
    is_all_back=st.booleans(),
)
policies = st.builds(
    decided,
    label_fee=st.sampled_from(["reduce_refund", "charge_service"]),
    delivery=st.sampled_from(["if_all_goods_come_back", "never", "as_refunded"]),
    store_credit=st.sampled_from(["hold_until_spent", "mpv_reduce_now", "spv_neutral"]),
    exchange=st.sampled_from(["task", "credit_returned_goods"]),
    gift_card=st.sampled_from(["task", "credit_in_full"]),
)


@given(outcomes_, policies)
def test_no_part_is_negative_and_nothing_is_both_part_and_task(outcomes: Outcomes, policy: CreditNotePolicy) -> None:
    parts, tasks = told(translate(outcomes, policy))
    assert min(parts.values(), default=1) > 0
    assert not parts.keys() & tasks.keys()


@given(outcomes_, policies, st.integers(0, 99_999), st.integers(0, 99_999))
def test_discount_and_promotion_change_no_note(
    outcomes: Outcomes, policy: CreditNotePolicy, discount: int, promotion: int
) -> None:
    changed = outcomes.model_copy(update={"order_discount_pence": discount, "promotion_pence": promotion})
    assert translate(changed, policy) == translate(outcomes, policy)


def test_every_choice_is_told_in_words() -> None:
    for name in CreditNotePolicy.model_fields:
        annotation = type(getattr(CreditNotePolicy(), name)).model_fields["choice"].annotation
        assert {choice for told_name, choice in WORDS if told_name == name} == set(get_args(annotation))


def test_what_is_left_to_people_is_named() -> None:
    tasks = tasks_of(CreditNotePolicy())
    assert tasks == [
        *("delivery", "gift card", "store credit", "exchange", "extra payment", "part payment", "tax on top", "duties")
    ]
    assert "store credit" not in tasks_of(decided(store_credit="mpv_reduce_now"))
    bare = decided(duties="own_line").duties.model_copy(update={"stock_code": ""})
    (duties,) = [one for one in words_of(CreditNotePolicy(duties=bare)) if one.name == "duties"]
    assert (duties.is_task, duties.is_default) == (True, False)
    assert duties.words.endswith("No Stock Code is set for its line, so a person books it.")
    assert not any(one.is_task for one in words_of(decided(delivery="never")) if one.name == "delivery")
