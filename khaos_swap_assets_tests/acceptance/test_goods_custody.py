"""Every returned unit is in one place, every movement comes to nothing, and what the storefront restocked is told.

Belongs here: places after each step under both policies (U-27), and what the storefront took back. Stays out: which
document or task follows a finding (``test_goods_inspected``).
"""

from __future__ import annotations

from typing import Any

import pytest

from khaos_swap_assets.domain.refunds.payments import RefundLine
from khaos_swap_assets_tests.acceptance.swap_wire import closed, product
from khaos_swap_assets_tests.acceptance.warehouse import UNSEEN, Warehouse, goods_settings, warehouse
from khaos_swap_assets_tests.stages.storefront.shop import CONNECTED

__all__ = ["warehouse"]
RESTOCKED = "storefront_restocked"
OPEN = {
    "return_status": "Open",
    "rma_processed": "N/A",
    "date_closed": "N/A",
    "total_refund_value_customer_currency": 0,
}
SHOP_KEEPS = CONNECTED.model_copy(update={"stock_master": "storefront"})


def test_swap_says_where_units_are_until_the_bench_does(warehouse: Warehouse) -> None:
    away: dict[str, Any] = {"delivered_date": "N/A"}
    warehouse.expects(1, product("HAT", 20.0, 2), **OPEN, **away, delivery_status="Pre-Transit")
    warehouse.expects(2, product("CAP", 20.0, 2), **OPEN, **away, delivery_status="In-Transit")
    warehouse.expects(3, product("TIE", 20.0, 2), **OPEN)
    warehouse.expects(4, product("BAG", 20.0, 2), tags="Keep the item", **away, delivery_status="N/A")
    warehouse.sync()
    assert [warehouse.places(number) for number in (1, 2, 3, 4)] == [
        {}, {"in_transit": 2}, {"received": 2}, {"kept": 2},
    ]  # fmt: skip
    for number, sku in ((2, "CAP"), (3, "TIE")):
        warehouse.swaps.put(closed(number, product(sku, 20.0, 2), **UNSEEN))
    warehouse.sync(minutes=10)
    assert (warehouse.places(2), warehouse.places(3)) == ({"received": 2}, {"received": 2})


@pytest.mark.parametrize(
    ("found", "before", "after"),
    [
        ({"Sellable": 3}, {"inspected": 3}, {"available": 3}),
        ({"Sellable": 1, "Damaged": 2}, {"inspected": 3}, {"available": 1, "non_saleable": 2}),
        ({"No-Value": 2, "Missing": 1}, {"inspected": 2, "lost": 1}, {"non_saleable": 2, "lost": 1}),
        ({"Sellable": 5}, {"inspected": 3, "at_the_bench": 2}, {"available": 3, "at_the_bench": 2}),
    ],
)
def test_a_document_carries_each_unit_where_the_bench_found_it_belongs(
    warehouse: Warehouse, found: dict[str, int], before: dict[str, int], after: dict[str, int]
) -> None:
    warehouse.expects(1, product("HAT", 30.0, 3))
    for condition, units in found.items():
        warehouse.finds(1, condition, units)
    warehouse.sync(minutes=10)
    assert warehouse.places() == before
    warehouse.settles()
    assert warehouse.places() == after
    assert warehouse.books.levels["HAT"] == 10 + after.get("available", 0)


def test_what_waits_for_a_person_lies_at_the_bench(warehouse: Warehouse) -> None:
    warehouse.expects(1, product("HAT", 30.0, 3))
    warehouse.finds(1, "Wrong-Item", 1)
    warehouse.finds(1, "Sellable", 1)
    warehouse.finds(1, "Pending", 1)
    warehouse.settles()
    assert warehouse.places() == {"at_the_bench": 1, "inspected": 1, "received": 1}


def test_credit_first_goods_stay_inspected_until_the_level_shows_them(warehouse: Warehouse) -> None:
    warehouse.settings = goods_settings(legs_policy="credit_first")
    warehouse.expects(1, product("HAT", 30.0, 3))
    warehouse.settles()
    assert warehouse.places() == {"received": 3}
    warehouse.finds(1, "Sellable", 1)
    warehouse.finds(1, "Damaged", 1)
    warehouse.finds(1, "Missing", 1)
    for _ in range(3):
        warehouse.sync(minutes=20)
    assert warehouse.places() == {"inspected": 2, "lost": 1}
    warehouse.books.levels["HAT"] += 1
    warehouse.sync(minutes=20)
    assert warehouse.places() == {"inspected": 1, "lost": 1, "available": 1}
    warehouse.books.aside["HAT"] += 1
    warehouse.sync(minutes=20)
    assert warehouse.places() == {"lost": 1, "available": 1, "non_saleable": 1}


def test_a_correction_is_a_movement_back_and_nothing_is_ever_edited(warehouse: Warehouse) -> None:
    warehouse.expects(1)
    warehouse.finds(1, "Sellable")
    warehouse.settles()
    moves = "SELECT movement_id, from_place, to_place, units FROM recon.custody_movements ORDER BY 1"
    before = warehouse.ask(moves)
    warehouse.corrects("1-HAT-Sellable", "Damaged")
    for _ in range(3):
        warehouse.sync(minutes=20)
    assert warehouse.places() == {"available": 1}
    warehouse.books.levels["HAT"] -= 1
    warehouse.sync(minutes=20)
    assert warehouse.places() == {"inspected": 1}
    warehouse.books.aside["HAT"] += 1
    warehouse.sync(minutes=20)
    assert warehouse.places() == {"non_saleable": 1}
    assert warehouse.ask(moves)[: len(before)] == before


