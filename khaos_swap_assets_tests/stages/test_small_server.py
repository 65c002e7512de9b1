"""A server with few connections on a small disk: no connection left, no room for rows, no room for its own log.

Belongs here: that a run and the gateway say so, write nothing by halves, and go on when there is room again, also where
the server itself had to end. Skipped where no disk can be mounted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.adapters.store.embedded import EmbeddedPostgres
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets.running.database import Ground
from khaos_swap_assets_tests import lending, outages
from khaos_swap_assets_tests.bridging import Bridge, run
from khaos_swap_assets_tests.conftest import empty
from khaos_swap_assets_tests.gateway.conftest import NOW, configure, end
from khaos_swap_assets_tests.gateway.test_outages import KEPT, kept_are, knock, send
from khaos_swap_assets_tests.stages.waiting_town import WaitingTown

pytestmark = pytest.mark.house

DISK_MEGABYTES = 256
SECONDS = 30
MESSAGES = 40


@dataclass
class Small:
    """The server, its disk, a town on it and a gateway before it."""

    server: EmbeddedPostgres
    folder: Path
    town: WaitingTown
    gateway: httpx.Client


@pytest.fixture(scope="module")
def _server() -> Iterator[tuple[EmbeddedPostgres, str, Path]]:
    with outages.small_disk(DISK_MEGABYTES) as folder:
        if folder is None:
            pytest.skip("no disk can be mounted here")
        with outages.small_server(folder) as (server, url):
            yield server, url, folder
            lending.close_all()


@pytest.fixture
def small(_server: tuple[EmbeddedPostgres, str, Path]) -> Iterator[Small]:
    server, url, folder = _server
    with lending.lend(url) as connection:
        empty(connection)
    app = create_app(
        connect=lambda: database.connect(url, application="gateway"), settings=configure(), clock=lambda: NOW
    )
    client = httpx.Client(transport=Bridge(app, "127.0.0.1"), base_url="http://gateway")
    yield Small(server, folder, WaitingTown.at(url), client)
    run(end(app))


def test_without_a_connection_left_nothing_is_accepted_and_then_everything(small: Small) -> None:
    lending.close_all()
    with outages.crowded(small.town.url):
        told = small.town.fails()
        assert send(small.gateway, "a") == {503}
    assert told.endswith("the server has no connection left; raise max_connections or stop other programs")
    assert send(small.gateway, "b") == {200}
    assert kept_are(small.town.url, "b")
    small.town.goes_on()


def test_a_full_disk_is_said_and_when_there_is_room_everything_goes_on(small: Small) -> None:
    names = [f"b{number:03d}" for number in range(MESSAGES)]
    with outages.no_room(small.folder):
        told = small.town.fails()
        codes = {name: knock(small.gateway, name) for name in names}
    assert "the disk of the database is full: could not extend file" in told
    assert told.endswith("; free space, then run again")
    assert set(codes.values()) <= {200, 503}
    assert 503 in codes.values()
    assert knock(small.gateway, "c") == 200
    accepted = [name for name, code in codes.items() if code == 200]
    assert outages.count(small.town.url, KEPT) == [*accepted, "c"]
    small.town.do("DELETE FROM recon.inbox")
    small.town.goes_on()


@pytest.fixture
def ground(small: Small) -> Iterator[Ground]:
    """A house on the server; to leave it stops the server, so its test is the last."""
    ground = Ground(small.town.url, small.folder / "house", small.server)
    ground.take()
    yield ground
    ground.leave()


def test_a_server_that_ended_for_want_of_room_is_back_when_there_is_some(small: Small, ground: Ground) -> None:
    small.town.sync()
    with outages.no_room(small.folder):
        _use_up_its_log(small)
        assert knock(small.gateway, "a") == 503
    assert _stands(ground)
    assert knock(small.gateway, "b") == 200
    assert outages.count(small.town.url, KEPT) == ["b"]
    small.town.do("DELETE FROM recon.inbox")
    small.town.goes_on()


def _use_up_its_log(small: Small) -> None:
    """Begin segment after segment of the server's log of changes until it has no room for another and ends."""
    next_one = "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'test', 'filler')"
    with suppress(psycopg.OperationalError), psycopg.connect(small.town.url, autocommit=True) as conn:
        for _ in range(20):
            conn.execute(next_one)
        pytest.fail("the server's log of changes found room")


def _stands(ground: Ground) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            ground.look()
        except StoreError:
            time.sleep(0.2)
        else:
            return True
    return False
