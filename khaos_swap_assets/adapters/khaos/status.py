"""The order status feed: Sales Orders and Credit Notes in one list.

Belongs here: ``STATUS_LIST`` documents made into ``OrderStatus`` and ``CreditNote``. Stays out: calls (``client``),
value spelling (``wire``), and names of customers, which are never read. Source: contracts/khaos.md §4.1, §7.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

from lxml import etree

from khaos_swap_assets.adapters.khaos import wire
from khaos_swap_assets.adapters.khaos.records import CancelledNote, OrderStatus, StatusFeed
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, RefusedKey, Rows
from khaos_swap_assets.domain.documents.credit_notes import CreditNote

CANCELLED_STAGE, ISSUED_STAGE = 1, 70
_BY_ID = {"1": "order", "S": "order", "2": "note", "C": "note"}
_BY_TEXT = {"sales order": "order", "credit note": "note"}

Document: TypeAlias = OrderStatus | CreditNote | CancelledNote


def read_statuses(root: etree._Element | None) -> Rows[Document]:
    """Every document of a ``STATUS_LIST``; a row of unclear type is a fault, never taken for an order."""
    elements = [] if root is None else list(root.iterfind("ORDER_STATUS"))
    return wire.read_rows(elements, _document, "@SORDER_CODE", "@ASSOCIATED_REF")


def feed(documents: Iterable[Document], faults: Iterable[KhaosRowFault]) -> StatusFeed:
    """Sort documents by kind, each once: the last reading of a code wins, whatever kind it is then."""
    latest = {_code(document): document for document in documents}
    distinct = list(dict.fromkeys(faults))
    return StatusFeed(
        orders=[found for found in latest.values() if isinstance(found, OrderStatus)],
        credit_notes=[found for found in latest.values() if isinstance(found, CreditNote)],
        cancelled_credit_notes=[found.note for found in latest.values() if isinstance(found, CancelledNote)],
        faults=[fault for fault in distinct if not isinstance(fault, RefusedKey)],
        refused=[fault for fault in distinct if isinstance(fault, RefusedKey)],
    )


def _code(document: Document) -> str:
    match document:
        case OrderStatus():
            return document.so_code
        case CancelledNote():
            return document.note.credit_note_code
        case _:
            return document.credit_note_code


def _document(row: etree._Element) -> Document:
    if kind_of(row, "ORDER_TYPE", "ORDER_TYPE/@TYPE_ID") == "order":
        return _order(row)
    return CancelledNote(_note(row)) if _is_cancelled(row) else _note(row)


def kind_of(row: etree._Element, text_path: str, id_path: str) -> str:
    """``order`` or ``note``, by id and by text (khaos.md §14); raises ``ValueError`` when unknown or contradictory."""
    by_id = _BY_ID.get(wire.text(row, id_path).upper())
    by_text = _BY_TEXT.get(wire.text(row, text_path).lower())
    found = {kind for kind in (by_id, by_text) if kind}
    if len(found) != 1:
        raise ValueError(f"{text_path}: {wire.text(row, id_path)!r} {wire.text(row, text_path)!r} is no known type")
    return found.pop()


def _order(row: etree._Element) -> OrderStatus:
    currency = wire.currency(row, "CURRENCY_CODE")
    ordered_on = wire.day(row, "DATE_CREATED")
    issued = [_issue_day(invoice, ordered_on) for invoice in _live_invoices(row) if _is_issued(invoice)]
    return OrderStatus(
        so_code=wire.required(row, "@SORDER_CODE"),
        associated_ref=wire.text(row, "@ASSOCIATED_REF"),
        customer_code=wire.text(row, "COMPANY_NAME/@COMPANY_CODE"),
        currency=currency,
        ordered_on=ordered_on,
        invoiced_on=min((day for day in issued if day), default=None),
        is_cancelled=_is_cancelled(row),
        items_gross_pence=wire.money(row, "ITEMS_TOTAL", currency),
        delivery_gross_pence=_delivery(row, "DELIVERY_TOTAL", currency),
        stock_codes=_sent(row),
        stage_id=_open_stage(row),
    )


def _open_stage(row: etree._Element) -> int | None:
    """The stage of the furthest open invoice; where none is open, of the furthest."""
    live = _live_invoices(row)
    stages = [stage for one in live if not _is_issued(one) and (stage := _stage(one)) is not None]
    stages = stages or [max(stage, ISSUED_STAGE) for one in live if (stage := _stage(one)) is not None]
    return max(stages, default=None)


def _note(row: etree._Element) -> CreditNote:
    """A note's totals and quantities may carry either sign (khaos.md §7.4): their size counts."""
    currency = wire.currency(row, "CURRENCY_CODE")
    created_on = wire.day(row, "DATE_CREATED")
    issued_on, is_shown = _note_issued(row, created_on)
    delivery = abs(_delivery(row, "DELIVERY_TOTAL", currency))
    delivery_net = abs(_delivery(row, "DELIVERY_TOTAL/@NET_VALUE", currency))
    return CreditNote(
        credit_note_code=wire.required(row, "@SORDER_CODE"),
        associated_ref=wire.text(row, "@ASSOCIATED_REF"),
        customer_code=wire.text(row, "COMPANY_NAME/@COMPANY_CODE"),
        currency=currency,
        created_on=created_on,
        issued_on=issued_on,
        stage_id=min((stage for stage in map(_stage, _live_invoices(row)) if stage is not None), default=None),
        gross_pence=abs(wire.money(row, "ITEMS_TOTAL", currency)) + delivery,
        net_pence=abs(wire.money(row, "ITEMS_TOTAL/@NET_VALUE", currency)) + delivery_net,
        delivery_gross_pence=delivery,
        lines=_sent(row),
        is_issue_day_shown=is_shown,
    )


