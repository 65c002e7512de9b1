"""An invented trading month of an apparel merchant, the same for the same seed.

Belongs here: how many returns of which scenario a month holds. Stays out: what a scenario is (``scenarios`` for what
is in order, ``trouble`` and ``trouble_after`` for what is not) and the real trading history (``history``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox import catalogue, unpaid
from khaos_swap_assets.sandbox.maker import LONDON, Maker
from khaos_swap_assets.sandbox.scenarios import CLEAN, Scenario, arriving
from khaos_swap_assets.sandbox.trouble import SHOP_TROUBLE, arriving_misspelt, over_return_pair
from khaos_swap_assets.sandbox.trouble_after import AFTER_TROUBLE, SCRIPTED, credit_note_orphan
from khaos_swap_assets.sandbox.world import World

DEFAULT_NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)
STORE_ID = "st_7f3k9q"
FURTHER_STORES = {"outlet": "st_9k2m4t"}
"""Swap's id of each store beside the first, by its name."""
FURTHER_ORDERS = 40_000
POST_FROM_DAY = 4
TROUBLE_SHARE = 0.0085
TROUBLE = {**SHOP_TROUBLE, **AFTER_TROUBLE}
RETURNS_MADE: dict[Scenario, int] = {over_return_pair: 2, credit_note_orphan: 0}


def build(seed: int, returns: int, now: datetime = DEFAULT_NOW) -> World:
    """A world of ``returns`` returns at ``now`` (UTC); their refunds fall in the London month that ended before it."""
    rng = Random(seed)  # noqa: S311
    month = ended_month(now)
    post_from = month[0].astimezone(LONDON).date().replace(day=POST_FROM_DAY)
    world = World(seed, now, STORE_ID, post_from=post_from)
    world.items = {item.stock_code: item for item in catalogue.stock_items(rng, month[0])}
    maker = Maker(world, rng, month)
    for story in _plan(rng, returns):
        story(maker)
    sell_more(maker, returns // 3)
    unpaid.plant(world, _each(returns))
    return world


def add_store(world: World, store: str, returns: int) -> None:
    """The same month of a further store: other customers and orders, the same goods, its returns numbered alike."""
    world.further_stores[store] = FURTHER_STORES[store]
    rng = Random(f"{world.seed}/{store}")  # noqa: S311
    maker = Maker(world, rng, ended_month(world.now), first_order=FURTHER_ORDERS, store=store)
    for story in _plan(rng, returns):
        story(maker)


def ended_month(now: datetime) -> tuple[datetime, datetime]:
    """[start, end) in UTC of the London calendar month that ended last before ``now``."""
    end = now.astimezone(LONDON).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=1)).replace(day=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def _each(returns: int) -> int:
    """How many returns a month holds of each kind of trouble."""
    return max(1, round(returns * TROUBLE_SHARE))


def _plan(rng: Random, returns: int) -> list[Scenario]:
    """Trouble and clean returns mixed, then the returns whose documents Khaos mishandles: never the first posted."""
    each = _each(returns)
    trouble = [stories[n % len(stories)] for n in range(each) for stories in TROUBLE.values()][: returns // 3]
    scripted = [story for _ in range(each) for story in SCRIPTED.values()][: returns // 8]
    left = returns - len(scripted) - sum(RETURNS_MADE.get(story, 1) for story in trouble)
    clean = rng.choices([story for _, story in CLEAN.values()], [weight for weight, _ in CLEAN.values()], k=left)
    mixed = [*trouble, *clean]
    rng.shuffle(mixed)
    return mixed + scripted


def sell_more(maker: Maker, orders: int) -> None:
    """Orders of the month that nobody returns."""
    for _ in range(orders):
        maker.order(maker.customer(), maker.basket(), maker.moment(maker.month_start, maker.month_end))


def trickle(world: World, returns: int = 1) -> None:
    """A few more returns while people watch: submitted now, and refunded and inspected within a minute.

    Call it with ``world.now`` moved on; each call makes its own random numbers from the seed and the count so far.
    """
    rng = Random(f"{world.seed}/{len(world.rmas)}")  # noqa: S311
    maker = Maker(world, rng, ended_month(world.now), first_order=100_000 + 10 * len(world.rmas))
    for _ in range(returns):
        rng.choices((arriving, arriving_misspelt), (9, 1))[0](maker)
