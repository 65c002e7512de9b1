"""Rows become documents: Stock Codes, Sales Orders and Credit Notes.

Belongs here: putting the rows of one document together. Stays out: reading rows (``tables``) and what the documents
mean beside each other (``engine``). Money is minor units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from khaos_swap_assets.adapters.files.columns import Columns, Documents, Grouped
from khaos_swap_assets.adapters.files.layouts import NoteRow, OrderRow, StockCodeRow
from khaos_swap_assets.adapters.files.signs import credited
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.linking.records import NoteRecord
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import OrderLine, SalesOrder
from khaos_swap_assets.domain.records.stock_codes import StockCode

_NEVER = date.max.toordinal() + 1


@dataclass(frozen=True, slots=True)
class FileNoteLine:
    """One credited line; ``net_pence`` is None where the file does not say."""

    stock_code: str
    quantity: int
    gross_pence: int
    net_pence: int | None


@dataclass(frozen=True, slots=True)
class FileNote:
    """One Credit Note as the file shows it."""

    code: str
    associated_ref: str
    order_ref: str
    customer_ref: str
    created_on: date | None
    currency: str
    lines: tuple[FileNoteLine, ...]
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

    def shown(self, net_pence: int | None = None, *, has_lines: bool = True) -> CreditNote:
        """What is told of it; no file says whether it was issued."""
        lines = tuple((line.stock_code, line.quantity) for line in self.lines) if has_lines else ()
        return CreditNote(
            credit_note_code=self.code,
            associated_ref=self.associated_ref,
            customer_code=self.customer_ref,
            currency=self.currency,
            created_on=self.created_on,
            issued_on=None,
            stage_id=None,
            gross_pence=self.gross_pence,
            net_pence=net_pence,
            delivery_gross_pence=self.delivery_pence,
            lines=lines,
            order_ref=self.order_ref,
        )

    @property
    def record(self) -> NoteRecord:
        """What matching reads of it; a line that takes money off, such as a fee withheld, is no goods."""
        goods = [line for line in self.lines if line.gross_pence >= 0]
        codes = tuple((line.stock_code, line.quantity) for line in goods if line.quantity)
        return NoteRecord(
            code=self.code,
            value_pence=self.gross_pence,
            ref=self.associated_ref,
            currency=self.currency,
            order_ref=self.order_ref,
            customer=self.customer_ref,
            codes=codes,
            created_on=self.created_on,
            lines=tuple((line.stock_code, line.quantity, line.gross_pence) for line in goods),
        )


def stock_codes(rows: Iterable[StockCodeRow]) -> list[StockCode]:
    """The catalogue."""
    return [
        StockCode(
            stock_code=row.stock_code,
            stock_id=row.stock_id,
            description=row.description,
            other_ref=row.other_ref,
            barcodes=(row.barcode,) if row.barcode else (),
            is_discontinued=row.is_discontinued,
            pack_components=row.pack_components,
        )
        for row in rows
    ]


def by_order(rows: Iterable[OrderRow]) -> Mapping[str, Sequence[OrderRow]]:
    """Sold lines by order reference."""
    if isinstance(rows, Columns):
        return Grouped(rows, "order_ref")
    found: defaultdict[str, list[OrderRow]] = defaultdict(list)
    for row in rows:
        found[row.order_ref].append(row)
    return dict(found)


def order_sums(rows: Sequence[OrderRow]) -> Iterator[tuple[datetime | None, str, int]]:
    """For each order when it was made, its currency, and what was sold for with its delivery in pence."""
    if not isinstance(rows, Columns):
        for some in by_order(rows).values():
            moment = next((row.ordered_at for row in some if row.ordered_at), None)
            yield moment, some[0].currency, sum(row.sold_pence for row in some) + delivery_of(some)
        return
    refs, orders = rows.columns["order_ref"]
    units, prices, discounts, deliveries = (
        rows.columns[name].numbers for name in ("quantity", "unit_price_pence", "discount_pence", "delivery_pence")
    )
    sold, delivered = np.zeros((2, len(refs)), np.int64)
    np.add.at(sold, orders, units * prices - discounts)
    np.maximum.at(delivered, orders, deliveries)
    moments, currencies = (rows.first("order_ref", name) for name in ("ordered_at", "currency"))
    yield from zip(moments, currencies, (sold + delivered).tolist(), strict=True)


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
        OrderLine(number, row.stock_code, row.quantity, row.sold_pence, import_ref=row.line_ref)
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


def delivery_of(rows: Iterable[OrderRow]) -> int:
    """Delivery of the order, which its lines repeat."""
    return max((row.delivery_pence or 0 for row in rows), default=0)


def notes(rows: Iterable[NoteRow]) -> list[FileNote]:
    """The Credit Notes, by code."""
    by_code: defaultdict[str, list[NoteRow]] = defaultdict(list)
    for row in rows:
        by_code[row.credit_note_code].append(row)
    return [_note(code, by_code[code]) for code in sorted(by_code)]


def note_sums(rows: Sequence[NoteRow]) -> Iterator[tuple[date | None, str, int]]:
    """For each Credit Note its day, its currency, and what it credits with its delivery in pence."""
    if not isinstance(rows, Columns):
        yield from ((note.created_on, note.currency, note.gross_pence) for note in notes(rows))
        return
    found = Documents(rows, "credit_note_code")
    days = [day.toordinal() if day else _NEVER for day in rows.columns["created_on"].values]
    made = np.full(found.count, _NEVER, np.int64)
    np.minimum.at(made, found.of_row, np.array(days, np.int64)[rows.columns["created_on"].places])
    currencies = rows.first("credit_note_code", "currency")
    told = zip(made.tolist(), currencies, credited(found).tolist(), strict=True)
    yield from ((date.fromordinal(day) if day < _NEVER else None, *rest) for day, *rest in told)


def _note(code: str, rows: Sequence[NoteRow]) -> FileNote:
    lines = tuple(
        FileNoteLine(row.stock_code, row.quantity, row.gross_pence, row.net_pence) for row in rows if row.stock_code
    )
    return FileNote(
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
