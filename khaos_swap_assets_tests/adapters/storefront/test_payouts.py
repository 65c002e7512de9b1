"""Payouts as Shopify tells them: what is asked, what is kept, and what one bad payout costs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.storefront.payouts import payouts_since
from khaos_swap_assets.adapters.storefront.records import PayoutSweep
from khaos_swap_assets_tests.adapters.storefront.shop import Shop, account, balance, client_of, cost, error, payout

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def sweep(*answers: Any, known: dict[str, str] | None = None, **changes: Any) -> tuple[PayoutSweep, Shop]:
    shop = Shop(list(answers))
    return payouts_since(client_of(shop, **changes), MARCH, (known or {}).get), shop


def listed_with(*lines: Any, **changes: Any) -> PayoutSweep:
    """One payout with these lines."""
    return sweep(account("payouts", payout(**changes)), account("balanceTransactions", *lines))[0]


def test_a_payout_comes_with_its_lines_page_by_page() -> None:
    found, shop = sweep(
        account("payouts", payout(2, "87.75", issuedAt="2026-03-31T23:30:00Z"), cursor="p1"),
        account("payouts", payout(1, issuedAt="2026-02-27T06:00:00Z")),
        account("balanceTransactions", balance(1, "-10.00", "0.25", 2), cursor="b1"),
        account("balanceTransactions", balance(2, "100.00", "2.00", 2, type="CHARGE", associatedOrder=None)),
        page_size=20,
    )
    (read,) = found.payouts
    assert (read.record.name, read.record.paid_on, read.record.total_pence) == (
        "shopify_payments 2", date(2026, 4, 1), 8775,
    )  # fmt: skip
    lines = read.record.lines
    assert [(one.kind, one.gross_pence, one.fee_pence) for one in lines] == [
        ("REFUND", -1000, 25), ("CHARGE", 10000, 200),
    ]  # fmt: skip
    assert [(one.transaction_id, one.order_ref) for one in lines] == [("1", "#LX1"), ("2", "")]
    assert read.record.apart_pence == 0
    assert shop.asked == [
        *({"first": 20, "after": after} for after in (None, "p1")),
        *({"first": 20, "after": after, "filter": "payments_transfer_id:2"} for after in (None, "b1")),
    ]


def test_a_payout_that_is_known_is_not_asked_for_again() -> None:
    first, _ = sweep(account("payouts", payout()), account("balanceTransactions"))
    again, shop = sweep(account("payouts", payout()), known={"1": first.payouts[0].content_hash})
    assert (again.payouts, again.seen, len(shop.asked)) == ((), ("1",), 1)
    changed, _ = sweep(
        account("payouts", payout(status="FAILED")), account("balanceTransactions"),
        known={"1": first.payouts[0].content_hash},
    )  # fmt: skip
    assert [one.record.status for one in changed.payouts] == ["FAILED"]


def test_a_withdrawal_takes_money_whichever_sign_it_has() -> None:
    totals = [
        listed_with(net=net, transactionType="WITHDRAWAL").payouts[0].record.total_pence for net in ("10.00", "-10.00")
    ]
    assert totals == [-1000, -1000]


FAULTS: dict[str, tuple[Any, str]] = {
    "no amount": (balance() | {"amount": None}, "line 1.amount: "),
    "an amount that is none": (
        balance() | {"fee": {"amount": "<b>", "currencyCode": "GBP"}},
        "line 1.fee: '<b>' is no",
    ),
    "a huge amount": (balance(gross="-9000000000000.00"), "line 1.amount: is too large an amount"),
    "another currency": (balance(amount={"amount": "-10.00", "currencyCode": "USD"}), "is not in GBP as its payout is"),
    "a net that does not add up": (
        balance(net={"amount": "-9.00", "currencyCode": "GBP"}),
        "line 1.net: is not its amount less its fee",
    ),
    "no id": (balance() | {"id": None}, "line ?.id: is no id"),
    "a type that is no text": (balance() | {"type": {"a": 1}}, "line 1.type: is no text"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_line_that_cannot_be_read_is_a_fault_of_its_payout(name: str) -> None:
    line, reason = FAULTS[name]
    found = listed_with(line, balance(7), net="-20.00")
    assert [one.line_id for one in found.payouts[0].record.lines] == ["7"]
    (fault,) = found.faults
    assert fault.subject == "payout 1"
    assert reason in fault.reason
    assert found.payouts[0].content_hash == "", "so that it is asked for again"


def test_an_unknown_type_is_kept_and_a_test_is_no_money() -> None:
    found = listed_with(balance(1, type="SOMETHING_NEW"), balance(2, test=True))
    assert [one.kind for one in found.payouts[0].record.lines] == ["SOMETHING_NEW"]
    assert found.faults == ()


def test_a_line_of_another_payout_refuses_the_whole_of_it_and_the_others_are_read() -> None:
    found, _ = sweep(
        account("payouts", payout(2), payout(1)),
        account("balanceTransactions", balance(1, of=9)),
        account("balanceTransactions", balance(1)),
    )
    assert [one.record.payout_id for one in found.payouts] == ["1"]
    assert found.refused == {"2": "its lines hold one of payout 9: nothing of it was taken"}


def test_a_payout_without_a_date_is_a_fault_and_the_others_are_read() -> None:
    found, _ = sweep(account("payouts", payout(2, issuedAt="soon"), payout(1)), account("balanceTransactions"))
    assert [one.record.payout_id for one in found.payouts] == ["1"]
    assert [one.subject for one in found.faults] == ["payout 2"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": {"shopifyPaymentsAccount": None}, "extensions": cost()}, "the shop shows no shopifyPaymentsAccount"),
        ({"data": {"shopifyPaymentsAccount": {"payouts": 7}}, "extensions": cost()}, "holds no list of payouts"),
        (error("ACCESS_DENIED"), "ACCESS_DENIED"),
        (account("payouts", cursor="c"), "a page is empty, yet more is said to follow"),
    ],
)
def test_a_list_that_is_not_told_is_refused(answer: Any, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        sweep(answer)


def test_a_page_that_is_too_dear_is_asked_for_in_smaller_ones() -> None:
    dear = error("MAX_COST_EXCEEDED")
    found, shop = sweep(dear, account("payouts", payout()), account("balanceTransactions"), page_size=50)
    assert [one["first"] for one in shop.asked] == [50, 25, 25]
    assert len(found.payouts) == 1
