"""What Dagster's own database says of its runs, asked without Dagster, which takes seconds to load.

Belongs here: questions to tables of Dagster. Stays out: changing anything there, which is Dagster's own (``orphans``).
A database that Dagster has not used yet has no runs and no beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from khaos_swap_assets.adapters.store import database

UNFINISHED = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
TABLES = "SELECT to_regclass('runs'), to_regclass('event_logs'), to_regclass('daemon_heartbeats')"
ANY = "SELECT 1 FROM runs WHERE status = ANY(%s) LIMIT 1"
WORKERS = r"""
    SELECT r.run_id, max(substring(e.event FROM 'Started process for run \(pid: ([0-9]+)\)'))::int
    FROM runs r JOIN event_logs e ON e.run_id = r.run_id
    WHERE r.status = ANY(%s) AND e.dagster_event_type = 'ENGINE_EVENT'
    GROUP BY r.run_id
"""
BEATS = """
    SELECT coalesce(extract(epoch FROM (now() AT TIME ZONE 'UTC') - min(timestamp)), 0)::int
    FROM daemon_heartbeats WHERE daemon_type IN ('SENSOR', 'QUEUED_RUN_COORDINATOR')
"""


def are_any_unfinished(url: str) -> bool:
    """Whether a run is neither queued nor ended. Raises ``StoreError``."""
    return bool(_rows(url, ANY, list(UNFINISHED)))


def workers(url: str) -> dict[str, int]:
    """The process that each run under way was given, by run id. Raises ``StoreError``."""
    return {run_id: pid for run_id, pid in _rows(url, WORKERS, list(UNFINISHED)) if pid is not None}


def seconds_since_beat(url: str) -> int:
    """How long ago the daemon's least lively part that a sync needs was heard. Raises ``StoreError``."""
    rows = _rows(url, BEATS)
    return int(rows[0][0]) if rows else 0


def _rows(url: str, query: str, *parameters: object) -> Sequence[tuple[Any, ...]]:
    with database.reported(url), database.connect(url, application="house") as connection:
        if not all(connection.execute(TABLES).fetchone() or ()):
            return []
        return connection.execute(query.encode(), parameters).fetchall()
