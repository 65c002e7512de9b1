"""What a person brought as a file: kept beside what Khaos told by itself, and never over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from khaos_swap_assets.adapters.store import imports, notes, orders
from khaos_swap_assets.adapters.store.imports import Import
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets_tests.domain.records import order

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Database = psycopg.Connection[Any]
ORDER = order(("HAT", 2), ("CAP", 1))
NOTE = CreditNote("CN1", "RMA1", "C1", "GBP", date(2026, 3, 9), None, None, 1000, None, 0, (("HAT", 1),), "KCCLX1")


def brought(database: Database, kind: imports.Kind = "sales-orders", **changes: Any) -> tuple[int, Import]:
    made = replace(Import(kind, "march.csv", "hash", 3, 2, None, "life", NOW, "Kim"), **changes)
    return imports.record(database, made), made


def told_by_file(database: Database, *some: SalesOrder) -> None:
    number, _ = brought(database)
    imports.save_orders(database, some, number, NOW)


def test_each_import_has_a_number_and_the_last_one_counts(database: Database) -> None:
    assert imports.newest(database, "sales-orders") is None
    first, _ = brought(database)
    second, later = brought(database, imported_at=NOW + DAY)
    brought(database, "credit-notes", imported_at=NOW + 2 * DAY)
    assert first < second
    assert imports.newest(database, "sales-orders") == later


def test_of_two_at_one_moment_the_one_that_came_second_counts(database: Database) -> None:
    brought(database, file_name="first.csv")
    _, second = brought(database, file_name="second.csv")
    assert imports.newest(database, "sales-orders") == second


def test_complete_is_what_a_person_said_is_complete_up_to_the_latest_moment(database: Database) -> None:
    _, complete = brought(database, complete_to=NOW)
    brought(database, complete_to=NOW - DAY, imported_at=NOW + DAY)
    brought(database, complete_to=None, imported_at=NOW + 2 * DAY)
    assert imports.newest(database, "sales-orders", is_complete=True) == complete
    assert imports.newest(database, "credit-notes", is_complete=True) is None


def test_an_order_of_a_file_comes_back_with_its_lines(database: Database) -> None:
    told_by_file(database, ORDER)
    assert orders.by_code(database, ["SO1"]) == {"SO1": ORDER}


@pytest.mark.parametrize(
    ("again", "news"), [(ORDER, []), (replace(ORDER, delivery_gross_pence=1), ["SO1"]), (order(("HAT", 3)), ["SO1"])]
)
def test_only_what_a_file_tells_differently_is_news(database: Database, again: SalesOrder, news: list[str]) -> None:
    told_by_file(database, ORDER)
    found, left = imports.new_orders(database, [again])
    assert ([one.so_code for one in found], left) == (news, 0)


@pytest.mark.parametrize("so_code", ["SO1", "KCCLX1"])
def test_what_khaos_told_of_an_order_stays(database: Database, so_code: str) -> None:
    """Also where the file gives the order no code of its own but its reference."""
    orders.save(database, [(ORDER, b"sealed")], NOW)
    told = [replace(ORDER, so_code=so_code, customer_code="OTHER"), replace(ORDER, so_code="SO2", associated_ref="X")]
    found, left = imports.new_orders(database, told)
    assert ([one.so_code for one in found], left) == (["SO2"], 1)


def test_a_second_order_under_one_reference_is_its_own(database: Database) -> None:
    orders.save(database, [(ORDER, b"sealed")], NOW)
    found, left = imports.new_orders(database, [replace(ORDER, so_code="SO2")])
    assert ([one.so_code for one in found], left) == (["SO2"], 0)


def test_notes_of_a_file_are_news_once_and_never_over_those_of_khaos(database: Database) -> None:
    number, _ = brought(database, "credit-notes")
    notes.save(database, [NOTE], NOW, import_id=number)
    by_khaos = replace(NOTE, credit_note_code="CN2")
    notes.save(database, [by_khaos], NOW)
    changed = replace(NOTE, gross_pence=1)
    new = replace(NOTE, credit_note_code="CN3")
    assert imports.new_notes(database, [NOTE, replace(by_khaos, gross_pence=1)]) == ([], 1)
    assert imports.new_notes(database, [changed, new]) == ([changed, new], 0)


def test_every_part_of_an_order_is_in_its_hash() -> None:
    others = [replace(ORDER, customer_code="X"), replace(ORDER, delivery_gross_pence=1), replace(ORDER, lines=())]
    assert len({imports.hash_of(one) for one in (ORDER, *others)}) == 4
    assert imports.hash_of(ORDER) == imports.hash_of(order(("HAT", 2), ("CAP", 1)))


def test_a_reference_names_a_customer_only_where_all_its_orders_are_one_customers(database: Database) -> None:
    told_by_file(
        database,
        ORDER,
        replace(ORDER, so_code="SO2"),
        replace(ORDER, so_code="SO3", associated_ref="TWO"),
        replace(ORDER, so_code="SO4", associated_ref="TWO", customer_code="OTHER"),
        replace(ORDER, so_code="SO5", associated_ref="NONE", customer_code=""),
    )
    refs = ["KCCLX1", "TWO", "NONE", "GONE"]
    assert imports.customers_of_refs(database, refs) == {"KCCLX1": ORDER.customer_code}
    assert imports.customers_of_postings(database, ["RMA1"]) == {}
