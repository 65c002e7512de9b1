"""What a plain ``dagster dev`` in the project's folder meets: one line that says how to start.

Belongs here: the guard that the top-level ``dagster.yaml`` names as its storage. Stays out: the settings that Dagster
really runs with (``khaos_swap_assets/dagster.yaml``, which ``khaos-swap`` puts into DAGSTER_HOME).
"""

from __future__ import annotations

from typing import Any, NoReturn

from dagster._core.storage.base_storage import DagsterStorage

LINE = "Khaos Swap is not started by dagster itself: run `khaos-swap up`, or `make demo` to look around"


class NotStarted(DagsterStorage):
    """Ends the program that asks for it."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing can be configured."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: object, config_value: object) -> NoReturn:
        """Say how to start, and end. Raises ``SystemExit`` with that line."""
        raise SystemExit(LINE)
