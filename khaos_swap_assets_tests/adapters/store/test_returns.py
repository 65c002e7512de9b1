"""Swap's returns in the store: a mirror of what was last read, and of what could not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import returns
from khaos_swap_assets.adapters.swap.records import ReadReturn
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets_tests.domain.records import line, returned

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Database = psycopg.Connection[Any]
RETURN = returned(
    line("P2", 500, reason="Too small"), line("P1", 1000, 2, is_faulty=True), outcomes=("Refund", "Exchange")
)


def read(record: Return, content: str = "a") -> ReadReturn:
    return ReadReturn(record, {"rma_number": record.rma}, ("colour",), content)


def test_a_return_comes_back_as_it_went_in_lines_in_their_order(database: Database) -> None:
    returns.save(database, [read(RETURN)], NOW)
    assert returns.load(database, ["R1", "R9"]) == {"R1": RETURN}


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": None, "updated_at": None, "submitted_at": None, "processed_at": None, "closed_at": None},
        {"lines": ()},
        {"outcomes": ()},
        {"refund_pence": 10**14},
        {"rma": "RMA 'quoted' \\ % é"},
    ],
)
def test_odd_returns_come_back_too(database: Database, change: dict[str, Any]) -> None:
    odd = replace(RETURN, **change)
    returns.save(database, [read(odd)], NOW)
    assert returns.load(database, ["R1"]) == {"R1": odd}


def test_saving_replaces_and_lines_shrink(database: Database) -> None:
    returns.save(database, [read(RETURN)], NOW)
    shorter = replace(RETURN, lines=RETURN.lines[:1], status="Open")
    returns.save(database, [read(shorter)], LATER)
    assert returns.load(database, ["R1"]) == {"R1": shorter}
    stamps = database.execute("SELECT first_seen_at, changed_at, read_at FROM swap.returns").fetchall()
    assert stamps == [(NOW, LATER, LATER)]


def test_derived_columns_follow_the_record(database: Database) -> None:
    returns.save(database, [read(RETURN), read(replace(RETURN, return_id="R2", status="Open", lines=()))], NOW)
    rows = database.execute("SELECT return_id, is_open, refunded_at, unknown_fields FROM swap.returns ORDER BY 1")
    assert rows.fetchall() == [
        ("R1", False, RETURN.refunded_at, ["colour"]),
        ("R2", True, RETURN.refunded_at, ["colour"]),
    ]


def test_changed_are_those_of_another_content(database: Database) -> None:
    returns.save(database, [read(RETURN)], NOW)
    other = replace(RETURN, return_id="R2", lines=())
    assert returns.changed(database, [read(RETURN)]) == []
    assert returns.changed(database, [read(RETURN, "b"), read(other)]) == [read(RETURN, "b"), read(other)]
    assert returns.changed(database, []) == []


def test_of_a_return_read_twice_the_newest_counts(database: Database) -> None:
    old, new = (replace(RETURN, updated_at=moment) for moment in (NOW, LATER))
    undated = replace(RETURN, updated_at=None)
    for some in ([old, new], [new, old], [undated, new], [new, undated]):
        assert [one.record for one in returns.changed(database, [read(one) for one in some])] == [new]


def test_the_orders_that_returns_name_come_once_and_without_blanks(database: Database) -> None:
    bundled = replace(line("P3", 100), original_order_name="#LX9")
    first = replace(RETURN, order_name="#LX1", lines=(*RETURN.lines, bundled, replace(bundled, product_id="P4")))
    second = replace(RETURN, return_id="R2", order_name="", lines=())
    returns.save(database, [read(first), read(second)], NOW)
    assert returns.order_names(database, ["R1", "R2"]) == ["#LX1", "#LX9"]
    assert returns.order_names(database, ["R2"]) == returns.order_names(database, []) == []


def test_ids_lead_to_their_numbers(database: Database) -> None:
    returns.save(database, [read(RETURN), read(replace(RETURN, return_id="R2", lines=()))], NOW)
    assert returns.rmas_of(database, ["R1", "R9"]) == {"R1": "RMA1001"}


@pytest.mark.parametrize(("days", "status", "is_found"), [(0, "Open", True), (1, "Open", False), (0, "Closed", False)])
def test_the_oldest_open_return_since_a_moment(database: Database, days: int, status: str, is_found: bool) -> None:
    assert RETURN.submitted_at is not None
    returns.save(database, [read(replace(RETURN, status=status))], NOW)
    since = RETURN.submitted_at + timedelta(days=days)
    assert returns.oldest_open(database, since) == (RETURN.submitted_at if is_found else None)


def faults(database: Database) -> list[Any]:
    return database.execute("SELECT subject, reason, resolved_at FROM swap.unreadable ORDER BY row_hash").fetchall()


def test_a_fault_is_kept_seen_again_and_resolved_by_its_subject(database: Database) -> None:
    returns.save_unreadable(database, [("h1", "RMA1", "bad"), ("h2", "h2", "worse")], NOW)
    returns.save_unreadable(database, [("h1", "RMA1", "bad still")], LATER)
    assert faults(database) == [("RMA1", "bad still", None), ("h2", "worse", None)]
    returns.resolve_unreadable(database, ["RMA1", "RMA2"], LATER)
    assert faults(database) == [("RMA1", "bad still", LATER), ("h2", "worse", None)]
    returns.save_unreadable(database, [("h1", "RMA1", "bad again")], LATER)
    assert faults(database)[0] == ("RMA1", "bad again", None)


def test_only_nameless_faults_end_with_a_whole_reading(database: Database) -> None:
    returns.save_unreadable(database, [("h1", "RMA1", "bad"), ("h2", "h2", "worse")], NOW)
    returns.resolve_nameless(database, LATER)
    assert faults(database) == [("RMA1", "bad", None), ("h2", "worse", LATER)]
