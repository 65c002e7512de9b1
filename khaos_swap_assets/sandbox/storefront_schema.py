"""The part of the storefront's GraphQL schema that the sandbox answers, and the values behind it.

Belongs here: types, names and nesting as Shopify's Admin API has them, filled from the world. Stays out: HTTP, query
points and faults (``storefront_server``). Source: the public schema of the Admin GraphQL API, version 2026-10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from graphql import build_schema

from khaos_swap_assets.sandbox.storefront_payouts import payouts_of, transactions_of
from khaos_swap_assets.sandbox.world import Order, Payment, StockItem, StoreRefund, World

Json = dict[str, Any]

SCHEMA = build_schema("""
scalar DateTime
scalar Decimal
scalar BigInt
enum OrderSortKeys { UPDATED_AT }
enum PayoutSortKeys { ISSUED_AT }
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
interface Node { id: ID! }
type Query {
  orders(first: Int, after: String, sortKey: OrderSortKeys, query: String): OrderConnection!
  node(id: ID!): Node
  currentAppInstallation: AppInstallation!
  shopifyPaymentsAccount: ShopifyPaymentsAccount
  productVariants(first: Int, after: String): ProductVariantConnection!
}
enum ProductStatus { ACTIVE ARCHIVED DRAFT }
type ProductVariantConnection { pageInfo: PageInfo! nodes: [ProductVariant!]! }
type ProductVariant implements Node { id: ID! sku: String displayName: String! product: Product! }
type Product { status: ProductStatus! }
type ShopifyPaymentsAccount {
  payouts(first: Int, after: String, sortKey: PayoutSortKeys, reverse: Boolean): ShopifyPaymentsPayoutConnection!
  balanceTransactions(
    first: Int, after: String, hideTransfers: Boolean, query: String
  ): ShopifyPaymentsBalanceTransactionConnection!
}
type ShopifyPaymentsPayoutConnection { pageInfo: PageInfo! nodes: [ShopifyPaymentsPayout!]! }
type ShopifyPaymentsPayout { id: ID! issuedAt: DateTime! status: String! transactionType: String! net: MoneyV2! }
type ShopifyPaymentsBalanceTransactionConnection {
  pageInfo: PageInfo! nodes: [ShopifyPaymentsBalanceTransaction!]!
}
type ShopifyPaymentsBalanceTransaction {
  id: ID! type: String! test: Boolean! amount: MoneyV2! fee: MoneyV2! net: MoneyV2! sourceOrderTransactionId: BigInt
  associatedOrder: ShopifyPaymentsAssociatedOrder associatedPayout: ShopifyPaymentsAssociatedPayout!
}
type ShopifyPaymentsAssociatedOrder { id: ID! name: String! }
type ShopifyPaymentsAssociatedPayout { id: ID }
type AppInstallation { accessScopes: [AccessScope!]! }
type AccessScope { handle: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type MoneyV2 { amount: Decimal! currencyCode: String! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type OrderConnection { pageInfo: PageInfo! nodes: [Order!]! }
type Order implements Node {
  id: ID! name: String! updatedAt: DateTime! cancelledAt: DateTime cancelReason: OrderCancelReason
  totalPriceSet: MoneyBag! refunds(first: Int): [Refund!]!
}
type Return implements Node { id: ID! }
type Refund implements Node {
  id: ID! createdAt: DateTime return: Return totalRefundedSet: MoneyBag!
  transactions(first: Int, after: String): OrderTransactionConnection!
  refundLineItems(first: Int, after: String): RefundLineItemConnection!
  refundShippingLines(first: Int, after: String): RefundShippingLineConnection!
}
type OrderTransactionConnection { pageInfo: PageInfo! nodes: [OrderTransaction!]! }
type OrderTransaction implements Node {
  id: ID! kind: String! status: String! gateway: String processedAt: DateTime test: Boolean! amountSet: MoneyBag!
}
type RefundLineItemConnection { pageInfo: PageInfo! nodes: [RefundLineItem!]! }
enum RefundLineItemRestockType { CANCEL LEGACY_RESTOCK NO_RESTOCK RETURN }
type Location implements Node { id: ID! name: String! }
type RefundLineItem {
  quantity: Int! restockType: RefundLineItemRestockType! location: Location lineItem: LineItem! subtotalSet: MoneyBag!
  totalTaxSet: MoneyBag!
}
type LineItem implements Node { id: ID! sku: String quantity: Int! }
type RefundShippingLineConnection { pageInfo: PageInfo! nodes: [RefundShippingLine!]! }
type RefundShippingLine implements Node { id: ID! subtotalAmountSet: MoneyBag! taxAmountSet: MoneyBag! }
""")

FILTER = re.compile(r"updated_at:>='?([0-9TZ:+.-]+)'?")
EURO_PERCENT = 118


class Shop:
    """The root of a query over ``world``; with ``drifts`` the first order of a later page is left out.

    With ``mixes`` the lines of a payout name another one.
    """

    def __init__(self, world: World, scopes: Sequence[str], *, drifts: bool = False, mixes: bool = False) -> None:
        self._world, self._scopes, self._drifts, self._mixes = world, scopes, drifts, mixes

    def orders(self, _info: object, first: int = 50, after: str | None = None, query: str = "", **_: object) -> Json:
        """Orders updated since the moment that ``query`` names, the oldest update first."""
        found = FILTER.search(query)
        since = datetime.fromisoformat(found[1]) if found else datetime.min.replace(tzinfo=UTC)
        single = query.partition("id:")[2]
        refunds: dict[str, list[StoreRefund]] = {}
        for one in self._world.store_refunds.values():
            refunds.setdefault(one.order_id, []).append(one)
        rows = [(_updated(one, refunds.get(one.order_id, [])), one) for one in self._world.orders.values()]
        wanted = sorted(
            (at, one.order_id, one)
            for at, one in rows
            if since <= at <= self._world.now and single in ("", one.order_id)
        )
        entries = [_order(one, at, refunds.get(one.order_id, [])) for at, _, one in wanted]
        return connection(entries[1:] if after and self._drifts else entries, first, after)

    def shopifyPaymentsAccount(self, _info: object) -> Json:  # noqa: N802 (the schema's word)
        """The payouts and what each is made of."""

        def transactions(_: object, first: int = 50, after: str | None = None, query: str = "", **__: object) -> Json:
            return connection(transactions_of(self._world, query, mixes=self._mixes), first, after)

        def payouts(_: object, first: int = 50, after: str | None = None, **__: object) -> Json:
            return connection(payouts_of(self._world), first, after)

        return {"payouts": payouts, "balanceTransactions": transactions}

    def productVariants(self, _info: object, first: int = 50, after: str | None = None) -> Json:  # noqa: N802
        """Every item that is sold, as the shop spells its SKU; what Khaos has discontinued is archived."""
        return connection([_variant(one) for one in self._world.items.values()], first, after)

    def node(self, _info: object, id: str) -> Json | None:  # noqa: A002 (the schema's word)
        """A refund by its global id."""
        refund = self._world.store_refunds.get(id.rpartition("/")[2])
        return _refund(refund) if refund else None

    def currentAppInstallation(self, _info: object) -> Json:  # noqa: N802 (the schema's word)
        """The scopes of the access token."""
        return {"accessScopes": [{"handle": scope} for scope in self._scopes]}


def connection(entries: Sequence[Any], first: int, after: str | None) -> Json:
    """One page of ``entries``; a cursor is the place in the list."""
    start = int(after) if after else 0
    shown = entries[start : start + first]
    end = start + len(shown)
    return {"pageInfo": {"hasNextPage": end < len(entries), "endCursor": str(end) if shown else None}, "nodes": shown}


def _variant(item: StockItem) -> Json:
    return {
        "id": f"gid://shopify/ProductVariant/{item.stock_id}",
        "sku": item.stock_code,
        "displayName": item.description,
        "product": {"status": "ARCHIVED" if item.is_discontinued else "ACTIVE"},
    }


def _updated(order: Order, refunds: Sequence[StoreRefund]) -> datetime:
    moments = [order.ordered_at, order.issued_at, order.shop_cancelled_at, *(one.created_at for one in refunds)]
    return max(at for at in moments if at)


def _order(order: Order, updated_at: datetime, refunds: Sequence[StoreRefund]) -> Json:
    total = sum(line.gross_pence for line in order.lines) + order.delivery_gross_pence
    return {
        "id": f"gid://shopify/Order/{order.order_id}",
        "name": order.order_name,
        "updatedAt": _iso(updated_at),
        "cancelledAt": _iso(order.shop_cancelled_at) if order.shop_cancelled_at else None,
        "cancelReason": "CUSTOMER" if order.shop_cancelled_at else None,
        "totalPriceSet": money(total, order.currency),
        "refunds": lambda _info, **_: [_refund(one) for one in sorted(refunds, key=_created)],
    }


def _created(refund: StoreRefund) -> tuple[datetime, str]:
    return refund.created_at, refund.refund_id


def _refund(refund: StoreRefund) -> Json:
    total = sum(one.amount_pence for one in refund.payments)
    lines = [{**_line(one, refund.currency), **_restocked(refund)} for one in refund.line_items]
    return {
        "__typename": "Refund",
        "id": f"gid://shopify/Refund/{refund.refund_id}",
        "createdAt": None if refund.is_broken else _iso(refund.created_at),
        "return": {"id": f"gid://shopify/Return/{refund.return_ref}"} if refund.return_ref else None,
        "totalRefundedSet": money(total, refund.currency),
        "transactions": _paged([_transaction(one) for one in refund.payments]),
        "refundLineItems": _paged(lines),
        "refundShippingLines": _paged([]),
    }


def _paged(entries: Sequence[Json]) -> Callable[..., Json]:
    return lambda _info, first=50, after=None: connection(entries, first, after)


def _transaction(payment: Payment) -> Json:
    return {
        "id": f"gid://shopify/OrderTransaction/{payment.transaction_id}",
        "kind": payment.kind,
        "status": payment.status,
        "gateway": payment.gateway,
        "processedAt": _iso(payment.processed_at) if payment.processed_at else None,
        "test": False,
        "amountSet": money(payment.amount_pence, payment.currency),
    }


def _line(line: tuple[str, str, int, int], currency: str) -> Json:
    line_item_id, sku, quantity, pence = line
    return {
        "quantity": quantity,
        "lineItem": {"id": f"gid://shopify/LineItem/{line_item_id}", "sku": sku, "quantity": quantity},
        "subtotalSet": money(pence, currency),
        "totalTaxSet": money(pence - (pence * 5 + 3) // 6, currency),
    }


def _restocked(refund: StoreRefund) -> Json:
    if not refund.restocked_at:
        return {"restockType": "CANCEL" if refund.is_taken_off else "NO_RESTOCK", "location": None}
    location = {"id": f"gid://shopify/Location/{refund.restocked_at}", "name": "Shop"}
    return {"restockType": "RETURN", "location": location}


def money(pence: int, currency: str) -> Json:
    """A money bag: the customer's money as it is, the shop's in pounds."""
    return {"presentmentMoney": _amount(pence, currency), "shopMoney": _amount(in_shop(pence, currency), "GBP")}


def in_shop(pence: int, currency: str) -> int:
    """The same in the shop's pounds."""
    return pence if currency == "GBP" else (pence * 100 + EURO_PERCENT // 2) // EURO_PERCENT


def _amount(pence: int, currency: str) -> Json:
    return {"amount": f"{pence // 100}.{pence % 100:02}", "currencyCode": currency}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
