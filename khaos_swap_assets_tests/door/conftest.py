"""A door for each test of this folder, all before one Dagster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from khaos_swap_assets_tests.door.place import Behind, Place, behind_the_door, open_door


@pytest.fixture(scope="session")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """Dagster's own app, once a test process."""
    with behind_the_door(tmp_path_factory.mktemp("behind")) as behind:
        yield behind


@pytest.fixture
def place(behind: Behind, database_url: str) -> Iterator[Place]:
    """A live installation's door."""
    with open_door(behind, database_url) as place:
        yield place


@pytest.fixture
def demo(behind: Behind, database_url: str) -> Iterator[Place]:
    """The demo's door."""
    with open_door(behind, database_url, is_demo=True) as place:
        yield place
