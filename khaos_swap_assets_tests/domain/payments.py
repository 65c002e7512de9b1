"""Short ways to make refunds of the storefront.

Belongs here: builders of an ordinary refund. Stays out: expectations.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from khaos_swap_assets.domain.refunds.payments import Refund, RefundLine, Transaction

PAID_AT = datetime(2026, 3, 10, 13, tzinfo=UTC)


def a_payment(pence: int = 5000, currency: str = "GBP", number: str = "T1", **changes: Any) -> Transaction:
    """A card payment that went through on 10 March at one o'clock."""
    made: dict[str, Any] = {
        "transaction_id": number,
        "kind": "REFUND",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "amount_pence": pence,
        "currency": currency,
        "shop_pence": pence,
        "shop_currency": "GBP",
        "processed_at": PAID_AT,
    }
    return Transaction(**{**made, **changes})


def a_refund(number: str = "F1", *payments: Transaction, lines: tuple[RefundLine, ...] = (), **changes: Any) -> Refund:
    """A refund of order #LX1 (id 1), of fifty pounds unless its payments say otherwise."""
    parts = payments or (a_payment(number=f"T-{number}"),)
    made: dict[str, Any] = {
        "refund_id": number,
        "order_id": "1",
        "order_name": "#LX1",
        "return_ref": "",
        "currency": parts[0].currency,
        "total_pence": sum(part.amount_pence for part in parts),
        "delivery_pence": 0,
        "created_at": PAID_AT,
    }
    return Refund(**{**made, **changes}, transactions=parts, lines=lines)


def a_refund_line(line_item_id: str, quantity: int = 1) -> RefundLine:
    """A refunded order line."""
    return RefundLine(line_item_id, "SKU", quantity, 5000, 833)
