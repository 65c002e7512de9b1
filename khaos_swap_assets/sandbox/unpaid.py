"""Returns that staff closed without paying: which of a month they are, and what must be open about them at the end.

Belongs here: choosing returns in good order, taking their payment back, and the truth of it, with and without a shop.
Stays out: how Swap spells them (``swap_wire``) and money that moves (``storefront_books``). Nothing else of the world
is touched: with the same seed the rest of the month is what it is without them. Source: contracts/swap.md §7.2, §14.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random

from khaos_swap_assets.sandbox.maker import Maker
from khaos_swap_assets.sandbox.scenarios import in_order
from khaos_swap_assets.sandbox.storefront_books import INSTEAD, ON
from khaos_swap_assets.sandbox.world import Order, Plant, Rma, World

SWITCH = "closed_unpaid"
CLOSED, CREDITED = "closed_without_refund", "credited_without_refund"
EVERY = 4
"""With the switch on, one of so many returns in good order is one of these."""

Story = Callable[[World, Rma, Random], None]


def plant(world: World, count: int) -> None:
    """Take the payment of ``count`` returns back, and of as many that staff made a Credit Note for."""
    rng = Random(f"{world.seed}/unpaid")  # noqa: S311
    left = list(in_order(world))
    rng.shuffle(left)
    for number in range(count):
        for story in (BARE[number % len(BARE)], noted):
            if left:
                story(world, left.pop(), rng)


def obey(world: World, switches: Mapping[str, str]) -> None:
    """Follow the switches: many closed without being paid, or none where Swap never says which were processed."""
    if switches.get("rma_processed") == "none":
        _pay_all(world)
    elif switches.get(SWITCH) == "on" and SWITCH not in world.memory:
        world.memory[SWITCH] = "on"
        _spread(world)


def as_the_shop_shows(world: World, rng: Random) -> None:
    """With a shop its money decides: half were refunded there instead, of the others it shows that nothing moved."""
    told = [one for one in world.plants if one.kind == CLOSED and world.rmas[one.rma].closed_at]
    for one in told:
        if rng.random() < 0.5:
            world.money_scripts[one.rma] = INSTEAD
            world.plants = [other for other in world.plants if other.rma != one.rma]
        else:
            one.kind = "refund_not_paid"


def _spread(world: World) -> None:
    rng = Random(f"{world.seed}/{SWITCH}")  # noqa: S311
    left = list(in_order(world))
    rng.shuffle(left)
    stories = (*BARE, noted, processed_later)
    before = len(world.plants)
    for number, rma in enumerate(left[: -(-len(left) // EVERY)]):
        stories[number % len(stories)](world, rma, rng)
    _noted_by_staff(world)
    _closed_later(world)
    if ON in world.memory:
        kept, world.plants = world.plants[:before], world.plants[before:]
        as_the_shop_shows(world, rng)
        world.plants = kept + world.plants


def _pay_all(world: World) -> None:
    """Nobody could tell these from the paid ones: such a Swap holds none of them."""
    told = {one.rma for one in world.plants if one.kind == CLOSED and world.rmas[one.rma].closed_at}
    for number in told:
        world.rmas[number].processed_at = world.rmas[number].closed_at
        world.rmas[number].processed_word = ""
    world.plants = [one for one in world.plants if one.rma not in told]


def _tell(world: World, rma: Rma, why: str, *kinds: str) -> None:
    rma.processed_at = None
    world.plants += [Plant(kind, rma=rma.rma_number, why=why) for kind in kinds]


def closed(world: World, rma: Rma, _: Random) -> None:
    """Closed, and nobody is named."""
    _tell(world, rma, "closed without paying", CLOSED)


def closed_by_name(world: World, rma: Rma, _: Random) -> None:
    """Closed, and a person is named as the one who processed it."""
    rma.processed_by = "Sam Reyes"
    _tell(world, rma, "closed without paying, a person is named", CLOSED)


def closed_with_word(world: World, rma: Rma, _: Random) -> None:
    """The marker holds a word that proves nothing."""
    rma.processed_word = "Pending"
    _tell(world, rma, "closed, the marker says Pending", CLOSED)


def closed_without_date(world: World, rma: Rma, _: Random) -> None:
    """Closed with a refund value, and no date at all."""
    rma.closed_at = None
    _tell(world, rma, "closed without a date", CLOSED)


def noted(world: World, rma: Rma, rng: Random) -> None:
    """Closed without paying, and staff made the Credit Note all the same: of the whole worth, so no fee is withheld."""
    rma.refund_pence, rma.handling_fee_pence = rma.refund_pence + rma.handling_fee_pence, 0
    order = next(one for one in world.orders.values() if one.order_id == rma.order_id)
    _tell(world, rma, "closed without paying, credited by staff", CLOSED, CREDITED)
    _staff_note(world, order, rma, rng)


def processed_later(world: World, rma: Rma, rng: Random) -> None:
    """Closed without paying, and processed days later: then its Credit Note is due, and nothing is open."""
    rma.processed_at = None
    at = world.now + timedelta(hours=rng.randint(20, 60))
    rma.steps.append((at, {"processed_at": at.isoformat()}))


BARE: tuple[Story, ...] = (closed, closed_by_name, closed_with_word, closed_without_date)


def _staff_note(world: World, order: Order, rma: Rma, rng: Random) -> None:
    at = rma.closed_at or rma.updated_at
    Maker(world, rng, (at, at)).staff_note(order, rma, reference=rma.rma_number)


def _noted_by_staff(world: World) -> None:
    """Of the returns that staff made the right note for, with and without a reference, every other was never paid."""
    special = {one.rma for one in world.plants}
    strange = {world.notes[one.credit_note_code].urn for one in world.plants if one.credit_note_code}
    notes = Counter(note.urn for note in world.notes.values())
    returns = Counter(rma.urn for rma in world.rmas.values())
    found = [
        rma
        for rma in world.rmas.values()
        if rma.processed_at and notes[rma.urn] == returns[rma.urn] == 1 and rma.rma_number not in special
    ]
    for rma in found[::2]:
        if rma.urn not in strange:
            _tell(world, rma, "noted by staff, never paid", CLOSED, CREDITED)


def _closed_later(world: World) -> None:
    """Of the returns that close in the days to come, every other is closed without being paid."""
    closing = [rma for rma in world.rmas.values() if rma.steps and "closed_at" in rma.steps[0][1] and rma.is_submitted]
    for rma in closing[::2]:
        at, changes = rma.steps[0]
        rma.steps[0] = (at, {name: value for name, value in changes.items() if name != "processed_at"})
        kind = "refund_not_paid" if ON in world.memory else CLOSED
        _tell(world, rma, "closed without paying while we watched", kind)
