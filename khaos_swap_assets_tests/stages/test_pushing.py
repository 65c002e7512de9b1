"""Pushes are used in batches of bounded size, oldest first, and none twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
import pytest

from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.stages.stock_codes.sync import use_pushes
from khaos_swap_assets_tests.stages.town import NOON

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The numbers in each batch; three messages are the most of one."""
    take = inbox.waiting

    def three(conn: psycopg.Connection, source: inbox.Source, *, event: str) -> list[inbox.Waiting]:
        return take(conn, source, 3, event=event)

    monkeypatch.setattr(inbox, "waiting", three)
    return []


def push(conn: psycopg.Connection, *numbers: int, event: str = "StockUpload", at: datetime = NOON) -> None:
    for number in numbers:
        inbox.store_push(conn, event=event, body={"n": number}, now=at)


def used(conn: psycopg.Connection, batches: list[list[int]]) -> int:
    def use(_: psycopg.Connection, messages: Sequence[inbox.Waiting], __: datetime) -> int:
        batches.append([one.body["n"] for one in messages])
        return len(messages)

    return use_pushes(conn, "StockUpload", use, LATER)


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [[0]]), (3, [[0, 1, 2]]), (7, [[0, 1, 2], [3, 4, 5], [6]])]
)
def test_every_push_is_used_once_in_the_order_of_arrival(
    database: psycopg.Connection, batches: list[list[int]], count: int, expected: list[list[int]]
) -> None:
    push(database, *range(count))
    push(database, 99, event="StockStatusUpload")
    assert used(database, batches) == count
    assert batches == expected
    assert used(database, batches) == 0
    assert [one.event for one in inbox.waiting(database, "khaos", event="StockStatusUpload")] == ["StockStatusUpload"]


def test_what_comes_without_end_is_left_to_the_next_run(database: psycopg.Connection, batches: list[list[int]]) -> None:
    push(database, 0, 1)
    push(database, *range(2, 7), at=LATER + timedelta(seconds=1))
    assert used(database, batches) == 3
    assert batches == [[0, 1, 2]]
