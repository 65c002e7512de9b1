"""Telling people that runs failed.

Belongs here: what the sensor does, which tells a flood in one message. Stays out: the sensor (``automation``) and how a
message is sent (``adapters.alerts``). It leaves a mark in our tables at each look, whose age the house watches
(``health``): a sensor that was switched off or hangs is as silent as one without news.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from khaos_swap_assets.adapters import alerts
from khaos_swap_assets.adapters.store import dagster_runs, worklist
from khaos_swap_assets.stages.toolbox import Toolbox

MOST = 1_000
"""Failed runs of one message; more wait for the next."""


def failed_runs(context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]) -> dg.SkipReason:
    """One look; the cursor says up to which event all was told, and when a message was tried last."""
    now = toolbox.now()
    with toolbox.store() as conn:
        worklist.move(conn, alerts.FAILURES_SEEN, now)
    told_to, tried_at = _read(context.cursor)
    if told_to is None:
        context.update_cursor(str(_newest(context.instance)))
        return dg.SkipReason("what fails from now on is told")
    failed = _failed_since(context.instance, told_to)
    ours = _of_merchant(context.instance, failed, toolbox.settings.merchant)
    if not ours:
        told_to = failed[-1].storage_id if failed else told_to
        context.update_cursor(_cursor(told_to, tried_at))
        return dg.SkipReason("no run failed")
    if tried_at is not None and tried_at <= now < tried_at + alerts.QUIET:
        return dg.SkipReason(f"{len(ours)} failed runs wait for the next message")
    is_done = alerts.send(toolbox.settings, *message(ours)) or not alerts.addresses(toolbox.settings)
    context.update_cursor(_cursor(failed[-1].storage_id if is_done else told_to, now))
    return dg.SkipReason(f"{len(ours)} failed runs " + ("were told" if is_done else "could not be told yet"))


def message(failed: Sequence[dg.EventLogRecord]) -> tuple[str, str]:
    """Title and text for one failure, or for many: how many of which job, and what the last one said."""
    entries = [record.event_log_entry for record in failed]
    last = entries[-1].dagster_event
    reason = (last.message if last else "") or entries[-1].user_message or "no message"
    if len(entries) == 1:
        return f"Khaos Swap: {entries[0].job_name} failed", reason
    jobs = Counter(str(entry.job_name) for entry in entries)
    counts = ", ".join(f"{job} {count} times" for job, count in sorted(jobs.items()))
    since = f"{datetime.fromtimestamp(entries[0].timestamp).astimezone():%d %B, %H:%M %Z}"
    return f"Khaos Swap: {len(entries)} runs failed", f"Since {since}: {counts}.\nThe last one: {reason}"


def _read(cursor: str | None) -> tuple[int | None, datetime | None]:
    told_to, _, tried_at = (cursor or "").partition(" ")
    if not told_to.lstrip("-").isdecimal():
        return None, None
    return int(told_to), datetime.fromisoformat(tried_at) if tried_at else None


def _cursor(told_to: int, tried_at: datetime | None) -> str:
    return f"{told_to} {tried_at.isoformat()}" if tried_at else str(told_to)


def _newest(instance: dg.DagsterInstance) -> int:
    found = instance.fetch_run_status_changes(dg.DagsterEventType.RUN_FAILURE, limit=1).records
    return found[0].storage_id if found else -1


def _failed_since(instance: dg.DagsterInstance, told_to: int) -> Sequence[dg.EventLogRecord]:
    wanted = dg.RunStatusChangeRecordsFilter(dg.DagsterEventType.RUN_FAILURE, after_storage_id=told_to)
    return instance.fetch_run_status_changes(wanted, limit=MOST, ascending=True).records


def _of_merchant(
    instance: dg.DagsterInstance, failed: Sequence[dg.EventLogRecord], merchant: str
) -> Sequence[dg.EventLogRecord]:
    """Those of the merchant's runs; a run that is deleted meanwhile is nobody's any more."""
    tags = dagster_runs.of_merchant(merchant)
    if not tags or not failed:
        return failed
    runs = instance.get_runs(dg.RunsFilter(run_ids=[record.run_id for record in failed], tags=tags))
    ours = {run.run_id for run in runs}
    return [record for record in failed if record.run_id in ours]
