"""What a refund is in the storefront's words: the money that went back to a customer, payment by payment.

Belongs here: the records of a refund and what follows from one refund alone, the one list of payment kinds (which names
of gateways are money, gift cards or store credit), and amounts in another currency than the shop's at the rate of the
sale: VAT is reduced at that, and the loss by the rate of the day is no part of the note. Stays out: how the storefront
spells it (``adapters.storefront``) and which return it pays (``linking.refund_links``). A gateway that nobody knows
counts as money, and is told; a payment without a name is money.
Source: contracts/swap.md §8.2, FINANCE_RULES U-1, U-2, U-13, U-14, U-16.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, cast, get_args

from khaos_swap_assets.domain.money.amounts import half_up
from khaos_swap_assets.domain.sums import grouped

PaymentKind = Literal["money", "gift_card", "store_credit"]
SETTING = "KHAOS_SWAP_STOREFRONT_PAYMENT_KINDS"
_PAIR = rf"[^,:]{{1,60}}:({'|'.join(get_args(PaymentKind))})"
PATTERN = rf"^({_PAIR}(,{_PAIR})*)?$"
_NAMES: dict[PaymentKind, str] = {
    "gift_card": "gift_card, gift card, giftcard, voucher",
    "store_credit": "shopify_store_credit, store_credit, store credit",
    "money": "shopify_payments, shopify payments, shop_pay, shop pay, shop_cash, shop cash, shop_pay_installments, "
    "paypal, paypal_express, paypal express checkout, paypal_credit, paypal credit, credit, credit_card, credit card, "
    "debit_card, card, visa, mastercard, amex, apple_pay, apple pay, google_pay, google pay, amazon_payments, "
    "amazon pay, stripe, adyen, worldpay, sagepay, opayo, braintree, checkout.com, mollie, square, sumup, klarna, "
    "clearpay, afterpay, laybuy, gocardless, manual, cash, cash on delivery, cash on delivery (cod), bank, "
    "bank deposit, bank_deposit, bank transfer, bank_transfer, bacs, cheque, money order, bogus",
}
KNOWN: dict[str, PaymentKind] = {name: kind for kind, names in _NAMES.items() for name in names.split(", ")}


@dataclass(frozen=True, slots=True)
class PaymentKinds:
    """The list as a merchant has it; ``own`` are names of their own, which come before ours."""

    own: Mapping[str, PaymentKind] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> PaymentKinds:
        """From the setting: a comma list of name:kind. Raises ``ValueError`` for any other text."""
        if not re.match(PATTERN, text):
            raise ValueError("is no list such as rewards:store_credit,pay4u:money")
        pairs = (part.rpartition(":") for part in text.split(",") if part)
        return cls({_plain(name): cast("PaymentKind", kind) for name, _, kind in pairs})

    def kind_of(self, gateway: str) -> PaymentKind | None:
        """The kind of a gateway by its exact name, in any case; None where nobody knows the name."""
        name = _plain(gateway)
        return self.own.get(name) or KNOWN.get(name) or (None if name else "money")

    def is_tender(self, gateway: str) -> bool:
        """True for what stands for money: a gift card, or store credit."""
        return self.kind_of(gateway) in ("gift_card", "store_credit")


def _plain(gateway: str) -> str:
    return gateway.strip().lower()


REFUND = "REFUND"
SUCCESS = "SUCCESS"
NEVER = datetime.min.replace(tzinfo=UTC)
RESTOCKED, CANCELLED = frozenset({"RETURN", "LEGACY_RESTOCK"}), "CANCEL"
UNDATED = "success on a day not told"
"""The status of a payment that went through by a file which tells no day of it."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment. Pence of ``currency``, which is the customer's; ``shop_pence`` is the same in the shop's own.

    ``kind``, ``status`` and ``gateway`` stay as the storefront spells them: a new word moves nothing.
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
        return tuple(
            sorted(
                (one for one in self.transactions if one.is_moved),
                key=lambda one: (one.processed_at or NEVER, one.transaction_id),
            )
        )

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
        words = {f"{one.gateway or 'payment'} {one.status.lower() or 'without status'}" for one in waiting}
        return tuple(sorted(words))


def in_shop_money(refunds: Iterable[Refund], currency: str, owed_pence: int) -> tuple[tuple[Refund, ...], int] | None:
    """The refunds in the shop's own currency, and what they cost more than ``owed_pence`` of it (negative: less).

    None unless the shop's currency is this one, the rate of the sale is known, and at that rate they are what is owed.
    """
    some = tuple(refunds)
    at_sale = [_at_sale(one.moved_pence, one) for one in some if one.moved_pence]
    is_of_shop = all(part.shop_currency == currency for one in some for part in one.moved)
    if not is_of_shop or None in at_sale or sum(pence or 0 for pence in at_sale) != owed_pence:
        return None
    shown = tuple(_in_shop_money(one, currency) for one in some)
    return shown, sum(one.moved_pence for one in shown) - owed_pence


def _at_sale(pence: int, refund: Refund) -> int | None:
    return half_up(pence * refund.sold_shop_pence, refund.sold_pence) if refund.sold_pence > 0 else None


def _in_shop_money(refund: Refund, currency: str) -> Refund:
    parts = tuple(replace(one, amount_pence=one.shop_pence, currency=currency) for one in refund.transactions)
    return replace(refund, transactions=parts, currency=currency, total_pence=sum(one.amount_pence for one in parts))


@dataclass(frozen=True, slots=True)
class ForeignPayment:
    """A payment in another currency than the shop's, its sale in both, and its VAT in its own; None: no known rate."""

    currency: str
    shop_currency: str
    pence: int
    shop_pence: int
    sold_pence: int
    sold_shop_pence: int
    vat_pence: int | None

    def at_sale(self, pence: int) -> int:
        """Pence of its currency in the shop's own, at the rate of the sale."""
        return half_up(pence * self.sold_shop_pence, self.sold_pence)


@dataclass(frozen=True, slots=True)
class ForeignTotal:
    """The payments of one pair of currencies; all but ``pence`` in the shop's. None where a rate is not known."""

    currency: str
    shop_currency: str
    pence: int
    shop_pence: int
    at_sale_pence: int | None
    vat_pence: int | None

    @property
    def loss_pence(self) -> int | None:
        """What the refunds cost more than at the rate of the sale (negative: less)."""
        return None if self.at_sale_pence is None else self.shop_pence - self.at_sale_pence


def foreign_totals(payments: Iterable[ForeignPayment]) -> list[ForeignTotal]:
    """The payments of each pair of currencies added up, by currency."""
    by_pair = grouped(((one.currency, one.shop_currency), one) for one in payments)
    return [_total(pair, some) for pair, some in sorted(by_pair.items())]


def _total(pair: tuple[str, str], some: list[ForeignPayment]) -> ForeignTotal:
    is_rated = all(one.sold_pence > 0 for one in some)
    is_taxed = is_rated and all(one.vat_pence is not None for one in some)
    return ForeignTotal(
        *pair,
        pence=sum(one.pence for one in some),
        shop_pence=sum(one.shop_pence for one in some),
        at_sale_pence=sum(one.at_sale(one.pence) for one in some) if is_rated else None,
        vat_pence=sum(one.at_sale(one.vat_pence or 0) for one in some) if is_taxed else None,
    )
