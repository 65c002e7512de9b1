"""The town that the tests of the stages live in."""

from __future__ import annotations

import pytest

from khaos_swap_assets_tests.stages.town import Town


@pytest.fixture
def town(database_url: str) -> Town:
    """An empty town in mode post at noon of 10 March 2026."""
    return Town(database_url)
