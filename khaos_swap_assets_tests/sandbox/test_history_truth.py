"""What must be open about returns of real history, told from a small world by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder, UnitClaim, over_refunds, over_returns
from khaos_swap_assets.sandbox.history_truth import plants
from khaos_swap_assets.sandbox.world import RmaLine, StockItem, World, WorldLine
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
    world.items |= {code: StockItem(code, code, "Hat", 1000) for code in ("WOOL-HAT-X", twin)}
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


Refund = tuple[int, list[tuple[str, int, int]]]
"""The minute of a refund, and its rows: code, units, pence."""


def a_shop(sold: list[tuple[str, int, int]], *refunds: Refund) -> World:
    """One order of these lines (code, units, pence), and its returns RMA-1, RMA-2, … each with its rows."""
    world = small_world()
    (order,) = world.orders.values()
    order.lines = [WorldLine(code, units, pence, 20, str(at)) for at, (code, units, pence) in enumerate(sold)]
    world.items |= {code: StockItem(code, code, code, 100) for code, _, _ in sold}
    plain, world.rmas = world.rmas[RMA], {}
    for number, (minute, rows) in enumerate(refunds, start=1):
        lines = [line(code, units, pence) for code, units, pence in rows]
        made = replace(plain, rma_number=f"RMA-{number}", return_id=f"ret_{number}", lines=lines)
        made.closed_at, made.refund_pence = NOW + timedelta(minutes=minute), sum(pence for _, _, pence in rows)
        world.rmas[made.rma_number] = made
    return world


def over(world: World) -> list[str]:
    return [one.rma for one in plants(world) if one.kind == "over_return"]


SHIRTS = [("SHIRT", 2, 4685)]


@pytest.mark.parametrize(
    ("sold", "refunds", "blamed"),
    [
        (SHIRTS, [(1, [("SHIRT", 1, 2343)]), (2, [("SHIRT", 1, 2342)])], []),
        (SHIRTS, [(1, [("SHIRT", 1, 2342)]), (2, [("SHIRT", 1, 2343)])], []),
        (SHIRTS, [(1, [("SHIRT", 1, 2344)])], ["RMA-1"]),
        (SHIRTS, [(1, [("SHIRT", 1, 2343)]), (2, [("SHIRT", 1, 2343)])], ["RMA-2"]),
        (SHIRTS, [(2, [("SHIRT", 1, 2343)]), (1, [("SHIRT", 1, 2343)])], ["RMA-1"]),
        (SHIRTS, [(1, [("SHIRT", 1, 2343)]), (1, [("SHIRT", 1, 2343)])], ["RMA-2"]),
        (SHIRTS, [(1, [("SHIRT", 1, 2499), ("SHIRT", 1, 2186)])], []),
        (SHIRTS, [(1, [("SHIRT", 1, 2499), ("SHIRT", 1, 2187)])], ["RMA-1"]),
        (SHIRTS, [(1, [("SHIRT", 2, 0)]), (2, [("SHIRT", 2, 4685)])], []),
        (SHIRTS, [(1, [("SHIRT", 1, 2400)]), (2, [("SHIRT", 1, 2285)])], ["RMA-1"]),
        ([("SHIRT", 1, 1000), ("SHIRT", 1, 2000)], [(1, [("SHIRT", 1, 2000)]), (2, [("SHIRT", 1, 1000)])], []),
        ([("SHIRT", 1, 1000), ("SHIRT", 1, 2000)], [(1, [("SHIRT", 1, 2001)])], ["RMA-1"]),
        ([("SHIRT", 1, 1000), ("CAP", 1, 2000)], [(1, [("SHIRT", 1, 1001), ("CAP", 1, 1999)])], ["RMA-1"]),
        ([("SHIRT", 3, 0)], [(1, [("SHIRT", 1, 1)])], ["RMA-1"]),
        ([("SHIRT", 80_995, 16_846_960)], [(1, [("SHIRT", 80_995, 16_846_960)])], []),
        ([("SHIRT", 80_995, 16_846_960)], [(1, [("SHIRT", 80_995, 16_846_961)])], ["RMA-1"]),
    ],
    ids=[
        "U-26: both halves pass",
        "the cheaper half first",
        "a penny above the dearer half",
        "twice the dearer half",
        "the later is blamed, whatever its number",
        "of one moment the greater number is later",
        "a row too dear, beside one as much too cheap",
        "rows a penny too dear together",
        "a return without a refund takes nothing",
        "what one took too much is not there for the next, which fits",
        "the dearest price counts first",
        "above the dearest",
        "another code makes up for nothing",
        "sold for nothing",
        "thousands",
        "a penny above thousands",
    ],
)
def test_more_money_than_was_paid_is_over(
    sold: list[tuple[str, int, int]], refunds: list[Refund], blamed: list[str]
) -> None:
    assert over(a_shop(sold, *refunds)) == blamed


def test_the_truth_says_how_much_is_over() -> None:
    plain = [(1, [("SHIRT", 3, 100), ("CAP", 1, 1001)])]
    (plant,) = plants(a_shop([*SHIRTS, ("CAP", 1, 1000)], *plain))
    assert plant.why == (
        "1001 pence went back for 1 of CAP, 1000 at most were paid for as many; 3 of SHIRT came back, 2 were sold"
    )


CODES = st.sampled_from(["SHIRT", "CAP"])
ROWS = st.lists(st.tuples(CODES, st.integers(1, 3), st.integers(0, 900)), min_size=1, max_size=3)


@given(
    st.lists(st.tuples(CODES, st.integers(1, 4), st.integers(0, 1000)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), ROWS), min_size=1, max_size=5),
)
def test_the_rule_of_the_product_names_the_same_returns(
    sold: list[tuple[str, int, int]], refunds: list[Refund]
) -> None:
    world = a_shop(sold, *refunds)
    claims = [
        UnitClaim(rma.return_id, rma.rma_number, rma.closed_at, row.sku, row.quantity, row.cost_pence)
        for rma in world.rmas.values()
        for row in rma.lines
        if rma.refund_pence and row.sku in world.items
    ]
    lines = tuple(OrderLine(at, code, units, pence) for at, (code, units, pence) in enumerate(sold))
    order = SalesOrder("SO1", "", "", "GBP", None, None, False, 0, lines)
    named = {return_id for return_id, _ in over_returns(claims, order.sold) | over_refunds(claims, order).keys()}
    assert {rma.replace("RMA-", "ret_") for rma in over(world)} == named


def test_a_code_with_a_comma_is_there_and_nobody_can_ask_for_it() -> None:
    world = a_shop([("A,B", 1, 1000), ("A.C", 1, 1000)], (1, [("A,B", 2, 3000)]), (2, [("A.C", 1, 1000)]))
    world.items["C,D"] = StockItem("C,D", "C,D", "Never returned", 100)
    assert found(world) == [
        ("record_unreadable", "", "A,B"),
        ("record_unreadable", "", "C,D"),
        ("sku_unknown", "RMA-1", "A,B"),
    ]


def test_codes_with_a_comma_make_no_sku_ambiguous() -> None:
    world = a_shop([("A,B", 1, 1000), ("a.b", 1, 1000), ("A-B", 1, 1000)], (1, [("AB", 1, 1000)]))
    assert ("sku_ambiguous", "RMA-1", "AB") in found(world)
    del world.items["a.b"]
    assert ("sku_unknown", "RMA-1", "AB") in found(world)


@pytest.mark.parametrize(
    "code", ["1;2", 'q"uote', "q'uote", " lead", "trail ", "Ünï", "日本", "x&y<z>", "a\\b", "tab\there"]
)
def test_any_other_code_is_a_code(code: str) -> None:
    world = a_shop([(code, 2, 500), (code.swapcase() + "X", 1, 900)], (1, [(code, 1, 250)]), (2, [(code, 1, 251)]))
    assert found(world) == [("over_return", "RMA-2", "")]
