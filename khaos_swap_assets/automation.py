"""What starts a run: sensors on new returns, ended syncs and touched months, sweeps, month end, housekeeping.

Belongs here: jobs, sensors and schedules, and what each asks for. Stays out: work, telling of failures (``failures``).
A run is asked for only when something is due and never while a sync is queued or running. Times of day are
Europe/London. Source: DESIGN §8.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from khaos_swap_assets.adapters.store import dagster_runs, monthly
from khaos_swap_assets.failures import failed_runs
from khaos_swap_assets.housekeeping import housekeeping
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.checking import WATCH
from khaos_swap_assets.stages.completeness import assets as completeness
from khaos_swap_assets.stages.completeness.watch import somebody_watches
from khaos_swap_assets.stages.due import UnansweredError, what_is_due
from khaos_swap_assets.stages.presenting import keys, of_merchant
from khaos_swap_assets.stages.reconciliation import checks as reconciliation_checks
from khaos_swap_assets.stages.reconciliation.assets import MONTH_END, months_from
from khaos_swap_assets.stages.toolbox import Toolbox

LONDON = "Europe/London"
AT_LEAST_EVERY = timedelta(minutes=1)
VERDICTS_SECONDS = 5
"""A verdict is of the materialization before, so Dagster hides it from the moment of a new one to the next verdict."""
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def jobs(merchant: str = "", tags: Mapping[str, str] | None = None) -> list[Any]:
    """Every job, over the merchant's assets; its runs carry these tags, also those that a sensor or schedule asks."""
    month = of_merchant(MONTH_END, merchant)
    assets, checks = dg.AssetSelection.assets, dg.AssetSelection.checks
    watched = (reconciliation_checks.sources_are_fresh, *completeness.CHECKS, somebody_watches)
    parts: dict[str, tuple[dg.AssetSelection, str]] = {
        "sync": (
            (dg.AssetSelection.all() - assets(month)).without_checks(),
            "Do whatever is still undone: read both sides, match, draft, settle, plan, reconcile.",
        ),
        "standing_checks": (
            dg.AssetSelection.all_asset_checks() - dg.AssetSelection.checks_for_assets(month),
            "Give every standing check its verdict by our own tables, in a second or two; asks no vendor.",
        ),
        "watch": (
            assets(*keys(WATCH, merchant)).without_checks() | checks(*(check.spec(merchant).key for check in watched)),
            "Judge by our own tables alone whether somebody watches and every source was read; asks no vendor.",
        ),
        "open_returns": (
            assets(*keys("storefront/variants reconciliation/open_returns", merchant)),
            "Look ahead at all that may come back: open returns, late sales, what the shop lists.",
        ),
        "month_end": (assets(month), "Add up one London month."),
    }
    made = [
        dg.define_asset_job(name, selection, description=said, tags=tags, executor_def=dg.in_process_executor)
        for name, (selection, said) in parts.items()
    ]
    return [*made, housekeeping(tags)]


def is_active(instance: dg.DagsterInstance, job_name: str, toolbox: Toolbox) -> bool:
    """True while a run of this job of the toolbox's merchant is queued or running."""
    return instance.get_runs_count(_runs(job_name, ACTIVE, toolbox)) > 0


def _runs(job_name: str, statuses: list[dg.DagsterRunStatus], toolbox: Toolbox) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=job_name, statuses=statuses, tags=dagster_runs.of_merchant(toolbox.settings.merchant))


