"""Periods and clocks at their edges: the last day of a quarter, leap years, the day on which 14 days are over."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.periods import note_clock, refund_clock

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


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
