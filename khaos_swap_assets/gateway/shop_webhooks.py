"""Webhooks of the storefront: proof that its app sent one, then a row in the inbox, then the answer.

Belongs here: the signature of the raw body, and which order it is about. Stays out: what happened, which only the
order tells once it is read: a webhook is a knock. The topic is not signed; under another one it knocks for an order
that shows nothing new. Topics: ``orders/cancelled`` and ``refunds/create``. Source: DESIGN §4.1, and Shopify's guide on
verifying deliveries: HMAC-SHA256 of the raw body in Base64, keyed with the client secret of the app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.adapters.store.arrivals import Knock
from khaos_swap_assets.adapters.swap.raw import cleaned
from khaos_swap_assets.domain.records.stores import qualified
from khaos_swap_assets.gateway import describing
from khaos_swap_assets.gateway.messages import parsed
from khaos_swap_assets.gateway.refusals import Heads, refusal
from khaos_swap_assets.gateway.security import is_signed, prove
from khaos_swap_assets.gateway.webhooks import RejectedError, answered, of_store
from khaos_swap_assets.gateway.writing import Writer

SIGNATURE, TOPIC, DOMAIN = "x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-shop-domain"
NUMBER = re.compile(r"[0-9]{1,20}")
MAX_TOPIC = 64
NAMELESS = "a signed message names no order: subscribe to orders/cancelled and refunds/create alone"
"""Counted with what is refused, yet answered as taken: the shop ends a subscription whose messages are refused."""


def router(writer: Writer, shops: Mapping[str, StorefrontSettings], clock: Callable[[], datetime]) -> APIRouter:
    """The endpoint that the storefront of every store posts to; the secret that signed a message tells whose it is.

    ``shops`` by what people call their stores.
    """
    routes, heads = APIRouter(tags=["Storefront"]), Heads()

    @routes.post("/webhooks/storefront", response_class=Response, **describing.SHOP_WEBHOOK)
    async def receive(request: Request) -> Response:
        """An order was cancelled, or a refund was made. Answered once it is safe on disk."""
        now = clock()

        async def take(raw: bytes) -> None:
            given = request.headers.get(SIGNATURE, "")
            signers = [shop for shop in shops.values() if is_signed(raw, given, shop.webhook_keys)]
            if len(signers) != 1:
                domain = request.headers.get(DOMAIN, "").casefold()
                named = (name for name, shop in shops.items() if domain and domain == _host(shop))
                raise RejectedError(of_store("the signature of the body is wrong", next(named, "")))
            prove(request)
            knock = knock_of(parsed(raw), request.headers, signers[0], now)
            await writer.keep(knock or refusal(request, raw, NAMELESS, heads.take(raw, now), now))

        await answered(request, writer, heads, now, take)
        return Response(b'{"accepted":true}', media_type="application/json")

    return routes


def knock_of(message: object, headers: Mapping[str, str], settings: StorefrontSettings, now: datetime) -> Knock | None:
    """The order that a proven message is about, and its refund where it is one; None where it names neither.

    A refund names its order in ``order_id``; an order is its ``id``.
    """
    told: Mapping[str, Any] = message if isinstance(message, dict) else {}
    order, refund = (_number(told.get(name)) for name in ("order_id", "id"))
    if not (order or refund):
        return None
    return Knock(
        store_id=_host(settings),
        event=cleaned(headers.get(TOPIC, "")[:MAX_TOPIC]),
        return_id="",
        body={"refund_id": qualified(settings.store, refund)} if order else {},
        received_at=now,
        source="storefront",
        order_id=qualified(settings.store, order or refund),
    )


def _host(settings: StorefrontSettings) -> str:
    return urlsplit(settings.url).hostname or ""


def _number(value: object) -> str:
    text = "" if isinstance(value, bool) else str(value)
    return text if NUMBER.fullmatch(text) else ""
