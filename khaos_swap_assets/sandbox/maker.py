"""The bricks of an invented trading month: customers, orders, returns and notes that staff made.

Belongs here: making one consistent thing and putting it into the world. Stays out: which things a month holds
(``generator``) and what is wrong with them (``scenarios``, ``trouble``).
Money is integer pence of the order's currency; times are UTC, whole seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from khaos_swap_assets.sandbox import catalogue
from khaos_swap_assets.sandbox.world import Customer, Note, NoteLine, Order, Rma, RmaLine, StockItem, World, WorldLine

LONDON = ZoneInfo("Europe/London")
ORDER_REF_FORMATS = {"": "KCC{0}", "outlet": "OUT{0}"}
"""How the Khaos channel of each store calls its orders."""
CLEAN_DISCOUNTS = (0, 0, 0, 10, 15)
EURO_PERCENT = 118

Picks = Sequence[tuple[WorldLine, int]]


def order_ref(order_name: str, store: str = "") -> str:
    """What the Khaos channel of a store calls a Shopify order: '#LX10482' -> 'KCCLX10482'."""
    return ORDER_REF_FORMATS[store].format(order_name.removeprefix("#"))


def net_of(gross_pence: int, vat_percent: int) -> int:
    """The part of a gross amount that is not VAT, half up (khaos.md §10)."""
    return (gross_pence * 200 + 100 + vat_percent) // (2 * (100 + vat_percent))


def part_of(line: WorldLine, quantity: int) -> int:
    """What ``quantity`` units of a sold line cost; the whole line costs the whole."""
    return line.gross_pence * quantity // line.quantity


def unit_list_pence(world: World, order: Order, line: WorldLine) -> int:
    """The price of one unit before any discount; never less than a unit of the line cost."""
    return max(_unit_pence(world.items[line.stock_code], order.currency), -(-line.gross_pence // line.quantity))


def _unit_pence(item: StockItem, currency: str) -> int:
    return item.unit_gross_pence if currency == "GBP" else item.unit_gross_pence * EURO_PERCENT // 100


@dataclass(frozen=True)
class Times:
    """When one return went through its stations."""

    ordered_at: datetime
    created_at: datetime
    delivered_at: datetime
    inspect_at: datetime
    refunded_at: datetime


class Maker:
    """Makes things of ``store`` for ``world`` from its own random numbers; ``month`` is [start, end) in UTC."""

    def __init__(
        self, world: World, rng: Random, month: tuple[datetime, datetime], first_order: int = 0, store: str = ""
    ) -> None:
        self.world = world
        self.rng = rng
        self.month_start, self.month_end = month
        self.stock = [item for item in world.items.values() if not item.is_discontinued]
        self._order_number = first_order
        self.store = store

    def moment(self, start: datetime, end: datetime) -> datetime:
        """A random whole second in [start, end)."""
        return start + timedelta(seconds=self.rng.randrange(max(1, int((end - start).total_seconds()))))

    def times(self, *, before_start: bool = False) -> Times:
        """Stations of a return refunded in the month: before the first day of posting, or on and after it."""
        first = self.world.post_from or self.month_start.astimezone(LONDON).date()
        posting = datetime.combine(first, time.min, LONDON).astimezone(UTC)
        window = (self.month_start, posting) if before_start else (posting, self.month_end)
        refunded_at = self.moment(*window)
        delivered_at = refunded_at - timedelta(seconds=self.rng.randint(3600, 3 * 86400))
        created_at = delivered_at - timedelta(seconds=self.rng.randint(3 * 86400, 9 * 86400))
        ordered_at = created_at - timedelta(seconds=self.rng.randint(5 * 86400, 25 * 86400))
        inspect_at = delivered_at + timedelta(seconds=self.rng.randint(4 * 3600, 2 * 86400))
        return Times(
            ordered_at=ordered_at,
            created_at=created_at,
            delivered_at=delivered_at,
            inspect_at=inspect_at,
            refunded_at=refunded_at,
        )

    def customer(self, currency: str = "GBP") -> Customer:
        """A new shopper."""
        made = catalogue.customer(self.rng, 1 + len(self.world.customers), currency)
        self.world.customers[made.urn] = made
        return made

    def item(self, stock_code: str, *, barcode: str = "", is_discontinued: bool = False) -> StockItem:
        """A stock item of its own, which no other return and no sale touches."""
        stock_id = str(70000 + len(self.world.items))
        made = StockItem(stock_code, stock_id, f"Item {stock_code}", 5000, available=8, barcode=barcode)
        made.is_discontinued = is_discontinued
        made.revised_at = made.moved_at = self.month_start - timedelta(days=60)
        self.world.items[stock_code] = made
        return made

    def basket(self, size: int | None = None) -> list[tuple[StockItem, int]]:
        """Distinct items with quantities; mostly one unit each."""
        count = size or self.rng.choices((1, 2, 3, 4), (35, 35, 20, 10))[0]
        return [(item, self.rng.choices((1, 2, 3), (80, 13, 7))[0]) for item in self.rng.sample(self.stock, count)]

    def order(self, customer: Customer, basket: Sequence[tuple[StockItem, int]], ordered_at: datetime) -> Order:
        """An invoiced Sales Order with an order discount, put into the world."""
        self._order_number += 1
        number = self._order_number
        name = f"#LX{10400 + number}"
        keep = 100 - self.rng.choice(CLEAN_DISCOUNTS)
        made = Order(
            so_code=f"SO{48000 + number}",
            associated_ref=order_ref(name, self.store),
            order_name=name,
            order_id=str(5903300000000 + 7919 * number),
            urn=customer.urn,
            currency=customer.currency,
            ordered_at=ordered_at,
            lines=[
                self._sold(item, quantity, keep, customer, number, at) for at, (item, quantity) in enumerate(basket)
            ],
            delivery_gross_pence=self.rng.choice((0, 395, 495)),
            store=self.store,
        )
        made.invoice_code, made.issued_at = f"INV{60000 + number}", ordered_at + timedelta(days=1)
        made.changed_at = made.issued_at
        self.world.orders[made.so_code] = made
        return made

    def _sold(self, item: StockItem, quantity: int, keep: int, customer: Customer, number: int, at: int) -> WorldLine:
        unit = _unit_pence(item, customer.currency)
        gross = (unit * quantity * keep * 2 + 100) // 200
        return WorldLine(
            stock_code=item.stock_code,
            quantity=quantity,
            gross_pence=gross,
            vat_percent=item.vat_percent,
            line_item_id=str(14200000000000 + number * 100 + at),
        )

    def picks(self, order: Order) -> list[tuple[WorldLine, int]]:
        """Some of an order's lines and some of their units: what comes back."""
        lines = self.rng.sample(order.lines, self.rng.randint(1, len(order.lines)))
        return [(line, self.rng.randint(1, line.quantity)) for line in lines]

    def rma(self, order: Order, picks: Picks, created_at: datetime) -> Rma:
        """An open return of ``picks``, still on its way; put into the world. Each store numbers its own."""
        number = 1 + len(self.world.rmas)
        own = 1 + sum(one.store == self.store for one in self.world.rmas.values()) if self.store else number
        suffix = "-EU" if order.currency == "EUR" else ""
        made = Rma(
            rma_number=f"RMA-{created_at.year}-{1000 + number:05d}{suffix}",
            return_id=f"ret_{self.world.seed:04d}{own:06d}",
            order_name=order.order_name,
            order_id=order.order_id,
            urn=order.urn,
            currency=order.currency,
            created_at=created_at,
            updated_at=created_at,
            lines=[self.line(line, quantity, own, at) for at, (line, quantity) in enumerate(picks)],
            store=self.store,
        )
        self.world.rmas[made.rma_number] = made
        return made

    def last_rma(self) -> Rma:
        """The return made last."""
        return next(reversed(self.world.rmas.values()))

    def line(self, sold: WorldLine, quantity: int, number: int, at: int) -> RmaLine:
        """One returned row of a sold line."""
        reason = self.rng.choice(("Fit", "Changed mind", "Not as described", "Faulty"))
        product_id = f"prd_{number:06d}{at:02d}"
        return RmaLine(
            product_id=product_id,
            line_item_id=sold.line_item_id,
            sku=sold.stock_code,
            quantity=quantity,
            cost_pence=part_of(sold, quantity),
            reason=reason,
            is_faulty=reason == "Faulty",
        )

    def close(self, rma: Rma, times: Times, *, fee: int = 0) -> Rma:
        """Delivered, to be inspected, refunded for its Refund lines less a withheld fee, and closed."""
        rma.delivered_at, rma.delivery_status, rma.inspect_at = times.delivered_at, "Delivered", times.inspect_at
        rma.refund_pence = sum(line.cost_pence for line in rma.lines if line.outcome == "Refund") - fee
        rma.handling_fee_pence = fee
        rma.status, rma.processed_at = "Closed", times.refunded_at
        rma.closed_at = rma.updated_at = times.refunded_at + timedelta(seconds=self.rng.random() >= 0.8)
        return rma

    def refunded(self, times: Times | None = None, *, currency: str = "GBP", fee: int = 0) -> tuple[Order, Rma]:
        """The ordinary case: a customer, an order, and a return of some of it, refunded and closed."""
        at = times or self.times()
        order = self.order(self.customer(currency), self.basket(), at.ordered_at)
        rma = self.rma(order, self.picks(order), at.created_at)
        return order, self.close(rma, at, fee=fee)

    def staff_note(self, order: Order, rma: Rma, *, reference: str, gross_change: int = 0) -> Note:
        """A Credit Note that staff typed for a return; ``gross_change`` falls on its first line."""
        costs = [line.cost_pence for line in rma.lines]
        costs[0] += gross_change
        lines = [
            NoteLine(line.sku, line.quantity, cost, self.net(line.sku, cost), so_code=order.so_code)
            for line, cost in zip(rma.lines, costs, strict=True)
        ]
        at = rma.processed_at or rma.closed_at or self.month_start
        made = self.note(order.urn, reference, order.currency, at, lines)
        made.rma = rma.rma_number
        return made

    def note(self, urn: str, reference: str, currency: str, at: datetime, lines: list[NoteLine]) -> Note:
        """A note made by hand, issued a few hours later and already allocated; put into the world."""
        created_at = at + timedelta(hours=self.rng.randint(1, 6))
        code = f"CNH{1 + len(self.world.notes):05d}"
        made = Note(
            code=code,
            urn=urn,
            associated_ref=reference,
            currency=currency,
            created_at=created_at,
            lines=lines,
            stage_id=70,
            made_by="staff",
            is_allocated=True,
        )
        made.issued_at = made.changed_at = created_at + timedelta(hours=2)
        self.world.notes[code] = made
        return made

    def net(self, stock_code: str, gross_pence: int) -> int:
        """The net part of an amount for an item, at its own rate."""
        return net_of(gross_pence, self.world.items[stock_code].vat_percent)
