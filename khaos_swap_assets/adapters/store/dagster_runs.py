"""What Dagster's own database says of its runs, asked without Dagster, which takes seconds to load.

Belongs here: questions to tables of Dagster. Stays out: changing anything there, which is Dagster's own (``orphans``).
A database that Dagster has not used yet has no runs and no beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from khaos_swap_assets.adapters.store import database

REPOSITORY = ".dagster/repository"
"""The tag by which Dagster says of which code location a run is; a merchant's has the merchant's name."""
UNFINISHED = ("NOT_STARTED", "STARTING", "STARTED", "CANCELING")
TABLES = "SELECT to_regclass('runs'), to_regclass('event_logs'), to_regclass('daemon_heartbeats')"
OURS = f"""
    (%(location)s::text IS NULL OR EXISTS (SELECT 1 FROM run_tags
        WHERE run_tags.run_id = runs.run_id AND run_tags.key = '{REPOSITORY}' AND run_tags.value = %(location)s))
"""
"""Whether a run of ``runs`` is of the code location that is asked for, or none is."""
ANY = f"SELECT 1 FROM runs WHERE status = ANY(%(statuses)s) AND {OURS} LIMIT 1"
STARTED = f"SELECT runs.run_id FROM runs WHERE status = 'STARTED' AND {OURS}"
WORKERS = rf"""
    SELECT runs.run_id, max(substring(e.event FROM 'Started process for run \(pid: ([0-9]+)\)'))::int
    FROM runs JOIN event_logs e ON e.run_id = runs.run_id
    WHERE runs.status = ANY(%(statuses)s) AND e.dagster_event_type = 'ENGINE_EVENT' AND {OURS}
    GROUP BY runs.run_id
"""
UNLAUNCHED = f"""
    SELECT runs.run_id FROM runs WHERE status = 'STARTING' AND {OURS}
        AND update_timestamp < (now() AT TIME ZONE 'UTC') - make_interval(secs => %(seconds)s)
        AND NOT EXISTS (SELECT 1 FROM event_logs e WHERE e.run_id = runs.run_id
            AND e.dagster_event_type = 'ENGINE_EVENT' AND e.event LIKE '%%Started process for run%%')
"""
BEATS = """
    SELECT coalesce(extract(epoch FROM (now() AT TIME ZONE 'UTC') - min(timestamp)), 0)::int
    FROM daemon_heartbeats WHERE daemon_type IN ('SENSOR', 'QUEUED_RUN_COORDINATOR')
"""


def location(merchant: str) -> str | None:
    """How Dagster names the code location of a merchant; None without one: then every run is ours."""
    return f"__repository__@{merchant}" if merchant else None


def of_merchant(merchant: str) -> dict[str, str] | None:
    """The tag of a merchant's runs, as Dagster's own filter takes it; None without one: then every run is ours."""
    found = location(merchant)
    return {REPOSITORY: found} if found else None


def are_any_unfinished(url: str, merchant: str = "") -> bool:
    """Whether a run of the merchant is neither queued nor ended. Raises ``StoreError``."""
    return bool(_rows(url, ANY, statuses=list(UNFINISHED), location=location(merchant)))


def workers(url: str, merchant: str = "") -> dict[str, int]:
    """The process that each run of the merchant under way was given, by run id. Raises ``StoreError``."""
    found = _rows(url, WORKERS, statuses=list(UNFINISHED), location=location(merchant))
    return {run_id: pid for run_id, pid in found if pid is not None}


def unlaunched(url: str, seconds: float, merchant: str = "") -> set[str]:
    """The merchant's runs that are to start for so long and were given no process. Raises ``StoreError``."""
    return {run_id for (run_id,) in _rows(url, UNLAUNCHED, seconds=seconds, location=location(merchant))}


def started(url: str, merchant: str = "") -> set[str]:
    """The merchant's runs that somebody works on, as far as Dagster knows. Raises ``StoreError``."""
    return {run_id for (run_id,) in _rows(url, STARTED, location=location(merchant))}


def seconds_since_beat(url: str) -> int:
    """How long ago the daemon's least lively part that a sync needs was heard. Raises ``StoreError``."""
    rows = _rows(url, BEATS)
    return int(rows[0][0]) if rows else 0


def _rows(url: str, query: str, **parameters: object) -> Sequence[tuple[Any, ...]]:
    with database.reported(url), database.connect(url, application="house") as connection:
        if not all(connection.execute(TABLES).fetchone() or ()):
            return []
        return connection.execute(query.encode(), parameters).fetchall()
