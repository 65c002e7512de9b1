"""The payouts of the sandbox shop's payment provider, as its own books have them.

Belongs here: the records. Stays out: making them (``storefront_payouts``). Amounts are pence in pounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class StorePayoutLine:
    """One line of a payout, in pounds: a refund is negative, a fee positive; ``script`` is that of its return."""

    line_id: str
    kind: str
    gross_pence: int
    fee_pence: int = 0
    transaction_id: str = ""
    order_id: str = ""
    order_name: str = ""
    script: str = ""


@dataclass
class StorePayout:
    """A transfer of the storefront's payment provider, as it was made."""

    payout_id: str
    issued_at: datetime
    net_pence: int
    lines: list[StorePayoutLine]
