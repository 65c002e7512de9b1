"""Connections that tests hand on: to start a process of the server takes longer than most that is asked of it.

Belongs here: lending one, taking it back as if it were new, and closing all at the end. Stays out: what is asked.
"""

from __future__ import annotations

import atexit
from functools import partial
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import database as store

Connection = psycopg.Connection[Any]
FORGET = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); "
    "DISCARD TEMP; DISCARD SEQUENCES; SET TIME ZONE 'UTC'"
)
"""What ``DISCARD ALL`` does but for prepared statements, which psycopg goes on using, and their plans."""

_idle: dict[str, list[Connection]] = {}


def lend(url: str, *, forgets: bool = True) -> Connection:
    """A connection to this URL as ``store.connect`` opens it; to close it is to give it back.

    Without ``forgets`` for work of ours that leaves nothing in a session: to ask each time costs as much as the work.
    """
    idle = _idle.setdefault(url, [])
    while idle:
        connection = idle.pop()
        if not store.is_cut(connection):
            return _lent(connection, idle, forgets)
        _end(connection)
    return _lent(store.connect(url, application="tests"), idle, forgets)


@atexit.register
def close_all() -> None:
    """Close whatever is idle, before its server stops."""
    for idle in _idle.values():
        while idle:
            _end(idle.pop())


def _lent(connection: Connection, idle: list[Connection], forgets: bool) -> Connection:
    connection.close = partial(_give_back, connection, idle, forgets)  # type: ignore[method-assign]
    return connection


def _give_back(connection: Connection, idle: list[Connection], forgets: bool) -> None:
    if not connection.closed:
        connection.rollback()
        connection.autocommit = False
    if (_is_clean(connection) if forgets else not connection.closed) and connection not in idle:
        idle.append(connection)


def _is_clean(connection: Connection) -> bool:
    """Forget all that a session can keep, locks and temporary tables too; False, and closed, when it was cut off."""
    try:
        connection.autocommit = True
        connection.execute(FORGET, prepare=False)
        connection.autocommit = False
    except psycopg.Error:
        _end(connection)
        return False
    return True


def _end(connection: Connection) -> None:
    psycopg.Connection.close(connection)
