"""The verdict on memory: a slope, a process that was replaced, an answer that was not 200."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from khaos_swap_assets_tests.prove import soak

MB = 10**6
FINE = [{"200": 5}] * 4


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], 0.0), ([3.0, 3.0, 3.0], 0.0), ([1.0, 2.0, 3.0, 4.0], 1.0), ([4.0, 2.0], -2.0), ([0.0, 0.0, 9.0], 4.5)],
)
def test_the_slope_is_the_growth_from_one_value_to_the_next(values: Sequence[float], expected: float) -> None:
    assert soak.slope(values) == expected


def test_the_first_minute_only_warms_up() -> None:
    told = soak.judged([{7: 50 * MB}, {7: 90 * MB}, {7: 90 * MB}, {7: 90 * MB}], FINE)
    assert (told["holds"], told["mb_a_minute"], told["accepted"]) == (True, [0.0], 20)
    assert told["mb_by_process_and_minute"] == [[50.0, 90.0, 90.0, 90.0]]


def test_one_process_that_grows_is_found_beside_one_that_does_not() -> None:
    told = soak.judged([{7: 90 * MB, 8: (90 + minute) * MB} for minute in range(4)], FINE)
    assert (told["holds"], told["mb_a_minute"]) == (False, [0.0, 1.0])
    assert told["faults"] == ["a process grows by 1.0 MB a minute"]


def test_a_process_that_was_replaced_proves_nothing() -> None:
    assert soak.judged([{7: MB}, {7: MB}, {9: MB}, {9: MB}], FINE)["faults"] == ["a process was replaced"]


def test_a_refused_message_is_a_fault() -> None:
    told = soak.judged([{7: MB}] * 2, [{"200": 1}, {"200": 1, "503": 2}])
    assert told["faults"] == ["answers other than 200: {'503': 2}"]


@pytest.mark.house
def test_a_short_soak_runs() -> None:
    told = soak.gateway_soak(minutes=2, seconds=1.0)
    assert told["accepted"] == 900
    assert len(told["mb_a_minute"]) >= soak.WORKERS
