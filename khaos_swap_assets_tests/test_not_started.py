"""A plain ``dagster dev`` in the project's folder ends with the line that says how to start."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from khaos_swap_assets.not_started import LINE, NotStarted

ROOT = Path(__file__).parent.parent


def test_it_ends_with_its_line() -> None:
    with pytest.raises(SystemExit, match="khaos-swap up") as ended:
        NotStarted.from_config_value(None, {})
    assert str(ended.value) == LINE


def test_the_folder_of_the_project_leads_there() -> None:
    with pytest.raises(SystemExit) as ended:
        dg.DagsterInstance.from_config(str(ROOT))
    assert str(ended.value) == LINE


def test_nothing_can_be_configured() -> None:
    assert NotStarted.config_type() == {}
