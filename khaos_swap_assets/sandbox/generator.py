"""An invented trading month of an apparel merchant, the same for the same seed.

Belongs here: how many returns of which scenario a month holds. Stays out: what a scenario is (``scenarios`` for what
is in order, ``trouble`` for what is not) and the real trading history (``history``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from khaos_swap_assets.sandbox import catalogue
from khaos_swap_assets.sandbox.maker import LONDON, Maker
from khaos_swap_assets.sandbox.scenarios import CLEAN
from khaos_swap_assets.sandbox.world import World

DEFAULT_NOW = datetime(2026, 7, 3, 9, tzinfo=UTC)
STORE_ID = "st_7f3k9q"
POST_FROM_DAY = 4


def build(seed: int, returns: int, now: datetime = DEFAULT_NOW) -> World:
    """A world of ``returns`` returns at ``now`` (UTC); their refunds fall in the London month that ended before it."""
    rng = Random(seed)  # noqa: S311
    month = ended_month(now)
    post_from = month[0].astimezone(LONDON).date().replace(day=POST_FROM_DAY)
    world = World(seed, now, STORE_ID, post_from=post_from)
    world.items = {item.stock_code: item for item in catalogue.stock_items(rng, month[0])}
    maker = Maker(world, rng, month)
    for name in _plan(rng, returns):
        CLEAN[name][1](maker)
    _sell_more(maker, returns // 3)
    return world


def ended_month(now: datetime) -> tuple[datetime, datetime]:
    """[start, end) in UTC of the London calendar month that ended last before ``now``."""
    end = now.astimezone(LONDON).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=1)).replace(day=1)
    return start.astimezone(UTC), end.astimezone(UTC)


def _plan(rng: Random, returns: int) -> list[str]:
    return rng.choices(list(CLEAN), [weight for weight, _ in CLEAN.values()], k=returns)


def _sell_more(maker: Maker, orders: int) -> None:
    for _ in range(orders):
        maker.order(maker.customer(), maker.basket(), maker.moment(maker.month_start, maker.month_end))
