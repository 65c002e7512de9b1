"""The one writer of a process, without a database: who shares a commit, who is told what, nothing lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
import pytest

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store.arrivals import Knock, RefusedMessage
from khaos_swap_assets.gateway.writing import BATCH, Writer

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def knock(number: int = 0) -> Knock:
    return Knock("S1", "returnCreated", f"R{number}", {}, NOW)


class Disk:
    """A database that commits what it writes; ``errors`` are raised by the next writings, in order."""

    def __init__(self) -> None:
        self.kept: list[list[str]] = []
        self.errors: list[Exception] = []
        self.opened = 0
        self.gate = threading.Event()
        self.gate.set()
        self.closed = self.autocommit = False
        self.entered = threading.Event()

    @property
    def ids(self) -> list[str]:
        return [one for batch in self.kept for one in batch]

    def connect(self) -> psycopg.Connection[Any]:
        self.opened, self.closed = self.opened + 1, False
        return cast("psycopg.Connection[Any]", self)

    def write(self, conn: object, messages: Sequence[Knock | RefusedMessage]) -> None:
        self.entered.set()
        self.gate.wait(5)
        if self.errors:
            raise self.errors.pop(0)
        assert self.autocommit
        self.kept.append([one.return_id for one in messages if isinstance(one, Knock)])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def disk() -> Disk:
    return Disk()


async def keep_all(writer: Writer, count: int) -> list[BaseException | None]:
    return await asyncio.gather(*(writer.keep(knock(number)) for number in range(count)), return_exceptions=True)


def test_what_is_kept_is_committed_before_it_is_answered(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write)
    asyncio.run(writer.keep(knock()))
    assert disk.kept == [["R0"]]
    writer.close()
    assert disk.closed


def test_whatever_comes_meanwhile_shares_the_next_commit(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write)
    disk.gate.clear()

    async def work() -> list[BaseException | None]:
        asyncio.get_running_loop().call_later(0.05, disk.gate.set)
        return await keep_all(writer, 40)

    assert asyncio.run(work()) == [None] * 40
    assert sorted(disk.ids) == sorted(f"R{number}" for number in range(40))
    assert len(disk.kept) <= 3
    writer.close()


def test_one_commit_holds_so_many_and_no_more(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write)
    disk.gate.clear()

    async def work() -> list[BaseException | None]:
        asyncio.get_running_loop().call_later(0.05, disk.gate.set)
        return await keep_all(writer, BATCH + 50)

    assert set(asyncio.run(work())) == {None}
    assert max(map(len, disk.kept)) <= BATCH
    assert len(disk.ids) == BATCH + 50
    writer.close()


def test_a_connection_found_dead_is_replaced_and_nobody_hears_of_it(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write)
    disk.errors = [psycopg.OperationalError("gone")]
    asyncio.run(writer.keep(knock()))
    assert (disk.kept, disk.opened) == ([["R0"]], 2)
    writer.close()


@pytest.mark.parametrize(
    "errors",
    [
        [psycopg.OperationalError("gone"), psycopg.OperationalError("gone again")],
        [psycopg.errors.UniqueViolation("twice")],
        [StoreError("full")],
        [ZeroDivisionError("ours")],
    ],
    ids=lambda errors: type(errors[-1]).__name__,
)
def test_what_went_wrong_is_told_to_all_that_wait_and_the_next_is_kept(disk: Disk, errors: list[Exception]) -> None:
    writer = Writer(disk.connect, disk.write)
    last = errors[-1]
    disk.errors = errors
    disk.gate.clear()

    async def work() -> list[BaseException | None]:
        first = asyncio.create_task(keep_all(writer, 1))
        await asyncio.sleep(0.02)
        disk.gate.set()
        return await first

    assert asyncio.run(work()) == [last]
    assert disk.kept == []
    asyncio.run(writer.keep(knock(7)))
    assert disk.kept == [["R7"]]
    writer.close()


def test_one_that_waited_too_long_is_told_so_and_is_not_written_any_more(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write, patience=0.3)
    disk.gate.clear()

    async def work() -> list[BaseException | None]:
        first = asyncio.create_task(writer.keep(knock(1)))
        assert await asyncio.to_thread(disk.entered.wait, 5)
        return list(await asyncio.gather(first, writer.keep(knock(2)), return_exceptions=True))

    told = asyncio.run(work())
    assert [str(one) for one in told] == ["the database takes too long; try again in a moment"] * 2
    disk.gate.set()
    writer.close()
    assert disk.kept == [["R1"]]


def test_closing_writes_what_still_waits(disk: Disk) -> None:
    writer = Writer(disk.connect, disk.write)
    disk.gate.clear()

    async def work() -> None:
        tasks = [asyncio.create_task(writer.keep(knock(number))) for number in range(3)]
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(asyncio.to_thread(writer.close))
        disk.gate.set()
        await asyncio.gather(closing, *tasks)

    asyncio.run(work())
    assert sorted(disk.ids) == ["R0", "R1", "R2"]
    assert disk.closed


def test_a_writer_that_was_never_used_closes_without_a_connection(disk: Disk) -> None:
    Writer(disk.connect, disk.write).close()
    assert disk.opened == 0
