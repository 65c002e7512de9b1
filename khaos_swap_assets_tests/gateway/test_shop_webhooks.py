"""Webhooks of the storefront: only what its app signed is kept, once, and nothing of the shopper."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.settings_checks import _storefront
from khaos_swap_assets.adapters.settings_money import StorefrontSettings
from khaos_swap_assets.gateway.shop_webhooks import NAMELESS, knock_of
from khaos_swap_assets_tests.gateway.conftest import NOW, Gateway, OpenGateway, Rows, configure

KEY, BEFORE = "client-secret-1", "client-secret-0"
SHOP = StorefrontSettings(
    url="https://lexi.example",
    access_token=SecretStr("t"),
    webhook_secret=SecretStr(KEY),
    webhook_secret_previous=SecretStr(BEFORE),
)
REFUND = {"id": 929361462, "order_id": 5903347716233, "note": "Priya Nolan, 12 Mill Lane", "transactions": []}
ORDER = {"id": 5903347716233, "email": "priya@example.com", "cancelled_at": "2026-03-09T15:40:00Z"}
WAITING = "SELECT source, event, store_id, return_id, order_id, body FROM recon.inbox ORDER BY inbox_id"
REFUSED = "SELECT reason, times, head FROM recon.refused_messages"


@pytest.fixture
def gateway(open_gateway: OpenGateway) -> Gateway:
    return open_gateway(settings=configure(storefront=SHOP))


def signature(body: bytes, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def sent(gateway: Gateway, message: Any, topic: str = "refunds/create", mark: str | None = None) -> int:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    given = signature(body) if mark is None else mark
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-SHA256": given, "content-type": "application/json"}
    return gateway.post("/webhooks/storefront", content=body, headers=headers).status_code


@pytest.mark.parametrize(
    ("message", "topic", "body"),
    [(REFUND, "refunds/create", {"refund_id": "929361462"}), (ORDER, "orders/cancelled", {})],
)
def test_a_knock_names_its_order_and_keeps_nothing_of_the_shopper(
    gateway: Gateway, rows: Rows, message: Any, topic: str, body: Any
) -> None:
    assert sent(gateway, message, topic) == 200
    assert rows(WAITING) == [("storefront", topic, "lexi.example", "", "5903347716233", body)]


def test_the_secret_before_this_one_still_signs_and_repeats_fold(gateway: Gateway, rows: Rows) -> None:
    body = json.dumps(REFUND).encode()
    for key in (KEY, BEFORE, KEY):
        assert sent(gateway, body, mark=signature(body, key)) == 200
    assert len(rows(WAITING)) == 1


@pytest.mark.parametrize(
    "mark", ["", "abc", signature(b"another body"), signature(json.dumps(REFUND).encode(), "guess"), "é" * 44]
)
def test_what_is_not_signed_with_our_secret_is_refused_and_counted(gateway: Gateway, rows: Rows, mark: str) -> None:
    answer = gateway.post(
        "/webhooks/storefront", content=json.dumps(REFUND), headers=[(b"X-Shopify-Hmac-SHA256", mark.encode())]
    )
    assert answer.status_code == 401
    assert rows(WAITING) == []
    assert [row[:2] for row in rows(REFUSED)] == [("the signature of the body is wrong", 1)]


def test_without_a_secret_nobody_is_believed(open_gateway: OpenGateway, rows: Rows) -> None:
    bare = open_gateway(settings=configure(storefront=StorefrontSettings(url="https://lexi.example")))
    body = json.dumps(REFUND).encode()
    assert sent(bare, body, mark=signature(body, "")) == 401
    assert rows(WAITING) == []


@pytest.mark.parametrize("message", [{}, [], "text", 7, None, {"id": True}, {"id": "x"}, {"id": -5}, {"id": 10**30}])
def test_a_signed_message_without_an_order_is_counted_and_taken_since_the_shop_would_end_the_subscription(
    gateway: Gateway, rows: Rows, message: Any
) -> None:
    assert sent(gateway, message) == 200
    assert rows(WAITING) == []
    assert [row[0] for row in rows(REFUSED)] == [NAMELESS]


def test_a_body_that_is_no_json_is_refused(gateway: Gateway, rows: Rows) -> None:
    assert sent(gateway, b"{") == 400
    assert rows(WAITING) == []


@given(st.text(max_size=300), st.integers(1, 10**19))
def test_no_topic_breaks_a_knock(topic: str, number: int) -> None:
    knock = knock_of({"id": number}, {"x-shopify-topic": topic}, SHOP, NOW)
    assert knock is not None
    assert (knock.order_id, len(knock.event) <= 64, "\0" in knock.event) == (str(number), True, False)


def test_a_secret_of_webhooks_without_a_storefront_is_no_setting() -> None:
    with pytest.raises(SettingsError, match="STOREFRONT_WEBHOOK_SECRET: needs KHAOS_SWAP_STOREFRONT_URL"):
        _storefront(Settings(storefront=StorefrontSettings(webhook_secret=SecretStr(KEY))))
