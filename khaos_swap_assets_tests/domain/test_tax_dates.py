"""Periods and clocks at their edges: the last day of a quarter, leap years, the day on which 14 days are over."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.money.tax_dates import (
    NoteTiming,
    Payment,
    VatPeriods,
    decreases,
    note_clock,
    note_timing,
    refund_clock,
)

MONTHS, QUARTERS = VatPeriods(None), VatPeriods(3)
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))
periods = st.builds(VatPeriods, st.none() | st.integers(1, 12))


@pytest.mark.parametrize(
    ("ends_in", "day", "end"),
    [
        (None, date(2028, 2, 1), date(2028, 2, 29)),
        (None, date(2027, 2, 28), date(2027, 2, 28)),
        (None, date(2026, 12, 31), date(2026, 12, 31)),
        (3, date(2026, 3, 31), date(2026, 3, 31)),
        (3, date(2026, 4, 1), date(2026, 6, 30)),
        (1, date(2026, 11, 1), date(2027, 1, 31)),
        (2, date(2027, 12, 31), date(2028, 2, 29)),
        (12, date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_the_last_day_of_a_period(ends_in: int | None, day: date, end: date) -> None:
    assert VatPeriods(ends_in).end_of(day) == end


@settings(max_examples=50)
@given(periods, days)
def test_periods_lie_side_by_side(some: VatPeriods, day: date) -> None:
    end = some.end_of(day)
    assert day <= end
    assert some.end_of(end) == end
    assert some.end_of(end + timedelta(days=1)) > end
    assert (end + timedelta(days=1)).day == 1
    assert (end - day).days < (31 if some.quarter_ends_in is None else 92)


def test_without_a_payment_nothing_is_reduced() -> None:
    assert decreases([], QUARTERS) == {}


@settings(max_examples=50)
@given(
    st.lists(st.builds(Payment, days, st.integers(0, 10**6), st.sampled_from([0, 5, 20, None])), max_size=8), periods
)
def test_every_payment_reduces_exactly_one_period(payments: list[Payment], some: VatPeriods) -> None:
    found = decreases(payments, some)
    assert sum(amount.gross_pence for amount in found.values()) == sum(one.gross_pence for one in payments)
    assert set(found) == {some.end_of(one.paid_on) for one in payments}
    assert found == decreases(payments[::-1], some)


def test_each_payment_is_rounded_by_itself() -> None:
    twice = [Payment(date(2026, 3, 31), 1203), Payment(date(2026, 3, 1), 1203), Payment(date(2026, 4, 1), 1203, None)]
    one = Amount.of(1203, 20)
    assert decreases(twice, QUARTERS) == {date(2026, 3, 31): one + one, date(2026, 6, 30): Amount(1203, 1203, 0)}


@pytest.mark.parametrize(
    ("note_on", "paid_on", "expected"),
    [
        (date(2026, 3, 31), [date(2026, 3, 31)], NoteTiming("", 0)),
        (date(2026, 4, 1), [date(2026, 3, 31)], NoteTiming("other_period", 1)),
        (date(2026, 3, 31), [date(2026, 4, 1)], NoteTiming("other_period", 0)),
        (date(2026, 3, 20), [date(2026, 3, 10), date(2026, 2, 1)], NoteTiming("", 47)),
        (date(2026, 4, 2), [date(2026, 3, 31), date(2026, 4, 1)], NoteTiming("other_period", 2)),
        (date(2026, 4, 2), [], NoteTiming("no_payment", 0)),
    ],
)
def test_a_note_belongs_in_the_period_of_its_payments(note_on: date, paid_on: list[date], expected: NoteTiming) -> None:
    assert note_timing(note_on, paid_on, QUARTERS) == expected


@settings(max_examples=50)
@given(days, st.none() | st.booleans())
def test_the_day_of_payment_is_the_first_of_fourteen(day: date, is_taxable: bool | None) -> None:
    clock = note_clock(day, is_taxable_person=is_taxable)
    assert (clock.last_day - day).days == 13
    assert day < clock.warn_on < clock.last_day < clock.breach_on
    assert clock.is_duty is (is_taxable is not False)


@settings(max_examples=50)
@given(days, days)
def test_the_earlier_of_goods_and_proof_starts_the_clock(received: date, posted: date) -> None:
    clock = refund_clock(received, posted)
    assert clock == refund_clock(min(received, posted), None) == refund_clock(None, min(received, posted))
    assert clock is not None
    assert (clock.last_day - min(received, posted)).days == 14


def test_no_clock_runs_while_nothing_came_back() -> None:
    assert refund_clock(None, None) is None
