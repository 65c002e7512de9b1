"""Tests of why a month is not reconciled, and of what makes it red."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from khaos_swap_assets.domain.reporting.month_open import (
    CAUSES,
    Apart,
    Shifted,
    blocking,
    by_cause,
    carried_words,
    shifted_words,
    waived_of,
    waived_words,
)

MISSING = Apart(
    rma="RMA1",
    currency="GBP",
    refund_pence=1000,
    credited_pence=0,
    issued_pence=0,
    timing_pence=0,
    status="credit_note_missing",
    open_kinds=("credit_note_missing",),
    owner="finance",
    message="no note",
    waived_by=(),
    paid_on=date(2026, 1, 18),
)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "no note yet"),
        ({"credited_pence": 900, "issued_pence": 900, "status": "value_gap"}, "amounts differ"),
        ({"open_kinds": ("sku_unknown",)}, "blocked by a SKU"),
        ({"open_kinds": ("credit_note_missing", "order_not_found")}, "blocked by an order"),
        ({"open_kinds": ("sku_unknown", "order_not_found")}, "blocked by a SKU"),
        ({"open_kinds": (), "status": "in_flight"}, "on its way"),
        ({"open_kinds": ("inspection_overdue",), "status": "in_flight"}, "no note yet"),
        ({"open_kinds": (), "credited_pence": 1000, "status": "matched"}, "on its way"),
        ({"open_kinds": ("credit_note_not_issued",), "credited_pence": 1000, "status": "matched"}, "no note yet"),
        ({"open_kinds": ("credit_note_unallocated",), "waived_by": ("Kim",)}, "waived"),
        ({"status": "in_flight"}, "no note yet"),
        ({"open_kinds": (), "waived_by": ("Kim",)}, "waived"),
        ({"waived_by": ("Kim",)}, "no note yet"),
        ({"open_kinds": (), "timing_pence": -1000}, "credited in another month"),
        ({"open_kinds": (), "timing_pence": -999, "credited_pence": 1}, "amounts differ"),
    ],
)
def test_each_row_has_one_cause(changes: dict[str, object], cause: str) -> None:
    assert replace(MISSING, **changes).cause == cause  # type: ignore[arg-type]


def test_credit_in_another_month_is_a_cause_by_currency_and_way_and_never_netted() -> None:
    shifted = [Shifted("GBP", True, 2, 3000), Shifted("GBP", False, 1, 1500)]
    assert [
        (row["returns"], row["credited too little"], row["credited too much"]) for row in by_cause([], shifted)
    ] == [
        (2, "£30.00", "£0.00"),
        (1, "£0.00", "£15.00"),
    ]
    assert shifted_words(shifted) == "credited in another month: 3, £30.00 and £15.00"
    assert shifted_words([]) == ""


ON_ITS_WAY = replace(MISSING, open_kinds=(), status="in_flight")
WAIVED = replace(MISSING, open_kinds=(), waived_by=("Kim",))


DAYS = [(date(2026, 1, 18), "2026-01"), (date(2026, 1, 19), "2026-02"), (date(2026, 1, 31), "2026-02")]


@pytest.mark.parametrize(("paid_on", "gone_by"), DAYS)
@pytest.mark.parametrize("pence", [1, 9_999_999])
def test_what_is_on_its_way_is_carried_to_the_month_of_its_last_day_and_is_red_after_it(
    paid_on: date, gone_by: str, pence: int
) -> None:
    """U-3: the 14 days of the note begin with the day of the refund. Its size does not matter."""
    row = replace(ON_ITS_WAY, paid_on=paid_on, refund_pence=pence)
    assert row.gone_by == gone_by
    found = {month: blocking([MISSING, row, WAIVED], month) for month in ("2026-01", "2026-02", "2026-03")}
    assert found == {month: [MISSING, row] if month > gone_by else [MISSING] for month in found}


def test_what_is_carried_over_names_its_pounds_and_its_month() -> None:
    late = replace(ON_ITS_WAY, paid_on=date(2026, 1, 31), refund_pence=2497)
    assert carried_words([ON_ITS_WAY, late, MISSING], "2026-01") == "carried over: 1, £24.97, to be gone in 2026-02"
    assert carried_words([ON_ITS_WAY, MISSING], "2026-01") == ""


def test_pounds_of_both_directions_are_never_netted() -> None:
    over = replace(MISSING, credited_pence=1800, issued_pence=1800)
    under = replace(MISSING, credited_pence=600, issued_pence=600)
    assert by_cause([over, under]) == [
        {"cause": "amounts differ", "returns": 2, "credited too little": "£4.00", "credited too much": "£8.00"}
    ]


def test_each_currency_has_its_own_row_and_causes_come_in_one_order() -> None:
    rows = [WAIVED, replace(MISSING, currency="EUR"), ON_ITS_WAY, MISSING]
    told = [str(row["cause"]) for row in by_cause(rows)]
    assert told == ["no note yet", "no note yet", "on its way", "waived"]
    assert sorted(told, key=[*map(str, CAUSES)].index) == told


def test_waivers_are_counted_with_pounds_and_people() -> None:
    rows = [replace(WAIVED, refund_pence=5000), replace(WAIVED, refund_pence=2497, waived_by=("Lee", "Kim")), MISSING]
    assert waived_words(waived_of(rows)) == "waived: 2, £74.97, by Kim and Lee"
    assert waived_words(waived_of([MISSING])) == ""
