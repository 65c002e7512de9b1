"""What must be open about returns of real history, told from a small world by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from khaos_swap_assets.sandbox.history_truth import plants
from khaos_swap_assets.sandbox.world import Item, RmaLine, World
from khaos_swap_assets_tests.sandbox.small import HAT, JACKET, NOW, RMA, small_world


def a_world(*lines: RmaLine, refund: int = 8499) -> World:
    """The small world with its return closed and refunded."""
    world = small_world()
    rma = world.rmas[RMA]
    rma.closed_at, rma.refund_pence = NOW, refund
    if lines:
        rma.lines = list(lines)
    return world


def line(sku: str = JACKET, quantity: int = 1, pence: int = 8499) -> RmaLine:
    return RmaLine(f"prd_{sku}", "111", sku, quantity, pence)


def found(world: World) -> list[tuple[str, str, str]]:
    return [(one.kind, one.rma, one.sku) for one in plants(world)]


def test_a_return_that_adds_up_plants_nothing() -> None:
    assert found(a_world()) == []


def test_a_refund_of_zero_asks_nothing_of_anyone() -> None:
    world = a_world(line("NEVER-SOLD", pence=0), refund=0)
    world.rmas[RMA].order_name = "#GONE"
    assert found(world) == []


def test_a_sku_that_was_never_sold_is_unknown() -> None:
    assert ("sku_unknown", RMA, "NEVER-SOLD") in found(a_world(line("NEVER-SOLD")))


@pytest.mark.parametrize("twin", ["wool hat x", "WOOL.HAT.X", "WoolHatX"])
def test_a_sku_that_two_codes_spell_alike_is_ambiguous(twin: str) -> None:
    world = a_world(line("WOOLHAT-X"))
    world.items |= {code: Item(code, code, "Hat", 1000) for code in ("WOOL-HAT-X", twin)}
    assert found(world)[0] == ("sku_ambiguous", RMA, "WOOLHAT-X")


def test_an_order_that_is_gone_is_not_found() -> None:
    world = a_world()
    world.rmas[RMA].order_name = "#GONE"
    assert found(world) == [("order_not_found", RMA, "")]


def test_an_order_sold_to_nobody_has_no_customer() -> None:
    world = a_world()
    for order in world.orders.values():
        order.urn = ""
    assert found(world) == [("customer_unknown", RMA, "")]


@pytest.mark.parametrize("off", [-1, 1, 500])
def test_a_refund_that_its_lines_do_not_explain_is_said(off: int) -> None:
    assert found(a_world(refund=8499 + off)) == [("refund_not_explained", RMA, "")]


@pytest.mark.parametrize(("units", "is_over"), [(2, False), (3, True)])
def test_more_than_was_sold_is_over(units: int, is_over: bool) -> None:
    kinds = [kind for kind, _, _ in found(a_world(line(quantity=units)))]
    assert ("over_return" in kinds) is is_over


def test_units_of_an_earlier_return_count_and_the_later_one_is_blamed() -> None:
    world = a_world(line(HAT, 1, 1000), refund=1000)
    later = replace(world.rmas[RMA], rma_number="RMA-2", return_id="ret_2", closed_at=NOW + timedelta(minutes=1))
    world.rmas = {"RMA-2": later, **world.rmas}
    assert found(world) == [("over_return", "RMA-2", "")]
    world.rmas["RMA-2"].closed_at = NOW - timedelta(minutes=1)
    assert found(world) == [("over_return", RMA, "")]


def test_what_is_unknown_is_not_also_over() -> None:
    assert "over_return" not in [kind for kind, _, _ in found(a_world(line("NEVER-SOLD", quantity=9)))]
