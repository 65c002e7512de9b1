"""A payout of a payment provider, its lines, and a refund as we know it.

Belongs here: the records and what follows from one of them alone. Stays out: how a provider spells them
(``adapters.storefront``, ``adapters.files``) and what belongs to what (``comparing``).
Money is whole minor units. A line's gross and net are signed as they reach the merchant: a refund is negative. A fee is
what the provider keeps: positive, and net is gross less fee.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

REFUND = "refund"
UNSENT = frozenset({"canceled", "cancelled", "failed"})
"""States of a payout that never reached the bank: its lines come again in another one."""


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One line. ``kind`` stays as the provider spells it: a new word is kept, shown, and is no refund.

    ``transaction_id`` is the storefront's own number of the payment; a file says the other ids; empty: none is told.
    """

    line_id: str
    kind: str
    gross_pence: int
    fee_pence: int = 0
    transaction_id: str = ""
    refund_id: str = ""
    return_ref: str = ""
    order_ref: str = ""

    @property
    def net_pence(self) -> int:
        """What of it reaches the bank."""
        return self.gross_pence - self.fee_pence


@dataclass(frozen=True, slots=True)
class Payout:
    """One transfer to the bank. ``total_pence`` is what the provider says it came to; None where it does not say."""

    provider: str
    payout_id: str
    paid_on: date
    currency: str
    total_pence: int | None = None
    status: str = ""
    lines: tuple[PayoutLine, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """How people and exceptions name it."""
        return f"{self.provider} {self.payout_id}"

    @property
    def apart_pence(self) -> int:
        """What the total says beyond the sum of its lines."""
        return 0 if self.total_pence is None else self.total_pence - sum(line.net_pence for line in self.lines)


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A line about a refund with what counts of its payout."""

    provider: str
    payout_id: str
    paid_on: date
    currency: str
    line: PayoutLine

    @property
    def name(self) -> str:
        """How people and exceptions name it."""
        return f"{self.provider} {self.payout_id}/{self.line.line_id}"


@dataclass(frozen=True, slots=True)
class PaidRefund:
    """Money that went back, as the storefront knows it, or Swap where no storefront is connected.

    ``key`` is the id of the payment, or of the return. ``pence`` is positive, of ``currency``: the shop's. Gift cards
    and store credit are none (U-14). ``gateway`` is empty where nobody tells it.
    """

    key: str
    currency: str
    pence: int
    paid_on: date
    refund_id: str = ""
    order_id: str = ""
    order_name: str = ""
    return_id: str = ""
    rma: str = ""
    gateway: str = ""
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class Covered:
    """The days whose payouts of a provider are known, the first and the last."""

    first: date
    last: date

    def is_overdue(self, refund: PaidRefund, days: int) -> bool:
        """True where a payout of these days should hold the refund, at most so many days after it."""
        return self.first <= refund.paid_on and refund.paid_on + timedelta(days=days) < self.last


Coverage = Mapping[str, Covered]
"""By provider, which is a payment's gateway in lower case."""
