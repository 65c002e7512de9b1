"""The bucket of query points: how long to wait, what an answer teaches, and that nonsense teaches nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.storefront.bucket import LONGEST_WAIT_SECONDS, Bucket, number_of


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def a_bucket(points: Any = 100, most: Any = 1000, rate: Any = 50) -> tuple[Bucket, Clock]:
    clock = Clock()
    bucket = Bucket(clock=lambda: clock.now, sleep=clock.sleep)
    bucket.learn(told(points, most, rate))
    return bucket, clock


def told(points: Any, most: Any = 1000, rate: Any = 50) -> dict[str, Any]:
    return {"throttleStatus": {"maximumAvailable": most, "currentlyAvailable": points, "restoreRate": rate}}


@pytest.mark.parametrize(
    ("cost", "seconds"), [(0, 0.0), (100, 0.0), (101, 0.02), (600, 10.0), (1000, 18.0), (5000, 18.0)]
)
def test_it_waits_for_what_is_lacking_and_never_for_more_than_it_holds(cost: int, seconds: float) -> None:
    bucket, clock = a_bucket()
    assert bucket.wait_for(cost) == pytest.approx(seconds)
    assert clock.slept == ([pytest.approx(seconds)] if seconds else [])


def test_points_come_back_while_time_passes() -> None:
    bucket, clock = a_bucket()
    clock.now += 10
    assert bucket.wait_for(600) == 0.0
    assert bucket.wait_for(700) == pytest.approx(2.0)
    assert bucket.wait_for(700) == pytest.approx(0.0, abs=1e-6)


def test_a_slow_bucket_is_asked_again_after_a_minute() -> None:
    bucket, _ = a_bucket(points=0, most=100_000, rate=1)
    assert bucket.wait_for(100_000) == LONGEST_WAIT_SECONDS


def test_a_bucket_that_nobody_told_of_never_waits() -> None:
    clock = Clock()
    bucket = Bucket(clock=lambda: clock.now, sleep=clock.sleep)
    assert (bucket.wait_for(10_000), bucket.most, clock.slept) == (0.0, None, [])


NONSENSE: list[Any] = [
    None,
    "text",
    [],
    {},
    {"throttleStatus": None},
    {"throttleStatus": {"maximumAvailable": 5}},
    told("900"),
    told(900, most=None),
    told(900, rate=0),
    told(900, rate=-1),
    told(True),
    told(Decimal("NaN")),
    told(10**9),
]


@pytest.mark.parametrize("cost", NONSENSE)
def test_an_answer_that_tells_nothing_changes_nothing(cost: Any) -> None:
    bucket, _ = a_bucket(points=100)
    bucket.learn(cost)
    assert bucket.wait_for(200) == pytest.approx(2.0)


def test_the_last_answer_counts() -> None:
    bucket, _ = a_bucket(points=0)
    bucket.learn(told(Decimal("800.0"), most=Decimal(2000), rate=Decimal("100.0")))
    assert bucket.most == 2000
    assert bucket.wait_for(1000) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (0, 0), (Decimal("5.9"), 5), (-1, None), ("5", None), (True, None), (None, None), (Decimal("sNaN"), None)],
)
def test_points_are_whole(value: Any, number: int | None) -> None:
    assert number_of(value) == number


@settings(max_examples=60)
@given(st.integers(0, 2000), st.integers(1, 2000), st.integers(1, 100), st.integers(0, 5000))
def test_after_the_wait_the_bucket_holds_the_cost_or_all_it_can(points: int, most: int, rate: int, cost: int) -> None:
    bucket, _ = a_bucket(points, most, rate)
    waited = bucket.wait_for(cost)
    assert 0 <= waited <= LONGEST_WAIT_SECONDS
    assert waited == LONGEST_WAIT_SECONDS or points + waited * rate >= min(cost, most) - 1e-6
