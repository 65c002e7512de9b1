"""Requests of plain clients carried into an application of this process.

Belongs here: the way from a synchronous client to the application, on one event loop a process: to make one for each
request costs as much as most requests. Stays out: which application, and what is asked of it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

Told = TypeVar("Told")


class Bridge(httpx.BaseTransport):
    """Carries requests of a plain client into the application, as if sent from ``host``."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1") -> None:
        self._inner = httpx.ASGITransport(app, client=(host, 50000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return run(self._handle(request))

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=await answer.aread())


def run(work: Coroutine[Any, Any, Told]) -> Told:
    """What this comes to, as ``asyncio.run`` gives it; other threads than the first have a loop each time."""
    if threading.current_thread() is threading.main_thread():
        return _runner().run(work, context=contextvars.copy_context())
    return asyncio.run(work)


@cache
def _runner() -> asyncio.Runner:
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner
