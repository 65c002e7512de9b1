"""The storefront's refunds in the store: as they are, replaced whole, and found from either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.adapters.store import refunds
from khaos_swap_assets.adapters.store.refunds import Orders
from khaos_swap_assets.adapters.storefront.records import ReadRefund, RefundSweep
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets_tests.domain.payments import a_payment, a_refund, a_refund_line

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NAMES = st.frozensets(st.text(max_size=3), max_size=3)
Database = psycopg.Connection[Any]


def read(*some: Refund) -> list[ReadRefund]:
    return [ReadRefund(one, repr(one)) for one in some]


def save(database: Database, *some: Refund, at: datetime = NOW) -> None:
    refunds.save(database, read(*some), at)


def ids(found: list[Refund]) -> list[str]:
    return [one.refund_id for one in found]


def a_whole_refund() -> Refund:
    parts = (a_payment(3000, number="T1"), a_payment(2000, number="T2", gateway="gift_card", processed_at=None))
    return a_refund("F1", *parts, lines=(a_refund_line("L2", 2), a_refund_line("L1")), return_ref="77")


def test_a_refund_comes_back_as_it_went_in(database: Database) -> None:
    save(database, a_whole_refund())
    assert refunds.of_orders(database, Orders(ids=frozenset({"1"}))) == [a_whole_refund()]


def test_saved_again_its_parts_are_replaced_and_its_first_sight_stays(database: Database) -> None:
    save(database, a_whole_refund(), a_refund("F2"))
    changed = a_refund("F1", a_payment(1, number="T9"))
    save(database, changed, at=LATER)
    found = refunds.of_orders(database, Orders(ids=frozenset({"1"})))
    assert found == [changed, a_refund("F2")]
    row = database.execute("SELECT first_seen_at, changed_at FROM storefront.refunds WHERE refund_id = 'F1'").fetchone()
    assert row == (NOW, LATER)


def test_what_moved_is_kept_beside_it(database: Database) -> None:
    save(database, a_whole_refund())
    row = database.execute("SELECT total_pence, moved_pence, gift_card_pence FROM storefront.refunds").fetchone()
    assert row == (5000, 3000, 0)


def test_only_what_is_new_or_says_something_else_has_changed(database: Database) -> None:
    first, second = a_refund("F1"), a_refund("F2")
    save(database, first, second)
    other = replace(second, delivery_pence=1)
    assert refunds.changed(database, read(first, other, a_refund("F3"))) == read(other, a_refund("F3"))
    assert refunds.changed(database, []) == []


def test_of_one_refund_read_twice_the_last_counts(database: Database) -> None:
    first = a_refund("F1")
    save(database, first)
    assert refunds.changed(database, read(replace(first, delivery_pence=1), first)) == []


def test_nothing_to_save_asks_nothing(database: Database) -> None:
    database.close()
    refunds.save(database, [], NOW)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Orders(ids=frozenset({"1"})), ["F1", "F3"]),
        (Orders(names=frozenset({"#LX2"})), ["F2"]),
        (Orders(names=frozenset({"#lx2"})), []),
        (Orders(return_refs=frozenset({"77"})), ["F3"]),
        (Orders(return_refs=frozenset({""})), []),
        (Orders(frozenset({"1"}), frozenset({"#LX2"}), frozenset({"77"})), ["F1", "F2", "F3"]),
        (Orders(), []),
    ],
)
def test_refunds_are_found_by_order_or_return(database: Database, asked: Orders, expected: list[str]) -> None:
    other = a_refund("F2", order_id="2", order_name="#LX2")
    save(database, a_refund("F1"), other, a_refund("F3", return_ref="77"))
    assert ids(refunds.of_orders(database, asked)) == expected


def test_a_new_refund_is_judged_at_once_and_then_when_it_was_said(database: Database) -> None:
    save(database, a_refund("F1"), a_refund("F2"))
    assert ids(refunds.to_judge(database, NOW - timedelta(seconds=1))) == []
    assert ids(refunds.to_judge(database, NOW)) == ["F1", "F2"]
    refunds.mark(database, [("F1", "R1", "return", None, False), ("F2", None, "", LATER, True)])
    assert ids(refunds.to_judge(database, NOW)) == []
    assert ids(refunds.to_judge(database, LATER)) == ["F2"]
    rows = database.execute("SELECT refund_id, return_id, linked_by FROM storefront.refunds ORDER BY 1").fetchall()
    assert rows == [("F1", "R1", "return"), ("F2", None, "")]


def test_a_link_outlives_another_reading(database: Database) -> None:
    save(database, a_refund("F1"))
    refunds.mark(database, [("F1", "R1", "return", None, False)])
    save(database, a_refund("F1", delivery_pence=3), at=LATER)
    assert database.execute("SELECT return_id, judge_at FROM storefront.refunds").fetchone() == ("R1", LATER)


def a_sweep(read: Sequence[ReadRefund] = (), faults: Sequence[RowFault] = ()) -> RefundSweep:
    return RefundSweep(tuple(read), tuple(faults), 1, 1)


def test_a_fault_is_over_once_its_refund_is_read(database: Database) -> None:
    faults = [RowFault("refund F1", "h1", ("no date", "no total")), RowFault("refund F2", "h2", ("no date",))]
    refunds.save_faults(database, a_sweep(faults=faults), NOW)
    refunds.save_faults(database, a_sweep(read(a_refund("F1"))), LATER)
    query = "SELECT subject, reason, resolved_at FROM storefront.unreadable ORDER BY 1"
    assert database.execute(query).fetchall() == [
        ("refund F1", "no date; no total", LATER),
        ("refund F2", "no date", None),
    ]
    refunds.save_faults(database, a_sweep(faults=faults[:1]), LATER)
    assert [row[2] for row in database.execute(query)] == [None, None]


@given(NAMES, NAMES, NAMES)
def test_orders_are_joined_side_by_side(one: frozenset[str], two: frozenset[str], three: frozenset[str]) -> None:
    first, second = Orders(one, two, three), Orders(three, one, two)
    assert first | second == second | first == Orders(one | three, two | one, three | two)
    assert first | Orders() == first | first == first


def test_the_orders_of_refunds_name_nothing_empty() -> None:
    found = Orders.of([a_refund("F1"), a_refund("F2", order_id="", order_name="#LX2", return_ref="77")])
    assert found == Orders(frozenset({"1"}), frozenset({"#LX1", "#LX2"}), frozenset({"77"}))
    assert Orders.of([]) == Orders()
