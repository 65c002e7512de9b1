"""Runs whose process is gone: Dagster takes them for running, and a sync would wait for them.

Belongs here: telling Dagster that they ended. Stays out: ending processes (``processes``). One house owns every run of
its Dagster database, or every run of a merchant whose code server is its own, so before that starts none can be alive.
``python -m khaos_swap_assets.running.orphans MERCHANT REASON [RUN]`` does it in a process of its own: Dagster takes
seconds and memory to load, and no wait of it may hold up the house.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from khaos_swap_assets.adapters.errors import HouseError
from khaos_swap_assets.adapters.store import dagster_runs
from khaos_swap_assets.running import processes

SECONDS = 60
REASON = "its process was ended; the next run does what is still undone"
LAUNCH_SECONDS = 60.0
"""A run that has no process by then gets none: who launched it was ended meanwhile. One that comes after all works on
nothing, as its run has ended."""
UNLAUNCHED = f"it was given no process within {LAUNCH_SECONDS:.0f} s; the next run does what is still undone"


class Orphans:
    """The runs of one house, or of one ``merchant`` in it.

    ``env`` holds DAGSTER_HOME and what its settings name; ``url`` is Dagster's database.
    """

    def __init__(self, url: str, env: Mapping[str, str], folder: Path, merchant: str = "") -> None:
        self.url = url
        self.merchant = merchant
        self._env = env
        self._folder = folder.resolve()
        self._suspects: set[str] = set()

    def close_all(self) -> None:
        """Close every run under way: nobody lives who could work on one. Raises ``StoreError``, ``HouseError``."""
        if dagster_runs.are_any_unfinished(self.url, self.merchant):
            self.close_these((), REASON)

    def close_lost(self) -> None:
        """Close each run whose own process was missing at this look and at the one before, or that was given none.

        Raises as ``close_all``.
        """
        working = dagster_runs.workers(self.url, self.merchant)
        missing = {run for run, pid in working.items() if not processes.lives_in(self._folder, pid)}
        lost, self._suspects = missing & self._suspects, missing
        if lost:
            self.close_these(sorted(lost), REASON)
        if unlaunched := dagster_runs.unlaunched(self.url, LAUNCH_SECONDS, self.merchant):
            self.close_these(sorted(unlaunched), UNLAUNCHED)

    def close_these(self, run_ids: Sequence[str], reason: str) -> None:
        """Close these runs, or every one that is under way. Raises ``HouseError``."""
        argv = [sys.executable, "-m", "khaos_swap_assets.running.orphans", self.merchant, reason, *run_ids]
        env = {**os.environ, **self._env, processes.HOUSE: str(self._folder)}
        try:
            done = subprocess.run(  # noqa: S603 (the program is ours)  # nosec B603
                argv, env=env, cwd=self._folder, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise HouseError(f"runs whose process is gone could not be closed within {SECONDS} s") from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise HouseError(f"runs whose process is gone could not be closed: {last}")


def close(merchant: str = "", reason: str = REASON, run_ids: Sequence[str] = ()) -> int:
    """Report these runs, or every one of the merchant that is neither queued nor ended, as failed; how many.

    Their places in the pools are freed.
    """
    import dagster as dg

    statuses = [dg.DagsterRunStatus[name] for name in dagster_runs.UNFINISHED]
    tags = dagster_runs.of_merchant(merchant)
    wanted = dg.RunsFilter(run_ids=list(run_ids) or None, statuses=statuses, tags=tags)
    with dg.DagsterInstance.get() as instance:
        orphans = instance.get_runs(wanted)
        for run in orphans:
            instance.report_run_failed(run, reason)
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(orphans)


if __name__ == "__main__":
    close(sys.argv[1], sys.argv[2], sys.argv[3:])
