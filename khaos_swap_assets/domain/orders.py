"""What a Sales Order is in Khaos, and how a Return names it.

Belongs here: the records of an order and its lines, the Order Ref. Format and its reverse, and the choice of the
order that a return is about. Stays out: reading orders from Khaos (``adapters.khaos``).
Source: contracts/khaos.md §3, §7.4, §7.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One sold line; ``gross_pence`` is the whole line with VAT, after its discount."""

    line_no: int
    stock_code: str
    quantity: int
    gross_pence: int
    vat_code: str = "1"
    import_ref: str = ""


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """One Khaos Sales Order; ``invoiced_on`` is the London date of its first issued invoice, if any."""

    so_code: str
    associated_ref: str
    customer_code: str
    currency: str
    ordered_on: date | None
    invoiced_on: date | None
    is_cancelled: bool
    delivery_gross_pence: int
    lines: tuple[OrderLine, ...] = ()
