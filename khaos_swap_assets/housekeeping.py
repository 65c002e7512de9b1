"""What keeps tables and files small: once a night, in batches until nothing old is left.

Belongs here: the job and how long things are kept. Stays out: which rows of Dagster's may go
(``adapters.store.dagster_log``), months of ours that are set apart (``adapters.store.months``), the log files of the
processes (``logs``). ``delete_run`` takes a run's result with it, so the runs that made what is
newest, of every month, stay for ever.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import dagster as dg

from khaos_swap_assets.adapters.store import dagster_log, months, writers
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection


class _Tables(Protocol):
    """What is asked of Dagster's event log: its database."""

    def index_connection(self) -> "AbstractContextManager[Connection]": ...


@dg.op
def clean_up(context: dg.OpExecutionContext, toolbox: dg.ResourceParam[Toolbox]) -> None:
    """Delete what is too old, and say how much."""
    now, settings = toolbox.now(), toolbox.settings
    merchant = settings.merchant
    runs = delete_old_runs(context.instance, merchant, now - timedelta(days=settings.keep_runs_days))
    events = trim_events(context.instance, merchant, now - timedelta(days=settings.keep_events_days))
    folders = delete_lost_folders(context.instance, now - timedelta(days=1))
    context.log.info("deleted %d runs, %d events of others, %d folders of runs that are gone", runs, events, folders)
    with toolbox.store() as conn:
        writers.forget(conn)
    for table in months.PARTED:
        with toolbox.store() as conn:
            made = months.make_ahead(conn, table, now)
            apart = months.set_apart(conn, table, now, settings.keep_months) if settings.keep_months else []
        told = (", ".join(names) or "none" for names in (made, apart))
        context.log.info("parts of %s in schema months: made %s, set apart %s", table, *told)


def delete_old_runs(instance: dg.DagsterInstance, merchant: str, before: datetime) -> int:
    """Delete the merchant's ended runs from before ``before`` with their events, verdicts and files; how many."""
    storage, deleted = _storage(instance), 0
    with storage.index_connection() as connection:
        kept = dagster_log.kept_runs(connection, merchant)
    while True:
        with storage.index_connection() as connection:
            old = dagster_log.old_runs(connection, merchant, before, kept)
        for run_id in old:
            instance.delete_run(run_id)
            instance.compute_log_manager.delete_logs(prefix=[run_id])
        deleted += len(old)
        if not old:
            break
    while True:
        with storage.index_connection() as connection:
            if not dagster_log.forget_verdicts(connection, merchant, before):
                return deleted


def trim_events(instance: dg.DagsterInstance, merchant: str, before: datetime) -> int:
    """Delete what matters only while a run is under way, of the merchant's runs that stay; how many events."""
    deleted = last = 0
    while True:
        with _storage(instance).index_connection() as connection:
            count, last = dagster_log.trim(connection, merchant, before, last)
        deleted += count
        if not count:
            return deleted


def delete_lost_folders(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete files of runs that are gone, whoever's they were, untouched since ``before``; how many folders."""
    folders = [one for one in Path(instance.storage_directory()).glob("*/compute_logs") if _is_older(one, before)]
    with _storage(instance).index_connection() as connection:
        lost = dagster_log.missing(connection, [folder.parent.name for folder in folders])
    for run_id in lost:
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    return len(lost)


def _is_older(folder: Path, moment: datetime) -> bool:
    return folder.stat().st_mtime < moment.timestamp()


def _storage(instance: dg.DagsterInstance) -> _Tables:
    return cast(_Tables, instance.event_log_storage)


def housekeeping(tags: Mapping[str, str] | None = None) -> dg.JobDefinition:
    """The job; its runs carry these tags."""

    @dg.job(
        name="housekeeping",
        tags=tags,
        executor_def=dg.in_process_executor,
        description="Delete old runs, their events and their files; make the parts of the months to come.",
    )
    def cleaning() -> None:
        clean_up()

    return cleaning
