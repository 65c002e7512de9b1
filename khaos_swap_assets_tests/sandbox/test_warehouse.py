"""The warehouse's bench: each inspection is posted once, at its time, under an id that stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.warehouse import Warehouse, warehouse_client
from khaos_swap_assets.sandbox.world import RmaLine
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, Gateway, small_books


def bench(gateway: Gateway, books: Books) -> Warehouse:
    return Warehouse(books, warehouse_client("http://gateway", "token", gateway.transport()))


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
