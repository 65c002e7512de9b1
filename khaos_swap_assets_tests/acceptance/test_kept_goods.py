"""Goods that the customer keeps: credited by line, without an inspection, and no stock moves (swap.md §8.2, §14).

Belongs here: each way in which Swap shows them. Stays out: what the warehouse finds of goods that travel.
"""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets_tests.acceptance.conftest import Merchant, settings
from khaos_swap_assets_tests.acceptance.swap_wire import Json, closed, product

KEPT = "4"
NOT_BACK = {"quality_control_status": "Pending", "delivered_date": "N/A", "delivery_status": "N/A"}


@pytest.fixture
def keeping(merchant: Merchant) -> Merchant:
    """A merchant with a return reason for kept goods."""
    merchant.settings = settings(khaos={"reason_kept": KEPT})
    return merchant


def reasons(document: Json) -> dict[str, str]:
    """Return reason by SKU."""
    return {item["SKU"]: item["ReturnReason"]["ID"] for item in document["ReturnedItems"]}


def given(merchant: Merchant) -> list[Json]:
    """What the channel is given after a run."""
    merchant.sync(minutes=10)
    return merchant.collects()


@pytest.mark.parametrize(
    "shown",
    [
        {"delivery_status": "Green return"},
        {"delivery_status": "GREEN RETURN"},
        {"tags": "vip, Keep the item"},
        {"products": [product(tags="Return not required")]},
        {"products": [product(tags="sale, keep the item")]},
    ],
)
def test_kept_goods_wait_for_no_inspection_and_move_no_stock(shown: dict[str, Any], keeping: Merchant) -> None:
    keeping.trades(closed(1, **NOT_BACK | shown))
    (document,) = given(keeping)
    assert (reasons(document), document["ReturnedItems"][0]["UnitPrice"]["Gross"]) == ({"HAT": KEPT}, 10)
    keeping.books.take(document)
    assert keeping.books.levels == {"HAT": 10}
    keeping.sync(days=60)
    told = {kind for kind, *_ in keeping.open_exceptions()}
    assert told & {"inspection_overdue", "stock_not_returned", "damaged_in_saleable", "kept_unclear"} == set()
    assert keeping.postings() == {"RMA1": "confirmed"}


def test_missing_shipments_alone_are_no_sign(keeping: Merchant) -> None:
    keeping.trades(closed(1, **NOT_BACK, return_shipments=[]))
    assert given(keeping) == []


def test_a_return_of_kept_and_returned_goods_is_judged_by_line(keeping: Merchant) -> None:
    lines = [product("HAT", 10.0, tags="Keep the item"), product("CAP", 20.0)]
    keeping.trades(closed(1, *lines, **NOT_BACK))
    for document in given(keeping):
        assert reasons(document) == {"HAT": KEPT}
        keeping.books.take(document)
    keeping.swaps.put(closed(1, *lines, date_updated="10 Mar 2026, 12:30:00"))
    for document in given(keeping):
        keeping.books.take(document)
    keeping.sync(minutes=10)
    credited = [line for one in keeping.books.documents.values() if one.is_note for line in one.lines]
    assert sorted((sku, units, int(price)) for sku, units, price in credited) == [("CAP", 1, 20), ("HAT", 1, 10)]
    assert keeping.books.levels == {"HAT": 10, "CAP": 11}
    assert keeping.open_exceptions() == []


def test_without_a_reason_it_is_a_task_and_no_document(merchant: Merchant) -> None:
    merchant.trades(closed(1, **NOT_BACK | {"delivery_status": "Green return"}))
    assert given(merchant) == []
    assert merchant.open_exceptions() == [("kept_without_reason", "finance", "RMA1", 1000)]


def test_a_line_that_is_kept_and_travels_is_asked_of_cx(keeping: Merchant) -> None:
    parcel = {"shipment_id": "s1", "label_type": "label", "items": [product()]}
    green = {"delivery_status": "Green return", "return_shipments": [parcel]}
    keeping.trades(closed(1, **NOT_BACK | green))
    assert given(keeping) == []
    assert [(kind, owner, rma) for kind, owner, rma, _ in keeping.open_exceptions()] == [("kept_unclear", "cx", "RMA1")]
