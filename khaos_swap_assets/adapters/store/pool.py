"""A few database connections that the requests of a process, or the steps of a run, share.

To start a process of the server takes longer than most that is asked of it.

Belongs here: lending, replacing broken ones, and the limit. Stays out: what is done with one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

import psycopg

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store.database import OF_THE_SERVER, is_cut

Connect = Callable[[], psycopg.Connection[Any]]


class Pool:
    """At most ``size`` connections; a request waits up to ``patience`` seconds for one, then ``StoreError``."""

    def __init__(self, connect: Connect, size: int = 8, patience: float = 10.0) -> None:
        self._connect, self._patience = connect, patience
        self._free = threading.BoundedSemaphore(size)
        self._idle: LifoQueue[psycopg.Connection[Any]] = LifoQueue()
        self._is_closed = False

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Lend a connection for one transaction: committed at the end of the block, rolled back on any error."""
        if not self._free.acquire(timeout=self._patience):
            raise StoreError("all connections to the database are in use; try again in a moment")
        try:
            connection, is_fit = self._living(), True
            try:
                yield connection
                connection.commit()
            except OF_THE_SERVER:
                is_fit = False  # a session that only reads would go on so when there is a new primary
                raise
            finally:
                self._give_back(connection, is_fit)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close the idle connections now, and those still lent when they come back."""
        self._is_closed = True
        while (connection := self._take()) is not None:
            connection.close()

    def _living(self) -> psycopg.Connection[Any]:
        """An idle connection that the server has not ended, else a new one."""
        while (connection := self._take()) is not None:
            if not is_cut(connection):
                return connection
            connection.close()
        return self._connect()

    def _take(self) -> psycopg.Connection[Any] | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _give_back(self, connection: psycopg.Connection[Any], is_fit: bool) -> None:
        try:
            connection.rollback()
        except psycopg.Error:
            is_fit = False
        if is_fit:
            self._idle.put(connection)
        else:
            connection.close()
        if self._is_closed:
            self.close()
