"""What the storefront is asked, in GraphQL.

Belongs here: the texts of the queries and the names of their lists. Stays out: sending them (``client``) and reading
the answers (``wire``). Nothing personal is asked for: no customer, address, note or staff member.
"""

from __future__ import annotations

_MONEY = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_PAGE = "pageInfo { hasNextPage endCursor }"

LOCATION = "location { id }"
"""Where units were restocked; an app without the scope ``read_locations`` may not ask for it."""
CONNECTIONS = {
    "transactions": f"id kind status gateway processedAt test amountSet {_MONEY}",
    "refundLineItems": f"quantity restockType {LOCATION} lineItem {{ id sku quantity }} "
    f"subtotalSet {_MONEY} totalTaxSet {_MONEY}",
    "refundShippingLines": f"id subtotalAmountSet {_MONEY} taxAmountSet {_MONEY}",
}
"""The lists of a refund, each with the fields of one entry."""

_LISTS = " ".join(f"{name}(first: $nested) {{ {_PAGE} nodes {{ {fields} }} }}" for name, fields in CONNECTIONS.items())

ORDERS = (
    "query Refunds($first: Int!, $after: String, $nested: Int!, $filter: String!) { "
    f"orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $filter) {{ {_PAGE} "
    f"nodes {{ id name updatedAt cancelledAt cancelReason totalPriceSet {_MONEY} refunds {{ "
    f"id createdAt return {{ id }} totalRefundedSet {_MONEY} {_LISTS} }} }} }} }}"
)
"""Orders by date of update, the oldest first, each with all of its refunds."""

_AMOUNT = "{ amount currencyCode }"
PAYOUTS = (
    "query Payouts($first: Int!, $after: String) { shopifyPaymentsAccount { payouts("
    f"first: $first, after: $after, sortKey: ISSUED_AT, reverse: true) {{ {_PAGE} "
    f"nodes {{ id issuedAt status transactionType net {_AMOUNT} }} }} }} }}"
)
"""Payouts of Shopify Payments, the newest first (objects ShopifyPaymentsAccount and ShopifyPaymentsPayout)."""

PAYOUT_LINES = (
    "query PayoutLines($first: Int!, $after: String, $filter: String!) { shopifyPaymentsAccount { balanceTransactions("
    f"first: $first, after: $after, hideTransfers: true, query: $filter) {{ {_PAGE} "
    f"nodes {{ id type test amount {_AMOUNT} fee {_AMOUNT} net {_AMOUNT} sourceOrderTransactionId "
    "associatedOrder { id name } associatedPayout { id } } } } }"
)
"""What one payout is made of (object ShopifyPaymentsBalanceTransaction), without the transfer to the bank itself."""

VARIANTS = (
    f"query Variants($first: Int!, $after: String) {{ productVariants(first: $first, after: $after) {{ {_PAGE} "
    "nodes { id sku displayName product { status } } } }"
)
"""Every variant with its SKU, and whether its product is on sale (objects ProductVariant and Product)."""

SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"
"""What the access token may read."""


def without_location(query: str) -> str:
    """The query as an app may ask it that is not shown locations."""
    return query.replace(f" {LOCATION}", "")


def rest_of(connection: str) -> str:
    """The query for a further page of one list of one refund."""
    fields = CONNECTIONS[connection]
    return (
        f"query Rest($id: ID!, $after: String, $nested: Int!) {{ node(id: $id) {{ ... on Refund {{ {connection}"
        f"(first: $nested, after: $after) {{ {_PAGE} nodes {{ {fields} }} }} }} }} }}"
    )
