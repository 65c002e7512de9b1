"""One house a database: the place is a session's lock, and a row says who had it last.

Belongs here: taking the place, looking whether it is still ours, taking it again, leaving it. Stays out: what a house
does without it (``ground``). A server that restarts forgets the lock, not the row: whoever finds the place free but
never left gives its holder time to come back, so that a living house is never taken for a dead one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from khaos_swap_assets.adapters.errors import HouseError
from khaos_swap_assets.adapters.store import database

GRACE_SECONDS = 20.0
"""Longer than a living house needs to see that its server is back: a look, the pause before it and a connection."""
LOCK = "SELECT pg_try_advisory_lock(hashtext('khaos-swap up'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('khaos-swap up'))"
HOLDER = "SELECT holder, left_at FROM recon.tenancy"
MOVE_IN = """
    INSERT INTO recon.tenancy (is_only, holder, since, left_at) VALUES (true, %s, now(), NULL)
    ON CONFLICT (is_only) DO UPDATE SET holder = EXCLUDED.holder, since = EXCLUDED.since, left_at = NULL
"""
MOVE_OUT = "UPDATE recon.tenancy SET left_at = now() WHERE holder = %s"


class Tenancy:
    """The one place for a house in a database. ``holder`` names the house: its machine and its folder.

    Only the process that has the folder to itself may use the folder's name.
    """

    def __init__(self, url: str, holder: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._holder = holder
        self._sleep = sleep
        self._line: psycopg.Connection[Any] | None = None

    def take(self) -> None:
        """Move in. Raises ``HouseError`` when another house lives there, ``StoreError`` when nobody can be asked."""
        with database.reported(self._url):
            self._take(self._connected())

    def _take(self, line: psycopg.Connection[Any]) -> None:
        if not self._locks(line):
            raise self._refusal(line)
        former, left_at = line.execute(HOLDER).fetchone() or (self._holder, None)
        if former != self._holder and left_at is None:
            line.execute(UNLOCK)
            self._sleep(GRACE_SECONDS)
            if not self._locks(line):
                raise self._refusal(line)
        line.execute(MOVE_IN, (self._holder,))

    def keep(self) -> bool:
        """Take the place again where the server forgot that it is ours; whether it had. Raises as ``take``."""
        line = self._line
        if line is not None:
            with suppress(psycopg.OperationalError):
                line.execute("SELECT 1")
                return False
            line.close()
            self._line = None
        self.take()
        return True

    def leave(self) -> None:
        """Give the place up, if the server can still be told."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(psycopg.Error):
                line.execute(MOVE_OUT, (self._holder,))
            line.close()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._line is None:
            self._line = database.connect(self._url, application="up")
            self._line.autocommit = True
        return self._line

    def _locks(self, line: psycopg.Connection[Any]) -> bool:
        row = line.execute(LOCK).fetchone()
        return bool(row and row[0])

    def _refusal(self, line: psycopg.Connection[Any]) -> HouseError:
        holder = (line.execute(HOLDER).fetchone() or ("unknown",))[0]
        line.close()
        self._line = None
        return HouseError(
            f"{database.place(self._url)} has a running `khaos-swap up` already, of {holder}: stop that one first"
        )


class SharedTenancy(Tenancy):
    """The one place in Dagster's own database, where the lock alone speaks: it has no table of ours."""

    def leave(self) -> None:
        """Give the place up."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _take(self, line: psycopg.Connection[Any]) -> None:
        if not self._locks(line):
            raise self._refusal(line)

    def _refusal(self, line: psycopg.Connection[Any]) -> HouseError:
        line.close()
        self._line = None
        return HouseError(f"{database.place(self._url)} has a running `khaos-swap up` already: stop that one first")


class Beside(SharedTenancy):
    """For who works beside the house that has the place: the database is looked at, and nobody's place is taken."""

    def _take(self, line: psycopg.Connection[Any]) -> None:
        line.execute("SELECT 1")
