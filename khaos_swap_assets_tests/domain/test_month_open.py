"""Tests of why a month is not reconciled, and of what makes it red."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khaos_swap_assets.domain.reporting.month_open import CAUSES, Apart, blocking, by_cause, waived_words

MISSING = Apart("RMA1", "GBP", 1000, 0, 0, 0, "credit_note_missing", ("credit_note_missing",), "finance", "no note", ())


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "no note yet"),
        ({"credited_pence": 900, "issued_pence": 900, "status": "value_gap"}, "amounts differ"),
        ({"open_kinds": ("sku_unknown",)}, "blocked by a SKU"),
        ({"open_kinds": ("credit_note_missing", "order_not_found")}, "blocked by an order"),
        ({"open_kinds": ("sku_unknown", "order_not_found")}, "blocked by a SKU"),
        ({"open_kinds": (), "status": "in_flight"}, "on its way"),
        ({"status": "in_flight"}, "no note yet"),
        ({"open_kinds": (), "waived_by": ("Kim",)}, "waived"),
        ({"waived_by": ("Kim",)}, "no note yet"),
        ({"open_kinds": (), "timing_pence": -1000}, "credited in another month"),
        ({"open_kinds": (), "timing_pence": -999, "credited_pence": 1}, "amounts differ"),
    ],
)
def test_each_row_has_one_cause(changes: dict[str, object], cause: str) -> None:
    assert replace(MISSING, **changes).cause == cause  # type: ignore[arg-type]


ON_ITS_WAY = replace(MISSING, open_kinds=(), status="in_flight")
WAIVED = replace(MISSING, open_kinds=(), waived_by=("Kim",))


@pytest.mark.parametrize(("is_over", "red"), [(False, [MISSING]), (True, [MISSING, ON_ITS_WAY])])
def test_what_is_on_its_way_is_red_only_once_the_month_is_over(is_over: bool, red: list[Apart]) -> None:
    assert blocking([MISSING, ON_ITS_WAY, WAIVED], is_month_over=is_over) == red


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
    assert waived_words(rows) == "waived: 2, £74.97, by Kim and Lee"
    assert waived_words([MISSING]) == ""
