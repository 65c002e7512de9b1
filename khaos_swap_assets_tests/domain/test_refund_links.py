"""Links by exact evidence: what pays what, what is ambiguous, and that nothing depends on the order of arrival."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.linking.refund_links import link
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.money_shown import Claimant, Links, as_money_says
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets_tests.domain import records
from khaos_swap_assets_tests.domain.payments import PAID_AT, a_payment, a_refund, a_refund_line

LATER = PAID_AT + timedelta(days=25)


def a_return(number: int = 1, pence: int = 5000, **changes: Any) -> Return:
    line = records.line(f"P{number}", pence, return_id=f"R{number}", line_item_id=changes.pop("item", f"L{number}"))
    given_ = {"return_id": f"R{number}", "rma": f"RMA{number}", "order_id": "1", "order_name": "#LX1"}
    return records.returned(line, **{**given_, **changes})


def claim(number: int = 1, pence: int = 5000, ref: str = "", **changes: Any) -> Claimant:
    return Claimant(a_return(number, pence, **changes), ref)


def paying(number: str, pence: int, **changes: Any) -> Refund:
    at = changes.pop("at", PAID_AT)
    part = a_payment(pence, changes.pop("currency", "GBP"), f"T-{number}", processed_at=at)
    return a_refund(number, part, **changes)


def states(links: Links) -> dict[str, tuple[str, str]]:
    return {key: (one.state, one.by) for key, one in links.money.items()}


def test_the_storefronts_own_number_of_the_return_links_whatever_the_order() -> None:
    links = link([claim(ref="77")], [paying("F1", 5000, return_ref="77", order_id="9", order_name="#LX9")])
    assert states(links) == {"R1": ("paid", "storefront_return")}
    assert links.returns == {"F1": ("R1", "storefront_return")}


def test_order_and_amount_link_where_one_return_fits() -> None:
    links = link([claim()], [paying("F1", 5000)])
    assert states(links) == {"R1": ("paid", "order_and_amount")}
    assert links.loose == ()


def test_the_order_may_be_known_by_its_name_alone_as_of_a_returned_exchange() -> None:
    exchange = a_return(order_name="#SW-1", order_id="71")
    named = replace(exchange, lines=(replace(exchange.lines[0], original_order_name="#LX1"),))
    assert states(link([Claimant(named)], [paying("F1", 5000)])) == {"R1": ("paid", "order_and_amount")}


def test_goods_tell_two_returns_of_one_price_apart() -> None:
    refunds = [paying("F1", 5000, lines=(a_refund_line("L2"),)), paying("F2", 5000, lines=(a_refund_line("L1"),))]
    links = link([claim(1), claim(2)], refunds)
    assert links.returns == {"F1": ("R2", "order_amount_and_goods"), "F2": ("R1", "order_amount_and_goods")}


def test_what_goods_settle_leaves_the_other_unambiguous() -> None:
    links = link([claim(1), claim(2)], [paying("F1", 5000, lines=(a_refund_line("L2"),)), paying("F2", 5000)])
    assert links.returns == {"F1": ("R2", "order_amount_and_goods"), "F2": ("R1", "order_and_amount")}


def test_two_returns_that_fit_are_ambiguous_and_neither_is_paid() -> None:
    links = link([claim(1), claim(2)], [paying("F1", 5000), paying("F2", 5000)])
    assert {one.state for one in links.money.values()} == {"ambiguous"}
    assert (links.returns, links.loose) == ({}, ())


def test_one_refund_that_two_returns_could_claim_is_ambiguous() -> None:
    assert {one.state for one in link([claim(1), claim(2)], [paying("F1", 5000)]).money.values()} == {"ambiguous"}


def test_several_payments_that_come_to_the_refund_are_its_parts() -> None:
    """FINANCE_RULES U-2: £50.00 and £70.00 of £120.00, each on its own day."""
    links = link([claim(1, 12000)], [paying("F1", 5000), paying("F2", 7000, at=LATER)])
    money = links.money["R1"]
    assert (money.state, money.by, money.moved_pence) == ("paid", "order_and_parts", 12000)
    assert money.moments == (PAID_AT, LATER)


@pytest.mark.parametrize(
    ("amounts", "moved", "state"),
    [
        ((2000, 3000), 5000, "paid"),
        ((2500, 2500), 5000, "paid"),
        ((1000, 1500, 2500), 5000, "paid"),
        ((2000, 3000, 9900), 5000, "paid"),
        ((1000, 2000, 3000, 4000), 5000, "ambiguous"),
        ((2000, 3000, 3000), 5000, "ambiguous"),
        ((2000, 3000), 4999, "unpaid"),
    ],
)
def test_one_refund_for_several_returns_of_an_order(amounts: tuple[int, ...], moved: int, state: str) -> None:
    links = link([claim(at, pence) for at, pence in enumerate(amounts, start=1)], [paying("F1", moved)])
    assert {key: one.state for key, one in links.money.items() if one.state != "unpaid"} == {
        f"R{at}": state for at, pence in enumerate(amounts, start=1) if state != "unpaid" and pence < moved
    }
    assert bool(links.loose) is (state == "unpaid")


def test_each_return_has_its_part_of_every_payment_to_the_penny() -> None:
    parts = (a_payment(2500, shop_pence=2101), a_payment(2500, number="T2", gateway="gift_card"))
    money = link([claim(1, 2000), claim(2, 3000)], [a_refund("F1", *parts)]).money
    told = {key: [(one.gateway, one.amount_pence, one.shop_pence) for one in some.refunds[0].moved]
            for key, some in money.items()}  # fmt: skip
    assert told == {
        "R1": [("shopify_payments", 2000, 1680)],
        "R2": [("shopify_payments", 500, 421), ("gift_card", 2500, 2500)],
    }
    assert {one.by for one in money.values()} == {"order_and_sum"}


def test_goods_tell_which_returns_a_sum_is_for() -> None:
    lines = (a_refund_line("L1"), a_refund_line("L3"))
    links = link([claim(1, 2000), claim(2, 3000), claim(3, 3000)], [paying("F1", 5000, lines=lines)])
    assert {key: one.state for key, one in links.money.items()} == {"R1": "paid", "R2": "unpaid", "R3": "paid"}


def test_a_sum_that_went_out_twice_is_told_of_each_of_its_returns() -> None:
    money = link([claim(1, 2000), claim(2, 3000)], [paying("F2", 5000, at=LATER), paying("F1", 5000)]).money
    assert {key: (one.state, one.moved_pence, [some.moved_pence for some in one.surplus])
            for key, one in money.items()} == {"R1": ("paid", 2000, [2000]), "R2": ("paid", 3000, [3000])}  # fmt: skip


def test_two_sums_that_share_a_return_are_in_doubt() -> None:
    refunds = [paying("F1", 5000), paying("F2", 7000)]
    links = link([claim(1, 2000), claim(2, 3000), claim(3, 4000)], refunds)
    assert {one.state for one in links.money.values()} == {"ambiguous"}
    assert links.loose == ()


def test_a_gift_card_is_tender_and_no_missing_amount() -> None:
    """FINANCE_RULES U-14: £40.00 to the card and £20.00 to the gift card are the £60.00 of the note."""
    split = a_refund("F1", a_payment(4000), a_payment(2000, number="T2", gateway="gift_card"))
    money = link([claim(1, 6000)], [split]).money["R1"]
    assert (money.state, money.moved_pence, split.tender_pence) == ("paid", 6000, 2000)


def test_a_second_refund_of_the_whole_amount_went_out_twice() -> None:
    money = link([claim()], [paying("F2", 5000, at=LATER), paying("F1", 5000)]).money["R1"]
    assert (money.state, [one.refund_id for one in money.refunds]) == ("paid", ["F1"])
    assert [one.refund_id for one in money.surplus] == ["F2"]


def test_a_second_refund_beside_the_one_that_names_the_return_went_out_twice() -> None:
    money = link([claim(ref="77")], [paying("F1", 5000, return_ref="77"), paying("F2", 5000)]).money["R1"]
    assert (money.by, [one.refund_id for one in money.surplus]) == ("storefront_return", ["F2"])


def test_two_refunds_that_both_name_the_return_went_out_twice() -> None:
    refunds = [paying("F1", 5000, return_ref="77"), paying("F2", 5000, return_ref="77", at=LATER)]
    money = link([claim(ref="77")], refunds).money["R1"]
    assert (money.state, len(money.refunds), len(money.surplus)) == ("paid", 1, 1)


@pytest.mark.parametrize(("pence", "currency", "state"), [(4900, "GBP", "differs"), (5000, "EUR", "currency")])
@pytest.mark.parametrize("ref", ["", "77"])
def test_money_that_does_not_agree_is_told_and_pays_nothing(pence: int, currency: str, state: str, ref: str) -> None:
    links = link([claim(ref=ref)], [paying("F1", pence, currency=currency, return_ref=ref)])
    assert links.money["R1"].state == state
    assert (links.returns, links.loose) == ({}, ())


def test_a_refund_of_another_return_is_not_taken() -> None:
    links = link([claim(ref="77")], [paying("F1", 5000, return_ref="78")])
    assert (links.money["R1"].state, [one.refund_id for one in links.loose]) == ("unpaid", ["F1"])


def test_a_number_that_two_returns_carry_is_no_evidence() -> None:
    links = link([claim(1, ref="77"), claim(2, ref="77")], [paying("F1", 5000, return_ref="77")])
    assert {one.state for one in links.money.values()} == {"ambiguous"}


def test_a_payment_that_failed_leaves_the_return_unpaid_and_says_why() -> None:
    failed = a_refund("F1", a_payment(status="FAILURE"))
    money = link([claim()], [failed]).money["R1"]
    assert (money.state, money.stuck, money.refunds) == ("unpaid", ("shopify_payments failure",), ())


def test_a_failed_try_before_a_payment_changes_nothing() -> None:
    failed = a_refund("F0", a_payment(status="ERROR", number="T0"))
    assert link([claim()], [failed, paying("F1", 5000)]).money["R1"].state == "paid"


@pytest.mark.parametrize("changes", [{"status": "Open"}, {"refund_pence": 0}, {"status": "Cancelled"}])
def test_a_return_that_asks_for_nothing_takes_nothing(changes: dict[str, Any]) -> None:
    links = link([claim(**changes)], [paying("F1", 5000)])
    assert (links.money, [one.refund_id for one in links.loose]) == ({}, ["F1"])


def test_money_of_an_order_without_a_return_is_loose() -> None:
    stranger = paying("F2", 700, order_id="2", order_name="#LX2")
    assert link([claim()], [paying("F1", 5000), stranger]).loose == (stranger,)


def test_the_money_gives_the_return_its_dates() -> None:
    """FINANCE_RULES U-1: approved in January, paid in February: the day of the payment counts."""
    money = link([claim(1, 12000)], [paying("F1", 5000), paying("F2", 7000, at=LATER)]).money["R1"]
    paid = as_money_says(a_return(1, 12000), money, is_in_sight=True)
    assert (paid.refunded_at, paid.closed_at, paid.is_refund_confirmed) == (PAID_AT, LATER, True)


def test_without_money_a_return_is_not_confirmed_unless_it_is_older_than_all_that_was_read() -> None:
    money = link([claim()], []).money["R1"]
    assert not as_money_says(a_return(), money, is_in_sight=True).is_refund_confirmed
    assert as_money_says(a_return(), money, is_in_sight=False) == a_return()
    assert as_money_says(a_return(), None, is_in_sight=True) == a_return()


def test_ambiguous_money_leaves_swaps_dates() -> None:
    money = link([claim(1), claim(2)], [paying("F1", 5000)]).money["R1"]
    assert as_money_says(a_return(), money, is_in_sight=True) == a_return()


def test_a_closed_return_without_a_date_gets_the_date_of_its_money() -> None:
    undated = a_return(processed_at=None, closed_at=None)
    money = link([Claimant(undated)], [paying("F1", 5000)]).money["R1"]
    assert as_money_says(undated, money, is_in_sight=True).refunded_at == PAID_AT


REFUNDS = st.lists(
    st.tuples(st.sampled_from([1000, 2000, 3000]), st.sampled_from(["1", "2"]), st.sampled_from(["", "77", "78"])),
    max_size=6,
)
RETURNS = st.lists(
    st.tuples(st.sampled_from([1000, 2000, 3000, 5000]), st.sampled_from(["1", "2"]), st.sampled_from(["", "77"])),
    max_size=4,
)


@given(refunds=REFUNDS, claims=RETURNS, data=st.data())
def test_the_order_of_arrival_changes_nothing_and_no_money_counts_twice(
    refunds: list[tuple[int, str, str]], claims: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    some = [
        paying(f"F{at}", pence, order_id=order, order_name=f"#LX{order}", return_ref=ref)
        for at, (pence, order, ref) in enumerate(refunds)
    ]
    owed = [
        claim(at, pence, ref, order_id=order, order_name=f"#LX{order}") for at, (pence, order, ref) in enumerate(claims)
    ]
    links = link(owed, some)
    again = link(data.draw(st.permutations(owed)), data.draw(st.permutations(some)))
    assert links.money == again.money
    assert {one.refund_id for one in links.loose} == {one.refund_id for one in again.loose}
    paid = Counter[str]()
    for money in links.money.values():
        for one in money.refunds if money.state == "paid" else ():
            paid[one.refund_id] += one.moved_pence
    assert all(paid[one.refund_id] in (0, one.moved_pence) for one in some)
    for key, money in links.money.items():
        if money.state == "paid":
            record = next(one.return_ for one in owed if one.return_id == key)
            assert (money.moved_pence, {one.currency for one in money.refunds}) == (record.refund_pence, {"GBP"})
