"""Levels, movements and stock moves in the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import stock

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DUE = ("R1", "P1", "sellable", "RMA1", "HAT", 2)
Database = psycopg.Connection[Any]


def due(database: Database, *moves: tuple[str, str, str, str, str, int]) -> list[stock.Move]:
    stock.save_due(database, moves or (DUE,), NOW)
    return [move for some in stock.of_returns(database, ["R1", "R2"]).values() for move in some]


def test_the_newest_level_is_known_with_its_time(database: Database) -> None:
    assert stock.observe(database, [("HAT", 1, 5), ("CAP", 1, 0)], NOW) == 2
    assert stock.observe(database, [("HAT", 1, 5)], LATER) == 0
    assert stock.level(database, ["HAT", "CAP", "NONE"], 1) == {"HAT": (5, LATER), "CAP": (0, NOW)}
    assert stock.level(database, ["HAT"], 9) == {}


def test_each_site_has_its_own_level(database: Database) -> None:
    assert stock.observe(database, [("HAT", 1, 5), ("HAT", 9, 5)], NOW) == 2
    assert stock.observe(database, [("HAT", 9, 6)], LATER) == 1
    assert stock.level(database, ["HAT"], 1) == {"HAT": (5, NOW)}


def test_what_was_read_is_not_as_told_any_more(database: Database) -> None:
    assert stock.told(database, [("HAT", 1, 5)], NOW) == 1
    stock.observe(database, [("HAT", 1, 5)], LATER)
    assert database.execute("SELECT is_as_told FROM khaos.stock_levels").fetchall() == [(False,)]


@pytest.mark.parametrize(("told_at", "level"), [(NOW - timedelta(1), 5), (NOW, 5), (LATER, 7)])
def test_only_newer_news_counts(database: Database, told_at: datetime, level: int) -> None:
    stock.observe(database, [("HAT", 1, 5)], NOW)
    assert stock.told(database, [("HAT", 1, 7)], told_at) == int(level == 7)
    assert stock.level(database, ["HAT"], 1)["HAT"][0] == level


def test_no_news_is_no_trouble(database: Database) -> None:
    assert stock.told(database, [], NOW) == 0
    assert stock.observe(database, [], NOW) == 0
    stock.moved(database, [], NOW)


@pytest.mark.parametrize(
    ("code", "seen_at", "dated_on", "is_found"),
    [
        ("HAT", LATER, date(2026, 3, 10), True),
        ("HAT", LATER, None, True),
        ("HAT", NOW, date(2026, 3, 11), True),
        ("HAT", LATER, date(2026, 3, 9), False),
        ("CAP", LATER, date(2026, 3, 10), False),
        ("HAT", NOW - timedelta(minutes=1), date(2026, 3, 10), False),
        ("HAT", LATER + timedelta(hours=2), date(2026, 3, 10), False),
    ],
)
def test_documents_between_two_moments(
    database: Database, code: str, seen_at: datetime, dated_on: date | None, is_found: bool
) -> None:
    stock.moved(database, [(code, "DOC", 1, dated_on)], seen_at)
    assert stock.documents_between(database, {"HAT": (NOW, LATER)}) == {"HAT": {"DOC"} if is_found else set()}


def test_each_code_has_a_span_of_its_own(database: Database) -> None:
    stock.moved(database, [("HAT", "DOC1", 1, None), ("CAP", "DOC1", 1, None), ("HAT", "DOC2", 1, None)], LATER)
    spans = {"HAT": (NOW, LATER), "CAP": (NOW, NOW), "NONE": (NOW, LATER)}
    assert stock.documents_between(database, spans) == {"HAT": {"DOC1", "DOC2"}, "CAP": set(), "NONE": set()}
    assert stock.documents_between(database, {}) == {}


def test_the_first_sight_of_a_document_counts(database: Database) -> None:
    stock.moved(database, [("HAT", "DOC", 1, None)], NOW)
    stock.moved(database, [("HAT", "DOC", 9, None)], LATER)
    rows = database.execute("SELECT quantity, seen_at FROM khaos.movements").fetchall()
    assert rows == [(1, NOW)]


def test_a_due_move_follows_its_draft_until_a_document_carries_it(database: Database) -> None:
    (move,) = due(database)
    assert (move.state, move.quantity, move.level_verdict) == ("due", 2, "")
    (move,) = due(database, (*DUE[:5], 3))
    assert move.quantity == 3
    stock.update(database, [replace(move, state="offered", carried_by="RMA1")], NOW)
    (move,) = due(database, (*DUE[:5], 9))
    assert (move.quantity, move.state, move.carried_by) == (3, "offered", "RMA1")


@pytest.mark.parametrize(
    ("disposition", "state", "verdict", "is_undone", "is_in_play"),
    [
        ("sellable", "due", "", True, True),
        ("sellable", "offered", "", True, True),
        ("sellable", "confirmed", "", True, True),
        ("sellable", "confirmed", "pending", True, True),
        ("sellable", "confirmed", "confirmed", False, False),
        ("sellable", "confirmed", "failed", False, False),
        ("damaged", "confirmed", "cannot_tell", False, False),
        ("missing", "due", "", True, False),
        ("missing", "confirmed", "", False, False),
    ],
)
def test_what_is_still_to_be_followed(
    database: Database, disposition: str, state: str, verdict: str, is_undone: bool, is_in_play: bool
) -> None:
    (move,) = due(database, ("R1", "P1", disposition, "RMA1", "HAT", 2))
    stock.update(database, [replace(move, state=state, level_verdict=verdict)], LATER)
    assert bool(stock.undone(database)) is is_undone
    assert stock.codes_in_play(database) == (["HAT"] if is_in_play else [])


def test_an_update_writes_everything_that_can_change(database: Database) -> None:
    (move,) = due(database)
    changed = replace(
        move, carried_by="RMA1", state="confirmed", level_verdict="confirmed", level_before=3, level_before_at=NOW,
        level_after=5, level_after_at=LATER, changed_at=LATER,
    )  # fmt: skip
    (other,) = [move for move in due(database, DUE, ("R2", *DUE[1:])) if move.return_id == "R2"]
    stock.update(database, [changed], LATER)
    stock.update(database, [], LATER)
    assert stock.of_returns(database, ["R1", "R2"]) == {"R1": [changed], "R2": [other]}
