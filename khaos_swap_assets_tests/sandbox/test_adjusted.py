"""Goods that follow their credit: what is left in truth, and staff who adjust some of it a day after they can."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from khaos_swap_assets.sandbox import adjusted
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import import_document
from khaos_swap_assets.sandbox.khaos_truth import planted
from khaos_swap_assets_tests.sandbox.small import JACKET, NOW, RMA, document, small_books

LEFT = (RMA, JACKET, "sellable")


def credited(reason: str = "3", script: str = "", **rma: Any) -> Books:
    """The jacket was inspected and credited under a reason."""
    books = small_books()
    books.world.rmas[RMA].is_inspected = True
    for name, value in rma.items():
        setattr(books.world.rmas[RMA], name, value)
    if script:
        books.world.scripts[RMA] = script
    asked: Any = document()
    asked["ReturnedItems"][0]["ReturnReason"]["ID"] = reason
    import_document(books, asked)
    return books


@pytest.mark.parametrize(
    ("reason", "rma", "units"),
    [
        ("3", {}, 1),
        ("1", {}, 0),
        ("4", {}, 0),
        ("3", {"is_inspected": False}, 0),
        ("3", {"is_inspected": False, "quality_control_status": "Approved"}, 1),
    ],
)
def test_what_was_credited_without_moving_and_came_back_is_left(reason: str, rma: dict[str, Any], units: int) -> None:
    books = credited(reason, **rma)
    assert adjusted.left(books.world)[LEFT] == units
    told = [(one.kind, one.rma, one.sku) for one in planted(books.world) if one.kind == adjusted.KIND]
    assert told == [(adjusted.KIND, RMA, JACKET)] * units


@pytest.mark.parametrize(
    ("condition", "disposition"), [("Damaged", "damaged"), ("No-Value", "damaged"), ("Missing", "")]
)
def test_it_is_left_where_the_bench_put_it(condition: str, disposition: str) -> None:
    books = credited()
    books.world.rmas[RMA].lines[0].condition = condition
    assert [key[2] for key in adjusted.left(books.world)] == [disposition] * bool(disposition)


def test_staff_adjust_a_day_after_they_can_and_once() -> None:
    books = credited(script=adjusted.WHOLE)
    before = books.world.items[JACKET].available
    assert adjusted.adjust_due(books) == 0
    books.world.now = NOW + timedelta(days=2)
    assert (adjusted.adjust_due(books), adjusted.adjust_due(books)) == (1, 0)
    assert books.world.items[JACKET].available == before + 1
    assert adjusted.left(books.world) == {}


def test_staff_leave_alone_what_nobody_gave_them() -> None:
    books = credited()
    books.world.now = NOW + timedelta(days=9)
    assert adjusted.adjust_due(books) == 0


def test_the_rest_of_the_month_stays_as_it_was() -> None:
    plain, world = build(3, 20), build(3, 20)
    adjusted.add(world)
    assert all(world.rmas[number] == rma for number, rma in plain.rmas.items())
    added = [number for number in world.rmas if number not in plain.rmas]
    assert [world.scripts[number] for number in added] == [adjusted.WHOLE] * 3 + [adjusted.HALF]
