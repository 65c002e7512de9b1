"""A town whose levels lie in the sandbox's Khaos, reached over SOAP: for the routes that carry stock there.

Belongs here: the town, a return whose goods are on no shelf yet, and a clerk. Stays out: expectations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from fastapi import FastAPI

from khaos_swap_assets.adapters.khaos.client import KhaosClient
from khaos_swap_assets.adapters.khaos.records import StockLevel
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault
from khaos_swap_assets.adapters.store import inspections
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_server import khaos_router
from khaos_swap_assets.sandbox.khaos_stock import import_file
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import StockItem, World
from khaos_swap_assets_tests.adapters.khaos import wires
from khaos_swap_assets_tests.stages.town import NOON, Khaos, Town, a_line, a_return, connect

SAMPLE = "Stock Code,Location,Adjust By,Reason\r\n{stock_code},{place=MAIN},{adjust_by},RETURN {rmas}\r\n"
DAMAGED = "{damaged_stock_code},{place=HOLD},{adjust_by},DAMAGED\r\n"


class Killed(Exception):  # noqa: N818
    """The process ended here."""


@dataclass
class Shelves(Khaos):
    """Khaos's books with levels in a sandbox. ``dies_at``: the step of the next calls at which our process ends."""

    books: Books = field(default_factory=lambda: Books(State(World(1, NOON, "S1"))))
    dies_at: int = 0
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = FastAPI()
        app.include_router(khaos_router(self.books))
        server = httpx.ASGITransport(app, raise_app_exceptions=False)

        async def served(asked: httpx.Request) -> httpx.Response:
            async with httpx.AsyncClient(transport=server) as session:
                return await session.request(asked.method, str(asked.url), content=asked.content, headers=asked.headers)

        def handler(asked: httpx.Request) -> httpx.Response:
            answer = asyncio.run(served(asked))
            return httpx.Response(answer.status_code, content=answer.content)

        self.client: KhaosClient = wires.client(handler)

    def item(self, code: str) -> StockItem:
        """What Khaos holds of a Stock Code; 10 units where nobody said otherwise."""
        items = self.books.world.items
        return items.setdefault(code, StockItem(code, f"id-{code}", code, 1000, available=10, quarantine=3))

    def export_stock_status(self, codes: Sequence[str], site_id: int) -> tuple[list[StockLevel], list[KhaosRowFault]]:
        self._at("read")
        for code in codes:
            self.item(code)
        found = self.client.export_stock_status(codes, site_id)
        self._at("was read")
        return found

    def get_site_list(self) -> dict[int, str]:
        return self.client.get_site_list()

    def get_stock_list(self, since: datetime | None, date_type: int = 0) -> tuple[list[str], list[KhaosRowFault]]:
        return self.client.get_stock_list(since, 2) if date_type == 2 else super().get_stock_list(since)

    def import_stock_level(self, code: str, site: str, level: int) -> bool:
        self.asked.append(("set", (code, site, level)))
        self._at("set")
        done = self.client.import_stock_level(code, site, level)
        self._at("was set")
        return done

    def _at(self, step: str) -> None:
        self.steps.append(step)
        if len(self.steps) == self.dies_at:
            self.dies_at = 0
            raise Killed(step)


def shelves_of(town: Town) -> Shelves:
    """The shelves of a town that has them."""
    assert isinstance(town.khaos, Shelves)
    town.khaos.books.world.now = town.now
    return town.khaos


def level_of(town: Town, code: str = "HAT") -> tuple[int, int]:
    """Units available and set aside."""
    item = shelves_of(town).item(code)
    return item.available, item.quarantine


def sell(town: Town, units: int = 1, code: str = "HAT") -> None:
    """Somebody buys units in a shop that nobody reads."""
    item = shelves_of(town).item(code)
    item.available, item.moved_at = item.available - units, town.now


def faults(town: Town, **armed: int) -> None:
    """Let the sandbox do this so many times."""
    for name, times in armed.items():
        shelves_of(town).books.state.faults.arm(name, times)


def switch(town: Town, **values: str) -> None:
    """Have the sandbox behave so."""
    shelves_of(town).books.state.switches.update(values)


def credited(town: Town, units: int = 1, number: int = 1, sku: str = "HAT") -> None:
    """A return that was credited before anybody looked into the parcel."""
    line, seen = a_line(sku, units, 1000 * units), {"quality_control_status": "Pending", "updated_at": town.now}
    town.sells_and_takes_back(a_return(number, line, **seen))
    town.sync()
    town.pull()
    town.sync()


def inspected(town: Town, condition: str, quantity: int = 1, *, rma: str = "RMA1", sku: str = "HAT") -> None:
    """The bench finds units."""
    with connect(town) as conn:
        name = f"{rma}-{condition}-{town.now:%d%H%M%S}"
        inspections.save(conn, Inspection(name, rma, sku, "", condition, quantity, town.now, "Kim"), town.now)


def run(town: Town, minutes: int = 20) -> bool:
    """One run later; whether it lived to its end."""
    shelves_of(town)
    try:
        town.sync(minutes=minutes)
    except Killed:
        return False
    return True


def clerk(town: Town, folder: Path) -> list[str]:
    """The clerk imports each file once, by its name: what Khaos says of them."""
    shelves = shelves_of(town)
    memory = shelves.books.world.memory
    told: list[str] = []
    for path in sorted(folder.glob("khaos-swap-stock-*")):
        if not memory.get(path.name):
            memory[path.name] = "imported"
            told += import_file(shelves.books, path.read_bytes().decode())
    return told
