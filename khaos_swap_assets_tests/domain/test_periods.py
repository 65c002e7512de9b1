"""Periods: the London day and month of a UTC moment."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.money.periods import london_date, london_month, month_bounds

MOMENTS = st.integers(631152000, 3786912000).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(
    ("moment", "day", "month"),
    [
        (datetime(2025, 4, 30, 23, 30, tzinfo=UTC), date(2025, 5, 1), "2025-05"),
        (datetime(2025, 1, 31, 23, 50, tzinfo=UTC), date(2025, 1, 31), "2025-01"),
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), date(2025, 12, 31), "2025-12"),
        (datetime(2025, 10, 26, 0, 30, tzinfo=UTC), date(2025, 10, 26), "2025-10"),
        (datetime(2025, 5, 1, 1, 0, tzinfo=timezone(timedelta(hours=3))), date(2025, 4, 30), "2025-04"),
    ],
)
def test_a_moment_has_its_london_day_and_month(moment: datetime, day: date, month: str) -> None:
    assert (london_date(moment), london_month(moment)) == (day, month)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2025-01", datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)),
        ("2025-03", datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 31, 23, tzinfo=UTC)),
        ("2025-05", datetime(2025, 4, 30, 23, tzinfo=UTC), datetime(2025, 5, 31, 23, tzinfo=UTC)),
        ("2025-10", datetime(2025, 9, 30, 23, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)),
        ("2025-12", datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_month_has_its_utc_bounds(period: str, start: datetime, end: datetime) -> None:
    assert month_bounds(period) == (start, end)


@given(MOMENTS)
def test_every_moment_lies_within_the_bounds_of_its_month(moment: datetime) -> None:
    start, end = month_bounds(london_month(moment))
    assert start <= moment < end
    assert london_month(end) > london_month(moment) == london_month(start)


@pytest.mark.parametrize("period", ["2025", "2025-13", "2025-00", "25-01", "2025-1", "2025-01-01", "", "0000-01"])
def test_what_is_no_month_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match="no month"):
        month_bounds(period)


@pytest.mark.parametrize("rule", [london_date, london_month])
def test_a_moment_without_a_zone_is_refused(rule: Callable[[datetime], object]) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        rule(datetime.fromisoformat("2025-01-01T00:00:00"))
