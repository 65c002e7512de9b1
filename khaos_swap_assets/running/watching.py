"""Looking after a running house in a thread of its own, since a look may take long: its database, then each child.

Belongs here: when the database counts as away, when a child counts as hung, and whom that is told. Stays out: starting
and ending anything (``supervisor``), what a look is (``ground``, ``health``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from khaos_swap_assets.adapters.errors import HouseError, StoreError
from khaos_swap_assets.running.processes import Child

LOOK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0
ASK_SECONDS = 5.0
ALERT_AFTER_SECONDS = 30.0
LAST_LOOK_SECONDS = 5.0
SHAKEN_SECONDS = 30.0
"""So long after the database was away, what falls has fallen with it."""
Tell = Callable[[str, str], object]


class Footing(Protocol):
    """What a house stands on."""

    def look(self) -> bool:
        """Whether it had fallen and stands again. Raises ``StoreError`` while away, ``HouseError`` for the end."""


class Firm:
    """A ground that never moves: for a house without a database."""

    def look(self) -> bool:
        """Nothing to see."""
        return False


class Watcher:
    """Looks again and again until ``stop``; the supervisor reads what it found.

    ``chores`` are done every few seconds while the ground stands; one that fails is said and done again.
    """

    def __init__(
        self,
        ground: Footing,
        say: Callable[[str], None],
        alert: Tell = lambda title, body: None,
        chores: Sequence[Callable[[], None]] = (),
    ) -> None:
        self.lost: HouseError | None = None
        self.away = ""
        self._stood_up = -SHAKEN_SECONDS
        self._ground = ground
        self._say = say
        self._alert = alert
        self._chores = chores
        self._next_chores = 0.0
        self._asked: Mapping[str, _Asked] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watcher")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """No more looks; one that is under way goes on."""
        self._is_over.set()

    def wait(self) -> None:
        """Give a look that is under way some seconds: it might start the database again that is stopped next."""
        if self._thread.is_alive():
            self._thread.join(LAST_LOOK_SECONDS)

    def expect(self, child: Child) -> None:
        """From now on this child is to answer; what it did before counts for nothing."""
        if child.alive is not None:
            self._asked = {**self._asked, child.name: _Asked(child, child.alive)}

    def is_hung(self, child: Child) -> bool:
        """Whether it has not answered for its ``hang_seconds``, while the database did."""
        asked = self._asked.get(child.name)
        return asked is not None and not self.away and time.monotonic() - asked.answered > child.hang_seconds

    def is_shaken(self) -> bool:
        """Whether the database is away or was a moment ago, so that a fall is no fault of who fell."""
        return bool(self.away) or time.monotonic() - self._stood_up < SHAKEN_SECONDS

    def _watch(self) -> None:
        pause, since = LOOK_SECONDS, time.monotonic()
        while not self._is_over.wait(pause) and self.lost is None:
            try:
                if self._ground.look() or self.away:
                    self._back(time.monotonic() - since)
                pause, since = LOOK_SECONDS, time.monotonic()
                for asked in self._asked.values():
                    asked.ask_in_time()
                self._do_chores()
            except StoreError as error:
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS) if self.away else LOOK_SECONDS
                self._missed(str(error), time.monotonic() - since)
            except HouseError as error:
                self.lost = error

    def _do_chores(self) -> None:
        if time.monotonic() < self._next_chores:
            return
        self._next_chores = time.monotonic() + ASK_SECONDS
        for chore in self._chores:
            try:
                chore()
            except StoreError:
                raise
            except Exception as error:  # whatever it is, the house is looked after
                self._say(f"{error}; trying again")

    def _missed(self, reason: str, seconds: float) -> None:
        if not self.away:
            self._say(f"{reason}; waiting for it")
        self.away = reason
        if seconds > ALERT_AFTER_SECONDS:
            self._alert("the database is away", f"{reason}; everything waits and goes on by itself")

    def _back(self, seconds: float) -> None:
        self._say(f"the database answers again after {seconds:.0f} s")
        self._stood_up = time.monotonic()
        self.away = ""
        for asked in self._asked.values():
            asked.answered = time.monotonic()


class _Asked:
    """One child, and when it answered last."""

    def __init__(self, child: Child, alive: Callable[[], bool]) -> None:
        self.answered = time.monotonic()
        self._alive = alive
        self._next = self.answered + ASK_SECONDS

    def ask_in_time(self) -> None:
        if time.monotonic() >= self._next:
            if self._alive():
                self.answered = time.monotonic()
            self._next = time.monotonic() + ASK_SECONDS
