"""``python -m khaos_swap_assets.running.run_worker QUEUE AT_ONCE``: works on one merchant's runs until told to stop.

Belongs here: Celery's worker. Stays out: what Celery is told (``celery_parts``), and starting it (``merchant``). What a
run needs is loaded before Celery makes the processes that work on runs, so that a run begins at once, and set apart
from the garbage collector of each.
"""

from __future__ import annotations

import importlib
import os
import sys

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task

from khaos_swap_assets.resources import set_apart
from khaos_swap_assets.running import celery_parts
from khaos_swap_assets.running.dagster_parts import MODULE


def main(queue: str, at_once: str) -> None:
    """Work on the runs of a queue, so many at once."""
    importlib.import_module(MODULE)
    where = {"broker": os.environ[celery_parts.URL], "backend": os.environ[celery_parts.URL]}
    app = make_app({**where, "config_source": dict(celery_parts.CONFIG)})  # type: ignore[no-untyped-call, unused-ignore]
    create_execute_job_task(app)
    set_apart()
    how = ["--queues", queue, "--concurrency", at_once, "--hostname", f"{queue}@%h", "--loglevel", "WARNING"]
    app.worker_main(["worker", *how, "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main(*sys.argv[1:])
