"""A trading month whose Credit Notes were all posted by staff, by hand: no document of ours, and nothing planted.

Belongs here: which returns the month holds, much alike each other, and which slip meets which. Stays out: the slips
themselves (``hand_posted``) and the month that is played against the product (``generator``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox import catalogue, hand_posted
from khaos_swap_assets.sandbox.generator import DEFAULT_NOW, STORE_ID, ended_month, sell_more
from khaos_swap_assets.sandbox.hand_posted import SLIPS, Hand, Typed
from khaos_swap_assets.sandbox.maker import Maker, Picks, Times
from khaos_swap_assets.sandbox.scenarios import CLEAN, Scenario, refunded
from khaos_swap_assets.sandbox.world import Customer, NoteLine, Order, Rma, World

NOT_HERE = ("noted_by_staff", "noted_by_staff_early", "noted_without_reference", "submitted_later")
MERGED_SHARE = 0.3
STRAY_EACH = 25


@dataclass(frozen=True)
class HandMonth:
    """``typed`` is the truth of every note; ``off`` that of every RMA with notes: pence beyond its refund, by cause.

    Causes are fee, delivery, discount, tax, quantity, typed (a slip of the keyboard) and again (a second note).
    """

    world: World
    typed: list[Typed]
    off: Mapping[str, Mapping[str, int]]


def build(seed: int, returns: int, now: datetime = DEFAULT_NOW) -> HandMonth:
    """A month of ``returns`` returns, the London month that ended before ``now`` (UTC); same seed, same month."""
    rng = Random(f"by hand/{seed}")  # noqa: S311
    month = ended_month(now)
    world = World(seed, now, STORE_ID)
    world.items = {item.stock_code: item for item in catalogue.stock_items(rng, month[0])}
    maker = Maker(world, rng, month)
    weights, stories = zip(*STORIES.values(), strict=True)
    for story in rng.choices(stories, weights, k=returns):
        story(maker)
    sell_more(maker, max(1, returns // 3))
    hand = Hand(maker)
    _post_all(hand)
    _post_strays(hand, 1 + returns // STRAY_EACH)
    return HandMonth(world, hand.typed, hand.off)


def same_customer(maker: Maker) -> None:
    """A shopper who returned something before orders and returns again."""
    found = _earlier(maker)
    if found is None:
        return refunded(maker)
    at = maker.times()
    order = maker.order(_customer(maker, found), maker.basket(), at.ordered_at)
    return _returned(maker, order, maker.picks(order), at)


def same_goods(maker: Maker) -> None:
    """The same shopper bought the same again at the same price, and returns the same again within days."""
    found = _earlier(maker)
    if found is None:
        return refunded(maker)
    at, first = _soon_after(maker, found), _order_of(maker, found)
    basket = [(maker.world.items[line.stock_code], line.quantity) for line in first.lines]
    order = maker.order(_customer(maker, found), basket, first.ordered_at + timedelta(minutes=5))
    for line, like in zip(order.lines, first.lines, strict=True):
        line.gross_pence = like.gross_pence
    sold = {line.stock_code: line for line in order.lines}
    return _returned(maker, order, [(sold[line.sku], line.quantity) for line in found.lines], at)


def rest_of_the_order(maker: Maker) -> None:
    """What was kept of an order at first comes back too, as a return of its own."""
    found = _earlier(maker)
    order = _order_of(maker, found) if found else None
    gone = {line.line_item_id for rma in maker.world.rmas.values() for line in rma.lines}
    kept = [(line, line.quantity) for line in order.lines if line.line_item_id not in gone] if order else []
    if found is None or order is None or not kept:
        return same_customer(maker)
    return _returned(maker, order, kept, _soon_after(maker, found))


STORIES: Mapping[str, tuple[int, Scenario]] = {
    **{name: found for name, found in CLEAN.items() if name not in NOT_HERE},
    **{story.__name__: (8, story) for story in (same_customer, same_goods, rest_of_the_order)},
}
"""Each story with its weight; each makes exactly one return."""


def _earlier(maker: Maker) -> Rma | None:
    """A refunded return of the month so far."""
    found = [rma for rma in maker.world.rmas.values() if rma.refund_pence > 0]
    return maker.rng.choice(found) if found else None


def _order_of(maker: Maker, rma: Rma) -> Order:
    wanted = rma.lines[0].line_item_id
    orders = maker.world.orders.values()
    return next(order for order in orders if any(line.line_item_id == wanted for line in order.lines))


def _customer(maker: Maker, rma: Rma) -> Customer:
    return maker.world.customers[rma.urn]


def _soon_after(maker: Maker, rma: Rma) -> Times:
    """Stations a little after those of another return, refunded within three days and the month."""
    closed_at = rma.closed_at or maker.month_start
    refunded_at = min(closed_at + timedelta(hours=maker.rng.randint(1, 72)), maker.month_end - timedelta(seconds=1))
    created_at = rma.created_at + timedelta(hours=1)
    delivered_at = max(created_at, closed_at - timedelta(hours=2))
    return Times(
        ordered_at=created_at,
        created_at=created_at,
        delivered_at=delivered_at,
        inspect_at=refunded_at,
        refunded_at=refunded_at,
    )


def _returned(maker: Maker, order: Order, picks: Picks, at: Times) -> None:
    maker.close(maker.rma(order, picks, at.created_at), at)


def _post_all(hand: Hand) -> None:
    """A note for every refund, well or badly typed; two refunds of one customer are sometimes put into one note."""
    rng = hand.rng
    weights = [weight for weight, _ in SLIPS.values()]
    due = [rma for rma in hand.maker.world.rmas.values() if rma.refund_pence > 0]
    while due:
        rma = due.pop(0)
        mate = next((one for one in due if one.urn == rma.urn), None)
        if mate and rng.random() < MERGED_SHARE:
            due.remove(mate)
            _post_merged(hand, rma, mate)
            continue
        name = rng.choices(list(SLIPS), weights)[0]
        hand.post(name, SLIPS[name][1](hand, hand.draft(rma)))


def _post_merged(hand: Hand, rma: Rma, mate: Rma) -> None:
    first, second = hand.draft(rma), hand.draft(mate)
    hand.post("merged", [hand_posted.merged(hand, first, second)])
    hand.off |= {rma.rma_number: first.off, mate.rma_number: second.off}


def _post_strays(hand: Hand, notes: int) -> None:
    """Notes for no return: goodwill on orders that nobody returned, sometimes with a return's reference."""
    world, rng = hand.maker.world, hand.rng
    gone = {line.line_item_id for rma in world.rmas.values() for line in rma.lines}
    whole = [order for order in world.orders.values() if not any(line.line_item_id in gone for line in order.lines)]
    for order in rng.choices(whole, k=notes):
        sold = order.lines[0]
        line = NoteLine(sold.stock_code, sold.quantity, sold.gross_pence, 0, so_code=order.so_code)
        rma = rng.choice(list(world.rmas.values()))
        draft = replace(hand.draft(rma), rmas=[], urn=order.urn, currency=order.currency, lines=[line])
        hand.post("stray", [replace(draft, reference=rng.choice(("", "GOODWILL", rma.rma_number)))])
