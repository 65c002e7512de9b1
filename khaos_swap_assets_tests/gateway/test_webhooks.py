"""Webhooks: only what Swap signed for us and lately is kept, once, and without the shopper."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from khaos_swap_assets.gateway.webhooks import RejectedError, verify
from khaos_swap_assets_tests.gateway.conftest import NOW, PREVIOUS, SECRET, STORE, Gateway, OpenGateway, Rows, configure

IAT = int(NOW.timestamp())
RETURN = {
    "rma_number": "20417",
    "return_id": "ret_1",
    "order_id": "5903347716233",
    "customer_email": "priya@example.com",
    "billing_address": {"name": "Priya Nolan"},
    "total": 81.05,
}
WAITING = "SELECT source, event, store_id, return_id, body, consumed_at FROM recon.inbox ORDER BY inbox_id"


def claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "iat": IAT,
        "exp": IAT + 300,
        "nonce": "b7d1",
        "event": "returnProcessed",
        "return_id": "ret_1",
        "order_id": "5903347716233",
        "store_id": STORE,
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), secret, algorithm=algorithm)


def message(token: Any = None, **body: Any) -> dict[str, Any]:
    return {"jwt": signed() if token is None else token, "return": RETURN} | body


def by_hand(header: dict[str, Any], told: Any, key: bytes = SECRET.encode()) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, told)]
    mark = base64.urlsafe_b64encode(hmac.new(key, b".".join(parts), hashlib.sha256).digest()).rstrip(b"=")
    return b".".join([*parts, b"" if header.get("alg") == "none" else mark]).decode()


def test_a_webhook_is_kept_before_it_is_answered(gateway: Gateway, rows: Rows) -> None:
    answer = gateway.post("/webhooks/swap", json=message())
    assert (answer.status_code, answer.json()) == (200, {"accepted": True})
    [(source, event, store_id, return_id, body, consumed_at)] = rows(WAITING)
    assert (source, event, store_id, return_id, consumed_at) == ("swap", "returnProcessed", STORE, "ret_1", None)
    kept = {"rma_number": "20417", "return_id": "ret_1", "order_id": "5903347716233"}
    assert body == {"return": kept}


def test_the_secret_before_this_one_still_counts(gateway: Gateway, rows: Rows) -> None:
    assert gateway.post("/webhooks/swap", json=message(signed(PREVIOUS))).status_code == 200
    assert len(rows(WAITING)) == 1


def test_replays_and_retries_fold_into_one_row(gateway: Gateway, rows: Rows) -> None:
    for nonce in ("1", "1", "2"):
        assert gateway.post("/webhooks/swap", json=message(signed(nonce=nonce))).status_code == 200
    assert gateway.post("/webhooks/swap", json=message(signed(event="returnCreated"))).status_code == 200
    assert [row[1] for row in rows(WAITING)] == ["returnProcessed", "returnCreated"]


def test_a_knock_after_the_last_one_was_used_is_a_new_row(gateway: Gateway, rows: Rows, database: Any) -> None:
    gateway.post("/webhooks/swap", json=message())
    database.execute("UPDATE recon.inbox SET consumed_at = now()")
    database.commit()
    gateway.post("/webhooks/swap", json=message())
    assert [row[5] is None for row in rows(WAITING)] == [False, True]


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HOSTILE: dict[str, Any] = {
    "no token": "",
    "token is a number": 7,
    "token is a list": ["a"],
    "not a token": "abc",
    "three dots": "a.b.c",
    "unsigned": jwt.encode(claims(), "", algorithm="none"),
    "unsigned, by hand": by_hand({"alg": "none", "typ": "JWT"}, claims()),
    "algorithm None in capitals": by_hand({"alg": "NONE"}, claims()),
    "signed with another secret": signed("whsk_00000000000000000000000000000000"),
    "signed with no secret": by_hand({"alg": "HS256"}, claims(), b""),
    "HS512 with our secret": jwt.encode(claims(), SECRET * 2, algorithm="HS512"),
    "RS256": jwt.encode(claims(), RSA, algorithm="RS256"),
    "RS256 in the header, HMAC in fact": by_hand({"alg": "RS256"}, claims()),
    "algorithm is no text": by_hand({"alg": ["HS256"]}, claims()),
    "critical header": by_hand({"alg": "HS256", "crit": ["x"]}, claims()),
    "key in the header": by_hand({"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}}, claims(), b"\x00"),
    "claims are a list": by_hand({"alg": "HS256"}, [1]),
    "tampered claims": ".".join([signed().split(".")[0], signed(return_id="x").split(".")[1], signed().split(".")[2]]),
    "expired": signed(iat=IAT - 400, exp=IAT - 100),
    "expired long ago with a long life": signed(iat=IAT - 4000, exp=IAT + 100),
    "valid for an hour": signed(exp=IAT + 3600),
    "valid for 301 s": signed(exp=IAT + 301),
    "ends before it begins": signed(exp=IAT - 1),
    "from the future": signed(iat=IAT + 100, exp=IAT + 300),
    "no exp": signed(exp=...),
    "no iat": signed(iat=...),
    "exp is text": by_hand({"alg": "HS256"}, claims(exp=str(IAT + 300))),
    "iat is true": by_hand({"alg": "HS256"}, claims(iat=True)),
    "iat is huge": by_hand({"alg": "HS256"}, claims(iat=10**30, exp=10**30 + 300)),
    "iat is infinite": by_hand({"alg": "HS256"}, claims(iat=float("inf"), exp=float("inf"))),
    "iat is not a number": by_hand({"alg": "HS256"}, claims(iat=float("nan"), exp=float("nan"))),
    "another store": signed(store_id="st_other"),
    "no store": signed(store_id=...),
    "another return than the body": signed(return_id="ret_2"),
    "another order than the body": signed(order_id="1"),
    "no order although the body has one": signed(order_id=...),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_proven_is_refused_and_leaves_no_trace(gateway: Gateway, rows: Rows, name: str) -> None:
    answer = gateway.post("/webhooks/swap", json=message(HOSTILE[name]))
    assert answer.status_code == 401, answer.text
    assert SECRET not in answer.text
    assert rows(WAITING) == []


@pytest.mark.parametrize(
    "body",
    [
        {"event": "returnCreated"},
        {"store_id": "st_other"},
        {"return": RETURN | {"return_id": "ret_2"}},
        {"return": RETURN | {"order_id": 1}},
        {"return_id": "ret_2"},
    ],
)
def test_a_body_that_was_swapped_is_refused(gateway: Gateway, rows: Rows, body: dict[str, Any]) -> None:
    assert gateway.post("/webhooks/swap", json=message(**body)).status_code == 401
    assert rows(WAITING) == []


@pytest.mark.parametrize(
    ("issued", "expires"), [(IAT - 300, IAT), (IAT - 359, IAT - 59), (IAT + 60, IAT + 360), (IAT, IAT + 1)]
)
def test_clocks_may_differ_by_a_minute(gateway: Gateway, issued: int, expires: int) -> None:
    assert gateway.post("/webhooks/swap", json=message(signed(iat=issued, exp=expires))).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 50_000, b'{"a":' * 50_000])
def test_what_is_no_json_object_is_refused(gateway: Gateway, body: bytes) -> None:
    assert gateway.post("/webhooks/swap", content=body).status_code == 400


@pytest.mark.parametrize("depth", [10, 150, 300, 450, 600, 900])
def test_deep_json_is_kept_or_refused_and_never_an_error_of_ours(gateway: Gateway, depth: int) -> None:
    deep = json.dumps(message())[:-1] + ',"deep":' + "[" * depth + "]" * depth + "}"
    assert gateway.post("/webhooks/swap", content=deep.encode()).status_code in (200, 400)


def test_a_body_beyond_a_megabyte_is_refused(gateway: Gateway, rows: Rows) -> None:
    large = json.dumps(message(padding="x" * 1024 * 1024)).encode()
    assert gateway.post("/webhooks/swap", content=large).status_code == 413
    in_parts = (large[start : start + 65536] for start in range(0, len(large), 65536))
    assert gateway.post("/webhooks/swap", content=in_parts).status_code == 413
    assert rows(WAITING) == []
    assert gateway.post("/webhooks/swap", json=message(padding="x" * 900_000)).status_code == 200


@pytest.mark.parametrize("changes", [{"return_id": ...}, {"return_id": ""}, {"event": ...}, {"return_id": "x" * 201}])
def test_what_swap_signed_and_we_cannot_read_is_kept_whole(
    gateway: Gateway, rows: Rows, changes: dict[str, Any]
) -> None:
    body = {"jwt": signed(**changes), "return": ["strange"], "also": 1}
    assert gateway.post("/webhooks/swap", json=body).status_code == 200
    assert gateway.post("/webhooks/swap", json=body).status_code == 200
    assert [(row[0], row[4]) for row in rows(WAITING)] == [
        ("swap_unreadable", {"return": ["strange"], "also": 1}),
        ("swap_unreadable", {"return": ["strange"], "also": 1}),
    ]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "🎁"])
def test_characters_that_no_database_holds_do_no_harm(gateway: Gateway, text: str) -> None:
    token = signed(event=text, return_id=text)
    body = json.dumps({"jwt": token, "note": text, text: 1}).encode()
    assert gateway.post("/webhooks/swap", content=body).status_code == 200


def test_numbers_of_any_size_do_no_harm(gateway: Gateway) -> None:
    body = json.dumps({"jwt": signed()})[:-1] + ',"a":1e999999,"b":NaN,"c":' + "9" * 4000 + ',"d":-0.0}'
    assert gateway.post("/webhooks/swap", content=body.encode()).status_code == 200


def test_without_a_secret_or_a_store_nothing_is_believed() -> None:
    swap = configure().swap
    blind = swap.model_copy(update=dict.fromkeys(("webhook_secret", "webhook_secret_previous"), SecretStr("")))
    nameless = swap.model_copy(update={"store_id": ""})
    for settings, token in ((blind, by_hand({"alg": "HS256"}, claims(), b"")), (nameless, signed(store_id=""))):
        with pytest.raises(RejectedError):
            verify({"jwt": token}, settings, NOW)


def test_an_outage_of_the_database_asks_swap_to_come_again(open_gateway: OpenGateway) -> None:
    def refuse() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError("password=hunter2 refused")

    answer = open_gateway(connect=refuse).post("/webhooks/swap", json=message())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "hunter2" not in answer.text


DOTTED = st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode() + "..")
HEADERS = st.dictionaries(
    st.sampled_from(["alg", "typ", "crit", "b64", "kid"]), st.sampled_from(["HS256", "none", [], {}, 1])
)
CLAIMS = st.dictionaries(st.sampled_from(sorted(claims())), st.none() | st.integers() | st.text() | st.booleans())


@given(st.text() | DOTTED | st.none() | st.integers())
def test_no_token_ever_breaks_the_check(token: Any) -> None:
    with pytest.raises(RejectedError):
        verify({"jwt": token}, configure().swap, NOW)


@given(HEADERS, CLAIMS)
def test_no_signed_token_ever_breaks_the_check(header: dict[str, Any], told: dict[str, Any]) -> None:
    try:
        knock = verify({"jwt": by_hand({"alg": "HS256"} | header, claims(**told))}, configure().swap, NOW)
    except RejectedError:
        return
    assert knock.store_id == STORE
