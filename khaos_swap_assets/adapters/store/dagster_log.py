"""What Dagster wrote about its runs, in Dagster's own tables: what may go, and what stays for ever.

Belongs here: the SQL over ``runs``, ``event_logs`` and ``asset_check_executions``. Stays out: deleting a run, which
Dagster does (``housekeeping``). Which kinds of events may go early is Dagster's own guide ("Cleaning older data").
Where several merchants share one Dagster, each tidies what is its own; without a merchant's name all is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store.dagster_runs import OURS, location

if TYPE_CHECKING:
    from sqlalchemy import Connection

ENDED = ("SUCCESS", "FAILURE", "CANCELED")
OF_PASSAGE = (
    "ASSET_MATERIALIZATION_PLANNED",
    "ENGINE_EVENT",
    "HANDLED_OUTPUT",
    "LOADED_INPUT",
    "PIPELINE_CANCELING",
    "PIPELINE_ENQUEUED",
    "PIPELINE_STARTING",
    "RESOURCE_INIT_FAILURE",
    "RESOURCE_INIT_STARTED",
    "RESOURCE_INIT_SUCCESS",
    "STEP_INPUT",
    "STEP_OUTPUT",
    "STEP_WORKER_STARTED",
    "STEP_WORKER_STARTING",
)
BATCH = 5_000
KEPT = f"""
    SELECT run_id FROM (SELECT DISTINCT ON (pipeline_name, partition) run_id FROM runs
        WHERE partition IS NOT NULL AND {OURS} ORDER BY pipeline_name, partition, id DESC) AS newest_run
    UNION SELECT run_id FROM (SELECT DISTINCT ON (asset_key, partition) run_id FROM event_logs
        WHERE dagster_event_type = 'ASSET_MATERIALIZATION' ORDER BY asset_key, partition, id DESC) AS newest_result
    UNION SELECT run_id FROM (SELECT DISTINCT ON (asset_key, check_name, partition) run_id
        FROM asset_check_executions WHERE evaluation_event_storage_id IS NOT NULL
        ORDER BY asset_key, check_name, partition, id DESC) AS newest_verdict
"""
OLD = f"""
    SELECT run_id FROM runs WHERE status = ANY(%(ended)s) AND create_timestamp < %(before)s AND run_id <> ALL(%(kept)s)
    AND {OURS} ORDER BY id LIMIT %(batch)s
"""
# A person's words cannot look like the level: quotes inside the event's text are escaped.
TRIM = f"""
    WITH old AS (SELECT id FROM event_logs WHERE id > %(after)s AND timestamp < %(before)s AND (
            dagster_event_type = ANY(%(kinds)s)
            OR dagster_event_type IS NULL AND event ~ '[{{ ]"level": ?(10|20)[,}}]')
        AND {OURS.replace("runs.run_id", "event_logs.run_id")}
        ORDER BY id LIMIT %(batch)s),
    gone AS (DELETE FROM event_logs USING old WHERE event_logs.id = old.id)
    SELECT count(*), max(id) FROM old
"""
OLD_VERDICTS = """
    DELETE FROM asset_check_executions AS verdict WHERE id IN (
        SELECT id FROM asset_check_executions AS one WHERE create_timestamp < %(before)s
            AND starts_with(one.asset_key, %(assets)s)
            AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = one.run_id)
            AND EXISTS (SELECT 1 FROM asset_check_executions AS later WHERE later.asset_key = one.asset_key
                AND later.check_name = one.check_name AND later.partition IS NOT DISTINCT FROM one.partition
                AND later.evaluation_event_storage_id IS NOT NULL AND later.id > one.id)
        ORDER BY id LIMIT %(batch)s)
"""


def kept_runs(connection: Connection, merchant: str) -> set[str]:
    """Ids of runs that stay for ever: the newest of each partition, and who made each newest result and verdict."""
    return {row[0] for row in connection.exec_driver_sql(KEPT, {"location": location(merchant)})}


def old_runs(connection: Connection, merchant: str, before: datetime, kept: Collection[str]) -> list[str]:
    """The merchant's oldest ended runs from before a moment (UTC) that need not stay, at most a batch."""
    given = {"ended": list(ENDED), "before": _stored(before), "kept": list(kept), **_batch(merchant)}
    return [row[0] for row in connection.exec_driver_sql(OLD, given)]


def missing(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """Those of some ids that are no run's."""
    query = "SELECT run_id FROM runs WHERE run_id = ANY(%(ids)s)"
    found = connection.exec_driver_sql(query, {"ids": list(run_ids)})
    return set(run_ids) - {row[0] for row in found}


def trim(connection: Connection, merchant: str, before: datetime, after: int) -> tuple[int, int]:
    """Delete one batch of passing events and of debug and info lines of runs; how many, and the last one's id.

    What a run made, what a check found, warnings, errors, and when a step began and ended stay with their run.
    """
    given = {"before": _stored(before), "after": after, "kinds": list(OF_PASSAGE), **_batch(merchant)}
    count, last = connection.exec_driver_sql(TRIM, given).one()
    return count, last or after


def forget_verdicts(connection: Connection, merchant: str, before: datetime) -> int:
    """Delete one batch of the merchant's verdicts whose run is gone and which a later one replaced; how many."""
    given = {"before": _stored(before), "assets": f'["{merchant}", ' if merchant else "[", **_batch(merchant)}
    return connection.exec_driver_sql(OLD_VERDICTS, given).rowcount


def _batch(merchant: str) -> dict[str, object]:
    return {"location": location(merchant), "batch": BATCH}


def _stored(moment: datetime) -> datetime:
    """As Dagster stores moments: UTC without a zone."""
    return moment.replace(tzinfo=None)
