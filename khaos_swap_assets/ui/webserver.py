"""Dagster's own web app, taken from inside ``dagster-webserver``.

Belongs here: the imports that Dagster does not promise to keep, and nothing else of ours. Stays out: who may ask
(``guard``). A test fails when ``dagster-webserver`` is not the version that this was written for: read its ``cli.py``,
``app.py`` and ``webserver.py`` again (routes, methods, what is read from where), then raise it here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from khaos_swap_assets.running.repeating import repeated

WRITTEN_FOR = "1.13.27"
STATEMENT_MS, RECYCLE_SECONDS, MOST_CONNECTIONS = 15_000, 3_600, 20
POLL_MS = 2_000
FOLLOW_SECONDS = 1.0
LOG = logging.getLogger("khaos_swap.ui")
MayRun = Callable[[HTTPConnection], bool]


@contextmanager
def dagster_app(workspace: Path, prefix: str = "", may_run: MayRun = lambda _: True) -> Iterator[ASGIApp]:
    """Dagster's UI over the instance of ``DAGSTER_HOME`` and the code servers that the workspace file names.

    It lies below the path ``prefix``. Whoever ``may_run`` says no to gets Dagster's own read-only workspace: its page
    greys its buttons out, and it refuses every write itself.
    """
    with dg.DagsterInstance.get() as instance:
        event.listen(QueuePool, "checkout", _refuse_the_dead)
        instance.optimize_for_webserver(STATEMENT_MS, RECYCLE_SECONDS, MOST_CONNECTIONS)
        following, target = _Following(workspace), WorkspaceFileTarget([str(workspace)])
        with (
            _Workspace(instance, target, may_run) as context,
            repeated(partial(following.look, context), FOLLOW_SECONDS, "workspace"),
        ):
            yield create_app_from_workspace_process_context(context, prefix, live_data_poll_rate=POLL_MS)


class _Following:
    """Reads the workspace file again whenever it changes: a code server that comes or goes needs nobody's click."""

    def __init__(self, workspace: Path) -> None:
        self._workspace, self._seen = workspace, _stamp(workspace)

    def look(self, context: WorkspaceProcessContext) -> None:
        """Have the context read what changed since the last time; what cannot be read is tried anew."""
        try:
            if (found := _stamp(self._workspace)) != self._seen:
                context.refresh_workspace()
                self._seen = found
        except Exception:
            LOG.exception("%s could not be read again, which is tried anew", self._workspace)


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_ino


class _Workspace(WorkspaceProcessContext):
    """One workspace for all, that each request sees as the one who sends it may."""

    def __init__(self, instance: dg.DagsterInstance, target: WorkspaceFileTarget, may_run: MayRun) -> None:
        super().__init__(instance, target, version=WRITTEN_FOR)
        self._may_run = may_run

    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        is_free = isinstance(source, HTTPConnection) and self._may_run(source)
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=not is_free,
        )


def _refuse_the_dead(connection: Any, *_: object) -> None:
    """Asks each kept connection before it is used: one that fell with the database is replaced, and no page fails."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except connection.Error as error:
        raise DisconnectionError from error
