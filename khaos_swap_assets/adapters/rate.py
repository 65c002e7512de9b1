"""How often a vendor is called.

Belongs here: the rate limit of one session. Stays out: waiting because a vendor asked for it (``adapters.http``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimit:
    """A token bucket of one token: calls leave at least ``1 / per_second`` seconds apart, in all threads together."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / per_second
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = float("-inf")

    def wait(self) -> None:
        """Take the next free moment and sleep until it."""
        with self._lock:
            now = self._clock()
            moment = max(now, self._next)
            self._next = moment + self._gap
        if moment > now:
            self._sleep(moment - now)
