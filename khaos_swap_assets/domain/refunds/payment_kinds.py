"""The one list of payment kinds: which names of gateways are money, gift cards or store credit.

Belongs here: the names as storefronts write them, and those that a setting adds. Stays out: one payment
(``refunds.payments``). A name that nobody knows counts as money, and is told; a payment without a name is money.
Source: contracts/swap.md §8.2, FINANCE_RULES U-13, U-14.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

PaymentKind = Literal["money", "gift_card", "store_credit"]
SETTING = "KHAOS_SWAP_STOREFRONT_PAYMENT_KINDS"
PATTERN = (
    rf"^([^,:]{{1,60}}:({'|'.join(get_args(PaymentKind))})(,[^,:]{{1,60}}:({'|'.join(get_args(PaymentKind))}))*)?$"
)
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
