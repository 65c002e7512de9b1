"""Payouts beside refunds: the finance rules with their own figures, what a line may name, and where each penny is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.payouts import journals as books
from khaos_swap_assets.domain.payouts.comparing import KINDS, Placed, compare, missing, problem_of, total_problem
from khaos_swap_assets.domain.payouts.journals import Difference, JournalLine, journals
from khaos_swap_assets.domain.payouts.records import UNSENT, Covered, PaidRefund, Payout
from khaos_swap_assets_tests.domain.payouts import PAID_ON, PAYOUT_ON, a_line, a_payout, a_refund, lines_of, places

SHOP = "shopify_payments"
MARCH = {SHOP: Covered(date(2026, 3, 1), date(2026, 3, 31))}


def shown(found: Sequence[Placed]) -> list[tuple[str, int, int]]:
    """Place, matched and apart, in the order of the lines."""
    ordered = sorted(found, key=lambda one: one.line.line.line_id if one.line else "~")
    return [(one.place, one.matched_pence, one.apart_pence) for one in ordered]


ACCEPTANCE: dict[str, tuple[list[Any], list[PaidRefund], list[tuple[str, int, int]]]] = {
    "U-1: paid on 2 February, in the payout of 4 February, to the penny": (
        [a_line(-5999)],
        [a_refund(5999, paid_on=date(2025, 2, 2))],
        [("matched", -5999, 0)],
    ),
    "U-2: two part payments are two refunds, each in its payout": (
        [a_line(-5000, "B1"), a_line(-7000, "B2", transaction_id="T2")],
        [a_refund(5000), a_refund(7000, "T2")],
        [("matched", -5000, 0), ("matched", -7000, 0)],
    ),
    "U-14: of £60.00 the card paid £40.00; the gift card is in no payout and nothing is missing": (
        [a_line(-4000)],
        [a_refund(4000)],
        [("matched", -4000, 0)],
    ),
    "U-15: an exchange down is compared with £15.00, never £45.00": (
        [a_line(-4500)],
        [a_refund(1500)],
        [("differs", -1500, -3000)],
    ),
    "U-16: paid in euros, £101.69 left the shop": (
        [a_line(-10169)],
        [a_refund(10169, is_foreign=True)],
        [("matched", -10169, 0)],
    ),
    "U-25: £35.00 with no order that we know": ([a_line(-3500)], [], [("unknown", 0, -3500)]),
    "U-28: the card refund is £40.60, whatever the note credits": (
        [a_line(-4060)],
        [a_refund(4060)],
        [("matched", -4060, 0)],
    ),
    "U-28: £3.95 of delivery went back beside it": (
        [a_line(-4455)],
        [a_refund(4060)],
        [("differs", -4060, -395)],
    ),
    "a fee is apart: the refund is matched by its gross": (
        [a_line(-5000, fee_pence=25)],
        [a_refund(5000)],
        [("matched", -5000, 0)],
    ),
    "less went out than was refunded": ([a_line(-3000)], [a_refund(3300)], [("differs", -3300, 300)]),
}


@pytest.mark.parametrize("name", ACCEPTANCE)
def test_a_line_stands_beside_its_refund(name: str) -> None:
    lines, refunds, expected = ACCEPTANCE[name]
    payout = a_payout(*lines)
    found = compare(lines_of(payout), refunds)
    assert shown(found) == expected
    assert places(payout, found).total_pence == payout.total_pence


NAMED: dict[str, tuple[list[Any], list[PaidRefund], list[str]]] = {
    "the refund": ([a_line(-5999, refund_id="F-T1")], [a_refund(), a_refund(key="T2")], ["T1"]),
    "the payment, in the column of refunds": ([a_line(-5999, refund_id="T1")], [a_refund()], ["T1"]),
    "the RMA": ([a_line(-5999, return_ref="RMA1")], [a_refund(), a_refund(key="T2", rma="RMA2")], ["T1"]),
    "the order, with its sign": ([a_line(-5999, order_ref="#LX1")], [a_refund()], ["T1"]),
    "the order, without": ([a_line(-5999, order_ref="LX1")], [a_refund()], ["T1"]),
    "the order, by its id": ([a_line(-5999, order_ref="id1")], [a_refund()], ["T1"]),
    "an id of the provider's own, and the order": (
        [a_line(-5999, refund_id="re_1", order_ref="#LX1")],
        [a_refund()],
        ["T1"],
    ),
    "the order, of whose refunds one has the amount": (
        [a_line(-5999, order_ref="#LX1")],
        [a_refund(100, "T2"), a_refund()],
        ["T1"],
    ),
    "the order, of which two refunds are equal": (
        [a_line(-5999, order_ref="#LX1")],
        [a_refund(), a_refund(key="T2")],
        ["it could be any of T1, T2"],
    ),
    "twice the order with two equal refunds: the earliest first": (
        [a_line(-5999, "B1", order_ref="#LX1"), a_line(-5999, "B2", order_ref="#LX1")],
        [a_refund(key="T2"), a_refund(key="T1", paid_on=PAID_ON - timedelta(days=1))],
        ["T1", "T2"],
    ),
    "two parts of one refund": (
        [a_line(-5000, "B1", refund_id="F-T1"), a_line(-999, "B2", refund_id="F-T1")],
        [a_refund()],
        ["T1", "T1"],
    ),
    "a refund that is in the payout already": (
        [a_line(-5999, "B1"), a_line(-5999, "B2")],
        [a_refund()],
        ["T1", "its refund is in shopify_payments P1/B1 already"],
    ),
    "a payment of the storefront that it does not know": (
        [a_line(-5999, transaction_id="T9", order_ref="#LX1")],
        [a_refund()],
        ["no such refund is known"],
    ),
    "a refund of another gateway": (
        [a_line(-5999, order_ref="#LX1")],
        [a_refund(gateway="paypal"), a_refund(key="T2")],
        ["T2"],
    ),
    "a refund of another currency": (
        [a_line()],
        [a_refund(currency="EUR")],
        ["its refund went another way: shopify_payments in EUR"],
    ),
    "a refund of another gateway alone": (
        [a_line(-5999, order_ref="#LX1")],
        [a_refund(gateway="paypal")],
        ["its refund went another way: paypal in GBP"],
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_a_line_may_name(name: str) -> None:
    lines, refunds, expected = NAMED[name]
    found = compare(lines_of(a_payout(*lines)), refunds)
    by_line = sorted(found, key=lambda one: one.line.line.line_id if one.line else "")
    assert [one.refund.key if one.refund else one.why for one in by_line] == expected


OVERDUE = {
    "in no payout for longer than seven days": (a_refund(), ["missing"]),
    "still within them": (a_refund(paid_on=date(2026, 3, 24)), []),
    "before the first payout that we know": (a_refund(paid_on=date(2026, 2, 28)), []),
    "by a provider whose payouts nobody reads": (a_refund(gateway="paypal"), []),
    "by nobody knows whom": (a_refund(gateway=""), []),
}


@pytest.mark.parametrize("name", OVERDUE)
def test_a_refund_should_be_in_a_payout_by_now(name: str) -> None:
    refund, expected = OVERDUE[name]
    assert [one.place for one in missing([refund], MARCH, 7)] == expected


def test_a_payout_late_on_the_last_of_april_is_of_may() -> None:
    """U-18."""
    assert london_date(datetime(2026, 4, 30, 23, 30, tzinfo=UTC)) == date(2026, 5, 1)


def a_difference(place: str, apart: int, **changes: Any) -> Difference:
    given: dict[str, Any] = {"day": PAYOUT_ON, "subject": "P1/B1", "currency": "GBP", "goods_pence_by_rate": {20: 100}}
    return Difference(place, apart_pence=apart, **{**given, **changes})


def entered(lines: Sequence[JournalLine]) -> dict[tuple[str, str], int]:
    """Account and VAT rate → pence, debits positive."""
    return {(one.account, one.vat_rate): one.debit_pence - one.credit_pence for one in lines}


VAT: dict[str, tuple[Difference, dict[tuple[str, str], int]]] = {
    "U-28: £3.95 more than refunded is 3.29 + 0.66": (
        a_difference("differs", -395),
        {(books.RETURNS, "20"): 329, (books.OUTPUT_VAT, "20"): 66, (books.CLEARING, ""): -395},
    ),
    "U-15: £45.00 for an exchange of £15.00": (
        a_difference("differs", -3000),
        {(books.RETURNS, "20"): 2500, (books.OUTPUT_VAT, "20"): 500, (books.CLEARING, ""): -3000},
    ),
    "less went back: VAT was reduced by too much": (
        a_difference("differs", 300),
        {(books.RETURNS, "20"): -250, (books.OUTPUT_VAT, "20"): -50, (books.CLEARING, ""): 300},
    ),
    "U-5: a child's coat was sold without VAT": (
        a_difference("differs", -3000, goods_pence_by_rate={0: 3000}),
        {(books.RETURNS, "0"): 3000, (books.CLEARING, ""): -3000},
    ),
    "U-9: a mixed basket, by the value of its goods": (
        a_difference("differs", -395, goods_pence_by_rate={20: 5685, 0: 1312}),
        {
            (books.RETURNS, "20"): 268,
            (books.OUTPUT_VAT, "20"): 53,
            (books.RETURNS, "0"): 74,
            (books.CLEARING, ""): -395,
        },
    ),
    "a reduced rate": (
        a_difference("differs", -105, goods_pence_by_rate={Decimal("5.00"): 1}),
        {(books.RETURNS, "5.00"): 100, (books.OUTPUT_VAT, "5.00"): 5, (books.CLEARING, ""): -105},
    ),
    "U-16: an exchange loss has no VAT": (
        a_difference("differs", -169, is_foreign=True),
        {(books.EXCHANGE, ""): 169, (books.CLEARING, ""): -169},
    ),
    "U-25: no refund of a sale, no VAT": (
        a_difference("unknown", -3500, goods_pence_by_rate={}),
        {(books.TO_EXPLAIN, ""): 3500, (books.CLEARING, ""): -3500},
    ),
    "U-17 D: credited £48.00, and the money did not move": (
        a_difference("missing", 4800, is_credited=True),
        {
            (books.CLEARING, ""): 4800,
            (books.OWED, ""): -4800,
            (books.WAITING_VAT, "20"): 800,
            (books.OUTPUT_VAT, "20"): -800,
        },
    ),
    "not paid and not credited: the books hold nothing to correct": (a_difference("missing", 4800), {}),
    "in euros: its VAT is at the rate of the sale": (
        a_difference("missing", 10169, is_credited=True, is_foreign=True),
        {(books.CLEARING, ""): 10169, (books.OWED, ""): -10169},
    ),
    "a pound of the total that no line tells": (
        a_difference("total", -100),
        {(books.DIFFERENCES, ""): 100, (books.CLEARING, ""): -100},
    ),
    "fees, apart": (a_difference("fee", 25), {(books.FEES, ""): 25, (books.CLEARING, ""): -25}),
}


@pytest.mark.parametrize("name", VAT)
def test_a_proposed_journal_has_the_vat_of_its_sale(name: str) -> None:
    difference, expected = VAT[name]
    lines = journals([difference])
    assert entered(lines) == expected
    assert all((one.debit_pence == 0) != (one.credit_pence == 0) for one in lines)


def test_entries_are_numbered_and_one_without_lines_takes_no_number() -> None:
    found = journals([a_difference("fee", 25), a_difference("missing", 4800), a_difference("total", 7)])
    assert [one.entry for one in found] == [1, 1, 2, 2]


PROBLEMS = {
    "unknown": (
        a_payout(a_line(-3500, transaction_id="T9", order_ref="#LX7")),
        "payout_without_refund",
        "Payout shopify_payments P1 of 4 March 2026 holds -£35.00, #LX7: no such refund is known",
        3500,
    ),
    "differs": (
        a_payout(a_line(-6394)),
        "payout_amount_differs",
        "Payout shopify_payments P1 of 4 March 2026 holds -£63.94; the refund F-T1 of RMA1 is £59.99: £3.95 more "
        "went out",
        395,
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_difference_is_an_exception_of_finance_in_pence(name: str) -> None:
    payout, kind, message, pence = PROBLEMS[name]
    (placed,) = compare(lines_of(payout), [a_refund()])
    problem = problem_of(placed)
    assert problem
    assert (problem.kind, problem.owner, problem.message) == (kind, "finance", message)
    assert (problem.subject, problem.money_at_risk_pence) == ("shopify_payments P1/B1", pence)


def test_a_refund_in_no_payout_and_a_wrong_total_are_exceptions_too() -> None:
    (placed,) = missing([a_refund()], MARCH, 7)
    problem, total = problem_of(placed), total_problem(a_payout(a_line(), total=-6100), -101)
    assert problem
    assert (problem.kind, problem.subject, problem.money_at_risk_pence) == ("refund_not_in_payout", "refund T1", 5999)
    assert problem.message == (
        "The refund F-T1 of RMA1 was £59.99 by shopify_payments on 2 March 2026, and no payout that we know holds it"
    )
    assert (total.kind, total.money_at_risk_pence) == ("payout_total_differs", 101)
    assert total.message.endswith("came to -£61.00, and its lines add up to -£59.99")
    assert {problem.kind, total.kind} <= set(KINDS)


def test_a_payout_that_failed_never_reached_the_bank() -> None:
    assert [word.lower() in UNSENT for word in ("PAID", "SCHEDULED", "", "FAILED", "CANCELED")] == [
        *(False, False, False),
        *(True, True),
    ]


NAMES = st.sampled_from(["1", "2", "3"])
REFUNDS = st.lists(
    st.builds(
        lambda number, pence, order, rma, gateway: a_refund(
            pence, f"T{number}", order_name=f"#LX{order}", order_id=f"id{order}", rma=f"RMA{rma}", return_id=f"R{rma}",
            gateway=gateway,
        ),
        NAMES,
        st.integers(1, 4),
        NAMES,
        NAMES,
        st.sampled_from([SHOP, "paypal", ""]),
    ),
    max_size=5,
    unique_by=lambda one: one.key,
)  # fmt: skip
LINES = st.lists(
    st.builds(
        lambda name, value, pence, fee, kind: a_line(
            pence, "", kind=kind, fee_pence=fee, **{name: f"{value[0]}{value[1]}"}
        ),
        st.sampled_from(["transaction_id", "refund_id", "return_ref", "order_ref"]),
        st.tuples(st.sampled_from(["T", "F-T", "RMA", "LX"]), NAMES),
        st.integers(-6, 3),
        st.integers(-1, 2),
        st.sampled_from(["REFUND", "REFUND", "refund", "CHARGE", "SOMETHING_NEW"]),
    ),
    max_size=6,
)


def numbered(lines: Sequence[Any], total: int | None) -> Payout:
    own = [a_line(one.gross_pence, f"B{at}", kind=one.kind, fee_pence=one.fee_pence, transaction_id=one.transaction_id,
                  refund_id=one.refund_id, return_ref=one.return_ref, order_ref=one.order_ref)
           for at, one in enumerate(lines)]  # fmt: skip
    return a_payout(*own, total=total)


@settings(max_examples=150)
@given(LINES, REFUNDS, st.one_of(st.none(), st.integers(-20, 20)))
def test_every_penny_of_a_payout_is_in_exactly_one_place(
    lines: Sequence[Any], refunds: list[PaidRefund], total: int | None
) -> None:
    payout = numbered(lines, total)
    found = compare(lines_of(payout), refunds)
    assert places(payout, found).total_pence == payout.total_pence
    assert Counter(one.line.name for one in found if one.line) == Counter(one.name for one in lines_of(payout))
    for one in found:
        assert one.matched_pence + one.apart_pence == one.gross_pence
        assert (one.apart_pence == 0) == (one.place == "matched") or one.gross_pence == 0
    held = Counter[str]()
    for one in found:
        if one.refund and one.place == "matched":
            held[one.refund.key] += one.matched_pence
    assert all(held[one.key] in (0, -one.pence) for one in refunds), "no refund is explained twice, or by half"


@settings(max_examples=60)
@given(LINES, REFUNDS, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_refunds_changes_nothing(
    lines: Sequence[Any], refunds: list[PaidRefund], chance: Any
) -> None:
    known = lines_of(numbered(lines, None))
    expected = shown(compare(known, refunds))
    mixed, others = list(known), list(refunds)
    chance.shuffle(mixed)
    chance.shuffle(others)
    assert shown(compare(mixed, others)) == expected


PENCE = st.integers(-10_000, 10_000)
GOODS = st.dictionaries(st.sampled_from([0, 5, 20, Decimal("17.5")]), st.integers(0, 9_000), max_size=3)


@given(
    st.lists(
        st.builds(
            lambda place, apart, goods, is_foreign, is_credited: a_difference(
                place, abs(apart) if place in ("missing", "fee") else apart, goods_pence_by_rate=goods,
                is_foreign=is_foreign, is_credited=is_credited,
            ),
            st.sampled_from(["differs", "unknown", "missing", "total", "fee"]), PENCE, GOODS, st.booleans(),
            st.booleans(),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_debits_equal_credits_in_every_entry_and_clearing_moves_by_the_difference(some: list[Difference]) -> None:
    for one in some:
        lines = journals([one])
        assert sum(line.debit_pence for line in lines) == sum(line.credit_pence for line in lines)
        moved = entered(lines).get((books.CLEARING, ""), 0)
        assert not lines or moved == (-one.apart_pence if one.place == "fee" else one.apart_pence)
