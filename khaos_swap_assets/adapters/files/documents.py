"""Rows become documents: Stock Codes, Sales Orders, Credit Notes, and the money of each return.

Belongs here: putting the rows of one document together. Stays out: reading rows (``tables``) and what the documents
mean beside each other (``engine``). Money is minor units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from khaos_swap_assets.adapters.files.layouts import MOVED, NoteRow, OrderRow, RefundRow, StockCodeRow
from khaos_swap_assets.domain.linking.passes import NoteRecord
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets.domain.refunds.payments import is_tender


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One credited line; ``net_pence`` is None where the file does not say."""

    stock_code: str
    quantity: int
    gross_pence: int
    net_pence: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """One Credit Note as the file shows it."""

    code: str
    associated_ref: str
    order_ref: str
    customer_ref: str
    created_on: date | None
    currency: str
    lines: tuple[NoteLine, ...]
    delivery_pence: int

    @property
    def gross_pence(self) -> int:
        """Goods and delivery."""
        return sum(line.gross_pence for line in self.lines) + self.delivery_pence

    @property
    def vat_pence(self) -> int | None:
        """VAT of the goods, None where a line does not say its net."""
        nets = [line.net_pence for line in self.lines]
        known = [net for net in nets if net is not None]
        return sum(line.gross_pence for line in self.lines) - sum(known) if len(known) == len(nets) and nets else None

    @property
    def record(self) -> NoteRecord:
        """What matching reads of it; a line that takes money off, such as a fee withheld, is no goods."""
        goods = [line for line in self.lines if line.gross_pence >= 0]
        codes = tuple((line.stock_code, line.quantity) for line in goods if line.quantity)
        return NoteRecord(
            self.code,
            self.gross_pence,
            self.associated_ref,
            self.currency,
            self.order_ref,
            self.customer_ref,
            codes,
            self.created_on,
            tuple((line.stock_code, line.quantity, line.gross_pence) for line in goods),
        )


@dataclass(frozen=True, slots=True)
class Money:
    """What went back to a customer: ``cash_pence`` by card or bank, ``tender_pence`` as gift card or store credit.

    ``payments`` are the former one by one: London day, None where the file does not say, and pence.
    """

    cash_pence: int
    tender_pence: int
    currency: str
    refunded_at: datetime | None
    payments: tuple[tuple[date | None, int], ...] = ()


def stock_codes(rows: Iterable[StockCodeRow]) -> list[StockCode]:
    """The catalogue."""
    return [
        StockCode(
            row.stock_code,
            row.stock_id,
            row.description,
            row.other_ref,
            (row.barcode,) if row.barcode else (),
            row.is_discontinued,
            pack_components=row.pack_components,
        )
        for row in rows
    ]


def by_order(rows: Iterable[OrderRow]) -> dict[str, list[OrderRow]]:
    """Sold lines by order reference."""
    found: defaultdict[str, list[OrderRow]] = defaultdict(list)
    for row in rows:
        found[row.order_ref].append(row)
    return dict(found)


def sales_orders(rows: Sequence[OrderRow], *, tells_invoice: bool) -> list[SalesOrder]:
    """The orders of one reference: one, unless its lines name several Sales Order codes.

    Where the file has no column of invoices, every order counts as invoiced on the day it was made.
    """
    by_code: defaultdict[str, list[OrderRow]] = defaultdict(list)
    for row in rows:
        by_code[row.so_code].append(row)
    return [_sales_order(so_code, lines, tells_invoice=tells_invoice) for so_code, lines in sorted(by_code.items())]


