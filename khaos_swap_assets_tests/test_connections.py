"""The budget of connections: the sum of what each process may open, and what a server of ours allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, sizes
from khaos_swap_assets.gateway.pool import Pool
from khaos_swap_assets.running import connections
from khaos_swap_assets.running.connections import budget, in_words, total
from khaos_swap_assets.ui import webserver
from khaos_swap_assets_tests.stages.town import some_settings


def of(settings: Settings, merchants: int = 1) -> dict[str, tuple[int, int]]:
    return {one.who: (one.ours, one.dagster) for one in budget(settings, merchants)}


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