def _note_issued(row: etree._Element, created_on: date | None) -> tuple[date | None, bool]:
    """The last issue date, once every document of the note is issued, and False where Khaos does not show that day.

    COMPLETE counts only where no INVOICE says otherwise: the contract's own sample shows none (khaos.md §7.4).
    """
    invoices = _live_invoices(row)
    is_issued = all(map(_is_issued, invoices)) if invoices else wire.flag(row, "COMPLETE")
    if not is_issued:
        return None, True
    shown = [day for invoice in invoices if (day := _issue_day(invoice, None))]
    return max(shown, default=created_on), bool(shown)


def _delivery(row: etree._Element, path: str, currency: str) -> int:
    return wire.money(row, path, currency) if wire.text(row, path) else 0


def _is_cancelled(row: etree._Element) -> bool:
    """By its own mark, or because every invoice of it is at stage 1 (khaos.md §4.1)."""
    mark = row.find("CANCELLED")
    return (mark is not None and len(mark) > 0) or bool(_invoices(row) and not _live_invoices(row))


def _invoices(row: etree._Element) -> list[etree._Element]:
    return list(row.iterfind("INVOICES/INVOICE"))


def _live_invoices(row: etree._Element) -> list[etree._Element]:
    return [invoice for invoice in _invoices(row) if _stage(invoice) != CANCELLED_STAGE]


def _stage(invoice: etree._Element) -> int | None:
    return wire.quantity(invoice, "@INVOICE_STAGE_ID") if wire.text(invoice, "@INVOICE_STAGE_ID") else None


def _is_issued(invoice: etree._Element) -> bool:
    return (_stage(invoice) or 0) >= ISSUED_STAGE or wire.day(invoice, "@ISSUE_DATE") is not None


def _issue_day(invoice: etree._Element, otherwise: date | None) -> date | None:
    days = (wire.day(invoice, f"@{name}") for name in ("ISSUE_DATE", "INVOICE_DATE", "SHIP_DATE"))
    return next((day for day in days if day), otherwise)


def _sent(row: etree._Element) -> tuple[tuple[str, int], ...]:
    """Units by Stock Code over the live invoices, in order of appearance."""
    units: dict[str, int] = {}
    for invoice in _live_invoices(row):
        for item in invoice.iterfind("INVOICE_ITEMS/INVOICE_ITEM"):
            wire.added(units, wire.code(item, "@STOCK_CODE"), abs(wire.quantity(item, "@QTY_SENT")))
    return tuple(units.items())
