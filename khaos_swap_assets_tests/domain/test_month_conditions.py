"""Payment and note in different months, through the judge: U-1, U-2, U-17 and U-18."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from khaos_swap_assets.domain.judging.facts import Limits
from khaos_swap_assets.domain.judging.month_conditions import KIND, Timing
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.money.periods import VatPeriods, VatPeriodsName
from khaos_swap_assets_tests.domain.cases import a_return, attributed, some_facts

JAN, FEB, MAR, APR = (date(2026, month, 15) for month in (1, 2, 3, 4))


def told(paid: datetime, made_on: date, name: VatPeriodsName = "monthly") -> list[tuple[int, str]]:
    facts = some_facts(
        a_return(processed_at=paid, closed_at=paid, delivered_at=None),
        notes=(attributed(created_on=made_on, issued_on=made_on),),
    )
    found = judge(facts, Limits(vat_periods=VatPeriods(name)), paid).problems
    return [(one.money_at_risk_pence, one.message) for one in found if one.kind == KIND]


@pytest.mark.parametrize(
    ("paid", "made_on", "is_told"),
    [
        ("2026-02-28T12:00", date(2026, 3, 9), True),
        ("2026-02-20T12:00", date(2026, 2, 28), False),
        ("2026-01-31T23:50", date(2026, 2, 1), True),
        ("2026-04-30T23:30", date(2026, 5, 1), False),
        ("2026-04-30T23:30", date(2026, 4, 30), True),
        ("2026-10-31T23:30", date(2026, 10, 31), False),
        ("2026-03-02T12:00", date(2026, 2, 28), True),
        ("2025-12-31T12:00", date(2026, 12, 31), True),
    ],
)
def test_a_note_of_another_london_month_is_told_with_both_dates(paid: str, made_on: date, is_told: bool) -> None:
    """Before the payment or after it, and by London's clock in a night of summer time."""
    moment = datetime.fromisoformat(paid).replace(tzinfo=UTC)
    found = told(moment, made_on)
    assert bool(found) == is_told
    for pence, message in found:
        assert pence == 5000
        assert f"credited £50.00 on {made_on}" in message


@pytest.mark.parametrize(
    ("name", "month", "words"),
    [
        ("monthly", 2, "another VAT period (calendar months)"),
        ("quarters-1", 1, "another VAT period (quarters ending in month 1)"),
        ("quarters-1", 2, "the same VAT period (quarters ending in month 1)"),
        ("quarters-2", 2, "another VAT period (quarters ending in month 2)"),
        ("quarters-3", 2, "the same VAT period (quarters ending in month 3)"),
        ("quarters-3", 3, "another VAT period (quarters ending in month 3)"),
        ("quarters-3", 12, "another VAT period (quarters ending in month 3)"),
    ],
)
def test_the_vat_period_is_named(name: VatPeriodsName, month: int, words: str) -> None:
    paid = datetime(2026, month, 28, 12, tzinfo=UTC)
    following = date(2026 + month // 12, month % 12 + 1, 2)
    ((_, message),) = told(paid, following, name)
    assert words in message


@pytest.mark.parametrize(
    ("paid", "noted", "shifts"),
    [
        ([(MAR, 5000), (APR, 7000)], [(APR, 12000)], {"2026-03": -5000, "2026-04": 5000}),
        ([(MAR, 5000), (APR, 7000)], [(MAR, 5000), (APR, 7000)], {}),
        ([(MAR, 5000), (APR, 7000)], [(APR, 7000)], {}),
        ([(FEB, 10000)], [(MAR, 6000)], {"2026-02": -6000, "2026-03": 6000}),
        ([(FEB, 1200)], [(FEB, 1200), (MAR, 1200)], {}),
        ([], [(JAN, 4800)], {}),
        ([(JAN, 2400)], [], {}),
    ],
)
def test_both_directions_are_told_and_never_set_off(
    paid: list[tuple[date, int]], noted: list[tuple[date, int]], shifts: dict[str, int]
) -> None:
    """U-2: £50.00 of March are credited in April; a note that is missing, or one too many, is another trouble."""
    timing = Timing(tuple(paid), tuple(noted))
    assert timing.shifts() == shifts
    assert timing.shifted_pence == sum(pence for pence in shifts.values() if pence > 0)


def test_the_months_of_a_vat_period_up_to_one_of_them() -> None:
    assert VatPeriods("quarters-1").months_of("2027-01") == ("2026-11", "2026-12", "2027-01")
    assert VatPeriods("quarters-3").months_of("2026-05") == ("2026-04", "2026-05")
    assert VatPeriods().months_of("2026-05") == ("2026-05",)


@pytest.mark.parametrize(
    ("name", "day", "end"),
    [
        ("quarters-3", date(2026, 3, 31), date(2026, 3, 31)),
        ("quarters-3", date(2026, 10, 1), date(2026, 12, 31)),
        ("quarters-1", date(2026, 11, 30), date(2027, 1, 31)),
        ("quarters-2", date(2027, 12, 1), date(2028, 2, 29)),
        ("monthly", date(2026, 12, 5), date(2026, 12, 31)),
    ],
)
def test_the_end_of_a_vat_period(name: VatPeriodsName, day: date, end: date) -> None:
    assert VatPeriods(name).end_of(day) == end
