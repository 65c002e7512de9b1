"""What the merchant's people do in Khaos by the clock: issue, allocate, sell on, adjust.

Belongs here: one round of that work. Stays out: the ledger's own rules (``khaos_returns``). Notes that a script or a
plant leaves alone stay alone, and nobody sells an item whose level is to prove something.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from khaos_swap_assets.sandbox import adjusted, switches
from khaos_swap_assets.sandbox.khaos_books import Books
from khaos_swap_assets.sandbox.khaos_returns import WRONG_TYPES, allocate, issue
from khaos_swap_assets.sandbox.khaos_stock import import_new
from khaos_swap_assets.sandbox.world import Customer, Note, Order, ReturnDocument, StockItem, WorldLine

ONE_DAY = timedelta(days=1)
SALES_A_ROUND = 3
PROVING = frozenset({*WRONG_TYPES, adjusted.WHOLE, adjusted.HALF})
FIRST_NAMES = ("Amara", "Bryn", "Carys", "Dilip", "Esme", "Finlay", "Grace", "Hamza")
LAST_NAMES = ("Okafor", "Hughes", "Pritchard", "Shah", "Marlow", "Reid", "Whitby", "Iqbal")


class Staff:
    """Works under ``state.lock``; ``sale_every`` is the time between two rounds of selling on.

    Where a clerk imports ``stock_files`` every level is to prove something, so nobody sells.
    """

    def __init__(self, books: Books, sale_every: timedelta = ONE_DAY) -> None:
        self._books = books
        self.stock_files: Path | None = None
        self._sale_every = sale_every

    def work(self) -> dict[str, int]:
        """One round: counts of notes issued, notes allocated, orders sold and stock adjusted."""
        with self._books.state.lock:
            documents = {one.note_code: one for one in self._books.world.documents.values() if one.note_code}
            done = {
                "issued": self._issue_due(documents),
                "allocated": self._allocate_due(documents),
                "sold": self._sell_on(),
                "adjusted": adjusted.adjust_due(self._books) + self._import(),
            }
            self._books.flush()
        return done

    def _import(self) -> int:
        return import_new(self._books, self.stock_files) if self.stock_files else 0

    def _issue_due(self, documents: dict[str, ReturnDocument]) -> int:
        left_alone = self._left_alone("credit_note_not_issued", "issue_never", documents)
        wait = ONE_DAY if switches.value(self._books.state, "notes_issued") == "later" else timedelta()
        due = [note for note in self._seen_notes() if note.issued_at is None and note.code not in left_alone]
        due = [note for note in due if note.created_at + wait <= self._books.now]
        for note in due:
            issue(self._books, note, documents.get(note.code))
        return len(due)

    def _allocate_due(self, documents: dict[str, ReturnDocument]) -> int:
        left_alone = self._left_alone("credit_note_unallocated", "never_allocated", documents)
        due = [note for note in self._seen_notes() if not note.is_allocated and note.code not in left_alone]
        due = [note for note in due if note.issued_at and note.issued_at + ONE_DAY <= self._books.now]
        for note in due:
            allocate(self._books, note)
        return len(due)

    def _seen_notes(self) -> list[Note]:
        return [note for note in self._books.world.notes.values() if note.created_at <= self._books.now]

    def _left_alone(self, kind: str, script: str, documents: dict[str, ReturnDocument]) -> set[str]:
        world = self._books.world
        planted = {plant.credit_note_code for plant in world.plants if plant.kind == kind}
        scripted = {code for code, one in documents.items() if world.scripts.get(one.rma) == script}
        return planted | scripted

    def _sell_on(self) -> int:
        world, now = self._books.world, self._books.now
        last = world.memory.get("last_sale_at", "")
        if last and now < datetime.fromisoformat(last) + self._sale_every:
            return 0
        world.memory["last_sale_at"] = now.isoformat()
        rng = Random(f"{world.seed}:{now.isoformat()}")  # noqa: S311
        items = [] if self.stock_files else self._saleable()
        for item in rng.sample(items, min(SALES_A_ROUND, len(items))):
            self._sell(item, rng)
        self._books.touch(world)
        return min(SALES_A_ROUND, len(items))

    def _saleable(self) -> list[StockItem]:
        world = self._books.world
        watched = {line.sku for number in world.rmas if self._is_watched(number) for line in world.rmas[number].lines}
        return [
            item
            for item in world.items.values()
            if item.available > 1 and not item.is_discontinued and item.stock_code not in watched
        ]

    def _is_watched(self, rma_number: str) -> bool:
        return self._books.world.scripts.get(rma_number) in PROVING

    def _sell(self, item: StockItem, rng: Random) -> None:
        books, now = self._books, self._books.now
        code = books.next_code("SOW")
        number = code.removeprefix("SOW")
        customer = _shopper(f"WEB{number}", rng)
        line = WorldLine(
            stock_code=item.stock_code,
            quantity=1,
            gross_pence=item.unit_gross_pence,
            vat_percent=item.vat_percent,
            line_item_id=f"9{number}",
        )
        order = Order(
            so_code=code,
            associated_ref=f"KCCWS{number}",
            order_name=f"#WS{number}",
            order_id=f"8{number}",
            urn=customer.urn,
            currency="GBP",
            ordered_at=now,
            lines=[line],
        )
        order.invoice_code, order.issued_at, order.changed_at = f"INVW{number}", now, now
        item.available, item.moved_at = item.available - 1, now
        books.world.customers[customer.urn] = customer
        books.world.orders[code] = order
        books.touch(customer, order, item)


def _shopper(urn: str, rng: Random) -> Customer:
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    email = f"{first}.{last}.{urn}@example.com".lower()
    return Customer(
        urn=urn,
        forename=first,
        surname=last,
        email=email,
        address1=f"{rng.randint(1, 99)} Mill Lane",
        town="Leeds",
        postcode="LS1 4AP",
    )
