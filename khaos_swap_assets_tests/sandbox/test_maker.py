"""The bricks of an invented month: money that adds up, moments in their order, and records that name each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.sandbox import catalogue
from khaos_swap_assets.sandbox.generator import STORE_ID, ended_month
from khaos_swap_assets.sandbox.maker import LONDON, Maker, net_of, order_ref, part_of, unit_list_pence
from khaos_swap_assets.sandbox.world import Order, StockItem, World, WorldLine

NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)
MONTH = ended_month(NOW)
FIRST = datetime(2026, 6, 4, tzinfo=LONDON)
FIRST_DAY = FIRST.date()
SEEDS = st.integers(0, 10_000)
FEW = range(12)


def maker_of(seed: int = 1, post_from: date | None = FIRST_DAY) -> Maker:
    rng = Random(seed)
    world = World(seed, NOW, STORE_ID, post_from=post_from)
    world.items = {item.stock_code: item for item in catalogue.stock_items(rng, MONTH[0])}
    return Maker(world, rng, MONTH)


def sold(quantity: int, gross_pence: int, code: str = "HAT") -> WorldLine:
    return WorldLine(code, quantity, gross_pence, 20, "111")


@pytest.mark.parametrize(("name", "ref"), [("#LX10482", "KCCLX10482"), ("LX10482", "KCCLX10482"), ("#", "KCC")])
def test_the_channel_calls_an_order_by_its_name_without_the_hash(name: str, ref: str) -> None:
    assert order_ref(name) == ref


@pytest.mark.parametrize(
    ("gross", "percent", "net"),
    [(5999, 20, 4999), (2499, 20, 2083), (999, 20, 833), (1000, 0, 1000), (395, 20, 329), (2100, 5, 2000), (0, 20, 0)],
)
def test_the_net_part_is_rounded_half_up(gross: int, percent: int, net: int) -> None:
    assert net_of(gross, percent) == net


@given(st.integers(1, 50), st.integers(0, 100_000), st.data())
def test_parts_of_a_line_never_cost_more_than_the_line_and_all_of_it_costs_all(
    quantity: int, gross: int, data: st.DataObject
) -> None:
    line = sold(quantity, gross)
    some = data.draw(st.integers(0, quantity))
    assert 0 <= gross - part_of(line, some) - part_of(line, quantity - some) <= 1
    assert part_of(line, quantity) == gross


@pytest.mark.parametrize(
    ("currency", "quantity", "gross", "listed"),
    [("GBP", 2, 1800, 1000), ("GBP", 2, 2001, 1001), ("EUR", 1, 1000, 1180), ("EUR", 3, 4000, 1334)],
)
def test_the_list_price_is_never_below_what_a_unit_cost(currency: str, quantity: int, gross: int, listed: int) -> None:
    world = World(1, NOW, STORE_ID, items={"HAT": StockItem("HAT", "1", "Hat", 1000)})
    line = sold(quantity, gross)
    order = Order("SO1", "KCC1", "#1", "1", "U1", currency, NOW, [line])
    assert unit_list_pence(world, order, line) == listed


@given(SEEDS, st.booleans())
def test_a_return_passes_its_stations_in_order_within_its_part_of_the_month(seed: int, before_start: bool) -> None:
    maker = maker_of()
    maker.rng = Random(seed)
    at = maker.times(before_start=before_start)
    assert at.ordered_at < at.created_at < at.delivered_at < at.refunded_at
    assert at.delivered_at < at.inspect_at
    assert (MONTH[0] <= at.refunded_at < FIRST) if before_start else (FIRST <= at.refunded_at < MONTH[1])
    assert {one.microsecond for one in (at.ordered_at, at.created_at, at.delivered_at, at.inspect_at)} == {0}


def test_without_a_first_day_of_posting_the_whole_month_is_posted() -> None:
    maker = maker_of(post_from=None)
    assert all(MONTH[0] <= maker.times().refunded_at < MONTH[1] for _ in range(50))


@given(SEEDS, st.integers(0, 5_000))
def test_a_moment_is_a_whole_second_of_its_span(seed: int, seconds: int) -> None:
    maker = maker_of()
    maker.rng = Random(seed)
    after = (maker.moment(NOW, NOW + timedelta(seconds=seconds)) - NOW).total_seconds()
    assert after == int(after)
    assert 0 <= after < max(1, seconds)


def test_each_customer_has_a_urn_of_their_own_that_khaos_can_hold() -> None:
    maker = maker_of()
    made = [maker.customer(), maker.customer("EUR"), maker.customer()]
    assert list(maker.world.customers.values()) == made
    assert [one.currency for one in made] == ["GBP", "EUR", "GBP"]
    assert len({one.urn for one in made}) == 3
    assert all(0 < len(one.urn) <= 10 for one in made)


def test_an_item_of_its_own_is_never_in_a_basket() -> None:
    maker = maker_of()
    lone, gone = maker.item("LONE", barcode="5060000077446"), maker.item("GONE", is_discontinued=True)
    assert (maker.world.items["LONE"], maker.world.items["GONE"]) == (lone, gone)
    assert (lone.barcode, lone.is_discontinued, gone.is_discontinued) == ("5060000077446", False, True)
    assert lone.stock_id != gone.stock_id
    bought = {item.stock_code for _ in range(200) for item, _ in maker.basket()}
    assert not bought & {"LONE", "GONE"}


def test_what_is_discontinued_is_never_in_a_basket() -> None:
    made = maker_of()
    world = made.world
    kept = sorted(world.items)[:4]
    for code, item in world.items.items():
        item.is_discontinued = code not in kept
    maker = Maker(world, Random(1), MONTH)
    assert {item.stock_code for item, _ in maker.basket(4)} == set(kept)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_basket_holds_distinct_items(size: int) -> None:
    basket = maker_of().basket(size)
    assert len({item.stock_code for item, _ in basket}) == len(basket) == size
    assert all(1 <= quantity <= 3 for _, quantity in basket)


@pytest.mark.parametrize("currency", ["GBP", "EUR"])
@pytest.mark.parametrize("seed", FEW)
def test_an_order_is_invoiced_and_sold_at_its_list_price_less_one_discount(seed: int, currency: str) -> None:
    maker = maker_of(seed)
    customer, basket = maker.customer(currency), maker.basket(4)
    order = maker.order(customer, basket, NOW)
    assert maker.world.orders == {order.so_code: order}
    assert (order.urn, order.currency, order.associated_ref) == (customer.urn, currency, order_ref(order.order_name))
    assert (order.issued_at, order.stage_id, bool(order.invoice_code)) == (NOW + timedelta(days=1), 70, True)
    full = [
        quantity * (item.unit_gross_pence * (118 if currency == "EUR" else 100) // 100) for item, quantity in basket
    ]
    off = {round(100 - 100 * line.gross_pence / paid) for line, paid in zip(order.lines, full, strict=True)}
    assert len(off) == 1
    assert off <= {0, 10, 15}
    assert [(line.stock_code, line.quantity) for line in order.lines] == [(item.stock_code, n) for item, n in basket]


def test_two_orders_share_no_name_and_no_line() -> None:
    maker = maker_of()
    orders = [maker.order(maker.customer(), maker.basket(3), NOW) for _ in range(20)]
    for names in (
        [order.so_code for order in orders],
        [order.order_name for order in orders],
        [order.order_id for order in orders],
        [order.invoice_code for order in orders],
        [line.line_item_id for order in orders for line in order.lines],
    ):
        assert len(set(names)) == len(names)


def test_orders_may_be_numbered_from_another_number() -> None:
    first = maker_of()
    later = Maker(first.world, first.rng, MONTH, first_order=100_000)
    names = {maker.order(maker.customer(), maker.basket(), NOW).order_name for maker in (first, later)}
    assert names == {"#LX10401", "#LX110401"}


@pytest.mark.parametrize("seed", FEW)
def test_no_more_is_picked_than_was_sold(seed: int) -> None:
    maker = maker_of(seed)
    order = maker.order(maker.customer(), maker.basket(), NOW)
    picks = maker.picks(order)
    assert len({line.line_item_id for line, _ in picks}) == len(picks) >= 1
    assert all(line in order.lines and 1 <= quantity <= line.quantity for line, quantity in picks)


@pytest.mark.parametrize(("currency", "ending"), [("GBP", "01001"), ("EUR", "01001-EU")])
def test_a_return_names_its_order_and_costs_what_its_units_cost(currency: str, ending: str) -> None:
    maker = maker_of()
    order = maker.order(maker.customer(currency), maker.basket(2), NOW)
    picks = [(line, line.quantity) for line in order.lines]
    rma = maker.rma(order, picks, NOW)
    assert maker.world.rmas == {rma.rma_number: rma}
    assert maker.last_rma() is rma
    assert rma.rma_number == f"RMA-2026-{ending}"
    assert (rma.order_name, rma.order_id, rma.urn) == (order.order_name, order.order_id, order.urn)
    assert (rma.status, rma.refund_pence, rma.currency) == ("Open", 0, currency)
    assert [(row.line_item_id, row.sku, row.quantity, row.cost_pence) for row in rma.lines] == [
        (line.line_item_id, line.stock_code, line.quantity, line.gross_pence) for line in order.lines
    ]
    assert all(row.is_faulty is (row.reason == "Faulty") for row in rma.lines)


def test_the_refund_of_a_closed_return_is_its_refund_lines_less_the_fee() -> None:
    maker = maker_of()
    order = maker.order(maker.customer(), maker.basket(3), NOW)
    rma = maker.rma(order, [(line, 1) for line in order.lines], NOW)
    rma.lines[1].outcome = "Exchange"
    at = maker.times()
    closed = maker.close(rma, at, fee=295)
    assert closed is rma
    assert rma.refund_pence == rma.lines[0].cost_pence + rma.lines[2].cost_pence - 295
    assert (rma.handling_fee_pence, rma.status, rma.delivery_status) == (295, "Closed", "Delivered")
    assert (rma.delivered_at, rma.inspect_at) == (at.delivered_at, at.inspect_at)
    assert rma.processed_at == at.refunded_at
    assert rma.closed_at == rma.updated_at


def test_some_returns_are_closed_a_second_after_they_were_processed() -> None:
    maker = maker_of()
    made = [maker.refunded()[1] for _ in range(60)]
    seconds = {(one.closed_at - one.processed_at).seconds for one in made if one.closed_at and one.processed_at}
    assert seconds == {0, 1}


@pytest.mark.parametrize("seed", FEW)
def test_the_ordinary_case_refunds_what_came_back(seed: int) -> None:
    order, rma = maker_of(seed).refunded(currency="EUR", fee=100)
    paid = {line.line_item_id: line for line in order.lines}
    assert (order.currency, rma.currency) == ("EUR", "EUR")
    assert rma.refund_pence == sum(part_of(paid[row.line_item_id], row.quantity) for row in rma.lines) - 100


def test_a_note_that_staff_typed_mirrors_the_return_but_for_the_slip() -> None:
    maker = maker_of()
    order = maker.order(maker.customer(), maker.basket(2), MONTH[0] - timedelta(days=20))
    rma = maker.close(maker.rma(order, [(line, 1) for line in order.lines], MONTH[0]), maker.times())
    note = maker.staff_note(order, rma, reference="by hand", gross_change=-50)
    assert maker.world.notes == {note.code: note}
    assert (note.urn, note.associated_ref, note.currency, note.made_by) == (order.urn, "by hand", "GBP", "staff")
    first, second = (row.cost_pence for row in rma.lines)
    assert [line.gross_pence for line in note.lines] == [first - 50, second]
    assert [line.net_pence for line in note.lines] == [
        net_of(line.gross_pence, maker.world.items[line.stock_code].vat_percent) for line in note.lines
    ]
    assert {line.so_code for line in note.lines} == {order.so_code}
    assert rma.closed_at
    assert note.issued_at
    assert rma.closed_at < note.created_at < note.issued_at
    assert (note.stage_id, note.is_allocated) == (70, True)
