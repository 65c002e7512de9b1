"""What must be open about returns made of real trading history, told from the world alone.

Belongs here: the sandbox's own reading of each kind that real history shows. Stays out: reading the file (``history``).
A refund of zero asks nothing of anyone: nothing is due. A code with a comma is in Khaos, and nobody can ask Khaos for
it, since it takes codes in a list with commas (khaos.md §7.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from khaos_swap_assets.sandbox.world import Order, Plant, Rma, World, WorldLine

Goods = tuple[str, str]
"""A Sales Order and a code of it."""


@dataclass
class _GivenBack:
    """What came back, and was paid back for it, of every order up to the return that is looked at."""

    units: Counter[Goods] = field(default_factory=Counter)
    pence: Counter[Goods] = field(default_factory=Counter)
    excess: Counter[Goods] = field(default_factory=Counter)


def plants(world: World) -> list[Plant]:
    """Every plant of the world's catalogue, then of its returns in the order of their refunds."""
    askable = {code for code in world.items if "," not in code}
    orders = {order.order_name: order for order in world.orders.values()}
    looks = Counter(_plain(code) for code in askable)
    so_far = _GivenBack()
    found = [
        Plant("record_unreadable", sku=code, why="no list of codes can name it")
        for code in sorted(world.items.keys() - askable)
    ]
    for rma in sorted((rma for rma in world.rmas.values() if rma.refund_pence > 0), key=_refund_order):
        found += [*_of_lines(askable, looks, rma), *_of_return(rma, orders)]
        if order := orders.get(rma.order_name):
            found += _over_return(askable, rma, order, so_far)
    return found


def _refund_order(rma: Rma) -> tuple[datetime, str]:
    assert rma.closed_at
    return rma.closed_at, rma.rma_number


def _of_lines(askable: set[str], looks: Counter[str], rma: Rma) -> Iterator[Plant]:
    for sku in sorted({line.sku for line in rma.lines} - askable):
        is_ambiguous = looks[_plain(sku)] > 1
        kind = "sku_ambiguous" if is_ambiguous else "sku_unknown"
        yield Plant(kind, rma=rma.rma_number, sku=sku, why="not sold before this month, or not to be asked for")


def _of_return(rma: Rma, orders: dict[str, Order]) -> Iterator[Plant]:
    if rma.lines and rma.order_name not in orders:
        yield Plant("order_not_found", rma=rma.rma_number, why="no single earlier invoice holds the goods")
    elif rma.lines and not orders[rma.order_name].urn:
        yield Plant("customer_unknown", rma=rma.rma_number, why="sold without a customer")
    if sum(line.cost_pence for line in rma.lines) != rma.refund_pence:
        yield Plant("refund_not_explained", rma=rma.rma_number, why="charges beside the goods")


def _over_return(askable: set[str], rma: Rma, order: Order, so_far: _GivenBack) -> Iterator[Plant]:
    """Adds this return to the earlier ones of its order; too much are units above those sold, or pence above theirs."""
    for line in rma.lines:
        so_far.units[order.so_code, line.sku] += line.quantity
        so_far.pence[order.so_code, line.sku] += line.cost_pence
    whys = []
    for sku in sorted({line.sku for line in rma.lines} & askable):
        prices = _unit_prices([sale for sale in order.lines if sale.stock_code == sku])
        units, pence = so_far.units[order.so_code, sku], so_far.pence[order.so_code, sku]
        paid = sum(prices[:units])
        excess, before = max(pence - paid, 0) if prices else 0, so_far.excess[order.so_code, sku]
        so_far.excess[order.so_code, sku] = excess
        if units > len(prices):
            whys.append(f"{units} of {sku} came back, {len(prices)} were sold")
        elif excess > before:
            whys.append(f"{pence} pence went back for {units} of {sku}, {paid} at most were paid for as many")
    if whys:
        yield Plant("over_return", rma=rma.rma_number, why="; ".join(whys))


def _unit_prices(sales: Sequence[WorldLine]) -> list[int]:
    """The most that each sold unit may be refunded, the dearest first: a part of a penny counts up, the last has less.

    Which units of an order come back nobody knows, so the dearest are taken for them (FINANCE_RULES U-8, U-26).
    """
    prices = []
    for sale in sales:
        each = -(-sale.gross_pence // sale.quantity)
        prices += [min(each, max(sale.gross_pence - each * at, 0)) for at in range(sale.quantity)]
    return sorted(prices, reverse=True)


def _plain(code: str) -> str:
    return "".join(filter(str.isalnum, code)).casefold()