def new_returns(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """One look; the cursor says when Swap was last asked, and what was found then or since."""
    if is_active(context.instance, "sync", toolbox):
        return dg.SkipReason("a sync is queued or running")
    asked_at, asks_swap = when_asked(context.cursor, toolbox)
    try:
        due = what_is_due(toolbox, asks_swap=asks_swap)
    except UnansweredError as error:
        context.update_cursor(f"{asked_at} no answer")
        return dg.SkipReason(str(error))
    cursor = f"{asked_at} {due or 'nothing due'}"
    if not due:
        context.update_cursor(cursor)
        return dg.SkipReason("nothing is due")
    return dg.SensorResult(run_requests=[dg.RunRequest(tags={"due": due[:60]})], cursor=cursor)


def when_asked(cursor: str | None, toolbox: Toolbox) -> tuple[str, bool]:
    """When Swap is asked last, with this look or before it, and whether this look asks it."""
    now = toolbox.now()
    before = (cursor or "").partition(" ")[0]
    pause = timedelta(seconds=toolbox.settings.swap.poll_seconds)
    if before and now - pause < datetime.fromisoformat(before) <= now:
        return before, False
    return now.isoformat(), True


def touched_months(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Request the touched months that exist as partitions, one run each.

    Better after the sync than during it, but never more than a minute late: syncs may follow each other without a gap.
    """
    if is_active(context.instance, "month_end", toolbox):
        return dg.SkipReason("a run is queued or running")
    with toolbox.store() as conn:
        periods = known_periods(monthly.touched(conn), toolbox.settings.period_start)
        is_recent = monthly.computed_since(conn, toolbox.now() - AT_LEAST_EVERY)
    if is_recent and is_active(context.instance, "sync", toolbox):
        return dg.SkipReason("a sync is under way, and the month was computed within the last minute")
    if not periods:
        return dg.SkipReason("no month was touched")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(partition_key=period) for period in periods], cursor=",".join(periods)
    )


def sync_ended(
    context: dg.SensorEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the verdicts of the newest sync; the cursor says which it was and when they were asked for.

    As with the months: better between syncs, but never more than a minute late.
    """
    if is_active(context.instance, "standing_checks", toolbox):
        return dg.SkipReason("a run is queued or running")
    ended = context.instance.get_runs(_runs("sync", ENDED, toolbox), limit=1)
    told, _, asked = (context.cursor or "").partition(" ")
    if not ended or ended[0].run_id == told:
        return dg.SkipReason("no sync has ended since the last verdicts")
    now = toolbox.now()
    is_recent = bool(asked) and now - AT_LEAST_EVERY < datetime.fromisoformat(asked) <= now
    if is_recent and is_active(context.instance, "sync", toolbox):
        return dg.SkipReason("a sync is under way, and verdicts were given within the last minute")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=f"{ended[0].run_id} {now.isoformat()}")


def known_periods(periods: list[str], first: date) -> list[str]:
    """Those months that the partitions know: from the ``first`` in the settings up to the open month."""
    known = months_from(first)
    return [period for period in periods if known.has_partition_key(period)]


def sweep(context: dg.ScheduleEvaluationContext, toolbox: dg.ResourceParam[Toolbox]) -> dg.RunRequest | dg.SkipReason:
    """Look several times an hour in business hours, and widely at night, whether or not anything knocked."""
    if is_active(context.instance, "sync", toolbox):
        return dg.SkipReason("a sync is queued or running")
    return dg.RunRequest()


def watch_over_the_work(
    context: dg.ScheduleEvaluationContext, toolbox: dg.ResourceParam[Toolbox]
) -> dg.RunRequest | dg.SkipReason:
    """Judge whatever speaks of age on the hour, and between as soon as it says something else than it did."""
    if context.scheduled_execution_time.minute == 0:
        return dg.RunRequest()
    with toolbox.store() as conn:
        is_news = watching.is_news(conn, toolbox.settings, toolbox.now())
    return dg.RunRequest() if is_news else dg.SkipReason("what it says is told already")


def month_just_ended(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """On the 1st, ask for the month that ended yesterday."""
    yesterday = context.scheduled_execution_time - timedelta(days=1)
    return dg.RunRequest(partition_key=f"{yesterday:%Y-%m}")


def sensors(seconds: int, *, is_started: bool) -> list[dg.SensorDefinition]:
    """Every sensor, running or stopped; those that ask for runs look every so many ``seconds`` at most."""
    status = dg.DefaultSensorStatus.RUNNING if is_started else dg.DefaultSensorStatus.STOPPED
    asking = dg.sensor(
        job_name="sync",
        name="new_returns",
        minimum_interval_seconds=seconds,
        default_status=status,
        description="Asks for a sync as soon as one is due: a knock, a changed return, unfinished work, a deadline.",
    )
    touching = dg.sensor(
        job_name="month_end",
        name="touched_months",
        minimum_interval_seconds=seconds,
        default_status=status,
        description="Asks for the month end of every month that a sync touched.",
    )
    judging = dg.sensor(
        job_name="standing_checks",
        name="sync_ended",
        minimum_interval_seconds=min(seconds, VERDICTS_SECONDS),
        default_status=status,
        description="Asks for the standing checks after a sync, in a run of their own, so that a verdict stays in "
        "sight while the next sync works.",
    )
    telling = dg.sensor(
        name="failed_runs",
        minimum_interval_seconds=30,
        default_status=status,
        description="Asks for no run: tells the alert list which failed and why, the first at once, then all of ten "
        "minutes together.",
    )
    return [asking(new_returns), touching(touched_months), judging(sync_ended), telling(failed_runs)]


def schedules(*, is_started: bool) -> list[dg.ScheduleDefinition]:
    """Every schedule, running or stopped."""
    status = dg.DefaultScheduleStatus.RUNNING if is_started else dg.DefaultScheduleStatus.STOPPED
    sweeping = dg.schedule(
        job_name="sync",
        cron_schedule=["*/15 7-19 * * 1-6", "30 2 * * *"],
        execution_timezone=LONDON,
        name="sweep",
        default_status=status,
        description="A sync every 15 minutes of the working day and widely at 02:30, whether or not anything knocked.",
    )
    watching_over = dg.schedule(
        job_name="watch",
        cron_schedule="*/5 * * * *",
        execution_timezone=LONDON,
        name="watch_over_the_work",
        default_status=status,
        description="Judges by our own tables what speaks of age: on the hour, and between when it says something new.",
    )
    ending = dg.schedule(
        job_name="month_end",
        cron_schedule="0 6 1 * *",
        execution_timezone=LONDON,
        name="month_just_ended",
        default_status=status,
        description="Adds up the month that ended yesterday: on the 1st at 06:00.",
    )
    return [sweeping(sweep), watching_over(watch_over_the_work), ending(month_just_ended), *_nightly(status)]


def _nightly(status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """What is done each night beside the sweep."""
    ahead = dg.schedule(
        job_name="open_returns",
        cron_schedule="0 4 * * *",
        execution_timezone=LONDON,
        name="open_returns_nightly",
        default_status=status,
        description="Looks ahead at open returns, late sales and what the shop lists: at 04:00, before parcels land.",
    )
    tidying = dg.ScheduleDefinition(
        job_name="housekeeping",
        cron_schedule="0 3 * * *",
        execution_timezone=LONDON,
        name="housekeeping_nightly",
        default_status=status,
        description="Deletes old runs, their events and their files: at 03:00. Touches no return.",
    )
    return [ahead(sweep), tidying]
