"""The webhooks that the sandbox's shop sends: ``refunds/create`` and ``orders/cancelled``, signed as Shopify does.

Belongs here: bodies, signature, and delivery with a few of the vendor's retries. Stays out: what makes one due
(``rounds``) and the HTTP client (the caller hands one in).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping

from khaos_swap_assets.sandbox.state import State
from khaos_swap_assets.sandbox.world import Order, StoreRefund

ATTEMPTS = 3
Knock = tuple[str, Mapping[str, object]]
"""Topic and body."""
Post = Callable[[bytes, Mapping[str, str]], bool]
"""Posts one body with its headers to the receiver; True when it was accepted."""


def refund_made(refund: StoreRefund) -> Knock:
    """What the shop says of a refund; the receiver needs only its number and its order's."""
    told = {"id": int(refund.refund_id), "order_id": int(refund.order_id), "created_at": refund.created_at.isoformat()}
    return "refunds/create", told


def order_cancelled(order: Order) -> Knock:
    """What the shop says of a cancelled order, with what a receiver must not keep."""
    told = {"id": int(order.order_id), "name": order.order_name, "email": "shopper@example.com"}
    return "orders/cancelled", told


def send_knocks(state: State, knocks: Iterable[Knock], post: Post) -> int:
    """Send each, at most three times; how many were accepted.

    Armed faults: ``shop_webhook_lost``, ``shop_webhook_repeated``, ``shop_webhook_forged`` (signed with another key).
    """
    return sum(_deliver(state, topic, json.dumps(body).encode(), post) for topic, body in knocks)


def _deliver(state: State, topic: str, body: bytes, post: Post) -> bool:
    if state.faults.take("shop_webhook_lost"):
        return False
    key = "forged" if state.faults.take("shop_webhook_forged") else state.shop_secret
    mark = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": mark, "content-type": "application/json"}
    accepted = any(post(body, headers) for _ in range(ATTEMPTS))
    if state.faults.take("shop_webhook_repeated"):
        post(body, headers)
    return accepted
