"""Orders of an invented month that the shop cancelled: stopped in time, still being picked, or sent all the same.

Belongs here: choosing orders that nobody returns, and telling both sides, with the truth of it; also one at a time, and
a line taken off an order that goes on.
Stays out: refunds (``storefront_trouble``). The shop pays all back at once, and no return asks for that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox.storefront_books import subject_of
from khaos_swap_assets.sandbox.world import Order, Payment, Plant, RmaLine, StoreRefund, World

SHARE = 0.0085
STAGING, PICKING, ISSUED = 10, 12, 70
FATES = ("stopped", "picked", "sent")
"""What becomes of those of an invented month, as many of each."""
OF_NOW = (*FATES, "staged")
"""What may become of one now; a staged one was ordered an hour ago, and Khaos still lets it be cancelled."""
STAGED_SINCE = timedelta(hours=1)


def cancel_orders(world: World) -> None:
    """Have the shop cancel some orders, as many of each fate; the same for the same seed."""
    rng = Random(f"{world.seed}/cancelled")  # noqa: S311
    each = max(1, round(len(world.rmas) * SHARE))
    sent = [one for one in unreturned(world) if one.stage_id == ISSUED and one.issued_at]
    in_order = sorted(sent, key=lambda order: (order.ordered_at, order.so_code))
    latest, earlier = in_order[-each * len(FATES) :], in_order[: -each * len(FATES)]
    rng.shuffle(latest)
    if earlier:
        _take_off(world, earlier[-1])
    for order, fate in zip(latest, FATES * each, strict=False):
        _cancel(world, order, fate, order.ordered_at + timedelta(minutes=rng.randint(5, 90)))


def cancel_now(world: World, order_name: str, fate: str) -> tuple[Order, StoreRefund]:
    """Have the shop cancel an order that nobody returns at this moment. Raises ``ValueError`` for any other."""
    order = next((one for one in unreturned(world) if one.order_name == order_name), None)
    if order is None or fate not in OF_NOW:
        raise ValueError(f"{order_name}: no order without a return, or {fate} is none of {', '.join(OF_NOW)}")
    return order, _cancel(world, order, fate, world.now)


def _cancel(world: World, order: Order, fate: str, at: datetime) -> StoreRefund:
    order.shop_cancelled_at = at
    pence = sum(line.gross_pence for line in order.lines) + order.delivery_gross_pence
    paid = pay_back(world, order, f"9177{order.order_id[-9:]}", pence, at)
    _meet(world, order, fate, paid)
    return paid


def _take_off(world: World, order: Order) -> None:
    """The shop takes a line off an order that goes on; Khaos is picking it, and nobody takes it off there."""
    line, at = order.lines[0], order.ordered_at + timedelta(minutes=20)
    paid = pay_back(world, order, f"9178{order.order_id[-9:]}", line.gross_pence, at)
    paid.line_items, paid.is_taken_off = [(line.line_item_id, line.stock_code, line.quantity, line.gross_pence)], True
    order.issued_at, order.stage_id = None, PICKING
    subject = f"{order.order_name}/{line.stock_code}"
    world.plants.append(Plant("cancelled_order_open", order=subject, why="a line was taken off, and Khaos picks it"))
    world.plants.append(Plant("refund_without_return", refund=subject_of(paid), why="a part of its order was stopped"))


def pay_back(world: World, order: Order, number: str, pence: int, at: datetime) -> StoreRefund:
    """A refund of an order in one payment, of which no return tells."""
    payment = Payment(
        transaction_id=f"{number}1",
        gateway="shopify_payments",
        amount_pence=pence,
        currency=order.currency,
        processed_at=at,
    )
    refund = StoreRefund(
        refund_id=number,
        order_id=order.order_id,
        order_name=order.order_name,
        currency=order.currency,
        created_at=at,
        payments=[payment],
    )
    world.store_refunds[number] = refund
    return refund


def _meet(world: World, order: Order, fate: str, paid: StoreRefund) -> None:
    """What Khaos made of it; where the goods left, the books hold a sale that nobody paid for."""
    if fate == "sent":
        world.plants.append(Plant("cancelled_order_sent", order=order.order_name, why="it left all the same"))
        world.plants.append(Plant("refund_without_return", refund=subject_of(paid), why="its order was sent"))
        return
    order.issued_at = None
    if fate == "stopped":
        order.invoice_code, order.is_cancelled = "", True
        return
    order.stage_id = PICKING if fate == "picked" else STAGING
    if fate == "staged":
        order.ordered_at = world.now - STAGED_SINCE
    world.plants.append(Plant("cancelled_order_open", order=order.order_name, why="Khaos goes on with it"))


def unreturned(world: World) -> list[Order]:
    """Orders of which nothing came back and no money moved."""
    ids = {rma.order_id for rma in world.rmas.values()} | {one.order_id for one in world.store_refunds.values()}
    names = {name for rma in world.rmas.values() for name in (rma.order_name, *_originals(rma.lines))}
    taken = ids | names
    return [one for one in world.orders.values() if {one.order_id, one.order_name}.isdisjoint(taken)]


def _originals(lines: list[RmaLine]) -> list[str]:
    return [line.original_order_name for line in lines]
