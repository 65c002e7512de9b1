"""Short ways to make payouts, their lines and the refunds that they hold.

Belongs here: builders of ordinary ones. Stays out: expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from khaos_swap_assets.domain.payouts.comparing import Placed, Places
from khaos_swap_assets.domain.payouts.records import REFUND, PaidLine, PaidRefund, Payout, PayoutLine

PAID_ON, PAYOUT_ON = date(2026, 3, 2), date(2026, 3, 4)


def a_refund(pence: int = 5999, key: str = "T1", **changes: Any) -> PaidRefund:
    """A refund of order #LX1, paid by Shopify Payments on 2 March."""
    given: dict[str, Any] = {
        "key": key,
        "currency": "GBP",
        "pence": pence,
        "paid_on": PAID_ON,
        "refund_id": f"F-{key}",
        "order_id": "id1",
        "order_name": "#LX1",
        "return_id": "R1",
        "rma": "RMA1",
        "gateway": "shopify_payments",
    }
    return PaidRefund(**{**given, **changes})


def a_line(pence: int = -5999, line_id: str = "B1", **changes: Any) -> PayoutLine:
    """A line about the payment T1, unless the changes name something else."""
    names = {"transaction_id", "refund_id", "return_ref", "order_ref"}
    given: dict[str, Any] = {} if names & changes.keys() else {"transaction_id": "T1"}
    return PayoutLine(line_id, changes.pop("kind", "REFUND"), pence, **{**given, **changes})


def a_payout(*lines: PayoutLine, total: int | None = None, **changes: Any) -> Payout:
    """Payout P1 of 4 March; its total is the sum of its lines unless told."""
    given: dict[str, Any] = {"provider": "shopify_payments", "payout_id": "P1", "paid_on": PAYOUT_ON, "currency": "GBP"}
    summed = sum(line.net_pence for line in lines) if total is None else total
    return Payout(**{**given, "total_pence": summed, "status": "PAID", **changes}, lines=lines)


def lines_of(*payouts: Payout) -> list[PaidLine]:
    """Their lines about refunds."""
    return [
        PaidLine(provider=one.provider, payout_id=one.payout_id, paid_on=one.paid_on, currency=one.currency, line=line)
        for one in payouts
        for line in one.lines
        if line.kind.lower() == REFUND
    ]


def places(payout: Payout, placed: Sequence[Placed]) -> Places:
    """The pennies of a payout by place; ``placed`` are its lines about refunds."""
    return Places(
        matched_pence=sum(one.matched_pence for one in placed),
        apart_pence=sum(one.apart_pence for one in placed),
        beside_pence=sum(line.gross_pence for line in payout.lines if line.kind.lower() != REFUND),
        fee_pence=sum(line.fee_pence for line in payout.lines),
        untold_pence=payout.apart_pence,
    )
