"""Sends each run to the queue of its merchant; Dagster reads of this class in ``dagster.yaml``.

Belongs here: which queue, and that a worker of whom Celery says nothing is not for that reason dead. Stays out: what
Celery is told (``celery_parts``). It is written for dagster-celery 0.29.27.
"""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher

from khaos_swap_assets.running.celery_parts import QUEUE_TAG


class MerchantLauncher(CeleryRunLauncher):  # type: ignore[misc, unused-ignore]
    """Dagster's launcher for Celery, with a queue for each code location, which is a merchant's."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Send the run to its merchant's queue, whatever its tags say."""
        run, origin = context.dagster_run, context.dagster_run.remote_job_origin
        queue = {QUEUE_TAG: origin.repository_origin.code_location_origin.location_name} if origin else {}
        self.celery.tasks.pop(TASK_EXECUTE_JOB_NAME, None)  # it is registered anew at each launch, which warns
        super().launch_run(context._replace(dagster_run=run.with_tags({**run.tags, **queue})))

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """What Celery knows; a broker that forgot the run, as after a crash of it, says nothing of its worker."""
        found = super().check_run_worker_health(run)
        is_silent = found.status == WorkerStatus.UNKNOWN
        return CheckRunHealthResult(WorkerStatus.RUNNING, found.msg) if is_silent else found