def _sales_order(so_code: str, rows: Sequence[OrderRow], *, tells_invoice: bool) -> SalesOrder:
    ordered_at = next((row.ordered_at for row in rows if row.ordered_at), None)
    invoiced_on = next((row.invoiced_on for row in rows if row.invoiced_on), None)
    lines = tuple(
        OrderLine(number, row.stock_code, row.quantity, sold_pence(row), import_ref=row.line_ref)
        for number, row in enumerate(rows, start=1)
    )
    return SalesOrder(
        so_code=so_code or rows[0].order_ref,
        associated_ref=rows[0].order_ref,
        customer_code=next((row.customer_ref for row in rows if row.customer_ref), ""),
        currency=rows[0].currency,
        ordered_on=london_date(ordered_at) if ordered_at else None,
        invoiced_on=invoiced_on if tells_invoice else invoiced_on or date.min,
        is_cancelled=False,
        delivery_gross_pence=delivery_of(rows),
        lines=lines,
    )


def sold_pence(row: OrderRow) -> int:
    """What was paid for a sold line."""
    return row.quantity * row.unit_price_pence - row.discount_pence


def delivery_of(rows: Iterable[OrderRow]) -> int:
    """Delivery of the order, which its lines repeat."""
    return max((row.delivery_pence or 0 for row in rows), default=0)


def notes(rows: Iterable[NoteRow]) -> list[Note]:
    """The Credit Notes, by code."""
    by_code: defaultdict[str, list[NoteRow]] = defaultdict(list)
    for row in rows:
        by_code[row.credit_note_code].append(row)
    return [_note(code, by_code[code]) for code in sorted(by_code)]


def _note(code: str, rows: Sequence[NoteRow]) -> Note:
    lines = tuple(
        NoteLine(row.stock_code, row.quantity, row.gross_pence, row.net_pence) for row in rows if row.stock_code
    )
    return Note(
        code=code,
        associated_ref=", ".join(_said(row.associated_ref for row in rows)),
        order_ref=_only(row.order_ref for row in rows),
        customer_ref=_only(row.customer_ref for row in rows),
        created_on=min((row.created_on for row in rows if row.created_on), default=None),
        currency=rows[0].currency,
        lines=lines,
        delivery_pence=max((row.delivery_pence or 0 for row in rows), default=0),
    )


def _said(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _only(texts: Iterable[str]) -> str:
    """The text, where the rows name one; where they name several, none can speak for the note."""
    said = _said(texts)
    return said[0] if len(said) == 1 else ""


def money_by_return(
    refunds: Iterable[RefundRow], returns_of_order: Mapping[str, Sequence[tuple[str, int]]], known: set[str]
) -> tuple[dict[str, Money], list[RefundRow]]:
    """The money that moved, by return id, and the refunds that belong to no return.

    ``returns_of_order`` gives (return id, Swap's refund) of the returns of an order. A refund that names its order only
    is the return's if the order has one return, or one of exactly this value.
    """
    moved: defaultdict[str, list[RefundRow]] = defaultdict(list)
    alone = []
    for row in refunds:
        if row.status in MOVED:
            return_id = row.return_id if row.return_id in known else _of_order(row, returns_of_order)
            if return_id:
                moved[return_id].append(row)
            else:
                alone.append(row)
    return {return_id: _money(rows) for return_id, rows in moved.items()}, alone


def _of_order(row: RefundRow, returns_of_order: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    if row.return_id:
        return ""
    found = returns_of_order.get(row.order_ref, ())
    exact = [one for one in found if one[1] == row.amount_pence]
    fits = found if len(found) == 1 else exact
    return fits[0][0] if len(fits) == 1 else ""


def _money(rows: Sequence[RefundRow]) -> Money:
    tender = sum(row.amount_pence for row in rows if is_tender(row.gateway))
    cash = [row for row in rows if not is_tender(row.gateway)]
    return Money(
        cash_pence=sum(row.amount_pence for row in cash),
        tender_pence=tender,
        currency=_only(row.currency for row in rows),
        refunded_at=max((row.refunded_at for row in rows if row.refunded_at), default=None),
        payments=tuple((london_date(row.refunded_at) if row.refunded_at else None, row.amount_pence) for row in cash),
    )
