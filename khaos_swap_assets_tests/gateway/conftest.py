"""The gateway over a real database, and a sender on the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import KhaosSettings, Settings, SwapSettings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.gateway.app import create_app
from khaos_swap_assets_tests.bridging import Bridge, run
from khaos_swap_assets_tests.read_once import read_once

NOW = datetime(2026, 3, 9, 15, 41, 30, tzinfo=UTC)
SECRET = "whsk_0123456789abcdef0123456789abcdef"
PREVIOUS = "whsk_fedcba9876543210fedcba9876543210"
TOKEN = "inspection-token-1"
STORE = "st_7f3k9q"
CHANNEL = ("khaos", "pass:word")

Gateway = httpx.Client
OpenGateway = Callable[..., Gateway]


@read_once
def configure(**changes: Any) -> Settings:
    secrets = {"webhook_secret": SECRET, "webhook_secret_previous": PREVIOUS}
    swap = SwapSettings.model_validate({"store_id": STORE} | secrets)
    khaos = KhaosSettings.model_validate({"channel_user": CHANNEL[0], "channel_password": CHANNEL[1]})
    given: dict[str, Any] = {"swap": swap, "khaos": khaos, "inspection_token": SecretStr(TOKEN)}
    given["gateway_metrics_from"] = "127.0.0.1, 10.0.0.0/8"
    return Settings(**(given | {"gateway_public_url": "https://hub.example/"} | changes))


@pytest.fixture
def open_gateway(database_url: str) -> Iterator[OpenGateway]:
    """Start a gateway; ``host`` is where its sender sits; settings, hand_out, connect and clock can be replaced.

    Every one ends with the test, as a server ends it: its connections are closed.
    """
    apps: list[FastAPI] = []

    def start(host: str = "127.0.0.1", scheme: str = "http", **parts: Any) -> Gateway:
        whole: dict[str, Any] = {
            "connect": lambda: store.connect(database_url, application="gateway tests"),
            "settings": configure(),
            "clock": lambda: NOW,
        }
        apps.append(app := create_app(**(whole | parts)))
        return httpx.Client(transport=Bridge(app, host), base_url=f"{scheme}://gateway")

    yield start
    for app in apps:
        run(end(app))


async def end(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        pass


@pytest.fixture
def gateway(open_gateway: OpenGateway) -> Gateway:
    return open_gateway()


Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def rows(database: psycopg.Connection[Any]) -> Rows:
    """Run a query in a fresh view of the database."""

    def run(query: str) -> list[tuple[Any, ...]]:
        database.rollback()
        return database.execute(query.encode()).fetchall()

    return run
