"""A shop as a function, and the JSON of its orders and refunds as Shopify spells them.

Belongs here: short ways to make an answer. Stays out: expectations.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.storefront.client import StorefrontClient, connect

Json = dict[str, Any]
TOKEN = "shpat_0123456789"


def money(amount: str, currency: str = "GBP", shop: str | None = None) -> Json:
    """A money bag; the shop's side is in pounds."""
    shown = {"amount": shop or amount, "currencyCode": "GBP"}
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}, "shopMoney": shown}


def listed(*nodes: Any, cursor: str | None = None) -> Json:
    """A connection; with a cursor more follows."""
    return {"pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}, "nodes": list(nodes)}


def payment(number: int = 1, amount: str = "10.00", currency: str = "GBP", **changes: Any) -> Json:
    """A successful refund transaction of 1 March."""
    made = {
        "id": f"gid://shopify/OrderTransaction/{number}",
        "kind": "REFUND",
        "status": "SUCCESS",
        "gateway": "shopify_payments",
        "processedAt": "2026-03-01T10:00:00Z",
        "test": False,
        "amountSet": money(amount, currency),
    }
    return {**made, **changes}


def line(number: int = 7, quantity: int = 1, amount: str = "10.00", **changes: Any) -> Json:
    """A refunded order line."""
    item = {"id": f"gid://shopify/LineItem/{number}", "sku": "HAT"}
    made = {"quantity": quantity, "lineItem": item, "subtotalSet": money(amount), "totalTaxSet": money("1.67")}
    return {**made, **changes}


def refund(number: int = 1, **changes: Any) -> Json:
    """A refund of ten pounds in one payment."""
    made = {
        "id": f"gid://shopify/Refund/{number}",
        "createdAt": "2026-03-01T09:59:00Z",
        "return": None,
        "totalRefundedSet": money("10.00"),
        "transactions": listed(payment(number)),
        "refundLineItems": listed(line()),
        "refundShippingLines": listed(),
    }
    return {**made, **changes}


def order(number: int = 1, *refunds: Any) -> Json:
    """An order #LX<number>."""
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#LX{number}",
        "updatedAt": "2026-03-01T10:00:00Z",
        "refunds": list(refunds),
    }


def payout(number: int = 1, net: str = "-10.00", **changes: Any) -> Json:
    """A paid payout of 4 March."""
    made = {
        "id": f"gid://shopify/ShopifyPaymentsPayout/{number}",
        "issuedAt": "2026-03-04T06:00:00Z",
        "status": "PAID",
        "transactionType": "DEPOSIT",
        "net": {"amount": net, "currencyCode": "GBP"},
    }
    return {**made, **changes}


def balance(number: int = 1, gross: str = "-10.00", cost_: str = "0.00", of: int = 1, **changes: Any) -> Json:
    """A refund of order #LX1 in payout ``of``, paid by transaction ``number``; the provider kept ``cost_`` for it."""
    net = str(Decimal(gross) - Decimal(cost_))
    amounts = zip(("amount", "fee", "net"), (gross, cost_, net), strict=True)
    made = {
        "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
        "type": "REFUND",
        "test": False,
        **{name: {"amount": text, "currencyCode": "GBP"} for name, text in amounts},
        "sourceOrderTransactionId": str(number),
        "associatedOrder": {"id": "gid://shopify/Order/1", "name": "#LX1"},
        "associatedPayout": {"id": f"gid://shopify/ShopifyPaymentsPayout/{of}"},
    }
    return {**made, **changes}


def account(name: str, *nodes: Any, cursor: str | None = None) -> Json:
    """A page of one of the lists of Shopify Payments."""
    return {"data": {"shopifyPaymentsAccount": {name: listed(*nodes, cursor=cursor)}}, "extensions": cost()}


def cost(requested: float = 10, available: float = 990, most: float = 1000, rate: float = 50) -> Json:
    """What an answer tells of its points."""
    status = {"maximumAvailable": most, "currentlyAvailable": available, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": 1, "throttleStatus": status}}


def page(orders: Sequence[Json], cursor: str | None = None, **told: Any) -> Json:
    """A page of orders with its cost."""
    return {"data": {"orders": listed(*orders, cursor=cursor)}, "extensions": cost(**told)}


def error(code: str, message: str = "", **told: Any) -> Json:
    """An answer that holds an error and no data."""
    said = {"message": message or code.title(), "extensions": {"code": code}}
    return {"errors": [said], "extensions": cost(**told)}


@dataclass
class Shop:
    """Answers in turn, the last one for ever; an answer may be JSON, a status or a whole response."""

    answers: list[Any]
    asked: list[Json] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body["variables"])
        self.queries.append(body["query"])
        self.headers.append(request.headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(answer, json={}) if isinstance(answer, int) else httpx.Response(200, json=answer)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def client_of(shop: Shop, **changes: Any) -> StorefrontClient:
    """A client of that shop whose sleep moves its clock."""
    given: Json = {"url": "https://shop.example", "access_token": SecretStr(TOKEN), **changes}
    transport = httpx.MockTransport(shop)
    return connect(StorefrontSettings(**given), transport=transport, sleep=shop.sleep, clock=lambda: shop.now)
