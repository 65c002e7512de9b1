"""What was paid for each unit and what a return gives back: tables, and the laws of sums and order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.allocation import (
    Credited,
    Excess,
    PaidLine,
    SoldLine,
    credit_due,
    excesses,
    freeze,
    khaos_line,
)
from khaos_swap_assets.domain.money.tax import Amount, vat_of_parts

rates = st.sampled_from([0, 5, 20, Decimal("17.5")])
sold_lines = st.builds(
    SoldLine,
    line_ref=st.uuids().map(str),
    stock_code=st.sampled_from(["A", "B", "C"]),
    quantity=st.integers(1, 6),
    unit_gross_pence=st.sampled_from([0, 1, 999, 2499, 5000]),
    vat_percent=rates,
)
baskets = st.lists(sold_lines, min_size=1, max_size=5, unique_by=lambda line: line.line_ref)


@st.composite
def sales(draw: Any) -> tuple[list[SoldLine], int]:
    """Lines, some with a discount of their own, and a discount of the order that they can bear."""
    lines = [
        replace(line, discount_pence=draw(st.sampled_from([0, 0, line.price_pence // 3]))) for line in draw(baskets)
    ]
    return lines, draw(st.integers(0, sum(line.price_pence for line in lines)))


@given(sales())
@settings(deadline=None)
def test_parts_add_up_and_none_is_negative(sale: tuple[list[SoldLine], int]) -> None:
    lines, discount = sale
    paid = freeze(lines, discount)
    assert [one.line for one in paid] == lines
    assert sum(one.paid_pence for one in paid) == sum(line.price_pence for line in lines) - discount
    assert sum(one.order_discount_pence for one in paid) == discount
    assert all(len(one.units_pence) == one.line.quantity and min(one.units_pence) >= 0 for one in paid)


def refund_all(line: PaidLine, steps: list[int]) -> list[int]:
    """Credit the line in these steps and what is left at the end."""
    done: list[Credited] = []
    for step in steps:
        units = min(step, line.line.quantity - sum(one.quantity for one in done))
        done.append(Credited(line.line.line_ref, units, credit_due(line, units, done)))
    left = line.line.quantity - sum(one.quantity for one in done)
    done.append(Credited(line.line.line_ref, left, credit_due(line, left, done)))
    return [one.gross_pence for one in done]


@given(sales(), st.lists(st.integers(0, 3), max_size=4), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_sequence_of_partial_refunds_comes_to_what_was_paid(
    sale: tuple[list[SoldLine], int], steps: list[int], random: Any
) -> None:
    for line in freeze(*sale):
        shuffled = random.sample(steps, len(steps))
        assert sum(refund_all(line, steps)) == sum(refund_all(line, shuffled)) == line.paid_pence
        assert min(refund_all(line, steps)) >= 0


@given(sales(), st.integers(1, 5))
@settings(deadline=None)
def test_a_returned_line_cut_in_parts_is_worth_the_same(sale: tuple[list[SoldLine], int], first: int) -> None:
    for line in freeze(*sale):
        units = min(first, line.line.quantity)
        part = Credited(line.line.line_ref, units, credit_due(line, units))
        rest = credit_due(line, line.line.quantity - units, [part])
        assert part.gross_pence + rest == credit_due(line, line.line.quantity) == line.paid_pence


@given(sales(), st.data())
@settings(deadline=None)
def test_a_sold_line_cut_in_two_changes_nothing(sale: tuple[list[SoldLine], int], data: st.DataObject) -> None:
    lines, discount = sale
    index = data.draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    if line.quantity == 1 or line.discount_pence:
        return
    size = data.draw(st.integers(1, line.quantity - 1))
    halves = [replace(line, quantity=size), replace(line, line_ref="cut", quantity=line.quantity - size)]
    whole, cut = freeze(lines, discount), freeze([*lines[:index], *halves, *lines[index + 1 :]], discount)
    assert cut[index].units_pence + cut[index + 1].units_pence == whole[index].units_pence
    assert [one.paid_pence for one in (*cut[:index], *cut[index + 2 :])] == [
        one.paid_pence for one in (*whole[:index], *whole[index + 1 :])
    ]


manual = st.lists(st.builds(Credited, st.just("1"), st.integers(0, 1), st.integers(0, 4000)), max_size=3)


@given(manual, st.integers(0, 9999))
def test_after_any_notes_of_others_the_rest_never_overpays(others: list[Credited], discount: int) -> None:
    (line,) = freeze([SoldLine("1", "A", 4, 2500)], discount)
    units = 4 - sum(one.quantity for one in others)
    before = sum(one.gross_pence for one in others)
    due = credit_due(line, units, others)
    assert due >= 0
    assert due + before <= max(line.paid_pence, before)


@given(st.lists(st.integers(0, 9999), max_size=5), rates)
def test_vat_of_parts_adds_up_to_the_vat_of_the_whole(parts: list[int], rate: Decimal | int) -> None:
    assert sum(vat_of_parts(parts, rate)) == Amount.of(sum(parts), rate).vat_pence


def test_a_discount_of_a_line_stays_with_it() -> None:
    paid = freeze([SoldLine("1", "A", 1, 1000, discount_pence=400), SoldLine("2", "A", 1, 1000)], 160)
    assert [one.paid_pence for one in paid] == [540, 900]


@pytest.mark.parametrize(
    ("lines", "discount", "words"),
    [
        ([SoldLine("1", "A", 0, 100)], 0, "line 1 has no unit"),
        ([SoldLine("1", "A", 1, -1)], 0, "negative price"),
        ([SoldLine("1", "A", 1, 100, discount_pence=101)], 0, "negative price"),
        ([SoldLine("1", "A", 1, 100)], 101, "above the order"),
        ([SoldLine("1", "A", 1, 100)], -1, "is negative"),
    ],
)
def test_what_cannot_have_been_sold_is_refused(lines: list[SoldLine], discount: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        freeze(lines, discount)


@pytest.mark.parametrize("quantity", [3, -1])
def test_units_that_are_not_left_are_refused(quantity: int) -> None:
    (line,) = freeze([SoldLine("1", "A", 3, 100)])
    with pytest.raises(ValueError, match="2 are left"):
        credit_due(line, quantity, [Credited("1", 1, 100), Credited("other", 9, 9)])


@pytest.mark.parametrize(
    ("credited", "found"),
    [
        ([Credited("1", 2, 200)], ()),
        ([Credited("1", 1, 100), Credited("1", 2, 100)], (Excess("1", 1, 0),)),
        ([Credited("1", 1, 201)], (Excess("1", 0, 1),)),
        ([Credited("9", 1, 50)], (Excess("9", 1, 50),)),
    ],
)
def test_excess_over_all_notes(credited: list[Credited], found: tuple[Excess, ...]) -> None:
    assert excesses(freeze([SoldLine("1", "A", 2, 100)]), credited) == found


@given(st.integers(0, 9999), st.integers(1, 9), rates, st.sampled_from(["gross", "net"]), st.integers(0, 100))
def test_what_khaos_makes_of_a_line_adds_up(
    unit: int, quantity: int, rate: Decimal | int, mode: Any, discount: int
) -> None:
    found = khaos_line(unit, quantity, rate, mode, discount)
    assert found.net_pence + found.vat_pence == found.gross_pence
    assert 0 <= (found.gross_pence if mode == "gross" else found.net_pence) <= unit * quantity
