"""One refund of the storefront by itself, and a return as its money says: which payments count, and from which day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Links, Money, as_money_says, is_awaited, is_owed
from khaos_swap_assets.domain.refunds.payments import Refund, Transaction
from khaos_swap_assets_tests.domain.cases import REFUNDED, a_return
from khaos_swap_assets_tests.domain.payments import PAID_AT, a_payment, a_refund
from khaos_swap_assets_tests.domain.records import line, returned

LATER = PAID_AT + timedelta(days=3)


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, True),
        ({"status": "PENDING"}, False),
        ({"status": "FAILURE"}, False),
        ({"status": "A_NEW_WORD"}, False),
        ({"kind": "SALE"}, False),
        ({"processed_at": None}, False),
        ({"is_test": True}, False),
        ({"gateway": "gift_card"}, True),
    ],
)
def test_money_moved_only_when_it_went_through(changes: dict[str, Any], moved: bool) -> None:
    refund = a_refund("F1", a_payment(**changes))
    assert (refund.moved_pence, bool(refund.moved)) == ((5000, True) if moved else (0, False))
    assert (refund.moved_at is None) is not moved


def test_payments_stand_in_the_order_of_their_days() -> None:
    late, early = a_payment(100, number="T1", processed_at=LATER), a_payment(200, number="T9")
    twin = a_payment(300, number="T2")
    refund = a_refund("F1", late, early, twin)
    assert [one.transaction_id for one in refund.moved] == ["T2", "T9", "T1"]
    assert refund.moved_at == PAID_AT


def test_a_gift_card_is_money_that_the_provider_never_shows() -> None:
    refund = a_refund("F1", a_payment(3500), a_payment(1500, number="T2", gateway="gift_card"))
    assert (refund.moved_pence, refund.tender_pence) == (5000, 1500)


@pytest.mark.parametrize(
    ("payments", "told"),
    [
        ([{}], ()),
        ([{"status": "PENDING"}], ("shopify_payments pending",)),
        ([{"status": "PENDING"}, {"status": "PENDING"}], ("shopify_payments pending",)),
        ([{"status": "FAILURE", "gateway": ""}], ("payment failure",)),
        ([{"status": ""}], ("shopify_payments without status",)),
        ([{"kind": "SALE", "status": "FAILURE"}], ()),
        ([{"status": "PENDING"}, {"status": "ERROR"}], ("shopify_payments error", "shopify_payments pending")),
    ],
)
def test_what_is_stuck_is_told_in_words_each_once(payments: list[dict[str, Any]], told: tuple[str, ...]) -> None:
    made = [a_payment(number=f"T{number}", **changes) for number, changes in enumerate(payments)]
    assert a_refund("F1", *made).stuck == told


some_payments = st.lists(
    st.builds(
        a_payment,
        st.integers(0, 10**6),
        number=st.uuids().map(str),
        status=st.sampled_from(["SUCCESS", "PENDING"]),
        gateway=st.sampled_from(["gift_card", "shopify_payments"]),
        is_test=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50)
@given(some_payments)
def test_what_moved_never_exceeds_its_payments_and_their_order_is_nothing(payments: list[Transaction]) -> None:
    refund = a_refund("F1", *payments)
    assert 0 <= refund.tender_pence <= refund.moved_pence <= refund.total_pence
    assert a_refund("F1", *payments[::-1]).moved == refund.moved


@pytest.mark.parametrize(
    ("state", "doubtful"),
    [("paid", False), ("unpaid", False), ("differs", True), ("currency", True), ("ambiguous", True)],
)
def test_money_that_does_not_agree_is_doubtful(state: Any, doubtful: bool) -> None:
    assert Money(state).is_doubtful is doubtful


def test_the_names_that_money_may_be_on() -> None:
    return_ = returned(line(original_order_name="#LX1"), line("P2", original_order_name="#LX0"), line("P3"))
    assert Claimant(return_).order_names == {"#LX0", "#LX1"}
    assert Claimant(returned(order_name="")).order_names == frozenset()


def test_goods_of_one_order_line_are_added_up() -> None:
    rows = (line("P1", quantity=2), line("P2", line_item_id="L-P1"), line("P3", outcome="Exchange"))
    assert Claimant(returned(*rows)).goods == {"L-P1": 3}


CLOSED: dict[str, Any] = {"status": "Closed", "refund_pence": 5000}


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({}, True),
        ({"processed_at": None, "closed_at": None}, True),
        ({"status": "Open"}, False),
        ({"refund_pence": 0}, False),
    ],
)
def test_a_closed_return_with_money_is_owed_dated_or_not(changes: dict[str, Any], owed: bool) -> None:
    assert is_owed(a_return(**changes)) is owed


TWICE = Money("paid", (a_refund("F1", a_payment(3000)), a_refund("F2", a_payment(2000, processed_at=LATER))))
PENDING = Money("unpaid", (a_refund("F1", a_payment(status="PENDING")),))
OPEN = a_return(status="Open", processed_at=None, closed_at=None)


def test_the_days_of_a_return_are_those_of_its_money() -> None:
    found = as_money_says(a_return(), TWICE, is_in_sight=True)
    assert (found.processed_at, found.closed_at, found.refunded_at) == (PAID_AT, LATER, PAID_AT)


@pytest.mark.parametrize(
    ("return_", "money", "in_sight", "confirmed"),
    [
        (a_return(), None, True, True),
        (a_return(), PENDING, True, False),
        (a_return(), PENDING, False, True),
        (a_return(), Money("unpaid"), True, False),
        (a_return(), Money("ambiguous"), True, True),
        (a_return(processed_at=None, closed_at=None), TWICE, True, True),
        (OPEN, TWICE, True, False),
    ],
)
def test_without_money_that_must_be_in_sight_nothing_is_confirmed(
    return_: Return, money: Money | None, in_sight: bool, confirmed: bool
) -> None:
    found = as_money_says(return_, money, is_in_sight=in_sight)
    assert found.is_refund_confirmed is confirmed
    assert as_money_says(found, money, is_in_sight=in_sight) == found
    assert (found.refund_pence, found.lines) == (return_.refund_pence, return_.lines)


@pytest.mark.parametrize(
    ("money", "said", "awaited"),
    [
        (Money("unpaid"), a_return(), True),
        (Money("unpaid"), OPEN, False),
        (Money("unpaid"), None, False),
        (TWICE, a_return(), False),
        (None, a_return(), False),
        (Money("ambiguous"), a_return(), False),
    ],
)
def test_who_waits_for_money(money: Money | None, said: Return | None, awaited: bool) -> None:
    assert is_awaited(money, said) is awaited


def test_only_what_pays_a_return_is_linked_the_second_payment_too() -> None:
    one, again, other = a_refund("F1"), a_refund("F2"), a_refund("F3")
    money = {
        "R1": Money("paid", (one,), by="amount", surplus=(again,)),
        "R2": Money("differs", (other,)),
        "R3": Money("unpaid"),
    }
    assert Links(money, ()).returns == {"F1": ("R1", "amount"), "F2": ("R1", "amount")}


def test_moments_of_money_are_sorted_over_its_refunds() -> None:
    refunds: tuple[Refund, ...] = (a_refund("F2", a_payment(processed_at=LATER)), a_refund("F1"))
    money = Money("paid", refunds)
    assert money.moments == (PAID_AT, LATER)
    assert money.moved_pence == 10000
    assert as_money_says(a_return(processed_at=REFUNDED), money, is_in_sight=False).refunded_at == PAID_AT
