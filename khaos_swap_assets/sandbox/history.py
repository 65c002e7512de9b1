"""Real trading history as a sandbox world: invoices become Sales Orders, C-invoices of one month become Swap returns.

Belongs here: making the records. Stays out: the cells of the file (``history_file``), what must be open about the
records (``history_truth``), and the history itself, which is never copied here.

How the rules are read: codes are compared raw; the quantities of a code are added up on both sides; only lines with a
positive quantity were sold, and a line of zero units is none; *earlier* is by the minute of the invoice; a C-invoice
without product lines or without a customer fits nothing. So 2010-10 has 476 C-invoices, 267 with one fit, and 2010-11
has 576 and 353.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from khaos_swap_assets.sandbox.generator import STORE_ID
from khaos_swap_assets.sandbox.history_file import HistoryError, HistoryLine, read
from khaos_swap_assets.sandbox.history_truth import plants
from khaos_swap_assets.sandbox.maker import LONDON, order_ref
from khaos_swap_assets.sandbox.world import Customer, Order, Rma, RmaLine, StockItem, World, WorldLine

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
SHELF_QUANTITY = 500

Invoices = Mapping[str, list[HistoryLine]]


def require(path: Path, month: str) -> None:
    """Raise ``HistoryError`` unless the file can be read and holds a C-invoice in the month."""
    _read(path, month)


def load(path: Path, month: str) -> World:
    """The world of a month ('2010-10') at 09:00 on the third of the next one. Raises ``HistoryError``."""
    start, end = _bounds(month)
    invoices, cancellations = _read(path, month)
    sales = {name: sold for name, lines in invoices.items() if name[0] != "C" and (sold := _sold(lines))}
    world = World(0, _utc(end + timedelta(days=2, hours=9)), STORE_ID, post_from=start.date())
    world.items = _catalogue(sales, start)
    world.orders = {
        order.so_code: order for name, sold in sales.items() for order in [_order(name, sold, invoices[name])]
    }
    world.customers = {urn: _customer(urn) for urn in _urns(invoices)}
    fits = one_fit(cancellations, sales)
    world.rmas = {
        rma.rma_number: rma for name, lines in cancellations.items() for rma in [_rma(name, lines, fits.get(name, ""))]
    }
    world.plants = plants(world)
    return world


def one_fit(cancellations: Invoices, sales: Invoices) -> dict[str, str]:
    """C-invoice -> the only earlier invoice of its customer that holds every product code in at least that quantity."""
    by_customer: defaultdict[str, list[tuple[datetime, str, Counter[str]]]] = defaultdict(list)
    for name, sold in sales.items():
        by_customer[sold[0].customer].append((sold[0].at, name, units(sold)))
    fits = {}
    for name, lines in cancellations.items():
        wanted, customer = units(_goods(lines)), lines[0].customer
        earlier = [row for row in by_customer[customer] if row[0] < lines[0].at] if wanted and customer else []
        found = [invoice for _, invoice, held in earlier if wanted <= held]
        if len(found) == 1:
            fits[name] = found[0]
    return fits


def units(lines: Iterable[HistoryLine]) -> Counter[str]:
    """Units by raw code, whatever the sign."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line.code] += abs(line.quantity)
    return counted


def _bounds(month: str) -> tuple[datetime, datetime]:
    if not MONTH.fullmatch(month):
        raise HistoryError(f"month must look like 2010-10, not {month!r}")
    start = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007
    return start, (start + timedelta(days=32)).replace(day=1)


def _read(path: Path, month: str) -> tuple[Invoices, Invoices]:
    """Every invoice until the end of the month, and of those the C-invoices of the month."""
    start, end = _bounds(month)
    invoices = _by_invoice(read(path, end))
    cancelled = {name: lines for name, lines in invoices.items() if name[0] == "C" and lines[0].at >= start}
    if not cancelled:
        raise HistoryError(f"{path} holds no C-invoice in {month}; choose another month")
    return invoices, cancelled


def _by_invoice(lines: Iterable[HistoryLine]) -> Invoices:
    invoices: defaultdict[str, list[HistoryLine]] = defaultdict(list)
    for line in lines:
        invoices[line.invoice].append(line)
    return invoices


def _sold(lines: list[HistoryLine]) -> list[HistoryLine]:
    return [line for line in lines if line.is_product and line.quantity > 0]


def _goods(lines: list[HistoryLine]) -> list[HistoryLine]:
    return [line for line in lines if line.is_product and line.quantity]


def _urns(invoices: Invoices) -> list[str]:
    return sorted({lines[0].customer for lines in invoices.values()} - {""})


def _utc(local: datetime) -> datetime:
    """Whole seconds: no vendor tells a moment more exactly."""
    return local.replace(tzinfo=LONDON, microsecond=0).astimezone(UTC)


def _catalogue(sales: Invoices, before: datetime) -> dict[str, StockItem]:
    latest = {line.code: line for sold in sales.values() for line in sold if line.at < before}
    revised_at = _utc(before)
    return {
        code: StockItem(
            stock_code=code,
            stock_id=str(7000 + number),
            description=line.description,
            unit_gross_pence=line.pence // line.quantity,
            available=SHELF_QUANTITY,
            revised_at=revised_at,
            moved_at=revised_at,
        )
        for number, (code, line) in enumerate(sorted(latest.items()))
    }


def _customer(urn: str) -> Customer:
    return Customer(
        urn=urn,
        forename="Customer",
        surname=urn,
        email=f"{urn}@example.com",
        address1="1 History Row",
        town="Leeds",
        postcode="LS1 4AB",
    )


def _order(name: str, sold: list[HistoryLine], lines: list[HistoryLine]) -> Order:
    at = _utc(sold[0].at)
    delivery = sum(line.pence for line in lines if line.code.strip().upper() in ("POST", "DOT") and line.quantity > 0)
    return Order(
        so_code=f"SO{name}",
        associated_ref=order_ref(name),
        order_name=f"#{name}",
        order_id=f"59000{name}",
        urn=sold[0].customer,
        currency="GBP",
        ordered_at=at,
        lines=[
            WorldLine(
                stock_code=line.code,
                quantity=line.quantity,
                gross_pence=line.pence,
                vat_percent=20,
                line_item_id=f"{name}{n:04d}",
            )
            for n, line in enumerate(sold)
        ],
        delivery_gross_pence=delivery,
        invoice_code=f"INV{name}",
        issued_at=at,
        changed_at=at,
    )


def _rma(name: str, lines: list[HistoryLine], order_invoice: str) -> Rma:
    """Closed and refunded at the minute of the C-invoice; every unit was found sellable the hour before."""
    at = _utc(lines[0].at)
    return Rma(
        rma_number=f"RMA-{name}",
        return_id=f"ret_{name}",
        order_name=f"#{order_invoice}" if order_invoice else "",
        order_id=f"59000{order_invoice}" if order_invoice else "",
        urn=lines[0].customer,
        currency="GBP",
        created_at=at - timedelta(days=4),
        updated_at=at,
        lines=[
            RmaLine(
                product_id=f"prd_{name}_{n:03d}",
                line_item_id=f"{name}{n:04d}",
                sku=line.code,
                quantity=abs(line.quantity),
                cost_pence=line.pence,
            )
            for n, line in enumerate(_goods(lines))
        ],
        status="Closed",
        delivery_status="Delivered",
        refund_pence=sum(line.pence for line in lines),
        delivered_at=at - timedelta(days=1),
        processed_at=at,
        closed_at=at,
        inspect_at=at - timedelta(hours=1),
    )
