"""The town with a storefront: a shop that pays back, cancels orders, and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from pydantic import SecretStr

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.storefront.client import StorefrontClient
from khaos_swap_assets.adapters.storefront.records import ReadRefund, RefundSweep
from khaos_swap_assets.adapters.swap.records import RowFault
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets.stages.storefront.sync import sync_refunds
from khaos_swap_assets.stages.toolbox import Toolbox
from khaos_swap_assets_tests.adapters.storefront.shop import Json, payout
from khaos_swap_assets_tests.domain.payments import a_payment, a_refund
from khaos_swap_assets_tests.stages.town import NOON, Town

YESTERDAY = NOON - timedelta(days=1)
CONNECTED = StorefrontSettings(url="https://shop.example", access_token=SecretStr("t"), poll_minutes=0)


@dataclass
class Shop:
    """The storefront: answers with all it has, and keeps the questions."""

    refunds: dict[str, Refund] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    cancelled: dict[str, CancelledOrder] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[datetime] = field(default_factory=list)
    payouts: dict[str, tuple[Json, list[Json]]] = field(default_factory=dict)
    payout_errors: dict[str, Exception] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    variants: list[Json] = field(default_factory=list)
    store: str = ""

    def pay(self, number: int, pence: int, refund_id: str = "", **changes: Any) -> Refund:
        """Pay for order #LX<number>."""
        key = refund_id or f"F{number}"
        shop = {"shop_pence": changes.pop("shop_pence", pence), "processed_at": changes.pop("at", YESTERDAY)}
        shop["gateway"] = changes.pop("gateway", "shopify_payments")
        part = a_payment(pence, changes.pop("currency", "GBP"), changes.pop("payment", f"T-{key}"), **shop)
        made = a_refund(key, part, **{"order_name": f"#LX{number}", "order_id": f"id{number}", **changes})
        self.refunds[key] = made
        return made

    def cancel(self, number: int, at: datetime = NOON - timedelta(hours=1)) -> None:
        """Cancel order #LX<number>, of ten pounds."""
        self.cancelled[f"id{number}"] = CancelledOrder(f"id{number}", f"#LX{number}", at, "CUSTOMER", 1000, "GBP")

    def pay_out(self, number: int, *lines: Json, net: str = "", **changes: Any) -> None:
        """Payout <number> of today with these lines; its total is their sum unless told."""
        total = sum(Decimal(one["net"]["amount"]) for one in lines)
        node = payout(number, net or str(total), **{"issuedAt": f"{NOON:%Y-%m-%dT%H:%M:%SZ}", **changes})
        self.payouts[str(number)] = (node, list(lines))

    def every_page(self, _query: str, *within: str, **more: str) -> Iterator[list[Json]]:
        """The shop's variants, or the lists of Shopify Payments; a payout asked for is noted by its id."""
        if within == ("productVariants",):
            if self.error:
                raise self.error
            yield self.variants
            return
        asked = more.get("filter", "").rpartition(":")[2]
        self.pages.append(asked)
        if asked in self.payout_errors:
            raise self.payout_errors[asked]
        newest = sorted((node for node, _ in self.payouts.values()), key=lambda one: one["issuedAt"], reverse=True)
        yield self.payouts[asked][1] if within[-1] == "balanceTransactions" else newest

    def of_order(self, order_id: str) -> RefundSweep:
        """One order; its changes may be shown a little later than they were made."""
        self.named.append(order_id)
        if self.error:
            raise self.error
        told = [] if order_id in self.hidden else [one for one in self.refunds.values() if one.order_id == order_id]
        stopped = [one for key, one in self.cancelled.items() if key == order_id and key not in self.hidden]
        read = tuple(ReadRefund(one, repr(one)) for one in told)
        return RefundSweep(read, (), 1, 1, cancelled=tuple(stopped))

    def changed_since(self, moment: datetime) -> RefundSweep:
        self.asked.append(moment)
        if self.error:
            raise self.error
        read = tuple(ReadRefund(one, repr(one)) for one in self.refunds.values())
        return RefundSweep(read, tuple(self.faults), len(read), 1, cancelled=tuple(self.cancelled.values()))


@dataclass
class MoneyTown(Town):
    """The town with a storefront."""

    shop: Shop = field(default_factory=Shop)

    @property
    def tools(self) -> Toolbox:
        return replace(super().tools, open_storefront=lambda: cast(StorefrontClient, self.shop))

    def read(self) -> None:
        super().read()
        if self.settings.storefront.is_connected:
            sync_refunds(self.tools)

    def drafts(self) -> dict[str, str]:
        return dict(self.ask("SELECT return_id, state FROM recon.drafts"))
