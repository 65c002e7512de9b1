"""Codes that make returns fail which are still on their way, or would be made: one cause for several of them.

Belongs here: a SKU that no Stock Code can ever be, on parcels in transit, and the truth about codes that were sold
lately or are listed. Stays out: trouble of a single return (``trouble``). The returns are those of the month as it is:
their number and all that chance made of the others stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from khaos_swap_assets.sandbox.maker import LONDON
from khaos_swap_assets.sandbox.storefront_books import ON
from khaos_swap_assets.sandbox.world import Plant, Rma, World

KIND = "code_will_fail"
MOST_RETURNS = 3
SOLD = timedelta(days=90)
WHY = "no Stock Code can hold a #"


def add(world: World) -> None:
    """Let a few returns in transit carry one SKU that is a Stock Code and more; they never arrive."""
    planted = {one.rma for one in world.plants}
    found = [rma for rma in world.rmas.values() if _is_plain_and_on_its_way(rma) and rma.rma_number not in planted]
    sku = f"{found[0].lines[0].sku}#2" if found else ""
    for rma in found[:MOST_RETURNS]:
        rma.lines[0].sku = sku
        world.plants.append(Plant("sku_unknown", rma=rma.rma_number, sku=sku, why=WHY))
    if found:
        world.plants.append(Plant(KIND, sku=sku, why=WHY))


def _is_plain_and_on_its_way(rma: Rma) -> bool:
    is_coming = rma.status == "Open" and rma.delivered_at is None and rma.is_submitted and not rma.steps
    return is_coming and all(line.outcome == "Refund" and not line.is_kept for line in rma.lines)


def truth(world: World, told: Sequence[Plant]) -> Iterator[Plant]:
    """SKUs of open returns that are no Stock Code; and codes that no return told of, sold lately or listed.

    Of the latter those that are out of use, or that no list of codes can hold. Of orders we see those that a return
    names.
    """
    unknown = {one.sku for one in told if one.kind == "sku_unknown" and world.rmas[one.rma].status == "Open"}
    for sku in sorted(unknown - {one.sku for one in told if one.kind == KIND}):
        yield Plant(KIND, sku=sku, why="an open return carries it")
    live = {code for code, item in world.items.items() if "," not in code and not item.is_discontinued}
    known = {one.sku for one in told if one.sku}
    for code in sorted(_seen(world) - live - known):
        yield Plant(KIND, sku=code, why="sold lately or listed, and no live Stock Code")


def _seen(world: World) -> set[str]:
    since = (world.now - SOLD).astimezone(LONDON).date()
    named = {
        name
        for rma in world.rmas.values()
        if rma.is_submitted
        for name in (rma.order_name, *(line.original_order_name for line in rma.lines))
    }
    orders = [one for one in world.orders.values() if one.order_name in named and not one.is_cancelled]
    lately = [one for one in orders if one.ordered_at.astimezone(LONDON).date() >= since]
    sold = {line.stock_code for one in lately for line in one.lines}
    listed = {code for code, item in world.items.items() if not item.is_discontinued}
    return sold | (listed if ON in world.memory else set())
