"""Dagster's own web app over an instance without a workspace, and the marks by which an act that went through is seen.

Stays out: who tries.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import dagster as dg
from dagster._core.test_utils import create_run_for_test

CHECK = dg.AssetCheckKey(dg.AssetKey(["storefront", "payments"]), "refunds_reconcile")
FORGE = "/report_asset_check/storefront/payments?check_name=refunds_reconcile&passed=true"


def make_home(folder: Path) -> Path:
    """An empty ``DAGSTER_HOME`` with a workspace that names nothing; its path is that of the workspace file."""
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    workspace = folder / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    return workspace


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
