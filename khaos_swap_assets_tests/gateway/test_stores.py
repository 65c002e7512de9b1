"""Messages for several stores come to one address each: whoever signed one tells whose it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import psycopg
import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.store import stores
from khaos_swap_assets.domain.records.stores import qualified
from khaos_swap_assets.gateway.security import refuse_demo_secrets
from khaos_swap_assets_tests.gateway.conftest import NOW, SECRET, STORE, TOKEN, Gateway, OpenGateway, Rows, configure

OUTLET = {
    "SWAP_API_KEY": "key-of-outlet",
    "SWAP_STORE_ID": "st_outlet",
    "SWAP_WEBHOOK_SECRET": "whsk_00000000000000000000000000000000",
    "STOREFRONT_URL": "https://outlet.example",
    "STOREFRONT_ACCESS_TOKEN": "token-of-outlet",
    "STOREFRONT_WEBHOOK_SECRET": "client-secret-of-outlet",
}
SWAP_ROWS = "SELECT store_id, return_id, body -> 'return' ->> 'rma_number' FROM recon.inbox ORDER BY inbox_id"


@pytest.fixture
def gateway(open_gateway: OpenGateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway of two stores."""
    for name, value in OUTLET.items():
        monkeypatch.setenv(f"KHAOS_SWAP_STORE_OUTLET_{name}", value)
    return open_gateway(settings=configure(stores="outlet").with_stores())


def token(secret: str, store_id: str) -> str:
    at = int(NOW.timestamp())
    told = {"iat": at, "exp": at + 300, "event": "returnProcessed", "return_id": "ret_1", "store_id": store_id}
    return jwt.encode(told, secret, algorithm="HS256")


@pytest.mark.parametrize(
    ("secret", "store_id", "kept"),
    [
        (SECRET, STORE, (STORE, "ret_1", "20417")),
        (OUTLET["SWAP_WEBHOOK_SECRET"], "st_outlet", ("st_outlet", "outlet:ret_1", "outlet:20417")),
        (SECRET, "st_outlet", None),
        (OUTLET["SWAP_WEBHOOK_SECRET"], STORE, None),
        ("whsk_ffffffffffffffffffffffffffffffff", "st_outlet", None),
    ],
)
def test_a_webhook_counts_for_the_store_that_signed_and_named_itself(
    gateway: Gateway, rows: Rows, secret: str, store_id: str, kept: tuple[str, str, str] | None
) -> None:
    body = {"jwt": token(secret, store_id), "return": {"rma_number": "20417", "return_id": "ret_1"}}
    assert gateway.post("/webhooks/swap", json=body).status_code == (200 if kept else 401)
    assert rows(SWAP_ROWS) == ([kept] if kept else [])


def test_the_storefront_of_a_store_knocks_under_its_own_secret(gateway: Gateway, rows: Rows) -> None:
    body = json.dumps({"id": 929, "order_id": 590}).encode()

    def sent(key: str) -> int:
        mark = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"X-Shopify-Topic": "refunds/create", "X-Shopify-Hmac-SHA256": mark}
        return gateway.post("/webhooks/storefront", content=body, headers=headers).status_code

    assert (sent(OUTLET["STOREFRONT_WEBHOOK_SECRET"]), sent("another")) == (200, 401)
    told = rows("SELECT store_id, order_id, body ->> 'refund_id' FROM recon.inbox")
    assert told == [("outlet.example", "outlet:590", "outlet:929")]


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        (["20417"], "20417", "20417"),
        (["outlet:20417"], "20417", "outlet:20417"),
        (["20417", "outlet:20417"], "outlet:20417", "outlet:20417"),
        (["20417", "outlet:20417"], "20417", None),
        ([], "20417", None),
        ([], "outlet:20417", "outlet:20417"),
    ],
)
def test_a_finding_is_of_the_one_store_whose_label_it_can_be(
    gateway: Gateway, database: psycopg.Connection[Any], rows: Rows, known: list[str], told: str, kept: str | None
) -> None:
    stores.claim(database, "outlet", "st_outlet")
    for number, rma in enumerate(known):
        database.execute(
            "INSERT INTO swap.returns SELECT (jsonb_populate_record(NULL::swap.returns, %s)).*",
            (json.dumps(a_row(f"R{number}", rma)),),
        )
    database.commit()
    body = {
        "inspection_id": "I1", "rma": told, "sku": "HAT", "condition": "Sellable", "quantity": 1,
        "inspected_at": "2026-03-09T12:00:00Z", "inspected_by": "bench",
    }  # fmt: skip
    headers = {"authorization": f"Bearer {TOKEN}"}
    first = gateway.post("/inspections", json=body, headers=headers)
    again = gateway.post("/inspections", json=body, headers=headers)
    assert (first.status_code, again.status_code) == ((200, 200) if kept else (409, 409))
    assert [row[0] for row in rows("SELECT rma FROM recon.inspections")] == ([kept] if kept else [])
    assert kept is None or again.json()["is_repeated"]
    assert kept or qualified("outlet", told) in first.text


def a_row(return_id: str, rma: str) -> dict[str, Any]:
    texts = "store_id order_name order_id status delivery_status quality_control_status content_hash processed_word"
    pence = "refund store_credit additional_payment handling_fee total exchange taxes_on_top duties_on_top"
    return {
        **dict.fromkeys(texts.split(), "x"), **{f"{name}_pence": 0 for name in pence.split()},
        **dict.fromkeys(("first_seen_at", "changed_at", "read_at"), NOW.isoformat()),
        "return_id": return_id, "rma": rma, "outcomes": [], "unknown_fields": [], "currency": "GBP", "is_open": True,
        "raw": {}, "processed_by": "", "processed_field": "", "is_closing_proof": False, "store": "",
    }  # fmt: skip


def test_a_secret_of_the_demo_is_refused_to_any_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**OUTLET, "SWAP_API_KEY": "demo-swap-key"}.items():
        monkeypatch.setenv(f"KHAOS_SWAP_STORE_OUTLET_{name}", value)
    settings = configure(stores="outlet").with_stores()
    with pytest.raises(SettingsError, match="KHAOS_SWAP_STORE_OUTLET_SWAP_API_KEY: this secret belongs to the demo"):
        refuse_demo_secrets(settings, "live")
