"""What the storefront's adapter hands upwards beside the domain's own records.

Belongs here: frozen records of what was just read. Stays out: reading (``wire``), keeping (``adapters.store``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder
from khaos_swap_assets.domain.payouts.records import Payout
from khaos_swap_assets.domain.refunds.payments import Refund


@dataclass(frozen=True, slots=True)
class ReadRefund:
    """A refund just read, and the hash that tells a change."""

    record: Refund
    content_hash: str


@dataclass(frozen=True, slots=True)
class RefundSweep:
    """What one reading gave: each refund once, what is at fault, and how many orders and pages were seen.

    ``refused``: by name and id of an order, why the storefront does not tell its refunds. ``cancelled``: those of the
    orders that the shop cancelled.
    """

    refunds: tuple[ReadRefund, ...]
    faults: tuple[RowFault, ...]
    orders: int
    pages: int
    refused: Mapping[str, str] = field(default_factory=dict)
    cancelled: tuple[CancelledOrder, ...] = ()


SUBJECT_OF_VARIANT = "variant "
"""How a fault that names a variant begins."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant that the shop lists, as its SKU is written there; empty where it has none."""

    variant_id: str
    sku: str
    title: str


@dataclass(frozen=True, slots=True)
class ReadPayout:
    """A payout just read, and the hash that tells a change."""

    record: Payout
    content_hash: str


@dataclass(frozen=True, slots=True)
class PayoutSweep:
    """What one reading gave: payouts that say something new, what is at fault, and the ids of all that were seen.

    ``refused``: by id of a payout, why the storefront does not tell its lines.
    """

    payouts: tuple[ReadPayout, ...]
    faults: tuple[RowFault, ...]
    seen: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
