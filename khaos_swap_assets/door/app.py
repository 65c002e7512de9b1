"""The door as one ASGI app: the guard, then the gate, then the pages and Dagster's UI.

Belongs here: what is where. Stays out: every rule (``ui.guard``, ``door.gate``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.members import Roster
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store.pool import Connect, Pool
from khaos_swap_assets.door import showing
from khaos_swap_assets.door.account_routes import account_routes
from khaos_swap_assets.door.gate import ALIVE, DAGSTER, Gate
from khaos_swap_assets.door.keeping import Doorkeeper
from khaos_swap_assets.door.keys import Cookies
from khaos_swap_assets.door.mutations import ReadersOnly
from khaos_swap_assets.door.signing_in import sign_in_routes
from khaos_swap_assets.ui.guard import Guard

STATEMENT_SECONDS = 15
WORDS = {404: "There is no such page.", 405: "This page does not take that.", 403: "Your roles do not allow this."}
AWAY, FAULT = "The database cannot be used at the moment.", "A fault of ours stopped it."


def door_app(
    dagster: ASGIApp,
    pages: Sequence[BaseRoute],
    *,
    connect: Connect,
    roster: Roster,
    settings: Settings,
    clock: Callable[[], datetime],
    is_demo: bool,
) -> ASGIApp:
    """Dagster's UI (made for the prefix ``/dagster``) and ``pages`` behind one sign-in.

    Handlers find ``request.state.member`` and ``request.state.csrf``; their forms bring the latter as field ``csrf``.
    """
    pool = Pool(connect)
    keeper = Doorkeeper(pool, roster, settings.door, clock, is_demo=is_demo)
    cookies = Cookies(settings.webserver_public_url.strip().lower().startswith("https:"))
    accounts = account_routes(keeper, cookies, settings.webserver_public_url)
    own = _own_pages([*sign_in_routes(keeper, cookies), *accounts, *pages], pool)
    return Guard(
        Gate(_Split(ReadersOnly(_Worded(dagster)), own), keeper, cookies), settings.webserver_public_url, DAGSTER
    )


class _Worded:
    """Says in a page of ours what went wrong where Dagster's app would only say that something did."""

    def __init__(self, dagster: ASGIApp) -> None:
        self._dagster = dagster

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on; what the app raises is for the log of the server."""
        is_bare = False

        async def sent(message: Message) -> None:
            nonlocal is_bare
            is_start = message["type"] == "http.response.start"
            if is_start and message["status"] == 500 and _is_plain(message):
                is_bare = True
                page = showing.message(500, "This could not be done", FAULT, scope["path"])
                await page(scope, receive, send)
            elif not is_bare:
                await send(message)

        await self._dagster(scope, receive, sent)


def _is_plain(message: Message) -> bool:
    headers: dict[bytes, bytes] = dict(message.get("headers", ()))
    return headers.get(b"content-type", b"").startswith(b"text/plain")


class _Split:
    """Dagster's paths to Dagster, all others to our own pages."""

    def __init__(self, dagster: ASGIApp, own: ASGIApp) -> None:
        self._dagster, self._own = dagster, own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_dagsters = scope["type"] != "lifespan" and f"{scope['path']}/".startswith(f"{DAGSTER}/")
        await (self._dagster if is_dagsters else self._own)(scope, receive, send)


def _own_pages(pages: Sequence[BaseRoute], pool: Pool) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        pool.close()

    routes = [Route(ALIVE, _alive), Route(showing.STYLE, showing.style), *pages]
    handlers: Any = {HTTPException: _told, Exception: _broken}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


async def _alive(_: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=showing.HEADERS)


async def _told(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = WORDS.get(status, "The request was refused.")
    return showing.message(status, "This was not done", words, request.url.path)


async def _broken(request: Request, error: Exception) -> Response:
    """What went wrong is for the log, which Starlette writes; an outage of the database passes by itself."""
    is_away = isinstance(error, psycopg.Error | StoreError)
    status, what = (503, AWAY) if is_away else (500, FAULT)
    return showing.message(status, "This could not be done", what, request.url.path)
