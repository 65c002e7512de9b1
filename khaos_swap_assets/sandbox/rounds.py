"""One round of the world outside us: returns move on, parcels are opened, the channel pulls, staff work.

Belongs here: the order of a round, the clock, and that two rounds never overlap. Stays out: the work of each party.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import httpx

from khaos_swap_assets.sandbox import generator
from khaos_swap_assets.sandbox.channel import Channel
from khaos_swap_assets.sandbox.clockwork import apply_due
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.shop_webhooks import Knock, order_cancelled, refund_made, send_knocks
from khaos_swap_assets.sandbox.staff import Staff
from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.storefront_books import settle
from khaos_swap_assets.sandbox.storefront_cancelled import cancel_now
from khaos_swap_assets.sandbox.swap_webhooks import send_webhooks
from khaos_swap_assets.sandbox.warehouse import Warehouse
from khaos_swap_assets.sandbox.world import StoreRefund

TRICKLE_SECONDS = 180


@dataclass
class Rounds:
    """The parties of one sandbox. ``is_live``: the clock follows the wall clock, plus what was advanced by hand.

    ``every`` is then the time between two new returns. ``further`` are the stores of Swap beside the first.
    """

    books: Books
    channel: Channel
    warehouse: Warehouse
    staff: Staff
    gateway: httpx.Client
    is_live: bool = False
    every: timedelta = timedelta(seconds=TRICKLE_SECONDS)
    further: Sequence[State] = ()
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, by: timedelta) -> None:
        """Move the clock on; only forward."""
        with self.books.state.lock:
            world = self.books.world
            ahead = float(world.memory.get("ahead_seconds", "0")) + by.total_seconds()
            world.memory["ahead_seconds"] = str(ahead)
            world.now += by
            self.books.touch(world)
            self.books.flush()

    def tick(self) -> dict[str, object]:
        """One round; ``did`` is all zero when nothing was left to do, ``problems`` are calls that failed."""
        with self._turn:
            if self.is_live:
                self._follow_wall_clock()
                self._let_returns_trickle_in()
            steps = self._apply_steps()
            problems: list[str] = []
            refunds = self._move_money()
            self._tell_shop([refund_made(one) for one in refunds], problems)
            webhooks = send_webhooks(self.books.state, lambda body: self._knock(body, problems), self.further)
            if webhooks:
                self.books.touch(self.books.world)
            inspections, failed = self.warehouse.post_due()
            pulled = self.channel.pull()
            done = {"steps": steps, "refunds": len(refunds), "webhooks": webhooks, "inspections": inspections}
            done |= {"pulled": pulled.fetched, "imported": pulled.imported, **self.staff.work()}
            return {"did": done, "problems": [*problems, *failed, *pulled.plus(self.channel.push()).problems]}

    def _let_returns_trickle_in(self) -> None:
        """A new return every now and then, so that whoever watches sees work come in."""
        with self.books.state.lock:
            world = self.books.world
            last = world.memory.setdefault("last_trickle_at", world.now.isoformat())
            if world.now < datetime.fromisoformat(last) + self.every:
                return
            tables: tuple[Mapping[str, object], ...] = (world.items, world.customers, world.orders, world.rmas)
            before = [len(table) for table in tables]
            generator.trickle(world)
            world.memory["last_trickle_at"] = world.now.isoformat()
            for table, start in zip(tables, before, strict=True):
                self.books.touch(*islice(table.values(), start, None))
            self.books.touch(world)
            self.books.flush()

    def _apply_steps(self) -> int:
        with self.books.state.lock:
            moving = [rma for rma in self.books.world.rmas.values() if rma.steps]
            steps = apply_due(self.books.world)
            if steps:
                self.books.touch(*moving, self.books.world)
                self.books.flush()
        return steps

    def cancel_order(self, order_name: str, fate: str) -> list[str]:
        """Have the shop cancel an order now and pay it back; what went wrong in telling of it."""
        with self.books.state.lock:
            order, paid = cancel_now(self.books.world, order_name, fate)
            self.books.touch(order, paid, self.books.world)
            self.books.flush()
        problems: list[str] = []
        self._tell_shop([order_cancelled(order), refund_made(paid)], problems)
        return problems

    def _tell_shop(self, knocks: list[Knock], problems: list[str]) -> None:
        def post(body: bytes, headers: Mapping[str, str]) -> bool:
            return self._posted("webhooks/storefront", problems, content=body, headers=headers)

        send_knocks(self.books.state, knocks, post)

    def _move_money(self) -> list[StoreRefund]:
        with self.books.state.lock:
            made = settle(self.books.world)
            self.books.touch(*made)
            self.books.flush()
        return made

    def _knock(self, body: Mapping[str, object], problems: list[str]) -> bool:
        return self._posted("webhooks/swap", problems, json=body)

    def _posted(self, path: str, problems: list[str], **what: Any) -> bool:
        try:
            answer = self.gateway.post(path, **what)
        except httpx.HTTPError as error:
            problems.append(f"webhook: {type(error).__name__}: {error}")
            return False
        return answer.is_success

    def _follow_wall_clock(self) -> None:
        with self.books.state.lock:
            ahead = timedelta(seconds=float(self.books.world.memory.get("ahead_seconds", "0")))
            self.books.world.now = max(self.books.now, datetime.now(UTC).replace(microsecond=0) + ahead)
