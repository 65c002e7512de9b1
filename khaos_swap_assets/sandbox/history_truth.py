"""What must be open about returns made of real trading history, told from the world alone.

Belongs here: the sandbox's own reading of each kind that real history shows. Stays out: reading the file (``history``).
A refund of zero asks nothing of anyone: nothing is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from khaos_swap_assets.sandbox.world import Order, Plant, Rma, World


def plants(world: World) -> list[Plant]:
    """Every plant of the world's returns, in the order of their refunds."""
    orders = {order.order_name: order for order in world.orders.values()}
    looks = Counter(_plain(code) for code in world.items)
    refunded = sorted((rma for rma in world.rmas.values() if rma.refund_pence > 0), key=_refund_order)
    taken: Counter[tuple[str, str]] = Counter()
    return [
        plant
        for rma in refunded
        for plant in (*_of_lines(world, looks, rma), *_of_return(rma, orders), *_over_return(world, rma, orders, taken))
    ]


def _refund_order(rma: Rma) -> tuple[str, str]:
    assert rma.closed_at
    return rma.closed_at.isoformat(), rma.rma_number


def _of_lines(world: World, looks: Counter[str], rma: Rma) -> Iterator[Plant]:
    for sku in sorted({line.sku for line in rma.lines} - world.items.keys()):
        is_ambiguous = looks[_plain(sku)] > 1
        kind = "sku_ambiguous" if is_ambiguous else "sku_unknown"
        yield Plant(kind, rma=rma.rma_number, sku=sku, why="not sold before this month")


def _of_return(rma: Rma, orders: dict[str, Order]) -> Iterator[Plant]:
    if rma.lines and rma.order_name not in orders:
        yield Plant("order_not_found", rma=rma.rma_number, why="no single earlier invoice holds the goods")
    elif rma.lines and not orders[rma.order_name].urn:
        yield Plant("customer_unknown", rma=rma.rma_number, why="sold without a customer")
    if sum(line.cost_pence for line in rma.lines) != rma.refund_pence:
        yield Plant("refund_not_explained", rma=rma.rma_number, why="charges beside the goods")


def _over_return(world: World, rma: Rma, orders: dict[str, Order], taken: Counter[tuple[str, str]]) -> Iterator[Plant]:
    """Counts this return's units on top of the earlier ones of its order."""
    order = orders.get(rma.order_name)
    if order is None:
        return
    for line in rma.lines:
        taken[order.so_code, line.sku] += line.quantity
    sold = Counter[str]()
    for sale in order.lines:
        sold[sale.stock_code] += sale.quantity
    over = {line.sku for line in rma.lines if taken[order.so_code, line.sku] > sold[line.sku]} & world.items.keys()
    if over:
        yield Plant("over_return", rma=rma.rma_number, why=f"more than sold of {', '.join(sorted(over))}")


def _plain(code: str) -> str:
    return "".join(filter(str.isalnum, code)).casefold()
