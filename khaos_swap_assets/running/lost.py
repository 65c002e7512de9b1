"""Runs that give no sign of life any more: fenced in our database first, then closed in Dagster, their places freed.

Belongs here: when a run counts as lost. Stays out: the signs (``heartbeat``), closing (``orphans``). For runs on other
machines, of which nobody here sees the process, and which Celery takes for running for ever. Only what this process saw
counts, by its own clock: after a time without the database every run has its time anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from khaos_swap_assets.adapters.store import dagster_runs, database, writers
from khaos_swap_assets.running.orphans import Orphans

LOST_SECONDS = 30.0
"""With a beat every five seconds and a look every five, a lost host is found in less than a minute."""
BLIND_SECONDS = 15.0
Sign = tuple[str, datetime | None]
CLOSED = "Dagster has closed it"


@dataclass
class Lost:
    """Looks after the runs of one merchant, whose tables are at ``url``; ``look`` is called every few seconds."""

    url: str
    orphans: Orphans
    clock: Callable[[], float] = time.monotonic
    _looked: float = 0.0
    _seen: Mapping[str, tuple[Sign, float]] = field(default_factory=dict)

    def look(self) -> None:
        """Fence and close whoever gave no new sign for too long. Raises ``StoreError``, ``HouseError``."""
        signs, now = self._signs(), self.clock()
        known = self._seen if now - self._looked <= BLIND_SECONDS else {}
        self._looked = now
        self._seen = {
            run: known[run] if run in known and known[run][0] == sign else (sign, now) for run, sign in signs.items()
        }
        lost = {run: sign for run, (sign, since) in self._seen.items() if now - since >= LOST_SECONDS}
        for run, (who, beaten_at) in lost.items():
            self._fence(run, _because(who, beaten_at))
        for because in {_because(*sign) for sign in lost.values()} - {CLOSED}:
            self.orphans.close_these([run for run, sign in lost.items() if _because(*sign) == because], because)

    def _signs(self) -> dict[str, Sign]:
        """Who works on each run, and when they were heard last; of a run that Dagster has closed, that it has."""
        started = dagster_runs.started(self.orphans.url, self.orphans.merchant)
        with database.reported(self.url), closing(database.connect(self.url, application="house")) as conn:
            heard = writers.signs(conn)
        silent: dict[str, Sign] = dict.fromkeys(started, ("its worker", None))
        return silent | {run: sign if run in started else (CLOSED, None) for run, sign in heard.items()}

    def _fence(self, run_id: str, because: str) -> None:
        with database.reported(self.url), closing(database.connect(self.url, application="house")) as conn:
            writers.fence(conn, run_id, because)
            conn.commit()


def _because(who: str, beaten_at: datetime | None) -> str:
    if who == CLOSED:
        return CLOSED
    last = f", last at {beaten_at:%H:%M:%S} UTC" if beaten_at else ""
    return f"{who} gave no sign of life for {LOST_SECONDS:.0f} s{last}"
