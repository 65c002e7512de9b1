"""The inbox: knocks fold while they wait, and none that came later is used up by an earlier reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import inbox

NOW = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
Connection = psycopg.Connection[Any]


def knock(conn: Connection, return_id: str = "ret_1", now: datetime = NOW, **changes: Any) -> bool:
    given: dict[str, Any] = {"store_id": "st", "event": "returnProcessed", "body": {"a": 1}}
    return inbox.store_knock(conn, return_id=return_id, now=now, **(given | changes))


def test_knocks_of_one_return_and_event_fold_while_they_wait(database: Connection) -> None:
    assert [knock(database), knock(database, body={"a": 2}), knock(database, "ret_2")] == [True, False, True]
    assert knock(database, event="returnCreated")
    assert knock(database, store_id="other")
    found = inbox.waiting(database, "swap")
    assert [(one.event, one.return_id, one.body) for one in found[:2]] == [
        ("returnProcessed", "ret_1", {"a": 2}),
        ("returnProcessed", "ret_2", {"a": 1}),
    ]
    assert len(found) == 4


def test_a_used_knock_makes_room_for_the_next(database: Connection) -> None:
    knock(database)
    assert inbox.consume(database, inbox.waiting(database, "swap"), LATER) == 1
    assert inbox.waiting(database, "swap") == []
    assert knock(database)


@pytest.mark.parametrize("moment", [NOW, NOW - timedelta(hours=1), LATER])
def test_a_knock_that_folded_after_the_listing_is_not_used_up(database: Connection, moment: datetime) -> None:
    knock(database)
    listed = inbox.waiting(database, "swap")
    knock(database, now=moment)
    assert inbox.consume(database, listed, LATER) == 0
    assert len(inbox.waiting(database, "swap")) == 1


def test_a_reading_uses_up_what_came_before_it_began(database: Connection) -> None:
    knock(database)
    knock(database, "ret_2", LATER)
    knock(database, "ret_3")
    assert inbox.consume_swap(database, ["ret_1", "ret_2"], NOW) == 1
    assert [one.return_id for one in inbox.waiting(database, "swap")] == ["ret_2", "ret_3"]
    assert inbox.consume_swap(database, ["ret_2"], LATER) == 1


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
