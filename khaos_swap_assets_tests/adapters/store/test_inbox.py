"""The inbox: knocks fold while they wait, and none that came later is used up by an earlier reading."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import arrivals, inbox
from khaos_swap_assets.adapters.store import database as store

NOW = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
Connection = psycopg.Connection[Any]


def knock(conn: Connection, return_id: str = "ret_1", now: datetime = NOW, **changes: Any) -> None:
    given: dict[str, Any] = {"store_id": "st", "event": "returnProcessed", "body": {"a": 1}}
    arrivals.keep_knocks(conn, [arrivals.Knock(return_id=return_id, received_at=now, **(given | changes))])


def test_knocks_of_one_return_and_event_fold_while_they_wait(database: Connection) -> None:
    knock(database)
    knock(database, body={"a": 2})
    knock(database, "ret_2")
    knock(database, event="returnCreated")
    knock(database, store_id="other")
    found = inbox.knocks(database)
    assert [(one.event, one.return_id, one.body) for one in found[:2]] == [
        ("returnProcessed", "ret_1", {"a": 2}),
        ("returnProcessed", "ret_2", {"a": 1}),
    ]
    assert len(found) == 4


def test_a_used_knock_makes_room_for_the_next(database: Connection) -> None:
    knock(database)
    assert inbox.consume(database, inbox.knocks(database), LATER) == 1
    assert inbox.knocks(database) == []
    knock(database)
    assert len(inbox.knocks(database)) == 1


@pytest.mark.parametrize("moment", [NOW, NOW - timedelta(hours=1), LATER])
def test_a_knock_that_folded_after_the_listing_is_not_used_up(database: Connection, moment: datetime) -> None:
    knock(database)
    listed = inbox.waiting(database, "swap")
    knock(database, now=moment)
    assert inbox.consume(database, listed, LATER) == 0
    assert len(inbox.waiting(database, "swap")) == 1


def together(url: str, first: Callable[[Connection], object], second: Callable[[Connection], object]) -> None:
    """Run ``second`` while the transaction of ``first`` is still open, and let it wait for that one's commit."""
    with store.connect(url, application="tests") as one, store.connect(url, application="tests") as other:
        first(one)

        def work() -> None:
            second(other)
            other.commit()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        one.commit()
        thread.join(10)
        assert not thread.is_alive()


def test_a_knock_that_meets_its_own_using_up_is_a_row_of_its_own(database_url: str, database: Connection) -> None:
    knock(database)
    database.commit()
    listed = inbox.knocks(database)
    together(database_url, lambda conn: inbox.consume(conn, listed, LATER), lambda conn: knock(conn, now=LATER))
    assert [(one.return_id, one.received_at) for one in inbox.knocks(database)] == [("ret_1", LATER)]
    assert database.execute("SELECT count(*) FROM recon.inbox").fetchone() == (2,)


def test_a_reading_that_meets_a_knock_leaves_it_waiting(database_url: str, database: Connection) -> None:
    knock(database)
    database.commit()
    listed, used = inbox.knocks(database), []
    together(
        database_url, lambda conn: knock(conn, now=LATER), lambda conn: used.append(inbox.consume(conn, listed, LATER))
    )
    assert used == [0]
    assert [one.received_at for one in inbox.knocks(database)] == [LATER]


def test_two_readings_use_a_knock_up_once(database_url: str, database: Connection) -> None:
    knock(database)
    database.commit()
    listed, used = inbox.knocks(database), []
    use = lambda conn: used.append(inbox.consume(conn, listed, LATER))  # noqa: E731
    together(database_url, use, use)
    assert used == [1, 0]


def test_the_longest_due_come_first_and_those_tried_often_enough_last(database: Connection) -> None:
    for name in ("ret_1", "ret_2", "ret_3"):
        knock(database, name)
    first, second, _ = inbox.knocks(database)
    for _ in range(4):
        inbox.postpone(database, [first], LATER)
    inbox.postpone(database, [second], LATER)
    found = inbox.knocks(database)
    assert [(one.return_id, one.is_due(LATER)) for one in found] == [
        ("ret_3", True),
        ("ret_2", False),
        ("ret_1", False),
    ]
    assert found[1].is_due(LATER + timedelta(seconds=10))
    assert found[2].next_try_at is None
    assert len(inbox.knocks(database, limit=1)) == 1


def test_unreadable_messages_never_fold_and_are_no_knocks(database: Connection) -> None:
    for _ in range(2):
        inbox.store_unreadable(database, store_id="st", body={"a": 1}, now=NOW)
    assert inbox.waiting(database, "swap") == []
    assert len(inbox.waiting(database, "swap_unreadable")) == 2


def test_only_the_newest_push_of_an_event_folds(database: Connection) -> None:
    bodies = [("A", {"n": 1}), ("A", {"n": 1}), ("B", {"n": 1}), ("A", {"n": 2}), ("A", {"n": 1}), ("B", {"n": 1})]
    kept = [inbox.store_push(database, event=event, body=body, now=NOW) for event, body in bodies]
    assert kept == [True, False, True, True, True, False]


def test_a_repeat_folds_although_the_first_was_used(database: Connection) -> None:
    inbox.store_push(database, event="A", body={"n": 1, "m": 2}, now=NOW)
    inbox.consume(database, inbox.waiting(database, "khaos"), NOW)
    assert not inbox.store_push(database, event="A", body={"m": 2, "n": 1}, now=LATER)


def test_the_listing_is_oldest_first_and_bounded(database: Connection) -> None:
    for number in range(5):
        inbox.store_push(database, event="A", body={"n": number}, now=NOW)
    assert [one.body["n"] for one in inbox.waiting(database, "khaos", limit=3)] == [0, 1, 2]


@pytest.mark.parametrize(("most_bytes", "expected"), [(0, 1), (3_000, 1), (4_000, 2), (10**6, 4)])
def test_a_pile_of_pushes_is_taken_by_its_size_and_never_none(
    database: Connection, most_bytes: int, expected: int
) -> None:
    for number in range(4):
        body = {"n": number, "names": [f"{number}-{n * 7919}" for n in range(150)]}
        inbox.store_push(database, event="StockUpload", body=body, now=NOW)
    sizes = database.execute("SELECT pg_column_size(body) FROM recon.inbox").fetchall()
    assert all(1_800 < size < 1_900 for (size,) in sizes), sizes
    taken = inbox.waiting(database, "khaos", event="StockUpload", most_bytes=most_bytes)
    assert [one.body["n"] for one in taken] == list(range(expected))
