"""Goods that a document credits without moving them: what is left to adjust in truth, and staff who adjust some.

Belongs here: the stories of a merchant who credits first, the units that still lie on no shelf of Khaos, and the hands
that put them there. Stays out: what a document moves (``khaos_returns``). All of it follows from the sandbox's own
ledger: a line was asked for under the reason that moves nothing, and the bench found it sellable or damaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox.generator import ended_month
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_packs import opened
from khaos_swap_assets.sandbox.khaos_stock import carried
from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import Scenario
from khaos_swap_assets.sandbox.trouble import sold_alone
from khaos_swap_assets.sandbox.world import Plant, ReturnDocument, Rma, RmaLine, World

FIRST_ORDER = 300_000
KIND = "stock_adjustment_due"
NEUTRAL = "3"
WHOLE, HALF = "adjusted_by_hand", "adjusted_in_part"
LATER = timedelta(days=1)
ADJUSTED = "adjusted:"
DISPOSITIONS = {"Sellable": "sellable", "Damaged": "damaged", "No-Value": "damaged"}

Untold = Counter[tuple[str, str, str]]
"""Units by RMA, Stock Code and disposition."""


def _alone(script: str, condition: str, units: int) -> Scenario:
    def story(maker: Maker) -> None:
        _, rma = sold_alone(maker, maker.item(f"HAND-{len(maker.world.items)}"), units)
        rma.lines[0].condition = condition
        maker.world.scripts[rma.rma_number] = script

    return story


STORIES: Sequence[Scenario] = (
    _alone(WHOLE, "Sellable", 1),
    _alone(WHOLE, "Damaged", 2),
    _alone(WHOLE, "No-Value", 1),
    _alone(HALF, "Sellable", 2),
)
"""Staff adjust what came back a day after they can; of the last one unit of two."""


def add(world: World) -> None:
    """Put each story into a month that is made already."""
    maker = Maker(world, Random(f"{world.seed}/adjusted"), ended_month(world.now), first_order=FIRST_ORDER)  # noqa: S311
    for story in STORIES:
        story(maker)


def plants(world: World) -> Iterator[Plant]:
    """What lies on no shelf of Khaos, whatever staff made of it in part."""
    for rma, code, _ in sorted(left(world)):
        yield Plant(KIND, rma=rma, sku=code, why="credited under a reason that moves no stock")


def left(world: World) -> Untold:
    """Units that came back in a known condition, were credited without moving, and were not wholly adjusted."""
    units: Untold = Counter()
    asked = {(one.rma, sku) for one in world.documents.values() if not one.refused_at for sku in _neutral(one)}
    for number, sku in asked:
        rma = world.rmas.get(number)
        for line in rma.lines if rma else ():
            disposition = _found(rma, line) if rma and not line.is_kept else ""
            for code, count in opened(world.items, [(line.sku, line.quantity)] if disposition else []):
                if sku in (line.sku, code):
                    units[number, code, disposition] = units[number, code, disposition] + count
    done = {tuple(name.removeprefix(ADJUSTED).split("|")) for name in world.memory if name.startswith(ADJUSTED)}
    whole = {key for key in units if key in done and world.scripts.get(key[0]) == WHOLE}
    return _without(Counter({key: count for key, count in units.items() if key not in whole}), carried(world))


def _without(units: Untold, brought: dict[tuple[str, str], int]) -> Untold:
    """The units that a file or a level did not bring; nothing names the return there, so the first are taken as there.

    A route carries all that is asked of a Stock Code, so which of them is the same in the end.
    """
    rest: Untold = Counter()
    for key, count in sorted(units.items()):
        there = min(count, brought.get(key[1:], 0))
        brought = {**brought, key[1:]: brought.get(key[1:], 0) - there}
        if count > there:
            rest[key] = count - there
    return rest


def adjust_due(books: Books) -> int:
    """Adjust what staff were given to do and could see for a day; how many."""
    world, adjusted = books.world, 0
    for number, code, disposition in sorted(left(world)):
        script, name = world.scripts.get(number, ""), f"{ADJUSTED}{number}|{code}|{disposition}"
        seen = world.memory.setdefault(f"seen-{name}", world.now.isoformat()) if script in (WHOLE, HALF) else ""
        if not seen or name in world.memory or world.now < datetime.fromisoformat(seen) + LATER:
            continue
        item, units = world.items[code], left(world)[number, code, disposition] // (2 if script == HALF else 1)
        item.available += units if disposition == "sellable" else 0
        item.quarantine += units if disposition == "damaged" else 0
        world.memory[name] = str(units)
        books.touch(item, world)
        adjusted += 1
    return adjusted


def _neutral(document: ReturnDocument) -> Iterator[str]:
    items = document.document.get("ReturnedItems")
    for item in items if isinstance(items, list) else ():
        if str(item["ReturnReason"]["ID"]) == NEUTRAL:
            yield str(item["SKU"])


def _found(rma: Rma, line: RmaLine) -> str:
    """Where the units went: as the bench found, else as Swap's own quality control has it."""
    if rma.is_inspected and line.condition:
        return DISPOSITIONS.get(line.condition, "")
    return "sellable" if rma.quality_control_status == "Approved" else ""
