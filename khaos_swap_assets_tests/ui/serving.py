"""Dagster's own web app on a real port of this process, bare or behind the guard, over an instance without a workspace.

Belongs here: starting and stopping one, and the marks by which an act that went through is seen. Stays out: who tries.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import uvicorn
from dagster._core.test_utils import create_run_for_test
from starlette.types import ASGIApp

CHECK = dg.AssetCheckKey(dg.AssetKey(["storefront", "payments"]), "refunds_reconcile")
FORGE = "/report_asset_check/storefront/payments?check_name=refunds_reconcile&passed=true"


def make_home(folder: Path) -> Path:
    """An empty ``DAGSTER_HOME`` with a workspace that names nothing; its path is that of the workspace file."""
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    workspace = folder / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    return workspace


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """Serve until the end of the block; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(20)


class Marks:
    """A run to delete and a verdict to forge: what somebody from outside did is seen by them."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self.run_id = create_run_for_test(instance).run_id
        self._before = self._verdicts()

    @property
    def delete(self) -> str:
        """A mutation that deletes the run."""
        return f'mutation {{ deletePipelineRun(runId: "{self.run_id}") {{ __typename }} }}'

    @property
    def by_address(self) -> str:
        """The same as path and query of an address."""
        return f"/graphql?query={quote(self.delete)}"

    def is_touched(self) -> bool:
        """Whether the run is gone or there is a verdict that no run made."""
        return not self._instance.has_run(self.run_id) or self._verdicts() != self._before

    def _verdicts(self) -> int:
        return len(self._instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=50))
