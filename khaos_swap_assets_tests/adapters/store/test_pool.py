"""Lending connections without a database: how many, in which state they come back, and what becomes of broken ones."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any, cast

import psycopg
import pytest

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store.pool import Pool


class Line:
    """A connection that remembers what was done with it; ``is_dead``: the server is gone, every question fails."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.is_dead = False
        self._here, self._there = socket.socketpair()

    def fileno(self) -> int:
        if self.is_dead:
            self._there.close()
        return self._here.fileno()

    def __del__(self) -> None:
        self._here.close()
        self._there.close()

    def __getattr__(self, name: str) -> Callable[..., None]:
        def act(*_: object) -> None:
            if self.is_dead and name != "close":
                raise psycopg.OperationalError("the server closed the connection")
            self.done.append(name)

        return act


class Lines:
    """Where new connections come from."""

    def __init__(self) -> None:
        self.made: list[Line] = []

    def open(self) -> psycopg.Connection[Any]:
        self.made.append(Line())
        return cast("psycopg.Connection[Any]", self.made[-1])


@pytest.fixture
def lines() -> Lines:
    return Lines()


def as_line(conn: object) -> Line:
    return cast(Line, conn)


def use(pool: Pool) -> Line:
    with pool.transaction() as conn:
        return as_line(conn)


def test_work_is_committed_and_the_connection_comes_back_clean(lines: Lines) -> None:
    line = use(Pool(lines.open))
    assert line.done == ["commit", "rollback"]


def test_one_after_the_other_share_a_connection_and_it_is_asked_nothing_between(lines: Lines) -> None:
    pool = Pool(lines.open)
    assert use(pool) is use(pool)
    assert lines.made[0].done == ["commit", "rollback"] * 2


def test_two_at_once_have_two_and_the_last_given_back_is_lent_first(lines: Lines) -> None:
    pool = Pool(lines.open)
    with pool.transaction() as one, pool.transaction() as two:
        assert one is not two
    assert use(pool) is as_line(one)


def test_what_failed_is_not_committed_and_its_connection_goes_on(lines: Lines) -> None:
    pool = Pool(lines.open)
    with pytest.raises(ZeroDivisionError), pool.transaction():
        raise ZeroDivisionError
    assert lines.made[0].done == ["rollback"]
    assert use(pool) is lines.made[0]


def test_one_that_died_idle_is_closed_and_replaced(lines: Lines) -> None:
    pool = Pool(lines.open)
    use(pool).is_dead = True
    assert use(pool) is lines.made[1]
    assert lines.made[0].done[-1] == "close"


def test_one_that_died_at_work_is_closed_and_not_lent_again(lines: Lines) -> None:
    pool = Pool(lines.open)
    with pytest.raises(psycopg.OperationalError), pool.transaction() as conn:
        as_line(conn).is_dead = True
    assert lines.made[0].done == ["close"]
    assert use(pool) is lines.made[1]


def test_when_all_are_out_the_next_waits_and_is_told(lines: Lines) -> None:
    pool = Pool(lines.open, size=1, patience=0.01)
    with (
        pool.transaction(),
        pytest.raises(StoreError, match="all connections to the database are in use; try again in a moment"),
        pool.transaction(),
    ):
        pass
    assert use(pool) is lines.made[0]


def test_one_that_waits_gets_what_comes_back(lines: Lines) -> None:
    pool, found = Pool(lines.open, size=1, patience=5), list[Line]()
    waiter = threading.Thread(target=lambda: found.append(use(pool)))
    with pool.transaction():
        waiter.start()
    waiter.join(5)
    assert found == lines.made[:1]
    assert len(lines.made) == 1


def test_a_place_is_given_back_where_no_connection_can_be_made() -> None:
    def refuse() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError("no server")

    pool = Pool(refuse, size=1, patience=0.01)
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError, match="no server"), pool.transaction():
            pass


def test_closing_closes_what_is_idle_now_and_what_is_lent_when_it_comes_back(lines: Lines) -> None:
    pool = Pool(lines.open)
    with pool.transaction() as lent:
        use(pool)
        pool.close()
        assert ["close" in one.done for one in lines.made] == [False, True]
        assert as_line(lent) is lines.made[0]
    assert lines.made[0].done == ["commit", "rollback", "close"]
