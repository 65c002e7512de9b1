"""A WebSocket of a member: it ends with the session, not with the page.

Belongs here: looking again and again whether the session still holds. Stays out: what is said on the line.
"""

from __future__ import annotations

import asyncio
import contextlib

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.door.keeping import Doorkeeper

LOOK_SECONDS = 15.0
OVER = 1008
"""Close code of RFC 6455: the other side broke a rule of ours; here, its sign-in is over."""


async def keep(app: ASGIApp, keeper: Doorkeeper, key: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the line until it ends or the session does."""
    talk = asyncio.ensure_future(app(scope, receive, send))
    watch = asyncio.ensure_future(_until_over(keeper, key))
    try:
        await asyncio.wait({talk, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not talk.done():
            with contextlib.suppress(RuntimeError):
                await send({"type": "websocket.close", "code": OVER})
            talk.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talk
    finally:
        talk.cancel()
        watch.cancel()


async def _until_over(keeper: Doorkeeper, key: str) -> None:
    """A database that is away ends no session: the next look tells."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        with contextlib.suppress(psycopg.Error, KhaosSwapError):
            if await run_in_threadpool(keeper.who, key) is None:
                return
