"""Orders: how a return names one, which one is chosen, and who took back more than was sold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.orders import (
    OrderLine,
    OrderMatch,
    SalesOrder,
    UnitClaim,
    choose_order,
    is_no_person,
    order_ref,
    over_refunds,
    over_returns,
)
from khaos_swap_assets.domain.records.returns import Return, ReturnLine
from khaos_swap_assets.domain.records.stores import OrderNaming, OrderNamings
from khaos_swap_assets_tests.domain.records import REFUNDED_AT, line, order, returned


@pytest.mark.parametrize(
    ("name", "ref_format", "strips_hash", "ref"),
    [
        ("#LX10482", "KCC{0}", True, "KCCLX10482"),
        ("#LX10482", "KCC{0}", False, "KCC#LX10482"),
        ("LX10482", "{0}SPY", True, "LX10482SPY"),
        (" #1001 ", "{0}", True, "1001"),
        ("##1001", "{0}", True, "#1001"),
        ("SW-1001", "A{0}B", True, "ASW-1001B"),
        ("{1}", "K{0}", True, "K{1}"),
        ("", "KCC{0}", True, ""),
        (" # ", "KCC{0}", True, ""),
    ],
)
def test_an_order_name_becomes_its_reference(name: str, ref_format: str, strips_hash: bool, ref: str) -> None:
    assert order_ref(name, ref_format=ref_format, strips_hash=strips_hash) == ref


def refs_of(*lines: ReturnLine, **changes: Any) -> tuple[str, ...]:
    return OrderNamings([OrderNaming(ref_format="KCC{0}")]).refs(returned(*lines, **changes))


@pytest.mark.parametrize(
    ("originals", "header", "refs"),
    [
        ([], "#LX1", ("KCCLX1",)),
        ([""], "#LX1", ("KCCLX1",)),
        (["#LX1"], "#LX1", ("KCCLX1",)),
        (["LX1", "#LX1"], "#LX1", ("KCCLX1",)),
        (["#LX1", "#LX1"], "#SW-9", ("KCCLX1",)),
        (["#LX1", ""], "#LX1", ("KCCLX1",)),
        (["#LX1", ""], "#SW-9", ("KCCLX1", "KCCSW-9")),
        (["#LX1", "#LX2"], "#LX1", ("KCCLX1", "KCCLX2")),
        ([""], "", ()),
        ([" "], " # ", ()),
    ],
)
def test_the_original_order_wins_over_the_header(originals: list[str], header: str, refs: tuple[str, ...]) -> None:
    lines = [line(str(number), original_order_name=name) for number, name in enumerate(originals)]
    assert refs_of(*lines, order_name=header) == refs


def test_refund_lines_decide_about_the_order() -> None:
    refund = line("A", original_order_name="#LX1")
    swap = line("B", outcome="Exchange", original_order_name="#LX2")
    assert refs_of(refund, swap) == ("KCCLX1",)
    assert refs_of(swap) == ("KCCLX2",)


def choose(candidates: list[SalesOrder], return_: Return | None = None, **changes: Any) -> OrderMatch:
    asked: dict[str, Any] = {
        "refs": ("KCCLX1",),
        "stock_codes": {"P1"},
        "is_answered": True,
        "generic_customers": ["Amazo-*"],
    }
    asked |= changes
    refs = asked.pop("refs")
    return choose_order(return_ or returned(line()), refs, candidates, **asked)


GOOD = order(("P1", 2))


@pytest.mark.parametrize(
    ("candidates", "changes", "problems"),
    [
        ([GOOD], {}, ()),
        ([], {}, ("order_not_found",)),
        ([GOOD], {"refs": ()}, ("order_not_found",)),
        ([GOOD], {"refs": ("KCCLX1", "KCCLX2")}, ("order_ambiguous",)),
        ([GOOD, order(("P1", 1), so_code="SO2")], {}, ("order_ambiguous",)),
        ([GOOD, order(so_code="SO2", associated_ref="KCCLX2")], {}, ()),
        ([GOOD, order(so_code="SO2", is_cancelled=True)], {}, ()),
        ([order(("P1", 2), associated_ref="kcclx1")], {}, ("order_not_found",)),
        ([GOOD], {"stock_codes": {"P1", "P9"}}, ("order_not_found",)),
        ([order(("p1", 1))], {}, ("order_not_found",)),
        ([order(("P1", 1), invoiced_on=None)], {}, ("order_not_invoiced",)),
        ([order(("P1", 1), customer_code="")], {}, ("customer_unknown",)),
        ([order(("P1", 1), customer_code="Amazo-0317")], {}, ("customer_unknown",)),
        ([order(("P1", 1), currency="EUR")], {}, ("currency_mismatch",)),
        (
            [order(("P9", 1), currency="EUR", customer_code=" ", invoiced_on=None)],
            {},
            ("order_not_found", "order_not_invoiced", "customer_unknown", "currency_mismatch"),
        ),
    ],
)
def test_an_order_is_chosen_or_every_problem_named(
    candidates: list[SalesOrder], changes: dict[str, Any], problems: tuple[str, ...]
) -> None:
    match = choose(candidates, **changes)
    assert (match.problems, match.is_waiting) == (problems, False)


def test_the_chosen_order_stays_known_beside_its_problem() -> None:
    assert choose([GOOD]).order is GOOD
    assert choose([GOOD], stock_codes={"P9"}).order is GOOD
    assert choose([GOOD, GOOD]).order is None


def test_a_question_not_yet_answered_is_no_exception() -> None:
    assert choose([], is_answered=False) == OrderMatch(None, (), is_waiting=True)
    bare = order()
    assert choose([bare], is_answered=False) == OrderMatch(bare, (), is_waiting=True)


def test_an_open_return_may_still_wait_for_its_invoice() -> None:
    bare = order(("P1", 1), invoiced_on=None)
    assert choose([bare], returned(line(), status="Open")).problems == ()


def test_lines_of_two_currencies_mismatch() -> None:
    mixed = returned(line("P1"), line("P2", currency="EUR"))
    assert choose([GOOD], mixed).problems == ("currency_mismatch",)
    assert choose([GOOD], returned(line("P1"), line("P2", currency="EUR", outcome="Exchange"))).problems == ()


@pytest.mark.parametrize(
    ("code", "is_so"),
    [("", True), (" ", True), ("Amazo-0317", True), ("AMAZO-1", True), ("PATEL0007", False), ("xAmazo-1", False)],
)
def test_a_generic_customer_is_no_person(code: str, is_so: bool) -> None:
    assert is_no_person(code, ["Amazo-*", " EBAY?? "]) is is_so


def claim(return_id: str, quantity: int = 1, day: int | None = 1, code: str = "A") -> UnitClaim:
    moment = None if day is None else REFUNDED_AT + timedelta(days=day)
    return UnitClaim(return_id, f"RMA-{return_id}", moment, code, quantity)


@pytest.mark.parametrize(
    ("claims", "sold", "over"),
    [
        ([], {"A": 1}, set()),
        ([claim("1")], {"A": 1}, set()),
        ([claim("1", 2)], {"A": 1}, {"1"}),
        ([claim("1"), claim("1")], {"A": 1}, {"1"}),
        ([claim("1", day=1), claim("2", day=2)], {"A": 1}, {"2"}),
        ([claim("2", day=1), claim("1", day=2)], {"A": 1}, {"1"}),
        ([claim("2", day=1), claim("1", day=1)], {"A": 1}, {"2"}),
        ([claim("1", day=None), claim("2", day=9)], {"A": 1}, {"1"}),
        ([claim("1", day=1), claim("2", day=2), claim("3", day=3)], {"A": 1}, {"2", "3"}),
        ([claim("1", day=1), claim("2", 2, day=2)], {"A": 3}, set()),
        ([claim("1", code="B")], {"A": 1}, set()),
        ([claim("1", code="B"), claim("2", code="B", day=2)], {"A": 9, "B": 1}, {"2"}),
    ],
)
def test_only_the_later_return_takes_back_too_much(
    claims: list[UnitClaim], sold: dict[str, int], over: set[str]
) -> None:
    assert {return_id for return_id, _ in over_returns(claims, sold)} == over


def test_refunds_of_one_moment_count_by_rma() -> None:
    early, late = replace(claim("9"), rma="RMA-1"), replace(claim("1"), rma="RMA-2")
    assert over_returns([late, early], {"A": 1}) == {("1", "A")}


def test_three_notes_for_two_sold_units_fail() -> None:
    assert over_returns([claim(number, day=int(number)) for number in "123"], {"A": 2}) == {("3", "A")}


CLAIMS = st.lists(
    st.builds(claim, st.sampled_from("123456"), st.integers(1, 3), st.just(1), st.sampled_from("AB")), max_size=10
)


@given(CLAIMS, st.integers(0, 6), st.randoms(use_true_random=False))
def test_the_order_of_claims_changes_nothing(claims: list[UnitClaim], sold: int, random: Any) -> None:
    shuffled = random.sample(claims, len(claims))
    assert over_returns(claims, {"A": sold, "B": 2}) == over_returns(shuffled, {"A": sold, "B": 2})


@given(CLAIMS, st.integers(0, 6))
def test_what_is_not_flagged_was_sold(claims: list[UnitClaim], sold: int) -> None:
    over = over_returns(claims, {"A": sold})
    units = sum(row.quantity for row in claims if row.stock_code == "A" and (row.return_id, "A") not in over)
    assert units <= sold
    total = sum(row.quantity for row in claims if row.stock_code == "A")
    assert bool(over) is (total > sold)


def a_claim(number: int, quantity: int, pence: int, code: str = "SHIRT") -> UnitClaim:
    """A refund of some units on the <number>th day."""
    return UnitClaim(f"R{number}", f"RMA{number}", datetime(2026, 2, number, tzinfo=UTC), code, quantity, pence)


SHIRTS = replace(order(("SHIRT", 2)), lines=(OrderLine(1, "SHIRT", 2, 4685),))


@pytest.mark.parametrize(
    ("claims", "over"),
    [
        ([(1, 1, 2343), (2, 1, 2342)], []),
        ([(1, 1, 2342), (2, 1, 2343)], []),
        ([(1, 2, 4685)], []),
        ([(1, 1, 2344)], ["R1"]),
        ([(1, 1, 2343), (2, 1, 2343)], ["R2"]),
        ([(1, 1, 2343), (2, 1, 2342), (3, 0, 1)], ["R3"]),
        ([(2, 1, 2343), (1, 1, 2499)], ["R1", "R2"]),
        ([(1, 1, 2499), (1, 1, 2186)], []),
        ([(1, 1, 2499), (1, 1, 2187)], ["R1"]),
        ([(1, 1, 2343), (2, 1, 0), (2, 0, 2342)], []),
    ],
)
def test_u26_no_more_is_credited_for_units_than_they_cost(claims: list[tuple[int, int, int]], over: list[str]) -> None:
    """Sold 2 at £24.99 with £3.13 off in all: £46.85 were paid."""
    found = over_refunds([a_claim(*one) for one in claims], SHIRTS)
    assert sorted(return_id for return_id, _ in found) == over


@given(
    st.lists(st.builds(a_claim, st.integers(1, 6), st.integers(0, 3), st.integers(0, 5000)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_u26_however_a_refund_is_told_in_rows_it_is_judged_by_its_sum(claims: list[UnitClaim], random: Any) -> None:
    whole: dict[str, UnitClaim] = {}
    for one in claims:
        other = whole.get(one.return_id, replace(one, quantity=0, pence=0))
        whole[one.return_id] = replace(one, quantity=one.quantity + other.quantity, pence=one.pence + other.pence)
    over = over_refunds(random.sample(claims, len(claims)), SHIRTS)
    assert over == over_refunds(list(whole.values()), SHIRTS)
    assert bool(over) >= (sum(one.pence for one in claims) > 4685)


def test_a_code_of_two_prices_counts_the_dearest_and_a_strange_code_is_left_out() -> None:
    two = replace(SHIRTS, lines=(OrderLine(1, "SHIRT", 1, 1000), OrderLine(2, "SHIRT", 1, 2000)))
    assert over_refunds([a_claim(1, 1, 2000), a_claim(2, 1, 1000), a_claim(3, 1, 99_999, "HAT")], two) == {}
    assert over_refunds([a_claim(1, 1, 2001)], two) == {("R1", "SHIRT"): 1}
    odd = replace(SHIRTS, lines=(OrderLine(1, "SHIRT", 0, 0), OrderLine(2, "SHIRT", 1, -5)))
    assert over_refunds([a_claim(1, 1, 1)], odd) == {}
