"""How many connections to the database an installation opens at the most, process by process.

Belongs here: the sum, from what each process is told. Stays out: what a server allows (``adapters.store.sizes``) and
comparing the two (``preflight``). Two databases are told apart, because Dagster's may stand behind a pool of PgBouncer
(``deploy/pgbouncer.ini``), which opens as many as it is told, whatever asks it.
A Celery worker opens none while it waits; a run is bounded by Dagster's queue, whichever machine works on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from khaos_swap_assets.running.dagster_parts import LOOKS_OF_MANY, QUEUE_OF_MANY

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings

POOL, WRITER = 8, 1
"""Of each process of the gateway, and a pool of the front door: its desk has one, its sign-in another."""
UI_STORAGES, UI_OVERFLOW = 3, 20
"""Dagster's UI keeps a connection for runs, events and schedules each, and opens so many more where many look."""
A_RUN, A_RUN_OF_DAGSTER = 2, 3
DAEMON_LOOPS, CODE_SERVER, SUPERVISOR = 8, 2, 3
BESIDE = 1
"""Of whoever looks after a merchant's processes on a machine of gateways or workers, and after all of that machine."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What some processes open at the most, to our database and to Dagster's; ``is_each``: on each machine of them."""

    who: str
    ours: int
    dagster: int = 0
    is_each: bool = False

    @property
    def both(self) -> int:
        """All of it."""
        return self.ours + self.dagster


def budget(settings: Settings, house: int = 0) -> list[Opened]:
    """The shares of an installation, or of a ``house`` of so many merchants, each set up as these settings say.

    Where its runs are sent to workers, one machine of gateways and one of workers count.
    """
    merchants, looks = house or 1, 2 * int(LOOKS_OF_MANY["num_workers"]) if house else 0
    runs = _runs_at_once(house)
    door = 2 * POOL if settings.door.members_file and not house else 0
    return [
        *_at_the_gateways(settings, merchants),
        Opened("front door" if door else "web UI", door, UI_STORAGES * (1 + UI_OVERFLOW)),
        Opened("runs", runs * A_RUN, runs * A_RUN_OF_DAGSTER),
        Opened("daemon", 0, DAEMON_LOOPS + looks),
        Opened("code servers", merchants * CODE_SERVER + looks, merchants * CODE_SERVER),
        Opened("supervisors", merchants * SUPERVISOR, SUPERVISOR if house else 0),
    ]


def _at_the_gateways(settings: Settings, merchants: int) -> list[Opened]:
    """The gateways; where runs are sent, a machine of them, and one of workers beside it."""
    gateways = merchants * settings.gateway_workers * (POOL + WRITER)
    if not settings.runs.are_sent:
        return [Opened("gateways", gateways)]
    beside = merchants * BESIDE
    return [
        Opened("a machine of gateways", gateways + beside, BESIDE, is_each=True),
        Opened("a machine of workers", beside, BESIDE, is_each=True),
    ]


def total(shares: Sequence[Opened]) -> int:
    """All connections together."""
    return sum(one.both for one in shares)


def in_words(shares: Sequence[Opened]) -> str:
    """The sum with its parts."""
    told = ", ".join(f"{one.who} {one.both}" for one in shares)
    more = "; each further machine opens its own share again" if any(one.is_each for one in shares) else ""
    dagster = sum(one.dagster for one in shares)
    return f"at most {total(shares)} connections ({told}), {dagster} of them to Dagster's{more}"


def _runs_at_once(house: int) -> int:
    """Of one installation, or of a house of so many merchants."""
    import yaml

    if house:
        of_one = QUEUE_OF_MANY["tag_concurrency_limits"][0]["limit"]
        return int(min(QUEUE_OF_MANY["max_concurrent_runs"], house * of_one))
    told = yaml.safe_load(resources.files("khaos_swap_assets").joinpath("dagster.yaml").read_text())
    return int(told["concurrency"]["runs"]["max_concurrent_runs"])
