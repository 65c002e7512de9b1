"""The budget of connections: the sum of what each process may open, and what a server of ours allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, sizes
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.adapters.store.tenancy import Beside
from khaos_swap_assets.preflight.room import room_for
from khaos_swap_assets.running import connections, installation
from khaos_swap_assets.running.connections import budget, in_words, total
from khaos_swap_assets.ui import webserver
from khaos_swap_assets_tests.stages.town import some_settings


def of(settings: Settings, house: int = 0) -> dict[str, tuple[int, int]]:
    return {one.who: (one.ours, one.dagster) for one in budget(settings, house)}


def test_the_sum_is_that_of_its_parts_and_is_told_with_them() -> None:
    shares = budget(some_settings())
    assert total(shares) == sum(one.ours + one.dagster for one in shares) == 107
    assert in_words(shares) == (
        "at most 107 connections (gateways 9, web UI 63, runs 20, daemon 8, code servers 4, supervisors 3), "
        "85 of them to Dagster's"
    )


def test_each_part_is_what_its_process_is_told() -> None:
    assert Pool.__init__.__defaults__ == (connections.POOL, 10.0)
    assert webserver.MOST_CONNECTIONS == connections.UI_OVERFLOW
    assert of(some_settings(gateway_workers=4))["gateways"] == (36, 0)
    door = some_settings()
    door.door.members_file = Path("members.yaml")
    assert of(door)["front door"] == (16, 63)


@pytest.mark.parametrize(("merchants", "expected"), [(6, 314), (10, 378)])
def test_a_house_of_merchants_shares_what_is_dagsters(merchants: int, expected: int) -> None:
    shares = of(some_settings(), merchants)
    assert shares["gateways"] == (9 * merchants, 0)
    assert shares["web UI"] == (0, 63)
    assert shares["runs"] == (32, 48)
    assert sum(map(sum, shares.values())) == expected


@pytest.mark.parametrize(("merchants", "runs"), [(1, (6, 9)), (2, (12, 18)), (6, (32, 48))])
def test_a_house_has_as_many_runs_at_once_as_its_queue_lets_through(merchants: int, runs: tuple[int, int]) -> None:
    assert of(some_settings(), merchants)["runs"] == runs


@pytest.fixture
def sent() -> Settings:
    """Settings of a house whose runs go to workers."""
    settings = some_settings()
    settings.runs.broker_url = SecretStr("redis://redis.example:6379/0")
    return settings


@pytest.mark.parametrize(("merchants", "gateways", "workers", "expected"), [(6, 61, 7, 328), (10, 101, 11, 400)])
def test_where_runs_are_sent_each_machine_has_its_share_and_the_runs_are_as_many_as_before(
    sent: Settings, merchants: int, gateways: int, workers: int, expected: int
) -> None:
    shares = of(sent, merchants)
    assert shares["runs"] == of(some_settings(), merchants)["runs"]
    assert shares["a machine of gateways"] == (gateways - 1, 1)
    assert shares["a machine of workers"] == (workers - 1, 1)
    assert sum(map(sum, shares.values())) == expected


def test_preflight_counts_the_house_that_a_merchant_is_in(sent: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(installation.HOUSE_OF, "6")
    found = room_for(sent, 300)
    assert found.verdict == "missing"
    assert found.words.startswith("a house of 6: at most 328 connections (a machine of gateways 61, a machine of ")
    assert "; each further machine opens its own share again, where the server allows 300; raise" in found.words


def test_whoever_looks_after_a_machine_of_workers_keeps_one_connection(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    database.autocommit = True
    beside = Beside(database_url, "here")
    beside.take()
    assert not beside.keep()
    here = "datname = current_database() AND application_name = 'khaos-swap up'"
    found = database.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {here}".encode()).fetchone()
    assert found == (connections.BESIDE,)
    beside.leave()


def test_one_merchant_has_room_at_our_own_server(database: psycopg.Connection[Any]) -> None:
    allowed = sizes.connections_allowed(database)
    assert allowed == 197
    assert total(budget(some_settings())) <= allowed


def test_a_limit_of_the_database_counts(postgres: embedded.EmbeddedPostgres) -> None:
    url = postgres.url("narrow")
    store.ensure(url)
    with store.connect(url, application="tests") as conn:
        conn.execute("ALTER DATABASE narrow CONNECTION LIMIT 5")
        assert sizes.connections_allowed(conn) == 5
