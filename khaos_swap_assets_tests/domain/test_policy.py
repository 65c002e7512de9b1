"""The Credit Note policy: its version, its days, and its words."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from khaos_swap_assets.domain.policy.decisions import WORDS, CreditNotePolicy, tasks_of
from khaos_swap_assets.domain.policy.decisions import told as words_of

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


def test_a_version_is_of_the_content() -> None:
    versions = {
        decided().version,
        decided(gift_card="credit_in_full").version,
        decided(gift_card="credit_in_full", day=date(2026, 5, 1)).version,
    }
    assert len(versions) == 3
    assert decided().version == CreditNotePolicy().version


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