def test_a_loss_counts_as_lost_until_a_person_accepts_it(warehouse: Warehouse) -> None:
    """U-27: missing parcel refunded: stock 0, loss to claims."""
    warehouse.expects(1, product("HAT", 30.0, 3))
    warehouse.finds(1, "Missing", 3)
    warehouse.settles()
    assert (warehouse.places(), warehouse.books.levels["HAT"]) == ({"lost": 3}, 10)
    (one,) = warehouse.told("stock_not_returned")
    assert (one["money_at_risk_pence"], one["owner"]) == (3000, "operations")
    waived = warehouse.says("exceptions", "waive", str(one["exception_id"]), "--by", "Kim Ash", "--reason", "no claim")
    assert waived.exit_code == 0, waived.output
    warehouse.settles()
    assert warehouse.places() == {"written_off": 3}


def test_swap_s_own_missing_moves_nothing(warehouse: Warehouse) -> None:
    """It says so by itself after 48 hours (swap.md §4): the parcel lies where it was delivered."""
    warehouse.expects(1, product("HAT", 20.0, 2), quality_control_status="Missing")
    warehouse.settles()
    assert (warehouse.places(), warehouse.given) == ({"received": 2}, {})
    warehouse.finds(1, "Sellable", 2)
    warehouse.settles()
    assert (warehouse.places(), warehouse.books.levels["HAT"]) == ({"available": 2}, 12)
    assert warehouse.open_exceptions() == [("inspection_disputed", "operations", "RMA1", 2000)]


def test_what_was_shelved_because_swap_said_so_stands_apart_until_somebody_looked(warehouse: Warehouse) -> None:
    warehouse.expects(1, quality_control_status="Approved")
    warehouse.settles()
    assert warehouse.places() == {"available_unseen": 1}
    warehouse.finds(1, "Sellable")
    warehouse.settles()
    assert (warehouse.places(), warehouse.open_exceptions()) == ({"available": 1}, [])


def test_an_edited_return_takes_its_units_with_it(warehouse: Warehouse) -> None:
    """Removing an item recalculates the return, so lines can shrink (swap.md §8.2)."""
    warehouse.expects(1, product("HAT", 20.0, 2), product("CAP"), **OPEN)
    warehouse.sync()
    assert warehouse.places() == {"received": 3}
    fewer = closed(1, product("HAT", 10.0, 1), **OPEN | UNSEEN | {"date_updated": "10 Mar 2026, 12:05:00"})
    warehouse.swaps.put(fewer)
    warehouse.sync(minutes=10)
    assert warehouse.places() == {"received": 1}


def restocks(warehouse: Warehouse, number: int, how: str, sku: str, units: int = 2) -> None:
    """RMA<number> of some units, refunded in the shop, whose line the shop restocked in this way."""
    warehouse.expects(number, product(sku, 10.0 * units, units))
    line = RefundLine(f"line_{sku}", sku, units, 1000 * units, 167 * units, how, "77" if "NO" not in how else "")
    warehouse.shop.pay(number, 1000 * units, payment=f"T{number}", lines=(line,), order_id=f"59{number}")


TYPES = ("RETURN", "LEGACY_RESTOCK", "NO_RESTOCK", "CANCEL")


def told(warehouse: Warehouse) -> dict[str, int]:
    """RMA and pence of what the shop restocked behind somebody's back."""
    return {row["subject"].split("/")[0]: row["money_at_risk_pence"] for row in warehouse.told(RESTOCKED)}


def test_where_khaos_keeps_the_stock_nothing_may_be_restocked_in_the_shop(warehouse: Warehouse) -> None:
    """LEGACY_RESTOCK: restocked without being told as a return or a cancellation (Shopify). CANCEL never travelled."""
    warehouse.settings = goods_settings(storefront=CONNECTED)
    for number, how in enumerate(TYPES, 1):
        restocks(warehouse, number, how, f"S{number}")
    warehouse.runs()
    assert told(warehouse) == {"RMA1": 2000, "RMA2": 2000}
    assert {row["owner"] for row in warehouse.told(RESTOCKED)} == {"operations"}
    assert "2 x S1 at location 77" in next(r["message"] for r in warehouse.told(RESTOCKED) if "S1" in r["message"])
    for number in (1, 2, 3, 4):
        warehouse.finds(number, "Sellable", 2, f"S{number}")
    warehouse.runs()
    assert told(warehouse) == {"RMA1": 2000, "RMA2": 2000}


def test_where_the_shop_keeps_it_only_what_the_bench_found_sellable_may_be_restocked(warehouse: Warehouse) -> None:
    warehouse.settings = goods_settings(storefront=SHOP_KEEPS)
    for number, how in enumerate(("RETURN", "LEGACY_RESTOCK", "RETURN", "RETURN", "NO_RESTOCK"), 1):
        restocks(warehouse, number, how, f"S{number}")
    warehouse.runs()
    assert told(warehouse) == {f"RMA{number}": 2000 for number in (1, 2, 3, 4)}
    warehouse.finds(1, "Sellable", 2, "S1")
    warehouse.finds(2, "Sellable", 2, "S2")
    warehouse.finds(3, "Sellable", 1, "S3")
    warehouse.finds(3, "Damaged", 1, "S3")
    warehouse.finds(4, "Missing", 2, "S4")
    warehouse.runs()
    assert told(warehouse) == {"RMA3": 1000, "RMA4": 2000}
