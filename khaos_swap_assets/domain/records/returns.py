"""What a Return is in Swap's words, and when its refund counts as confirmed.

Belongs here: the records of a return and its lines, and rules that need nothing but them. Stays out: how Swap spells
a return on the wire (``adapters.swap``) and what Khaos makes of it (``documents.credit_notes``).
Source: contracts/swap.md §2.3, §2.4, §7, §8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PROCESSED, PROCESSED_OF_V1 = "rma_processed", "processed"
"""The field that says whether a return was processed, in both versions of Swap's list (swap.md §3.2)."""

REFUND = "Refund"
CLOSED = "Closed"
ENDED_UNPAID = frozenset({"Expired", "Cancelled", "Deleted"})
"""Ended without money for anybody, and without goods that are wanted back; what is edited is deleted and made anew."""
ENDED_STATUSES = ENDED_UNPAID | {CLOSED}
KNOWN_STATUSES = ENDED_STATUSES | {"Open", "Needs Review", "On Hold"}


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One returned product row; ``cost_pence`` is the whole line in the shopper's currency (swap.md §2.4)."""

    return_id: str
    product_id: str
    line_item_id: str
    original_order_name: str
    sku: str
    quantity: int
    cost_pence: int
    currency: str
    outcome: str
    reason: str = ""
    is_faulty: bool = False


HOLD_WORDS = {
    "waiting_refund": "the refund is not confirmed",
    "waiting_match": "not matched yet",
    "waiting_inspection": "not inspected yet",
    "waiting_for_order": "Khaos has not answered for the order",
    "code_not_known": "whether its SKU is a Stock Code is not known",
    "invoice_not_known": "whether the order is invoiced is not known",
    "before_post_from": "refunded before the first day of posting",
    "fault_in_return": "a program fault stopped the work on it",
    "covered": "a Credit Note is there already",
}


def hold_words(code: str) -> str:
    """A reason to hold a draft, for a person; kinds of exception in their own words."""
    return HOLD_WORDS.get(code, code.replace("_", " "))


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why a return is not posted now: a kind of exception or own code, one clear line, and its ``hint`` of a cause."""

    kind: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """One RMA as last read from Swap. Times are UTC, money is minor units of ``currency`` (swap.md §2.3).

    ``exchange_pence`` is the price of the goods that go out in exchange, less their discount (0 where Swap tells none);
    taxes and duties on top are what was refunded of them beside the prices (swap.md §2.4, §2.6). ``processed_word`` is
    what Swap shows in place of a date of processing, in the field ``processed_field`` (which version 1 of its API names
    otherwise: swap.md §3.2), ``processed_by`` whom it names without one, and ``is_closing_proof`` says that the day of
    closing proves the refund (``refunds.proof``). ``store`` is our name of its store, empty for the first one; with any
    other its ids, RMA and orders begin (``records.stores``).
    """

    store_id: str
    return_id: str
    rma: str
    order_name: str
    order_id: str
    status: str
    delivery_status: str
    quality_control_status: str
    outcomes: tuple[str, ...]
    currency: str
    refund_pence: int
    store_credit_pence: int
    additional_payment_pence: int
    handling_fee_pence: int
    total_pence: int
    created_at: datetime | None
    updated_at: datetime | None
    submitted_at: datetime | None
    processed_at: datetime | None
    closed_at: datetime | None
    delivered_at: datetime | None
    lines: tuple[ReturnLine, ...] = ()
    exchange_pence: int = 0
    taxes_on_top_pence: int = 0
    duties_on_top_pence: int = 0
    processed_word: str = ""
    processed_by: str = ""
    is_closing_proof: bool = False
    processed_field: str = PROCESSED
    store: str = ""

    @property
    def is_open(self) -> bool:
        """True while Swap may still change it."""
        return self.status not in ENDED_STATUSES

    @property
    def refunded_at(self) -> datetime | None:
        """When it was paid: the date of processing, or that of closing where it is proof (swap.md §7.2, §14)."""
        return self.processed_at or (self.closed_at if self.is_closing_proof else None)

    @property
    def done_at(self) -> datetime | None:
        """When Swap was done with it, paid or not: the earlier of its two dates."""
        return min((moment for moment in (self.processed_at, self.closed_at) if moment), default=None)

    @property
    def is_closed_with_value(self) -> bool:
        """True for a return that Swap has closed with something for the customer."""
        return self.status == CLOSED and self.refund_pence + self.store_credit_pence > 0

    @property
    def is_ended(self) -> bool:
        """Closed and paid: what it came to is final."""
        return self.status == CLOSED and self.refunded_at is not None

    @property
    def is_refund_confirmed(self) -> bool:
        """Closed, paid and worth something; closing alone does not prove that money moved (swap.md §7.2, §14)."""
        return self.is_ended and self.refund_pence > 0

    @property
    def refund_lines(self) -> tuple[ReturnLine, ...]:
        """The lines whose outcome is a refund; only these are ever credited."""
        return tuple(line for line in self.lines if line.outcome == REFUND)


def rightful_pence(return_: Return, worth_pence: int, delivery_pence: int) -> frozenset[int]:
    """What a note of a return may say: its worth or its goods before fee, card or exchange; each also with delivery."""
    goods = [sum(line.cost_pence for line in lines) for lines in (return_.refund_lines, return_.lines)]
    known = {worth_pence, return_.refund_pence + return_.store_credit_pence, *goods}
    return frozenset(pence + extra for pence in known for extra in (0, delivery_pence) if pence > 0)
