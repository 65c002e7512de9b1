"""Sales Orders in the store: content, later statuses, candidates, the line of wanted ones, and sealed parties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import orders
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets_tests.domain.records import order

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
Database = psycopg.Connection[Any]
ORDER = order(("HAT", 2), ("CAP", 1))
BARE = replace(ORDER, invoiced_on=None)


def saved(database: Database, *some: SalesOrder) -> None:
    orders.save(database, [(one, b"sealed") for one in some], NOW)


def test_an_order_comes_back_as_it_went_in(database: Database) -> None:
    saved(database, ORDER)
    assert orders.by_code(database, ["SO1", "SO2"]) == {"SO1": ORDER}
    assert orders.by_ref(database, ["KCCLX1"]) == {"KCCLX1": [ORDER]}
    assert orders.parties(database, ["SO1", "SO2"]) == {"SO1": b"sealed"}


@pytest.mark.parametrize("asked", ["kcclx1", "KCCLX1 ", "KCCLX", "#LX1"])
def test_a_reference_is_compared_to_the_letter(database: Database, asked: str) -> None:
    saved(database, ORDER)
    assert orders.by_ref(database, [asked]) == {}


def test_a_reference_may_stand_on_several_orders(database: Database) -> None:
    saved(database, replace(ORDER, so_code="SO2"), ORDER)
    assert [one.so_code for one in orders.by_ref(database, ["KCCLX1"])["KCCLX1"]] == ["SO1", "SO2"]


def test_read_again_an_order_keeps_what_the_status_feed_told(database: Database) -> None:
    saved(database, BARE)
    orders.update_statuses(database, [("SO1", date(2026, 1, 6), True, 495)])
    saved(database, replace(BARE, customer_code="OTHER", lines=ORDER.lines[:1], delivery_gross_pence=1))
    found = orders.by_code(database, ["SO1"])["SO1"]
    assert (found.invoiced_on, found.is_cancelled, found.delivery_gross_pence) == (date(2026, 1, 6), True, 495)
    assert (found.customer_code, len(found.lines)) == ("OTHER", 1)


def test_of_one_order_read_twice_the_last_counts(database: Database) -> None:
    saved(database, ORDER, replace(ORDER, customer_code="LAST", lines=()))
    found = orders.by_code(database, ["SO1"])["SO1"]
    assert (found.customer_code, found.lines) == ("LAST", ())


def test_many_orders_are_saved_at_once(database: Database) -> None:
    saved(database, *(replace(ORDER, so_code=f"SO{number}") for number in range(300)))
    assert len(orders.by_ref(database, ["KCCLX1"])["KCCLX1"]) == 300


@pytest.mark.parametrize(
    ("status", "refs"),
    [
        (("SO1", date(2026, 1, 6), False, 0), []),
        (("SO1", date(2026, 1, 7), False, 0), ["KCCLX1"]),
        (("SO1", None, False, 0), ["KCCLX1"]),
        (("SO1", date(2026, 1, 6), True, 0), ["KCCLX1"]),
        (("SO1", date(2026, 1, 6), False, 495), ["KCCLX1"]),
        (("SO9", date(2026, 1, 6), False, 495), []),
    ],
)
def test_only_a_status_that_changes_something_is_told(
    database: Database, status: tuple[str, date | None, bool, int], refs: list[str]
) -> None:
    saved(database, ORDER)
    assert orders.update_statuses(database, [status]) == refs
    assert orders.update_statuses(database, []) == []


def test_wanted_orders_wait_in_the_order_in_which_they_were_asked_for(database: Database) -> None:
    orders.want(database, ["B", "B"], NOW)
    orders.want(database, ["A", "B"], LATER)
    assert orders.wanted(database, 10, NOW, NOW) == ["B", "A"]
    assert orders.wanted(database, 1, NOW, NOW) == ["B"]
    assert orders.count_waiting(database) == {"waiting": 2, "oldest": NOW}


def test_one_that_was_tried_lets_the_others_pass(database: Database) -> None:
    orders.want(database, ["A", "B"], NOW)
    orders.answered(database, {"A": ("waiting", "Khaos is away")}, NOW)
    assert orders.wanted(database, 10, NOW, NOW) == ["B", "A"]


@pytest.mark.parametrize(("state", "after_an_hour"), [("read", []), ("not_found", ["A"]), ("waiting", ["A"])])
def test_an_answer_ends_the_waiting_and_not_found_is_asked_again_later(
    database: Database, state: str, after_an_hour: list[str]
) -> None:
    orders.want(database, ["A"], NOW)
    orders.answered(database, {"A": (state, "")}, NOW)
    assert orders.states(database, ["A", "B"]) == {"A": state}
    assert orders.wanted(database, 10, NOW, NOW) == (["A"] if state == "waiting" else [])
    assert orders.wanted(database, 10, LATER, LATER) == after_an_hour


def test_answers_are_counted_each_for_its_own_reference(database: Database) -> None:
    orders.want(database, ["A", "B", "C"], NOW)
    orders.answered(database, {"A": ("read", ""), "B": ("waiting", "broken")}, NOW)
    orders.answered(database, {"B": ("not_found", "")}, LATER)
    orders.answered(database, {}, LATER)
    rows = database.execute("SELECT order_ref, state, attempts, error FROM khaos.wanted_orders ORDER BY 1").fetchall()
    assert rows == [("A", "read", 1, ""), ("B", "not_found", 2, ""), ("C", "waiting", 0, "")]
