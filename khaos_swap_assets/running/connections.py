"""How many connections to the database an installation opens at the most, process by process.

Belongs here: the sum, from what each process is told. Stays out: what a server allows (``adapters.store.sizes``) and
comparing the two (``preflight``). Two databases are told apart, because Dagster's may stand behind a pool of PgBouncer
(``deploy/pgbouncer.ini``), which opens as many as it is told, whatever asks it.
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


@dataclass(frozen=True, slots=True)
class Opened:
    """What some processes open at the most, to our database and to Dagster's."""

    who: str
    ours: int
    dagster: int = 0

    @property
    def both(self) -> int:
        """All of it."""
        return self.ours + self.dagster


def budget(settings: Settings, merchants: int = 1) -> list[Opened]:
    """The shares of an installation, or of a house of ``merchants`` that are each set up as these settings say."""
    is_of_many = merchants > 1
    runs = int(QUEUE_OF_MANY["max_concurrent_runs"]) if is_of_many else _runs_at_once()
    looks = 2 * int(LOOKS_OF_MANY["num_workers"]) if is_of_many else 0
    door = 2 * POOL if settings.door.members_file and not is_of_many else 0
    return [
        Opened("gateways", merchants * settings.gateway_workers * (POOL + WRITER)),
        Opened("front door" if door else "web UI", door, UI_STORAGES * (1 + UI_OVERFLOW)),
        Opened("runs", runs * A_RUN, runs * A_RUN_OF_DAGSTER),
        Opened("daemon", 0, DAEMON_LOOPS + looks),
        Opened("code servers", merchants * CODE_SERVER + looks, merchants * CODE_SERVER),
        Opened("supervisors", merchants * SUPERVISOR, is_of_many * SUPERVISOR),
    ]


def total(shares: Sequence[Opened]) -> int:
    """All connections together."""
    return sum(one.both for one in shares)


def in_words(shares: Sequence[Opened]) -> str:
    """The sum with its parts."""
    told = ", ".join(f"{one.who} {one.both}" for one in shares)
    return f"at most {total(shares)} connections ({told}), {sum(one.dagster for one in shares)} of them to Dagster's"


def _runs_at_once() -> int:
    import yaml

    told = yaml.safe_load(resources.files("khaos_swap_assets").joinpath("dagster.yaml").read_text())
    return int(told["concurrency"]["runs"]["max_concurrent_runs"])
