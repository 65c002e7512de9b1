"""What a Credit Note is, and the draft of one for a confirmed refund.

Belongs here: the records of a note seen in Khaos and of a draft, and the gates between a return and a draft. Stays
out: handing a draft to Khaos (``stages.credit_notes``). Source: DESIGN §4, contracts/khaos.md §7.4, §8.7, §11.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CreditNote:
    """One note as Khaos shows it. ``gross_pence`` is items plus delivery, positive; ``lines`` are (Stock Code, quantity)."""

    credit_note_code: str
    associated_ref: str
    customer_code: str
    currency: str
    created_on: date | None
    issued_on: date | None
    stage_id: int | None
    gross_pence: int
    net_pence: int
    delivery_gross_pence: int = 0
    lines: tuple[tuple[str, int], ...] = ()

    @property
    def is_issued(self) -> bool:
        """Only an issued note moved the ledger: stage 70 or above, or an issue date (khaos.md §4.1)."""
        return self.issued_on is not None or (self.stage_id or 0) >= 70


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line of the return document: ``quantity`` units at ``unit_gross_pence`` each, with where the goods went."""

    product_id: str
    stock_code: str
    quantity: int
    unit_gross_pence: int
    disposition: str

    @property
    def gross_pence(self) -> int:
        """The value of the line."""
        return self.quantity * self.unit_gross_pence


@dataclass(frozen=True, slots=True)
class Draft:
    """The Credit Note that a confirmed refund asks for; its lines add up to ``value_pence`` exactly."""

    store_id: str
    return_id: str
    ordinal: int
    rma: str
    so_code: str
    order_ref: str
    customer_code: str
    currency: str
    value_pence: int
    lines: tuple[DraftLine, ...]
