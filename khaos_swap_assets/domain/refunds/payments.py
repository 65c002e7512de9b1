"""What a refund is in the storefront's words: the money that went back to a customer, payment by payment.

Belongs here: the records of a refund and what follows from one refund alone. Stays out: how the storefront spells it
(``adapters.storefront``) and which return it pays (``linking.refund_links``).
Source: contracts/swap.md §8.2, FINANCE_RULES U-1, U-2, U-14.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from khaos_swap_assets.domain.refunds.payment_kinds import PaymentKinds

REFUND = "REFUND"
SUCCESS = "SUCCESS"
RESTOCKED, CANCELLED = frozenset({"RETURN", "LEGACY_RESTOCK"}), "CANCEL"
UNDATED = "success on a day not told"
"""The status of a payment that went through by a file which tells no day of it."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment. Pence of ``currency``, which is the customer's; ``shop_pence`` is the same in the shop's own.

    ``kind``, ``status`` and ``gateway`` stay as the storefront spells them: a new word is kept and moves nothing.
    ``kinds`` says which gateways are money.
    """

    transaction_id: str
    kind: str
    status: str
    gateway: str
    amount_pence: int
    currency: str
    shop_pence: int
    shop_currency: str
    processed_at: datetime | None
    is_test: bool = False
    kinds: PaymentKinds = field(default=PaymentKinds(), compare=False, repr=False)

    @property
    def is_moved(self) -> bool:
        """True when money, or a gift card's balance, went back to the customer for good (U-1)."""
        is_done = self.status == UNDATED or (self.status == SUCCESS and self.processed_at is not None)
        return self.kind == REFUND and is_done and not self.is_test

    @property
    def is_tender(self) -> bool:
        """True where a gift card or store credit stood for money: no missing amount (U-14)."""
        return self.kinds.is_tender(self.gateway)


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refunded order line; ``subtotal_pence`` is before a tax that comes on top, in the customer's currency.

    ``restock_type`` is the storefront's word for what became of the units in its own stock, at ``location_id``.
    ``ordered_quantity`` units were ordered on the line, 0 where that is not known.
    """

    line_item_id: str
    sku: str
    quantity: int
    subtotal_pence: int
    tax_pence: int
    restock_type: str = ""
    location_id: str = ""
    ordered_quantity: int = 0

    @property
    def is_restocked(self) -> bool:
        """True where the storefront took the units back into its stock as returned."""
        return self.restock_type in RESTOCKED and self.quantity > 0

    @property
    def is_cancelled(self) -> bool:
        """True where the units were taken off the order before they were dispatched."""
        return self.restock_type == CANCELLED and self.quantity > 0


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of an order. ``return_ref`` is the storefront's own number of the return, where it names one.

    ``total_pence`` is what the storefront says it refunds, ``moved_pence`` what its payments really moved. The order
    came to ``sold_pence`` of the customer's currency and to ``sold_shop_pence`` of the shop's; 0 where not known.
    """

    refund_id: str
    order_id: str
    order_name: str
    return_ref: str
    currency: str
    total_pence: int
    delivery_pence: int
    created_at: datetime
    transactions: tuple[Transaction, ...] = ()
    lines: tuple[RefundLine, ...] = ()
    sold_pence: int = 0
    sold_shop_pence: int = 0

    def is_for(self, taken_off: Collection[tuple[str, str]]) -> bool:
        """True where it paid back exactly these units, (order id, SKU), which were never sold: no sale to credit."""
        paid = sum(one.subtotal_pence for one in self.lines) + self.delivery_pence
        is_theirs = all(one.is_cancelled and (self.order_id, one.sku) in taken_off for one in self.lines)
        return bool(self.lines) and is_theirs and self.moved_pence == paid

    @property
    def moved(self) -> tuple[Transaction, ...]:
        """The payments that went through, the earliest first."""
        return tuple(sorted((one for one in self.transactions if one.is_moved), key=_moment))

    @property
    def moved_pence(self) -> int:
        """What went back by all means of payment together, gift cards included (U-14)."""
        return sum(one.amount_pence for one in self.moved)

    @property
    def tender_pence(self) -> int:
        """The part of it that went back to gift cards or as store credit: the payment provider never shows it."""
        return sum(one.amount_pence for one in self.moved if one.is_tender)

    @property
    def cash_pence(self) -> int:
        """The part of it that was money."""
        return self.moved_pence - self.tender_pence

    @property
    def moved_at(self) -> datetime | None:
        """When the first of the payments went through: the date that counts for VAT (U-1)."""
        return self.moved[0].processed_at if self.moved else None

    def by(self, kinds: PaymentKinds) -> Refund:
        """The refund with these payment kinds."""
        return replace(self, transactions=tuple(replace(one, kinds=kinds) for one in self.transactions))

    @property
    def stuck(self) -> tuple[str, ...]:
        """The states of payments that did not go through, in words, each once."""
        waiting = [one for one in self.transactions if one.kind == REFUND and not one.is_moved]
        return tuple(
            sorted({f"{one.gateway or 'payment'} {one.status.lower() or 'without status'}" for one in waiting})
        )


def _moment(transaction: Transaction) -> tuple[datetime, str]:
    return transaction.processed_at or datetime.min.replace(tzinfo=UTC), transaction.transaction_id
