from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.staff import Staff
from khaos_swap_assets.sandbox.warehouse import Warehouse, warehouse_client
from khaos_swap_assets.sandbox.world import Note, NoteLine, Plant, RmaLine
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, URN, Gateway, document, small_books

DAY = timedelta(days=1)


def bench(gateway: Gateway, books: Books) -> Warehouse:
    return Warehouse(books, warehouse_client("http://gateway", "token", gateway.transport()))


def worked(books: Books) -> tuple[int, int, int]:
    done = Staff(books).work()
    return done["issued"], done["allocated"], done["sold"]


def test_a_due_inspection_is_posted_once() -> None:
    books, gateway = small_books(), Gateway()
    warehouse = bench(gateway, books)
    assert [warehouse.post_due(), warehouse.post_due()] == [(1, []), (0, [])]
    assert gateway.posts == [
        (
            "/inspections",
            {
                "inspection_id": f"INS-{RMA}-prd_1",
                "rma": RMA,
                "sku": JACKET,
                "line_item_id": "111",
                "condition": "Sellable",
                "quantity": 1,
                "inspected_at": "2026-07-03T09:00:00+00:00",
                "inspected_by": "warehouse-bench-1",
            },
        )
    ]


def test_an_inspection_is_not_posted_before_its_time() -> None:
    books, gateway = small_books(), Gateway()
    books.world.rmas[RMA].inspect_at = NOW + timedelta(seconds=1)
    assert bench(gateway, books).post_due() == (0, [])


@pytest.mark.parametrize("trouble", ["down", "refused"])
def test_an_inspection_is_repeated_under_the_same_id(trouble: str) -> None:
    books, gateway = small_books(), Gateway()
    warehouse = bench(gateway, books)
    gateway.is_down, gateway.post_status = trouble == "down", 500
    posted, problems = warehouse.post_due()
    assert (posted, len(problems)) == (0, 1)
    gateway.is_down, gateway.post_status = False, 200
    assert warehouse.post_due() == (1, [])
    assert {body["inspection_id"] for _, body in gateway.posts} == {f"INS-{RMA}-prd_1"}


def test_a_row_without_condition_is_never_found() -> None:
    books, gateway = small_books(), Gateway()
    books.world.rmas[RMA].lines.append(RmaLine("prd_2", "112", HAT, 1, 1000, condition=""))
    assert bench(gateway, books).post_due() == (1, [])


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
