"""The load on the gateway: each aim that is missed is said, and percentiles are values that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks import gateway_load, sending

GOOD: dict[str, Any] = {
    "share_of_pgbench": 0.8,
    "times_bare": 1.5,
    "workers_1_p99_ms_at_half": 150.0,
    "workers_2_p99_ms_at_half": 20.0,
    "workers_1_memory_grown_mb": 30,
    "workers_2_memory_grown_mb": 0,
}


def test_figures_at_their_limits_miss_nothing() -> None:
    assert gateway_load.missed(GOOD) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"share_of_pgbench": 0.79}, "0.79 of pgbench's rate, 0.8 are wanted"),
        ({"times_bare": 1.49}, "1.49 times the rate of a bare service, 1.5 are wanted"),
        (
            {"workers_2_p99_ms_at_half": 150.1},
            "2 workers: 99 of 100 within 150.1 ms at half of the peak, 150.0 are wanted",
        ),
        ({"workers_1_memory_grown_mb": 31}, "1 workers: memory grew by 31 MB, 30 are allowed"),
    ],
)
def test_each_aim_that_is_missed_is_said(changed: dict[str, Any], said: str) -> None:
    assert gateway_load.missed(GOOD | changed) == [said]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.99, 0.0), ([7.0], 0.99, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), (range(100), 0.99, 99.0), ([1.26], 1.0, 1.3)],
)
def test_a_percentile_is_one_of_the_values(values: Sequence[float], share: float, expected: float) -> None:
    assert sending.percentile(values, share) == expected


def test_a_sender_without_a_rate_is_never_late() -> None:
    assert "sender_late_p99_ms" not in sending.Sent().figures()
    assert sending.Sent(late=[1.0, 4.0]).figures()["sender_late_p99_ms"] == 4.0
