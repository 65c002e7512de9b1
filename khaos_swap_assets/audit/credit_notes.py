"""Credit Notes as the audit takes them: with the order that they mean, by whatever name, and its currency.

Belongs here: completing a note from the orders and returns. Stays out: rows of the file (``adapters.files``) and which
return a note belongs to (``linking.passes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import Note
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY
from khaos_swap_assets.audit.cases import Cases
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.domain.linking.records import NoteRecord, unknown_codes
from khaos_swap_assets.domain.money.amounts import exponent_of
from khaos_swap_assets.domain.money.tax import Amount


def notes(inputs: Inputs, cases: Cases) -> list[Note]:
    """All notes. One without an order has that which its reference names; one of a file without currencies its order's.

    Amounts were read with two decimals, so that only a currency of two decimals may be taken over.
    """
    found = [_with_order(note, cases) for note in documents.notes(inputs.credit_notes.rows)]
    return found if CURRENCY in inputs.credit_notes.columns else list(_with_currency(found, cases))


def record_of(note: Note, cases: Cases) -> NoteRecord:
    """What matching reads of it; a pack counts as its components."""
    return replace(note.record, codes=cases.packs.noted(note.record.codes), unknown_codes=strange(note, cases))


def strange(note: Note, cases: Cases) -> tuple[tuple[str, str], ...]:
    """Its codes that are no Stock Code, as after a spreadsheet, each with what it stands for."""
    return unknown_codes(cases.skus(code) for code in sorted({line.stock_code for line in note.lines}))


def net_of(note: Note, sold: Sequence[OrderRow]) -> int | None:
    """Net of a note; delivery, whose net no file shows, at the rate of the sold goods where they share one."""
    rates = {row.vat_percent for row in sold}
    if note.vat_pence is None or (note.delivery_pence and (len(rates) != 1 or None in rates)):
        return None
    delivery = [Amount.of(note.delivery_pence, rate).net_pence for rate in rates if rate is not None]
    return note.gross_pence - note.delivery_pence - note.vat_pence + (delivery[0] if note.delivery_pence else 0)


def _with_order(note: Note, cases: Cases) -> Note:
    if not note.order_ref:
        return replace(note, order_ref=cases.orders.ref_of(note.associated_ref))
    return replace(note, order_ref=cases.orders.ref_of(note.order_ref) or note.order_ref)


def _with_currency(notes: Iterable[Note], cases: Cases) -> Iterable[Note]:
    of_order = {case.order_ref: case.return_.currency for case in cases.all if case.order_ref}
    of_rma = {case.return_.rma: case.return_.currency for case in cases.all}
    for note in notes:
        of_return = of_order.get(note.order_ref) or of_rma.get(note.associated_ref)
        found = of_return or cases.orders.currency_of(note.order_ref) or HOME_CURRENCY
        yield replace(note, currency=found) if exponent_of(found) == exponent_of(HOME_CURRENCY) else note
