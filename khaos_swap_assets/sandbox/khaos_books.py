"""Khaos's books over the sandbox's world: quick look-ups, running numbers, and what changed since it was last kept.

Belongs here: finding orders and notes by code, reference, customer or date, and the record of touched objects. Stays
out: rules of the ledger (``khaos_returns``) and XML (``khaos_documents``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Customer, Note, Order, World

Keep = Callable[..., object]
"""Takes the records that changed, each an argument; ``Keeper.save`` is one."""

Entry = Order | Note


def keep_nothing(*_touched: object) -> None:
    """For a sandbox that lives in memory only."""


class Books:
    """Look-ups over ``state.world``; hold ``state.lock`` around every call.

    References and customers of a document never change, so an index only ever grows; a replaced world is noticed.
    """

    def __init__(self, state: State, keep: Keep = keep_nothing) -> None:
        self.state = state
        self._keep = keep
        self._touched: dict[int, object] = {}
        self._indexed: World | None = None

    @property
    def world(self) -> World:
        """The world, as it is now."""
        return self.state.world

    @property
    def now(self) -> datetime:
        """The world's clock, UTC."""
        return self.world.now

    def touch(self, *records: object) -> None:
        """Remember that ``records`` changed; the world itself stands for its clock, scripts and memory."""
        self._touched.update((id(record), record) for record in records)

    def flush(self) -> None:
        """Keep what changed: call at the end of each request that changes something, before its answer."""
        touched, self._touched = list(self._touched.values()), {}
        if touched:
            self._keep(*touched)

    def next_code(self, prefix: str) -> str:
        """The next free running code, e.g. CN00042; its number survives a restart."""
        world = self.world
        number = int(world.memory.get(f"last_{prefix}", "0")) + 1
        while f"{prefix}{number:05d}" in world.notes or f"{prefix}{number:05d}" in world.orders:
            number += 1
        world.memory[f"last_{prefix}"] = str(number)
        self.touch(world)
        return f"{prefix}{number:05d}"

    def by_code(self, code: str) -> list[Entry]:
        """The order or Credit Note of that code."""
        found = self.world.orders.get(code) or self.world.notes.get(code)
        return [found] if found and self._is_seen(found) else []

    def by_ref(self, reference: str) -> list[Entry]:
        """Orders and notes that carry ``reference`` exactly."""
        self._index()
        return [entry for entry in self._by_ref.get(reference, ()) if self._is_seen(entry)]

    def by_customer(self, urn: str) -> list[Entry]:
        """Orders and notes of one customer."""
        self._index()
        return [entry for entry in self._by_customer.get(urn, ()) if self._is_seen(entry)]

    def by_other_ref(self, other_ref: str) -> list[Entry]:
        """Orders and notes of the customer with that Other Ref (its e-mail)."""
        return [entry for urn in self._customers_of(other_ref) for entry in self.by_customer(urn)]

    def orders_of(self, reference: str) -> list[Order]:
        """Orders alone, by reference."""
        return [entry for entry in self.by_ref(reference) if isinstance(entry, Order)]

    def between(self, start: datetime, end: datetime) -> Iterator[Entry]:
        """Orders and notes created, issued or changed in the window, both ends included."""
        return (entry for entry in self._entries() if self._is_seen(entry) and _is_within(entry, start, end))

    def customer(self, urn: str) -> Customer | None:
        """The customer of ``urn``, if any."""
        return self.world.customers.get(urn)

    def _entries(self) -> Iterator[Entry]:
        yield from self.world.orders.values()
        yield from self.world.notes.values()

    def _customers_of(self, other_ref: str) -> Iterable[str]:
        return [urn for urn, customer in self.world.customers.items() if customer.email == other_ref]

    def _is_seen(self, entry: Entry) -> bool:
        return created_at(entry) <= self.now

    def _index(self) -> None:
        if self._indexed is not self.world:
            self._indexed = self.world
            self._counts = (0, 0)
            self._by_ref: dict[str, list[Entry]] = defaultdict(list)
            self._by_customer: dict[str, list[Entry]] = defaultdict(list)
        self._counts = (self._add(self.world.orders, self._counts[0]), self._add(self.world.notes, self._counts[1]))

    def _add(self, table: Mapping[str, Entry], start: int) -> int:
        for entry in islice(table.values(), start, None):
            self._by_ref[entry.associated_ref].append(entry)
            self._by_customer[entry.urn].append(entry)
        return len(table)


def created_at(entry: Entry) -> datetime:
    """When an order or a note came to be."""
    return entry.ordered_at if isinstance(entry, Order) else entry.created_at


def _is_within(entry: Entry, start: datetime, end: datetime) -> bool:
    return any(moment and start <= moment <= end for moment in (created_at(entry), entry.issued_at, entry.changed_at))
