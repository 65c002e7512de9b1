"""The desk over an empty town."""

from __future__ import annotations

import pytest

from khaos_swap_assets.domain.desk.members import Member
from khaos_swap_assets_tests.desk.visiting import Visitor
from khaos_swap_assets_tests.stages.town import Town


@pytest.fixture
def town(database_url: str) -> Town:
    """An empty town in mode post at noon of 10 March 2026."""
    return Town(database_url)


@pytest.fixture
def ann(town: Town) -> Visitor:
    """Ann of finance at the desk."""
    return Visitor(town, Member("Ann", frozenset({"finance"})))
