"""What the Khaos adapter hands upwards beside the domain's own records.

Belongs here: frozen records of the order status feed, order detail and stock levels. Stays out: parsing them.
Money is minor units of ``currency``; dates are London dates. Source: contracts/khaos.md §7.2, §7.4, §7.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, RefusedKey
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.records.orders import SalesOrder


class StockLevel(NamedTuple):
    """Units available to sell at a site, which is not what physically lies there."""

    stock_code: str
    site_id: int
    available: int


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """One Sales Order of the status feed; ``stock_codes`` are (Stock Code, quantity) over its live invoices.

    ``invoiced_on`` is the day of its first issued invoice, None while there is none; ``stage_id`` that of the furthest
    invoice which is still open, where none is of the furthest of all.
    """

    so_code: str
    associated_ref: str
    customer_code: str
    currency: str
    ordered_on: date | None
    invoiced_on: date | None
    is_cancelled: bool
    items_gross_pence: int
    delivery_gross_pence: int
    stock_codes: tuple[tuple[str, int], ...] = ()
    stage_id: int | None = None


@dataclass(frozen=True, slots=True)
class CancelledNote:
    """A Credit Note that somebody cancelled or deleted: it credits nothing."""

    note: CreditNote


@dataclass(frozen=True, slots=True)
class NoteItems:
    """What a Credit Note credits, read by its own code: (Stock Code, units), and its customer, empty where not said."""

    lines: tuple[tuple[str, int], ...]
    customer_code: str = ""


@dataclass(frozen=True, slots=True)
class StatusFeed:
    """One reading of the status feed; each document once. Cancelled notes stand apart, so that none is counted.

    ``refused`` are the keys or windows of time about which Khaos gave no answer: what they hold was not seen.
    """

    orders: list[OrderStatus]
    credit_notes: list[CreditNote]
    cancelled_credit_notes: list[CreditNote] = field(default_factory=list)
    faults: list[KhaosRowFault] = field(default_factory=list)
    refused: list[RefusedKey] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FullOrder:
    """An order with its lines, and the invoice address and contact as a return document wants them (personal data)."""

    order: SalesOrder
    party: dict[str, dict[str, object]] = field(default_factory=dict, repr=False)
