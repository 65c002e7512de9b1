"""The line of returns and the watermarks: in the caller's transaction, each return once, oldest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import worklist

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Database = psycopg.Connection[Any]


def test_a_return_stands_in_a_line_once_and_in_several_lines(database: Database) -> None:
    worklist.queue(database, "match", ["R2", "R1", "R1"])
    worklist.queue(database, "match", ["R1"])
    worklist.queue(database, "draft", ["R1"])
    assert worklist.waiting(database) == 3
    assert worklist.take(database, "match", 10) == ["R1", "R2"]
    assert worklist.take(database, "match", 10) == []
    assert worklist.take(database, "draft", 10) == ["R1"]


def test_nobody_in_line_is_no_trouble(database: Database) -> None:
    worklist.queue(database, "match", [])
    assert worklist.take(database, "match", 10) == []
    assert worklist.waiting(database) == 0


def test_the_first_in_line_goes_first(database: Database) -> None:
    for number, return_id in enumerate(["R3", "R1", "R2"]):
        worklist.queue(database, "draft", [return_id])
        database.execute(
            "UPDATE recon.worklist SET queued_at = %s WHERE return_id = %s",
            (NOW + timedelta(seconds=number), return_id),
        )
    assert worklist.take(database, "draft", 1) == ["R3"]
    assert worklist.take(database, "draft", 1) == ["R1"]


def test_a_long_line_is_taken_without_comparing_each_with_each(database: Database) -> None:
    ids = [f"R{number}" for number in range(1_000)]
    worklist.queue(database, "draft", ids)
    database.execute("ANALYZE recon.worklist")  # the server thinks from here on that nobody waits to be matched
    worklist.queue(database, "match", ids)
    plan = database.execute(f"EXPLAIN (ANALYZE) {worklist.TAKE}".encode(), ("match", 1_000)).fetchall()
    assert [line for (line,) in plan if "Nested Loop" in line or "Removed by Join Filter" in line] == []
    assert worklist.waiting(database) == len(ids)


def test_one_already_in_line_keeps_its_place(database: Database) -> None:
    worklist.queue(database, "draft", ["R1"])
    database.execute("UPDATE recon.worklist SET queued_at = %s", (NOW,))
    worklist.queue(database, "draft", ["R1"])
    assert database.execute("SELECT queued_at FROM recon.worklist").fetchall() == [(NOW,)]


def test_what_was_taken_comes_back_when_the_work_fails(database: Database, database_url: str) -> None:
    worklist.queue(database, "match", ["R1"])
    database.commit()
    assert worklist.take(database, "match", 10) == ["R1"]
    database.rollback()
    with store.connect(database_url, application="tests") as other:
        assert worklist.take(other, "match", 10) == ["R1"]


def test_a_watermark_is_unknown_then_moves(database: Database) -> None:
    assert worklist.reached(database, "swap/returns") is None
    for moment in (NOW, NOW + timedelta(hours=1), NOW - timedelta(hours=1)):
        worklist.move(database, "swap/returns", moment)
        assert worklist.reached(database, "swap/returns") == moment
    assert worklist.reached(database, "khaos/documents") is None


@pytest.mark.parametrize(
    ("minutes", "is_trusted"), [(-600, True), (0, True), (5, True), (6, False), (1_000_000, False)]
)
def test_a_watermark_that_a_clock_ahead_left_is_ignored_and_told(
    database: Database, caplog: pytest.LogCaptureFixture, minutes: int, is_trusted: bool
) -> None:
    moment = NOW + timedelta(minutes=minutes)
    worklist.move(database, "swap/returns", moment)
    assert worklist.trusted(database, "swap/returns", NOW) == (moment if is_trusted else None)
    assert worklist.trusted(database, "khaos/documents", NOW) is None
    assert len(caplog.messages) == (not is_trusted)
    assert all("swap/returns" in line and "the clock ran ahead" in line for line in caplog.messages)
