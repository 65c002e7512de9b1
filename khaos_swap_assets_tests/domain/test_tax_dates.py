"""The clock of a Credit Note at its edges: leap years, and the day on which 14 days are over."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.periods import note_clock

days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@settings(max_examples=50)
@given(days)
def test_the_day_of_payment_is_the_first_of_fourteen(day: date) -> None:
    clock = note_clock(day)
    assert (clock.last_day - day).days == 13
    assert day < clock.warn_on < clock.last_day < clock.breach_on
