"""The words about causes that will make returns fail, and which of them are an exception of their own."""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.domain.judging.foreseen import KIND, ReturnCause, problems_of, summary


def a_cause(code: str = "HAT", **changes: Any) -> ReturnCause:
    given: dict[str, Any] = {"about": "SKU", "kind": "sku_unknown", "returns": 1, "rmas": ("RMA1",)}
    return ReturnCause(code=code, **{**given, **changes})


@pytest.mark.parametrize(
    ("cause", "name", "why", "owner"),
    [
        (a_cause(), "HAT", "SKU unknown", "data management"),
        (a_cause("HAT#1"), "HAT#1", "SKU unknown, and none ever can: it holds a #; correct it in the shop", None),
        (a_cause(" HAT"), " HAT", "SKU unknown, and none ever can: it begins or ends with a space", None),
        (a_cause("x" * 51), "x" * 51, "SKU unknown, and none ever can: it is longer than 50 characters", None),
        (a_cause("HAT#1", kind="sku_discontinued"), "HAT#1", "SKU discontinued", None),
        (a_cause(""), "SKU (empty)", "SKU unknown", None),
        (a_cause("SET", about="pack", kind="pack_unclear"), "pack SET", "pack unclear", "finance"),
        (a_cause("9", about="VAT code", kind=KIND), "VAT code 9", "no rate of VAT is known for it", "data management"),
        (a_cause("KCC1", about="order", kind="order_not_found"), "order KCC1", "order not found", "cx"),
    ],
)
def test_a_cause_is_named_with_its_reason_and_owner(cause: ReturnCause, name: str, why: str, owner: str | None) -> None:
    assert cause.name == name
    assert cause.why.startswith(why)
    assert owner in (None, cause.owner)


def test_what_will_fail_is_told_with_the_first_returns_and_how_many_more() -> None:
    told = a_cause(returns=31, rmas=("RMA1", "RMA2"), sold=2, listed=1).holds
    assert told == (
        "31 open returns will fail: RMA1, RMA2 and 29 more; 2 units of it sold in the last 90 days; "
        "the shop lists 1 variant with it"
    )
    assert a_cause(returns=0, rmas=(), listed=2).holds == "the shop lists 2 variants with it"


def test_only_wrong_codes_are_told_to_data_management_and_no_penny_counts_twice() -> None:
    order = a_cause("KCC1", about="order", kind="order_not_found")
    told = problems_of([a_cause("HAT 1", suggestion="HAT-1"), order, a_cause("9", about="VAT code", kind=KIND)])
    assert [(one.subject, one.sku, one.suggestion) for one in told] == [
        ("HAT 1", "HAT 1", "HAT-1"),
        ("VAT code 9", "", ""),
    ]
    assert {(one.kind, one.owner, one.money_at_risk_pence) for one in told} == {(KIND, "data management", 0)}


@pytest.mark.parametrize(
    ("returns", "causes", "told"),
    [
        (0, [], "no open return will fail"),
        (31, [a_cause("A"), a_cause("B")], "31 open returns will fail, 2 causes: fix A, B"),
        (1, [a_cause("KCC1", about="order", kind="order_not_found")], "1 open return will fail, 1 cause"),
        (9, [a_cause(str(n)) for n in range(12)], "9 open returns will fail, 12 causes: fix 0, 1, 2, 3, 4, 5, 6, 7, 8, "
         "9 and 2 more"),
    ],
)  # fmt: skip
def test_the_whole_is_one_sentence(returns: int, causes: list[ReturnCause], told: str) -> None:
    assert summary(returns, causes) == told
