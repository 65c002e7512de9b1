"""Swap and Khaos from memory, for benchmarks of our own work: no HTTP, no XML, no waiting.

Belongs here: the few calls that a tick makes. Stays out: the adapters and what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from benchmarks.history import NOW, STOCK_CODES
from khaos_swap_assets.adapters.khaos.records import FullOrder, OrderStatus, StatusFeed, StockLevel
from khaos_swap_assets.adapters.swap.client import SweepResult
from khaos_swap_assets.adapters.swap.records import ReadReturn
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder
from khaos_swap_assets.domain.records.returns import Return, ReturnLine

PRICES = (1999, 4550)
PARTY: dict[str, dict[str, object]] = {
    "InvoiceAddress": {"Addr1": "1 High Street", "Town": "Leeds", "Postcode": "LS1 1AA", "CountryCode": "GB"},
    "InvoiceContact": {"Forename": "A", "Surname": "Person", "Email": "a.person@example.com"},
}


class FromMemorySwap:
    """Shows the returns of the numbers in ``shown`` as changed."""

    def __init__(self) -> None:
        self.shown: Sequence[int] = ()

    def changed_since(self, since: datetime) -> SweepResult:
        """The returns of ``shown``."""
        return SweepResult(tuple(map(read_return, self.shown)), (), 1, False)

    def submitted_since(self, since: datetime) -> SweepResult:
        """None."""
        return SweepResult((), (), 1, False)

    def by_rma(self, rma: str) -> SweepResult:
        """None."""
        return SweepResult((), (), 1, False)


class FromMemoryKhaos:
    """Knows the order of every return and holds ten of everything."""

    def get_stock_list(self, since: datetime | None, date_type: int = 0) -> tuple[list[str], list[Any]]:
        """Nothing was edited."""
        return [], []

    def export_stock(self, codes: Sequence[str]) -> tuple[list[Any], list[Any]]:
        """Nothing was edited."""
        return [], []

    def export_stock_status(self, codes: Sequence[str], site_id: int) -> tuple[list[StockLevel], list[Any]]:
        """Ten of each."""
        return [StockLevel(code, site_id, 10) for code in codes], []

    def export_order_status(self, *, company_codes: Sequence[str] = (), **_: object) -> StatusFeed:
        """Nothing happened; each customer asked for has one old order and no note."""
        day = NOW.date()
        return StatusFeed(
            [OrderStatus(f"X{code}", f"X{code}", code, "GBP", day, day, False, 1000, 0) for code in company_codes], []
        )

    def export_orders_many(self, refs: Sequence[str]) -> Iterator[tuple[str, list[FullOrder]]]:
        """The order of each reference."""
        for ref in refs:
            yield ref, [FullOrder(_order(int(ref.removeprefix("KCCLX"))), PARTY)]


def read_return(number: int) -> ReadReturn:
    """A return of two lines, refunded an hour ago and found sellable."""
    at = NOW - timedelta(hours=1)
    lines = tuple(
        ReturnLine(f"r{number}", f"p{position}", "", "", code, 1, pence, "GBP", "Refund")
        for position, (code, pence) in enumerate(zip(_codes(number), PRICES, strict=True), 1)
    )
    record = Return(
        "store", f"r{number}", f"RMA{number}", f"#LX{number}", f"SO{number}", "Closed", "Delivered", "Approved",
        ("Refund",), "GBP", sum(PRICES), 0, 0, 0, sum(PRICES), at, at, at, at, at, at, lines,
    )  # fmt: skip
    return ReadReturn(record, {"rma": record.rma, "status": "Closed"}, (), "y")


def _codes(number: int) -> tuple[str, str]:
    return f"LX{number % STOCK_CODES}-M", f"LX{(number + 1) % STOCK_CODES}-M"


def _order(number: int) -> SalesOrder:
    day = date(2026, 6, 1)
    lines = tuple(
        OrderLine(position, code, 1, pence)
        for position, (code, pence) in enumerate(zip(_codes(number), PRICES, strict=True), 1)
    )
    customer = f"C{number % 5_000}"
    return SalesOrder(f"SO{number}", f"KCCLX{number}", customer, "GBP", day, day, False, 0, lines)
