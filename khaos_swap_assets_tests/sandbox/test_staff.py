"""What staff do by the clock: notes issued and allocated, goods sold on, and what they leave alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.staff import SALES_A_ROUND, Staff
from khaos_swap_assets.sandbox.world import Note, NoteLine, Plant, StockItem
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, URN, document, small_books

DAY = timedelta(days=1)


def worked(books: Books) -> tuple[int, int, int]:
    done = Staff(books).work()
    return done["issued"], done["allocated"], done["sold"]


@pytest.mark.parametrize(("switch", "rounds"), [("at_once", [0, 0]), ("later", [0, 1])])
def test_when_notes_are_issued(switch: str, rounds: list[int]) -> None:
    books = small_books()
    books.state.switches["notes_issued"] = switch
    import_document(books, document())
    issued = [worked(books)[0]]
    books.world.now += DAY
    issued.append(worked(books)[0])
    assert issued == rounds
    (note,) = books.world.notes.values()
    assert note.issued_at == NOW + (DAY if switch == "later" else timedelta())


def test_staff_note_is_issued_and_allocated_a_day_later() -> None:
    books = small_books()
    books.world.notes["CN9"] = Note("CN9", URN, "", "GBP", NOW, [NoteLine(HAT, 1, 1000, 1000)], made_by="staff")
    assert worked(books)[:2] == (1, 0)
    assert books.world.customers[URN].unallocated_pence == 1000
    books.world.now += DAY
    assert worked(books)[:2] == (0, 1)
    assert books.world.customers[URN].unallocated_pence == 0


@pytest.mark.parametrize(("script", "expected"), [("issue_never", (0, 0)), ("never_allocated", (0, 0)), ("", (0, 1))])
def test_scripted_notes_are_left_alone(script: str, expected: tuple[int, int]) -> None:
    books = small_books()
    books.world.scripts[RMA] = script
    import_document(books, document())
    books.world.now += 30 * DAY
    assert worked(books)[:2] == expected


@pytest.mark.parametrize("kind", ["credit_note_not_issued", "credit_note_unallocated"])
def test_planted_notes_are_left_alone(kind: str) -> None:
    books = small_books()
    note = Note("CN9", URN, "", "GBP", NOW, [NoteLine(HAT, 1, 1000, 1000)], made_by="staff")
    if kind == "credit_note_unallocated":
        note.issued_at, note.stage_id = NOW, 70
    books.world.notes["CN9"] = note
    books.world.plants.append(Plant(kind, credit_note_code="CN9"))
    books.world.now += 30 * DAY
    assert worked(books)[:2] == (0, 0)


def test_the_shop_sells_on_once_a_day_and_levels_fall() -> None:
    books = small_books()
    before = sum(item.available for item in books.world.items.values())
    assert [worked(books)[2], worked(books)[2]] == [2, 0]
    books.world.now += DAY
    assert worked(books)[2] == 2
    assert sum(item.available for item in books.world.items.values()) == before - 4
    sold = [order for code, order in books.world.orders.items() if code.startswith("SOW")]
    assert len({order.associated_ref for order in sold}) == len({order.urn for order in sold}) == 4
    assert all(len(order.urn) <= 10 and order.issued_at for order in sold)
    assert books.by_ref(sold[0].associated_ref) == [sold[0]]


@pytest.mark.parametrize("script", ["wrong_type_missing", "wrong_type_saleable"])
def test_nobody_sells_an_item_whose_level_proves_something(script: str) -> None:
    books = small_books()
    books.world.scripts[RMA] = script
    assert worked(books)[2] == 1
    assert books.world.items[JACKET].available == 10


def test_the_same_seed_sells_the_same() -> None:
    sold = []
    for _ in range(2):
        books = small_books()
        worked(books)
        sold.append([(order.urn, order.lines) for order in books.world.orders.values()])
    assert sold[0] == sold[1]


def test_a_note_that_is_still_to_come_is_not_touched() -> None:
    books = small_books()
    later = NOW + timedelta(seconds=1)
    books.world.notes["CN9"] = Note("CN9", URN, "", "GBP", later, [NoteLine(HAT, 1, 1000, 1000)], made_by="staff")
    assert worked(books)[:2] == (0, 0)
    books.world.now = later
    assert worked(books)[:2] == (1, 0)


def test_a_note_is_allocated_a_whole_day_after_it_was_issued() -> None:
    books = small_books()
    note = Note("CN9", URN, "", "GBP", NOW - DAY, [NoteLine(HAT, 1, 1000, 1000)], stage_id=70, made_by="staff")
    note.issued_at = NOW - DAY + timedelta(seconds=1)
    books.world.notes["CN9"] = note
    assert worked(books)[:2] == (0, 0)
    books.world.now += timedelta(seconds=1)
    assert worked(books)[:2] == (0, 1)
    assert note.is_allocated


def test_the_last_unit_and_what_is_discontinued_are_not_sold() -> None:
    books = small_books()
    books.world.items[HAT].available = 1
    books.world.items[JACKET].is_discontinued = True
    assert worked(books)[2] == 0
    assert [item.available for item in books.world.items.values()] == [10, 1]


def test_a_round_sells_three_units_at_most_each_of_another_item() -> None:
    books = small_books()
    books.world.items = {f"SOCK-{n}": StockItem(f"SOCK-{n}", str(n), "Sock", 500, available=9) for n in range(10)}
    assert worked(books)[2] == SALES_A_ROUND == 3
    assert sorted(item.available for item in books.world.items.values()) == [8] * 3 + [9] * 7


@pytest.mark.parametrize(("every", "sold"), [(DAY, 0), (timedelta(minutes=1), 2)])
def test_how_often_the_shop_sells_on_can_be_chosen(every: timedelta, sold: int) -> None:
    books = small_books()
    staff = Staff(books, every)
    staff.work()
    books.world.now += timedelta(minutes=1)
    assert staff.work()["sold"] == sold


def test_a_sale_is_an_issued_order_of_a_shopper_of_its_own_and_all_of_it_is_kept() -> None:
    books = small_books()
    del books.world.items[JACKET]
    kept: list[object] = []
    told = Books(books.state, lambda *records: kept.extend(records))
    assert worked(told)[2] == 1
    order, hat = list(books.world.orders.values())[-1], books.world.items[HAT]
    shopper = books.world.customers[order.urn]
    assert [(line.stock_code, line.quantity, line.gross_pence, line.vat_percent) for line in order.lines] == [
        (HAT, 1, 1000, 0)
    ]
    assert (order.ordered_at, order.issued_at, hat.moved_at, hat.available) == (NOW, NOW, NOW, 4)
    assert shopper.email.endswith(f"{shopper.urn}@example.com".lower())
    assert all(any(one is record for record in kept) for one in (order, hat, shopper, books.world))
