"""Khaos's books: found by whatever Khaos finds them by, never before their time, and kept once when they changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.khaos_books import Books, created_at
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Note, NoteLine
from khaos_swap_assets_tests.sandbox.small import HAT, NOW, REF, URN, small_books, small_world

SECOND = timedelta(seconds=1)


def a_note(code: str = "CN00001", reference: str = "RMA1", after: timedelta = timedelta()) -> Note:
    return Note(code, URN, reference, "GBP", NOW + after, [NoteLine(HAT, 1, 1000, 1000)])


def codes(entries: list[object]) -> list[str]:
    return [getattr(one, "code", "") or getattr(one, "so_code", "") for one in entries]


def test_an_order_is_found_by_code_reference_customer_and_email() -> None:
    books = small_books()
    (order,) = books.world.orders.values()
    assert books.by_code("SO48213") == books.by_ref(REF) == books.by_customer(URN) == [order]
    assert books.by_other_ref("a.patel@example.com") == [order]
    assert books.orders_of(REF) == [order]


@pytest.mark.parametrize("wrong", ["", "so48213", REF.lower(), f"{REF} ", "%"])
def test_nothing_is_found_by_nearly_the_right_word(wrong: str) -> None:
    books = small_books()
    assert books.by_code(wrong) == books.by_ref(wrong) == books.by_customer(wrong) == books.by_other_ref(wrong) == []
    assert books.customer(wrong) is None


def test_what_is_added_later_is_found_too() -> None:
    books = small_books()
    assert books.by_ref("RMA1") == []
    books.world.notes["CN00001"] = a_note()
    assert codes([*books.by_ref("RMA1")]) == ["CN00001"]
    books.world.notes["CN00002"] = a_note("CN00002")
    assert codes([*books.by_ref("RMA1")]) == ["CN00001", "CN00002"]
    assert codes([*books.by_customer(URN)]) == ["SO48213", "CN00001", "CN00002"]
    assert books.orders_of("RMA1") == []


def test_a_replaced_world_is_read_anew() -> None:
    books = small_books()
    books.world.notes["CN00001"] = a_note()
    assert books.by_ref("RMA1")
    books.state.world = small_world()
    assert books.by_ref("RMA1") == []
    assert books.by_ref(REF)


def test_what_is_to_come_is_not_seen_before_its_time() -> None:
    books = small_books()
    books.world.notes["CN00001"] = a_note(after=SECOND)
    assert books.by_code("CN00001") == books.by_ref("RMA1") == []
    assert codes([*books.by_customer(URN)]) == ["SO48213"]
    books.world.now += SECOND
    assert codes([*books.by_code("CN00001")]) == codes([*books.by_ref("RMA1")]) == ["CN00001"]


@pytest.mark.parametrize("moved", ["created_at", "issued_at", "changed_at"])
@pytest.mark.parametrize(("before", "after", "is_found"), [(0, 0, True), (1, 1, True), (1, -1, False), (-1, 1, False)])
def test_a_window_holds_both_of_its_ends_and_any_of_three_moments(
    moved: str, before: int, after: int, is_found: bool
) -> None:
    books = small_books()
    note = a_note(after=-timedelta(days=300))
    at = NOW - timedelta(days=1)
    setattr(note, moved, at)
    books.world.notes["CN00001"] = note
    found = codes([*books.between(at - before * SECOND, at + after * SECOND)])
    assert found == (["CN00001"] if is_found else [])


def test_orders_and_notes_tell_when_they_came_to_be() -> None:
    (order,) = small_world().orders.values()
    assert created_at(order) == order.ordered_at
    assert created_at(a_note(after=SECOND)) == NOW + SECOND


def test_running_codes_go_on_after_a_restart_and_step_over_what_is_taken() -> None:
    books = small_books()
    books.world.notes["CN00002"] = a_note("CN00002")
    assert [books.next_code("CN") for _ in range(2)] == ["CN00001", "CN00003"]
    restarted = Books(State(books.world))
    assert restarted.next_code("CN") == "CN00004"
    assert restarted.next_code("RET") == "RET00001"


def test_what_was_touched_is_kept_once_and_only_when_something_was() -> None:
    kept: list[tuple[object, ...]] = []
    books = Books(State(small_world()), lambda *touched: kept.append(touched))
    books.flush()
    assert kept == []
    (order,) = books.world.orders.values()
    item = books.world.items[HAT]
    books.touch(order, item)
    books.touch(order)
    books.flush()
    books.flush()
    assert kept == [(order, item)]


def test_a_running_number_is_part_of_what_is_kept() -> None:
    kept: list[tuple[object, ...]] = []
    books = Books(State(small_world()), lambda *touched: kept.append(touched))
    books.next_code("CN")
    books.flush()
    assert kept == [(books.world,)]
