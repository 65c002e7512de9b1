"""Runs that a killed house left behind: Dagster takes them for running, and a sync would wait for them.

Belongs here: telling Dagster, before it starts again, that they ended. Stays out: ending processes (``processes``).
One house owns every run of its Dagster database, so at its start none can be alive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg

UNFINISHED = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
ANY = "SELECT 1 FROM runs WHERE status = ANY(%s) LIMIT 1"
REASON = "its process was ended with the house that it belonged to; the next run does what is still undone"


def close_orphaned_runs(dagster_database_url: str, env: Mapping[str, str]) -> int:
    """Report every run that is neither queued nor ended as failed, and free its pool slots; how many there were.

    ``env`` holds DAGSTER_HOME and what its settings name. Dagster is imported only when there is such a run.
    """
    if not _is_any(dagster_database_url):
        return 0
    import dagster as dg

    with _environment(env), dg.DagsterInstance.get() as instance:
        statuses = [dg.DagsterRunStatus[name] for name in UNFINISHED]
        orphans = instance.get_runs(dg.RunsFilter(statuses=statuses))
        for run in orphans:
            instance.report_run_failed(run, REASON)
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return len(orphans)


def _is_any(url: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            return connection.execute(ANY, (list(UNFINISHED),)).fetchone() is not None
        except psycopg.errors.UndefinedTable:
            return False


@contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
