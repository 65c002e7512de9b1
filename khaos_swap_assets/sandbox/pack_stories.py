"""Packs that are sold, and what comes back of them: whole or in part, in order and such that nobody can tell.

Belongs here: stories that a month holds beside those of the generator, with the truth about them. Stays out: how Khaos
lists packs (``khaos_packs``). What a component cost is its share of the pack by its own price, which is also what
Khaos pushes; of some the own price is not known, and of a few nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from khaos_swap_assets.sandbox.generator import ended_month
from khaos_swap_assets.sandbox.khaos_packs import shares
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import Scenario
from khaos_swap_assets.sandbox.trouble import plant
from khaos_swap_assets.sandbox.world import NoteLine, Order, PackPart, Rma, StockItem, World, WorldLine

FIRST_ORDER = 300_000
SHARE = 40
PRICES = (1250, 1999, 2450, 3375, 4999, 7249)
UNTIL_PUSHED = "its own price is not known, and no proportion was pushed"


def pack_back(maker: Maker) -> None:
    """A whole pack comes back."""
    order, _ = sold(maker, a_pack(maker), maker.rng.choice((1, 2, 3)))
    whole_back(maker, order)


def pack_back_damaged(maker: Maker) -> None:
    """A whole pack comes back, and the warehouse found damage."""
    order, _ = sold(maker, a_pack(maker))
    whole_back(maker, order).lines[0].condition = "Damaged"


def pack_back_with_fee(maker: Maker) -> None:
    """A whole pack beside another item, and a fee was withheld."""
    order, _ = sold(maker, a_pack(maker), 1, an_item(maker))
    whole_back(maker, order, fee=295)


def component_back(maker: Maker) -> None:
    """One unit of one component comes back."""
    order, parts = sold(maker, a_pack(maker), maker.rng.choice((1, 2)))
    back(maker, order, [(maker.rng.choice(parts), 1)])


def components_back(maker: Maker) -> None:
    """Every component comes back, in rows of their own."""
    order, parts = sold(maker, a_pack(maker))
    back(maker, order, [(part, part.quantity) for part in parts])


def component_told_by_its_price(maker: Maker) -> None:
    """A component that was also sold alone, at another price; the row names no line of the order."""
    pack = a_pack(maker)
    order, parts = sold(maker, pack, 1, maker.world.items[pack.parts[0].stock_code])
    back(maker, order, [(replace(parts[0], line_item_id=""), parts[0].quantity)])


def component_told_by_the_push(maker: Maker) -> None:
    """One component has no price of its own: what it cost is its proportion, where Khaos pushes it."""
    pack = a_pack(maker)
    order, parts = sold(maker, pack)
    maker.world.items[parts[1].stock_code].unit_gross_pence = 0
    rma = back(maker, order, [(parts[0], 1)])
    plant(maker, "pack_unclear", rma, UNTIL_PUSHED, sku=parts[0].stock_code)


def component_without_price(maker: Maker) -> None:
    """A component has no price of its own and no proportion: nobody can tell what another one cost."""
    pack = a_pack(maker)
    order, parts = sold(maker, pack)
    maker.world.items[parts[1].stock_code].unit_gross_pence = 0
    pack.parts = [replace(part, value_proportion="") for part in pack.parts]
    rma = back(maker, order, [(parts[0], 1)])
    plant(maker, "pack_unclear", rma, "a component has no price", sku=parts[0].stock_code)


def component_of_two_packs(maker: Maker) -> None:
    """Two packs of the order hold it, and its price is that of neither."""
    pack = a_pack(maker)
    other = a_pack(maker)
    other.parts[0] = replace(other.parts[0], stock_code=pack.parts[0].stock_code)
    order, parts = sold(maker, pack, 1, other)
    part = replace(parts[0], line_item_id="")
    rma = back(maker, order, [(part, part.quantity)], gross_change=-7)
    plant(maker, "pack_unclear", rma, "two packs hold it", sku=part.stock_code)


def more_than_the_pack_held(maker: Maker) -> None:
    """One unit more of a component than the pack held."""
    order, parts = sold(maker, a_pack(maker))
    rma = back(maker, order, [(parts[0], parts[0].quantity)])
    rma.lines[0].quantity += 1
    plant(maker, "over_return", rma, f"{order.so_code} sold one pack")


def component_after_its_pack(maker: Maker) -> None:
    """The whole pack came back, and then a component of it."""
    order, parts = sold(maker, a_pack(maker))
    first = whole_back(maker, order)
    later = back(maker, order, [(parts[0], 1)], after=first)
    plant(maker, "over_return", later, "its pack came back before")


def noted_by_components(maker: Maker) -> None:
    """Staff credited a whole pack by its components, with or without the RMA."""
    order, parts = sold(maker, a_pack(maker))
    rma = whole_back(maker, order)
    lines = [
        NoteLine(part.stock_code, part.quantity, part.gross_pence, maker.net(part.stock_code, part.gross_pence),
                 so_code=order.so_code)
        for part in parts
    ]  # fmt: skip
    at = rma.processed_at or maker.month_start
    note = maker.note(order.urn, maker.rng.choice(("", rma.rma_number)), order.currency, at, lines)
    note.rma = rma.rma_number


def an_item(maker: Maker) -> StockItem:
    """An item of its own that packs may hold."""
    made = maker.item(f"PRT-{len(maker.world.items)}")
    made.unit_gross_pence = maker.rng.choice(PRICES)
    return made


def a_pack(maker: Maker) -> StockItem:
    """A pack of two or three items, cheaper than they are alone; its components have levels, it has none."""
    held = [(an_item(maker), maker.rng.choice((1, 1, 2))) for _ in range(maker.rng.choice((2, 3)))]
    made = maker.item(f"SET-{len(maker.world.items)}")
    made.parts = [
        PackPart(item.stock_code, units, f"{item.unit_gross_pence * units / 100:.2f}") for item, units in held
    ]
    made.unit_gross_pence = sum(item.unit_gross_pence * units for item, units in held) * 9 // 10
    made.is_stock_controlled, made.available = False, 0
    return made


def sold(maker: Maker, pack: StockItem, quantity: int = 1, *others: StockItem) -> tuple[Order, list[WorldLine]]:
    """An order of a pack, and what each of its components cost in it."""
    basket = [(pack, quantity), *((item, 1) for item in others)]
    order = maker.order(maker.customer(), basket, maker.times().ordered_at)
    line = order.lines[0]
    weights = [round(float(part.value_proportion) * 100) for part in pack.parts]
    costs = shares(line.gross_pence, weights)
    return order, [
        replace(line, stock_code=part.stock_code, quantity=part.quantity * quantity, gross_pence=cost)
        for part, cost in zip(pack.parts, costs, strict=True)
    ]


def whole_back(maker: Maker, order: Order, *, fee: int = 0) -> Rma:
    """All of an order comes back."""
    return back(maker, order, [(line, line.quantity) for line in order.lines], fee=fee)


def back(
    maker: Maker,
    order: Order,
    picks: Sequence[tuple[WorldLine, int]],
    *,
    fee: int = 0,
    gross_change: int = 0,
    after: Rma | None = None,
) -> Rma:
    """The refunded return of these lines; ``gross_change`` falls on its first row."""
    at = maker.times()
    if after and after.processed_at:
        at = replace(at, refunded_at=after.processed_at + timedelta(minutes=30))
    at = replace(at, ordered_at=order.ordered_at, created_at=max(at.created_at, order.ordered_at + timedelta(days=2)))
    rma = maker.rma(order, picks, at.created_at)
    rma.lines[0].cost_pence += gross_change
    return maker.close(rma, at, fee=fee)


PACKS: Sequence[Scenario] = (
    pack_back,
    pack_back_damaged,
    pack_back_with_fee,
    component_back,
    components_back,
    component_told_by_its_price,
    component_told_by_the_push,
    component_without_price,
    component_of_two_packs,
    more_than_the_pack_held,
    component_after_its_pack,
    noted_by_components,
)


def add(world: World, stories: Sequence[Scenario] = PACKS) -> None:
    """Put each story into a month that is made already, the oftener the more returns it has."""
    maker = Maker(world, Random(f"{world.seed}/packs"), ended_month(world.now), first_order=FIRST_ORDER)  # noqa: S311
    for _ in range(max(1, len(world.rmas) // SHARE // len(stories))):
        for story in stories:
            story(maker)


def obey(world: World, switches: Mapping[str, str]) -> None:
    """Where Khaos pushes its items it tells the proportions of its packs too."""
    if switches.get("stock_push") == "on":
        world.plants = [plant for plant in world.plants if plant.why != UNTIL_PUSHED]
