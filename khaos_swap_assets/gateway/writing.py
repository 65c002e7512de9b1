"""Writing what arrives before it is answered: many requests share one commit.

Belongs here: gathering, one writing of all that wait, telling each request how it went. Stays out: what is written and
committed (``adapters.store.arrivals``). A commit costs a wait for the disk; whatever arrives meanwhile joins the next
one. Nothing is answered before its commit, and each request holds at most one message here, so ``limits`` bounds it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store.arrivals import Knock, RefusedMessage
from khaos_swap_assets.adapters.store.database import OF_THE_SERVER
from khaos_swap_assets.adapters.store.pool import Connect

PATIENCE = 10.0
BATCH = 500
Write = Callable[[psycopg.Connection[Any], Sequence[Knock | RefusedMessage]], None]
Ticket = tuple[Knock | RefusedMessage, asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Writer:
    """One thread and one connection that write for every request of this process."""

    def __init__(self, connect: Connect, write: Write, patience: float = PATIENCE) -> None:
        self._connect, self._write, self._patience = connect, write, patience
        self._waiting: deque[Ticket] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._is_closed = False

    async def keep(self, message: Knock | RefusedMessage) -> None:
        """Return once the message is committed. Raises ``StoreError`` when that took too long, or what went wrong."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._news:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="writer")
                self._thread.start()
            self._waiting.append((message, loop, done))
            self._news.notify()
        try:
            async with asyncio.timeout(self._patience):
                await done
        except TimeoutError:
            raise StoreError("the database takes too long; try again in a moment") from None

    def close(self) -> None:
        """Write what still waits and end the thread."""
        with self._news:
            self._is_closed = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        self._thread = None

    def _run(self) -> None:
        while tickets := self._next():
            error = self._try([message for message, _, _ in tickets])
            for loop in {loop for _, loop, _ in tickets}:
                told = [done for _, of, done in tickets if of is loop]
                with suppress(RuntimeError):  # the loop of a request that is gone
                    loop.call_soon_threadsafe(_tell, told, error)
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> list[Ticket]:
        """Whatever waits; empty at the end. A request that gave up is not written any more."""
        with self._news:
            while not self._waiting and not self._is_closed:
                self._news.wait()
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        live = [ticket for ticket in taken if not ticket[2].cancelled()]
        return live or (self._next() if taken else [])

    def _try(self, messages: Sequence[Knock | RefusedMessage]) -> Exception | None:
        """Write; a connection found dead, or read-only, is replaced once, since a knock that was written already folds.

        A refusal may then count twice.
        """
        try:
            for is_last in (False, True):
                conn = self._living()
                try:
                    self._write(conn, messages)
                except OF_THE_SERVER:
                    conn.close()
                    if is_last:
                        raise
                else:
                    break
        except Exception as error:  # whatever it is, the requests that wait must hear of it
            return error
        return None

    def _living(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
            self._connection.autocommit = True
        return self._connection


def _tell(futures: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for done in futures:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
