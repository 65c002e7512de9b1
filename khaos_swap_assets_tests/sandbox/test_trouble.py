"""Each planted kind is really there: judged on the world after sixteen days, by rules written a second time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.generator import build
from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.world import Note, Order, Rma, World

STRONG = str.maketrans("", "", "- ")


@pytest.fixture(scope="module", params=[1, 9])
def ended(request: pytest.FixtureRequest) -> World:
    world = build(request.param, 1000)
    world.now += timedelta(days=16)
    apply_due(world)
    return world


def refunded_at(rma: Rma) -> datetime | None:
    return rma.processed_at


def is_confirmed(rma: Rma) -> bool:
    return rma.status == "Closed" and refunded_at(rma) is not None and rma.refund_pence > 0


def is_posted_by_us(world: World, rma: Rma) -> bool:
    moment = refunded_at(rma)
    return world.post_from is None or moment is None or moment.astimezone(LONDON).date() >= world.post_from


def is_alive(world: World, rma: Rma) -> bool:
    is_wanted = rma.status not in ("Cancelled", "Expired")
    return is_wanted and bool(goods(rma)) and is_posted_by_us(world, rma) and not is_covered(world, rma)


def goods(rma: Rma) -> list[str]:
    return [line.sku for line in rma.lines if line.outcome == "Refund"]


def notes_of(world: World, rma: Rma) -> list[Note]:
    return [note for note in world.notes.values() if note.associated_ref == rma.rma_number]


def gross(note: Note) -> int:
    return sum(line.gross_pence for line in note.lines)


def is_covered(world: World, rma: Rma) -> bool:
    notes = [*notes_of(world, rma), *(note for note in world.notes.values() if note.urn == rma.urn)]
    return any(gross(note) == rma.refund_pence for note in notes)


def orders_of(world: World, rma: Rma) -> list[Order]:
    names = {line.original_order_name or rma.order_name for line in rma.lines} or {rma.order_name}
    return [order for order in world.orders.values() if order.order_name in names]


def strong(world: World, sku: str) -> int:
    plain = sku.translate(STRONG).lower()
    return sum(
        bool(sku) and (item.stock_code.translate(STRONG).lower() == plain or sku in (item.other_ref, item.barcode))
        for item in world.items.values()
    )


def has_unknown_sku(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(sku not in world.items and strong(world, sku) < 2 for sku in goods(rma))


def has_ambiguous_sku(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(sku not in world.items and strong(world, sku) > 1 for sku in goods(rma))


def has_discontinued_sku(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(sku in world.items and world.items[sku].is_discontinued for sku in goods(rma))


def has_no_order(world: World, rma: Rma) -> bool:
    orders = orders_of(world, rma)
    if len(orders) > 1:
        return False
    held = {line.stock_code for order in orders for line in order.lines}
    return is_alive(world, rma) and (not orders or any(sku in world.items and sku not in held for sku in goods(rma)))


def has_two_orders(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and len(orders_of(world, rma)) > 1


def has_no_invoice(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(order.issued_at is None for order in orders_of(world, rma))


def has_no_person(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(
        not order.urn or world.customers[order.urn].is_generic for order in orders_of(world, rma)
    )


def is_over(world: World, rma: Rma) -> bool:
    if not is_alive(world, rma) or len(orders_of(world, rma)) != 1:
        return False
    (order,) = orders_of(world, rma)
    sold = Counter({line.stock_code: line.quantity for line in order.lines})
    same = [other for other in world.rmas.values() if other.order_name == rma.order_name and refunded_at(other)]
    moment = refunded_at(rma)
    earlier = [
        other for other in same if moment is None or (refunded_at(other), other.rma_number) <= (moment, rma.rma_number)
    ]
    taken = Counter[str]()
    for other in earlier:
        for line in other.lines:
            taken[line.sku] += line.quantity
    return any(taken[sku] > sold[sku] for sku in goods(rma) if sku in sold)


def needs_policy(world: World, rma: Rma) -> bool:
    extra = (
        rma.refund_pence - sum(line.cost_pence for line in rma.lines) > 0 and rma.quality_control_status == "Approved"
    )
    others = any(line.outcome != "Refund" for line in rma.lines)
    return rma.status == "Closed" and (others or rma.store_credit_pence > 0 or extra)


def is_unexplained(world: World, rma: Rma) -> bool:
    due = sum(line.cost_pence for line in rma.lines if line.outcome == "Refund")
    return (
        is_confirmed(rma)
        and rma.refund_pence not in (due, due - rma.handling_fee_pence)
        and not needs_policy(world, rma)
    )


def waits_too_long(world: World, rma: Rma) -> bool:
    is_open = rma.status not in ("Closed", "Cancelled", "Expired")
    return is_open and rma.delivered_at is not None and world.now - rma.delivered_at > timedelta(days=14)


def misses_a_note(world: World, rma: Rma) -> bool:
    return is_confirmed(rma) and not is_posted_by_us(world, rma) and not notes_of(world, rma)


def is_noted_twice(world: World, rma: Rma) -> bool:
    notes = notes_of(world, rma)
    return len(notes) > 1 and sum(map(gross, notes)) > rma.refund_pence


def has_a_gap(world: World, rma: Rma) -> bool:
    notes = [] if is_never_paid(world, rma) else notes_of(world, rma)  # without a refund there is no value to miss
    return len(notes) == 1 and gross(notes[0]) != rma.refund_pence and not is_rounding(notes[0], rma)


def is_rounding(note: Note, rma: Rma) -> bool:
    """A penny apart at a price of whole pence a unit: finance may let that be, so it is no trouble."""
    is_even = any(line.quantity > 1 and line.gross_pence % line.quantity == 0 for line in note.lines)
    return len(note.lines) == 1 and is_even and abs(gross(note) - rma.refund_pence) == 1


def is_in_another_currency(world: World, rma: Rma) -> bool:
    return is_alive(world, rma) and any(order.currency != rma.currency for order in orders_of(world, rma))


def is_never_inspected(world: World, rma: Rma) -> bool:
    is_settled = rma.quality_control_status == "Approved" or rma.inspect_at or not goods(rma)
    return is_confirmed(rma) and not is_settled and rma.delivered_at is not None


def is_short_of_goods(world: World, rma: Rma) -> bool:
    return any(line.condition in ("Missing", "Wrong-Item", "Not Expected") for line in rma.lines)


def is_unreadable(world: World, rma: Rma) -> bool:
    return bool(rma.broken_fields)


def is_never_paid(_: World, rma: Rma) -> bool:
    return rma.status == "Closed" and rma.refund_pence > 0 and rma.processed_at is None


def is_credited_all_the_same(world: World, rma: Rma) -> bool:
    return is_never_paid(world, rma) and bool(notes_of(world, rma))


RULES: dict[str, Callable[[World, Rma], bool]] = {
    "sku_unknown": has_unknown_sku,
    "sku_ambiguous": has_ambiguous_sku,
    "sku_discontinued": has_discontinued_sku,
    "order_not_found": has_no_order,
    "order_ambiguous": has_two_orders,
    "order_not_invoiced": has_no_invoice,
    "customer_unknown": has_no_person,
    "over_return": is_over,
    "outcome_needs_policy": needs_policy,
    "refund_not_explained": is_unexplained,
    "refund_unconfirmed_too_long": waits_too_long,
    "credit_note_missing": misses_a_note,
    "credit_note_duplicate": is_noted_twice,
    "value_gap": has_a_gap,
    "currency_mismatch": is_in_another_currency,
    "inspection_overdue": is_never_inspected,
    "stock_not_returned": is_short_of_goods,
    "record_unreadable": is_unreadable,
    "closed_without_refund": is_never_paid,
    "credited_without_refund": is_credited_all_the_same,
}


@pytest.mark.parametrize("kind", RULES)
def test_a_kind_holds_exactly_where_it_is_planted(ended: World, kind: str) -> None:
    planted = {plant.rma for plant in ended.plants if plant.kind == kind}
    assert planted == {number for number, rma in ended.rmas.items() if RULES[kind](ended, rma)}


def test_orphans_are_the_notes_that_fit_no_return(ended: World) -> None:
    planted = {plant.credit_note_code for plant in ended.plants if plant.kind == "credit_note_orphan"}
    by_customer = {rma.urn: rma for rma in ended.rmas.values()}
    strays = {
        code
        for code, note in ended.notes.items()
        if note.associated_ref not in ended.rmas
        and (note.urn not in by_customer or by_customer[note.urn].refund_pence != gross(note))
    }
    assert planted == strays


def test_every_kind_of_plant_is_judged_here(ended: World) -> None:
    assert {plant.kind for plant in ended.plants} == {*RULES, "credit_note_orphan"}


def test_notes_by_hand_are_issued_and_allocated(ended: World) -> None:
    assert all(note.issued_at and note.is_allocated and note.stage_id == 70 for note in ended.notes.values())
    assert all(0 < line.net_pence <= line.gross_pence for note in ended.notes.values() for line in note.lines)


def test_only_a_later_part_payment_is_money_that_no_field_names() -> None:
    nameless = {plant.why for plant in build(1, 500).plants if plant.is_nameless}
    assert nameless == {"a later part payment"}
