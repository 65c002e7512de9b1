"""Orders of an invented month that the shop cancelled: stopped in time, still being picked, or sent all the same.

Belongs here: choosing orders that nobody returns, and telling both sides, with the truth of it. Stays out: refunds
(``storefront_trouble``). No money moves: what the customer paid was only reserved.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from khaos_swap_assets.sandbox.world import Order, Plant, RmaLine, World

SHARE = 0.0085
PICKING, ISSUED = 12, 70
FATES = ("stopped", "picked", "sent")


def cancel_orders(world: World) -> None:
    """Have the shop cancel some orders, as many of each fate; the same for the same seed."""
    rng = Random(f"{world.seed}/cancelled")  # noqa: S311
    each = max(1, round(len(world.rmas) * SHARE))
    sent = [one for one in unreturned(world) if one.stage_id == ISSUED and one.issued_at]
    latest = sorted(sent, key=lambda order: (order.ordered_at, order.so_code))[-each * len(FATES) :]
    rng.shuffle(latest)
    for order, fate in zip(latest, FATES * each, strict=False):
        order.shop_cancelled_at = order.ordered_at + timedelta(minutes=rng.randint(5, 90))
        _meet(world, order, fate)


def _meet(world: World, order: Order, fate: str) -> None:
    if fate == "sent":
        world.plants.append(Plant("cancelled_order_sent", order=order.order_name, why="it left all the same"))
        return
    order.issued_at = None
    if fate == "stopped":
        order.invoice_code, order.is_cancelled = "", True
    else:
        order.stage_id = PICKING
        world.plants.append(Plant("cancelled_order_open", order=order.order_name, why="it is still being picked"))


def unreturned(world: World) -> list[Order]:
    """Orders of which nothing came back and no money moved."""
    ids = {rma.order_id for rma in world.rmas.values()} | {one.order_id for one in world.store_refunds.values()}
    names = {name for rma in world.rmas.values() for name in (rma.order_name, *_originals(rma.lines))}
    taken = ids | names
    return [one for one in world.orders.values() if {one.order_id, one.order_name}.isdisjoint(taken)]


def _originals(lines: list[RmaLine]) -> list[str]:
    return [line.original_order_name for line in lines]
