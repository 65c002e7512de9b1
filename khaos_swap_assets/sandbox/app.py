"""The sandbox as one web application: both vendors, and the admin door.

Belongs here: putting the parts together, and the live loop. Stays out: what any part does. Everything binds to
loopback; secrets here are the demo's own.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from khaos_swap_assets import api_page
from khaos_swap_assets.sandbox.admin import admin_router
from khaos_swap_assets.sandbox.channel import Channel, authorities, gateway_client
from khaos_swap_assets.sandbox.khaos_books import Books, Keep, keep_nothing
from khaos_swap_assets.sandbox.khaos_server import BasicAuth, khaos_router
from khaos_swap_assets.sandbox.rounds import TRICKLE_SECONDS, Rounds
from khaos_swap_assets.sandbox.staff import ONE_DAY, Staff
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_server import storefront_router
from khaos_swap_assets.sandbox.swap_server import swap_router
from khaos_swap_assets.sandbox.warehouse import Warehouse, warehouse_client

LIVE_SALE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Credentials:
    """What the sandbox's callers present to the gateway, and what its web service asks for (empty: open)."""

    channel_user: str = "khaos-channel"
    channel_password: str = "demo-channel-password"  # noqa: S105
    inspection_token: str = "demo-inspection-token"  # noqa: S105
    khaos_user: str = ""
    khaos_password: str = ""


def create_app(
    state: State,
    *,
    gateway_url: str,
    credentials: Credentials | None = None,
    keep: Keep = keep_nothing,
    is_live: bool = False,
    every: timedelta = timedelta(seconds=TRICKLE_SECONDS),
    transport: httpx.BaseTransport | None = None,
    stock_files: Path | None = None,
    further: Sequence[State] = (),
) -> FastAPI:
    """The whole sandbox over ``state``; ``keep`` gets what changed, ``transport`` replaces the network to the gateway.

    ``further`` are the stores of Swap beside the first.
    Live, the clock follows the wall clock, a round runs every second and a return comes ``every`` so often; else only
    ``POST /admin/tick`` moves anything.
    """
    secrets = credentials or Credentials()
    books = Books(state, keep)
    rounds = _rounds(books, gateway_url, secrets, is_live=is_live, transport=transport)
    rounds.every, rounds.further = every, further
    rounds.staff.stock_files = stock_files

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        if is_live:
            threading.Thread(target=_run_live, args=(rounds, stop), daemon=True).start()
        yield
        stop.set()

    app = FastAPI(title="Vendor sandboxes", lifespan=lifespan, docs_url=None, redoc_url=None)
    for store in (state, *further):
        app.include_router(swap_router(store, keep))
    app.include_router(khaos_router(books, BasicAuth(secrets.khaos_user, secrets.khaos_password)))
    app.include_router(storefront_router(books))
    app.include_router(admin_router(books, rounds))
    api_page.serve(app)
    return app


def _rounds(
    books: Books, url: str, secrets: Credentials, *, is_live: bool, transport: httpx.BaseTransport | None
) -> Rounds:
    channel = gateway_client(url, secrets.channel_user, secrets.channel_password, transport)
    return Rounds(
        books=books,
        channel=Channel(books, channel),
        warehouse=Warehouse(books, warehouse_client(url, secrets.inspection_token, transport)),
        staff=Staff(books, LIVE_SALE_EVERY if is_live else ONE_DAY),
        gateway=httpx.Client(base_url=url, timeout=30.0, transport=transport, verify=authorities()),
        is_live=is_live,
    )


def _run_live(rounds: Rounds, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        rounds.tick()
