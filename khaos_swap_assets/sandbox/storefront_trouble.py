"""The shop of an invented month is connected: whose money goes wrong, and what must be open about it at the end.

Belongs here: choosing returns in good order and telling the shop what to do with their money, with the truth of it.
Stays out: moving the money (``storefront_books``). Only what belongs to the money is touched: with the same seed, the
rest of the world is what it is without a shop.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from khaos_swap_assets.sandbox import unpaid
from khaos_swap_assets.sandbox.scenarios import in_order
from khaos_swap_assets.sandbox.storefront_books import LIVE, ON, RESTOCKED, is_processed, refund_id, subject_of
from khaos_swap_assets.sandbox.storefront_cancelled import cancel_orders, pay_back, unreturned
from khaos_swap_assets.sandbox.storefront_payouts import SCRIPTS
from khaos_swap_assets.sandbox.world import Order, Plant, Rma, RmaLine, World

SHARE = 0.0085
MONEY = {
    "unpaid": ("refund_not_paid", "the shop never paid"),
    "failed": ("refund_not_paid", "the payment failed"),
    "short": ("refund_amount_differs", "a pound too little"),
    "over": ("refund_amount_differs", "delivery was paid back too"),
    "currency": ("refund_currency_differs", "paid in another currency"),
    "twice": ("refund_paid_twice", "Khaos paid it once more"),
}
KINDS = {**MONEY, RESTOCKED: ("storefront_restocked", "staff ticked Restock")}
ON_TOP = ("late", "ambiguous", "stray", *SCRIPTS, RESTOCKED)
"""What is planted after the trouble with the money, so that this falls on the same returns as without it."""


def connect(world: World, *, is_live: bool = False) -> None:
    """Connect the shop and plant trouble with the money of some returns; the same for the same seed."""
    rng = Random(f"{world.seed}/money")  # noqa: S311
    world.memory[ON] = LIVE if is_live else ON
    each = max(1, round(len(world.rmas) * SHARE))
    _unread_returns(world)
    unpaid.as_the_shop_shows(world, rng)
    clean = list(in_order(world))
    rng.shuffle(clean)
    for script in [script for script in (*MONEY, *ON_TOP) for _ in range(each)]:
        if script == "stray":
            _stray(world, rng)
        elif script == "ambiguous":
            _two_of_one_order(world, clean)
        elif clean:
            _script(world, clean.pop(), script)
    cancel_orders(world)


def _script(world: World, rma: Rma, script: str) -> None:
    world.money_scripts[rma.rma_number] = script
    if script in KINDS:
        kind, why = KINDS[script]
        world.plants.append(Plant(kind, rma=rma.rma_number, why=why))


def _two_of_one_order(world: World, clean: list[Rma]) -> None:
    """Two returns bring back one unit each of one order line at one price, and the shop names neither of them."""
    orders = {order.order_id: order for order in world.orders.values()}
    small = [one for one in clean if _is_of_one_unit(one, orders[one.order_id])]
    if len(small) < 2:
        return
    first, second = small[:2]
    order, line = orders[first.order_id], first.lines[0]
    order.lines[0].quantity, order.lines[0].gross_pence = 2, 2 * order.lines[0].gross_pence
    second.order_name, second.order_id, second.urn = first.order_name, first.order_id, first.urn
    second.lines = [
        RmaLine(
            product_id=second.lines[0].product_id,
            line_item_id=line.line_item_id,
            sku=line.sku,
            quantity=1,
            cost_pence=line.cost_pence,
        )
    ]
    second.refund_pence, second.handling_fee_pence = first.refund_pence, first.handling_fee_pence
    for rma in (first, second):
        clean.remove(rma)
        world.money_scripts[rma.rma_number] = "ambiguous"
        world.plants.append(Plant("refund_ambiguous", rma=rma.rma_number, why="two refunds fit two returns"))


def _is_of_one_unit(rma: Rma, order: Order) -> bool:
    return len(rma.lines) == len(order.lines) == 1 and rma.lines[0].quantity == order.lines[0].quantity == 1


def _stray(world: World, rng: Random) -> None:
    """Goodwill for an order that nobody returned anything of."""
    order = rng.choice(unreturned(world))
    at = order.ordered_at + timedelta(days=1)
    refund = pay_back(world, order, f"9199{order.order_id[-9:]}", rng.randint(300, 1500), at)
    world.plants.append(Plant("refund_without_return", refund=subject_of(refund), why="goodwill, nothing came back"))


def _unread_returns(world: World) -> None:
    """Money of a return that cannot be read belongs, as far as anybody can tell, to none."""
    orders = {order.order_id: order for order in world.orders.values()}
    for rma in world.rmas.values():
        if rma.broken_fields and is_processed(world, rma):
            subject = f"{orders[rma.order_id].order_name}/{refund_id(rma, 1)}"
            world.plants.append(Plant("refund_without_return", refund=subject, why="its return cannot be read"))
