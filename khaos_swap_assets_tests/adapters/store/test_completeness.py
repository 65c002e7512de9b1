"""What the mirror holds by day, what is out of reach of a sweep, and the comparisons as they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import arrivals, completeness, worklist

DAY = date(2026, 3, 9)
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
JUST = timedelta(microseconds=1)
WHOLE = timedelta(days=1)
Database = psycopg.Connection[Any]


@pytest.fixture(params=["UTC", "Pacific/Auckland"])
def database(database: Database, request: pytest.FixtureRequest) -> Database:
    """The same database as somebody sees it whose server stands elsewhere."""
    database.execute(f"SET TIME ZONE '{request.param}'".encode())
    return database


def hold(database: Database, rma: str, submitted_at: datetime | None, **changes: Any) -> None:
    given = {"is_open": True, "changed_at": NOON} | changes
    database.execute(
        "INSERT INTO swap.returns (return_id, store_id, rma, order_name, order_id, status, delivery_status, "
        "quality_control_status, outcomes, currency, refund_pence, store_credit_pence, additional_payment_pence, "
        "handling_fee_pence, total_pence, submitted_at, is_open, content_hash, raw, first_seen_at, changed_at, read_at)"
        " VALUES (%s, 'st', %s, '', '', 'Open', '', '', '{}', 'GBP', 0, 0, 0, 0, 0, %s, %s, '', '{}', %s, %s, %s)",
        (f"id-{rma}", rma, submitted_at, given["is_open"], NOON, given["changed_at"], NOON),
    )


def a_day(**changes: Any) -> completeness.Day:
    return replace(completeness.Day(DAY, 5, 3, ("RMA1", "RMA2"), (), 0, 0, NOON), **changes)


@pytest.mark.parametrize(
    ("told", "mirrored", "unreadable", "short"), [(5, 5, 0, 0), (5, 3, 0, 2), (5, 3, 2, 0), (5, 3, 1, 1), (3, 5, 0, 0)]
)
def test_short_is_what_swap_holds_and_the_mirror_does_not(
    told: int, mirrored: int, unreadable: int, short: int
) -> None:
    assert a_day(told=told, mirrored=mirrored, unreadable_rows=unreadable).short == short


def test_a_day_begins_and_ends_at_midnight_utc(database: Database) -> None:
    hold(database, "BEFORE", MIDNIGHT - JUST)
    hold(database, "FIRST", MIDNIGHT)
    hold(database, "LAST", MIDNIGHT + WHOLE - JUST)
    hold(database, "AFTER", MIDNIGHT + WHOLE)
    hold(database, "NEVER", None)
    assert completeness.mirrored(database, DAY, DAY) == {DAY: 2}
    assert completeness.rmas_on(database, DAY) == {"id-FIRST": "FIRST", "id-LAST": "LAST"}
    assert completeness.mirrored(database, DAY - WHOLE, DAY + WHOLE) == {DAY - WHOLE: 1, DAY: 2, DAY + WHOLE: 1}
    assert completeness.mirrored(database, DAY + 2 * WHOLE, DAY + 3 * WHOLE) == {}


def test_open_returns_of_before_or_of_no_day_are_out_of_reach(database: Database) -> None:
    hold(database, "OLD", NOON - WHOLE)
    hold(database, "NEVER", None)
    hold(database, "CLOSED", NOON - WHOLE, is_open=False)
    hold(database, "NEAR", NOON)
    assert completeness.out_of_reach(database, NOON, 10) == ["NEVER", "OLD"]
    assert completeness.out_of_reach(database, NOON - 2 * WHOLE, 10) == ["NEVER"]


@pytest.mark.parametrize(("returns", "limit"), [(7, 3), (4, 4), (5, 1), (3, 10)])
def test_every_open_return_has_its_night(database: Database, returns: int, limit: int) -> None:
    for number in range(returns):
        hold(database, f"RMA{number}", None)
    nights = [completeness.out_of_reach(database, NOON + night * WHOLE, limit) for night in range(returns)]
    assert {len(night) for night in nights} == {min(limit, returns)}
    assert {rma for night in nights for rma in night} == {f"RMA{number}" for number in range(returns)}


def test_the_newest_comparison_of_a_day_counts(database: Database) -> None:
    later = NOON + timedelta(hours=1)
    second = a_day(mirrored=5, missing_rmas=(), vanished_rmas=("RMA9",), unreadable_rows=1, mended=2, checked_at=later)
    completeness.save(database, [a_day(), a_day(day=DAY - WHOLE)])
    completeness.save(database, [second])
    found = completeness.days(database, DAY - WHOLE)
    assert [(one.day, one.told, one.mirrored, list(one.missing_rmas), list(one.vanished_rmas)) for one in found] == [
        (DAY, 5, 5, [], ["RMA9"]),
        (DAY - WHOLE, 5, 3, ["RMA1", "RMA2"], []),
    ]
    assert (found[0].unreadable_rows, found[0].mended, found[0].checked_at) == (1, 2, later)
    assert [one.day for one in completeness.days(database, DAY)] == [DAY]


def test_no_comparison_is_no_trouble(database: Database) -> None:
    completeness.save(database, [])
    assert completeness.days(database, DAY) == []
    assert completeness.documents(database, NOON) == []
    assert completeness.traffic(database, NOON) == completeness.Traffic(0, 0, 0)


def test_traffic_counts_knocks_changes_and_what_was_submitted_after_the_first_look(database: Database) -> None:
    for number, at in enumerate((NOON - JUST, NOON, NOON + JUST)):
        arrivals.keep_knocks(database, [arrivals.Knock("st", "returnCreated", f"R{number}", {}, at)])
        hold(database, f"RMA{number}", at, changed_at=at)
    assert completeness.traffic(database, NOON) == completeness.Traffic(2, 2, 0)
    worklist.move(database, completeness.FIRST_LOOK, NOON)
    assert completeness.traffic(database, NOON) == completeness.Traffic(2, 2, 1)


def post(database: Database, number: int, state: str, handed_out_at: datetime | None) -> None:
    database.execute(
        "INSERT INTO recon.postings (store_id, return_id, ordinal, rma, reference, state, customer_code, so_code, "
        "currency, value_pence, document, document_hash, planned_at, handed_out_at) "
        "VALUES ('st', %s, 1, '', %s, %s, '', '', 'GBP', 1, '{}', '', %s, %s)",
        (f"R{number}", f"RMA{number}", state, NOON, handed_out_at),
    )


def test_documents_are_counted_by_the_day_in_utc_on_which_they_left(database: Database) -> None:
    for number, state in enumerate(("confirmed", "confirmed", "refused", "in_doubt")):
        post(database, number, state, MIDNIGHT if number else MIDNIGHT + WHOLE - JUST)
    post(database, 8, "in_doubt", MIDNIGHT + WHOLE)
    post(database, 9, "planned", None)
    names = ("day", "offered", "seen", "refused", "waited_for")
    rows = [(DAY + WHOLE, 1, 0, 0, 1), (DAY, 4, 2, 1, 1)]
    assert completeness.documents(database, MIDNIGHT) == [dict(zip(names, row, strict=True)) for row in rows]
    assert [one["day"] for one in completeness.documents(database, MIDNIGHT + WHOLE)] == [DAY + WHOLE]
