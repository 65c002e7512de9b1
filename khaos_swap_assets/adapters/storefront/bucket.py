"""The storefront's bucket of query points: how long to wait before a query of a known cost.

Belongs here: the arithmetic of the leaky bucket. Stays out: HTTP and what a query asks (``client``).
Source: every answer tells ``extensions.cost.throttleStatus``: maximumAvailable, currentlyAvailable and restoreRate
(points a second). A query is refused when the bucket holds less than its requested cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

LONGEST_WAIT_SECONDS = 60.0


class Bucket:
    """Points as last told, and what came back since. ``clock`` is monotonic seconds; both are replaceable."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._points: int | None = None
        self._rate, self._told_at = 0, 0.0
        self.most: int | None = None

    def learn(self, cost: object) -> None:
        """Take what an answer tells in ``extensions.cost``; an answer that tells nothing changes nothing."""
        status = cost.get("throttleStatus") if isinstance(cost, Mapping) else None
        told: Mapping[str, Any] = status if isinstance(status, Mapping) else {}
        numbers = [number_of(told.get(name)) for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")]
        most, points, rate = numbers
        if most is None or points is None or rate is None or rate <= 0:
            return
        self.most, self._points, self._rate, self._told_at = most, points, rate, self._clock()

    def wait_for(self, cost: int) -> float:
        """Sleep until the bucket holds ``cost`` points; the seconds waited. Nothing known: no wait."""
        if self._points is None or self.most is None:
            return 0.0
        lacking = min(cost, self.most) - self._points - (self._clock() - self._told_at) * self._rate
        seconds = min(max(lacking / self._rate, 0.0), LONGEST_WAIT_SECONDS)
        if seconds:
            self._sleep(seconds)
        return seconds


def number_of(value: object) -> int | None:
    """Whole points, rounded down, or None for what is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return int(number) if number.is_finite() and 0 <= number < 10**9 else None
