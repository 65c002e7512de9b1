"""Rows of the refunds file become the money of returns by the rules of the live flow, and no penny is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.layouts import MOVED, NOT_MOVED, RefundRow
from khaos_swap_assets.audit.refunds import Paid, paid
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stores import OrderNaming
from khaos_swap_assets.domain.refunds.payments import PaymentKinds
from khaos_swap_assets_tests.domain.cases import a_return

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NAMING = OrderNaming(ref_format="KCC{0}")


def row(pence: int = 5000, **changes: Any) -> RefundRow:
    """Money by card that names its return."""
    return RefundRow(2, "F1", "KCCLX1", "R1", NOON, "GBP", pence, "shopify_payments", "success")._replace(**changes)


def returns(*pence: int) -> list[Return]:
    """Closed returns R1, R2 of the order #LX1 with these refunds."""
    return [
        a_return(return_id=f"R{number}", rma=f"RMA{number}", order_name="#LX1", refund_pence=one)
        for number, one in enumerate(pence, start=1)
    ]


def link(rows: list[RefundRow], some: list[Return], *, tells_currency: bool = True) -> Paid:
    return paid(rows, some, NAMING, PaymentKinds(), tells_currency=tells_currency)


@pytest.mark.parametrize("status", sorted(NOT_MOVED))
def test_what_did_not_move_is_no_money(status: str) -> None:
    found = link([row(status=status)], returns(5000))
    assert (found.money["R1"].state, found.money["R1"].moved_pence, found.strays) == ("unpaid", 0, ())


@pytest.mark.parametrize("status", sorted(MOVED))
def test_what_moved_is_money(status: str) -> None:
    assert link([row(status=status)], returns(5000)).money["R1"].cash_pence == 5000


@pytest.mark.parametrize("return_id", ["R1", "RMA1", ""])
def test_a_gift_card_beside_money_is_tender(return_id: str) -> None:
    rows = [row(4000, return_id=return_id), row(2000, line=3, refund_id="F2", gateway="gift_card", return_id=return_id)]
    for said in (6000, 4000):
        money = link(rows, returns(said)).money["R1"]
        assert (money.state, money.cash_pence, money.tender_pence) == ("paid", 4000, 2000)


@pytest.mark.parametrize(
    ("return_id", "pence", "said", "owner"),
    [
        ("R1", 4000, (5000, 700), "R1"),
        ("", 4000, (5000,), "R1"),
        ("", 5000, (5000, 700), "R1"),
        ("", 700, (5000, 700), "R2"),
        ("", 4000, (5000, 700), None),
        ("", 5000, (), None),
        ("R9", 5000, (5000,), None),
    ],
)
def test_a_refund_is_a_returns_only_where_nothing_else_fits(
    return_id: str, pence: int, said: tuple[int, ...], owner: str | None
) -> None:
    found = link([row(pence, return_id=return_id)], returns(*said))
    assert [key for key, money in found.money.items() if money.moved_pence] == ([owner] if owner else [])
    assert len(found.strays) == (0 if owner else 1)


def test_two_returns_of_one_amount_are_not_told_apart() -> None:
    found = link([row(return_id="")], returns(5000, 5000))
    assert {money.state for money in found.money.values()} == {"ambiguous"}


def test_a_refund_made_twice_is_a_surplus_and_no_refund() -> None:
    money = link([row(), row(line=3, refund_id="F2", refunded_at=NOON + timedelta(days=1))], returns(5000)).money["R1"]
    assert (money.state, money.cash_pence, money.surplus_pence) == ("paid", 5000, 5000)


def test_money_of_a_file_without_days_or_currencies_counts() -> None:
    some = [a_return(return_id="R1", order_name="#LX1", refund_pence=5000, currency="EUR")]
    money = link([row(refunded_at=None)], some, tells_currency=False).money["R1"]
    assert (money.state, money.cash_pence, money.moments) == ("paid", 5000, ())


rows = st.lists(
    st.builds(
        row,
        st.integers(1, 10**6) | st.sampled_from([5000, 700]),
        line=st.integers(2, 10**6),
        return_id=st.sampled_from(["R1", "R2", "R9", ""]),
        gateway=st.sampled_from(["gift_card", "credit card", "paypal"]),
        order_ref=st.sampled_from(["KCCLX1", "KCCLX2"]),
    ),
    max_size=8,
    unique_by=lambda one: one.line,
)


@settings(max_examples=50, deadline=None)
@given(rows)
def test_every_penny_that_moved_is_a_returns_or_nobodys(some: list[RefundRow]) -> None:
    named = [one._replace(refund_id=f"F{one.line}") for one in some]
    found = link(named, returns(5000, 700))
    shown = {
        refund.refund_id: refund
        for money in found.money.values()
        for refund in (*money.refunds, *money.surplus, *found.strays)
    }
    shown |= {refund.refund_id: refund for refund in found.strays}
    assert sum(refund.moved_pence for refund in shown.values()) == sum(one.amount_pence for one in some)
