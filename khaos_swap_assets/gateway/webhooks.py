"""Webhooks of Swap: proof that Swap sent one, then a row in the inbox, then the answer.

Belongs here: the token, the optional HMAC, and what both must agree with. Stays out: what changed, which only the API
tells: a webhook is a knock. Source: contracts/swap.md §5, DESIGN §4.1. The token does not sign the body and lives
300 s, so a replay within that time is possible and harmless: it folds into the knock that waits.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import jwt
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.store import arrivals, inbox
from khaos_swap_assets.adapters.store.pool import Pool
from khaos_swap_assets.adapters.swap.raw import cleaned, named_by_store, storable, without_personal_data
from khaos_swap_assets.domain.records.stores import qualified
from khaos_swap_assets.gateway import describing
from khaos_swap_assets.gateway.messages import body_of, parsed
from khaos_swap_assets.gateway.refusals import Heads, refusal
from khaos_swap_assets.gateway.security import is_same, is_signed, prove
from khaos_swap_assets.gateway.writing import Writer

LIFETIME_SECONDS = 300
MAX_KEY = 200
MAX_VALUE = 200
NAMED = ("return_id", "order_id", "store_id", "event")
KEPT = ("rma_number", "return_id", "order_id", "shopify_order_name", "return_status", "status", "date_updated")
OPTIONS: Any = {
    "require": ["exp", "iat"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
}


class RejectedError(Exception):
    """The message is not proven to come from Swap, or not for us; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class NamedReturn:
    """What a proven token names; ``event`` or ``return_id`` may be empty when Swap left them out."""

    store_id: str
    event: str
    return_id: str
    store: str = ""


def verify(body: Mapping[str, Any], settings: SwapSettings, now: datetime) -> NamedReturn:
    """Check the token of a webhook against our secrets, our store, the time and the body beside it.

    Raises ``RejectedError``. HS256 only; the current or the previous secret; ``now`` is aware.
    """
    token = body.get("jwt")
    if not isinstance(token, str) or not token:
        raise RejectedError("no token in field jwt")
    claims = _claims(token, settings)
    _require_time(claims, now.timestamp(), settings.webhook_skew_seconds)
    if not is_same(str(claims.get("store_id", "")), settings.store_id):
        raise RejectedError("the token is for another store")
    _require_agreement(claims, body)
    event, return_id = (str(claims.get(name) or "")[: MAX_KEY + 1] for name in ("event", "return_id"))
    return NamedReturn(settings.store_id, event, qualified(settings.store, return_id), settings.store)


def verify_hmac(body: bytes, given: str, settings: SwapSettings) -> None:
    """Check the HMAC-SHA256 of the raw body, Base64 or hex, under either secret. Raises ``RejectedError``."""
    if not is_signed(body, given, _hmac_keys(settings)):
        raise RejectedError("the signature of the body is wrong")


def router(pool: Pool, writer: Writer, stores: Mapping[str, SwapSettings], clock: Callable[[], datetime]) -> APIRouter:
    """The endpoint that Swap posts to for every store, by what people call each (a single one: nothing).

    The first one's settings say what it is answered.
    """
    routes = APIRouter(tags=["Swap"])
    code, heads = next(iter(stores.values())).webhook_success_code, Heads()

    @routes.post("/webhooks/swap", status_code=code, response_class=Response, **describing.WEBHOOK)
    async def receive(request: Request) -> Response:
        """Swap says that a return was created or processed. Answered once it is safe on disk."""
        now = clock()

        async def take(raw: bytes) -> None:
            message, knock = _proven(raw, request.headers, stores, now)
            prove(request)
            await _keep(pool, writer, knock, message, now)

        await answered(request, writer, heads, now, take)
        return Response(None if code == 204 else b'{"accepted":true}', code, media_type="application/json")

    return routes


async def answered(
    request: Request, writer: Writer, heads: Heads, now: datetime, take: Callable[[bytes], Awaitable[None]]
) -> None:
    """Have a webhook's body taken; one that is refused is counted with its reason, and answered by 400 or 401."""
    raw = b""
    try:
        raw = await body_of(request)
        await take(raw)
    except (RejectedError, HTTPException, RecursionError) as error:
        answer = _answer(error)
        head = heads.take(raw, now)
        await writer.keep(refusal(request, raw, str(answer.detail), head, now))
        raise answer from None


async def _keep(pool: Pool, writer: Writer, knock: NamedReturn, message: Mapping[str, Any], now: datetime) -> None:
    if all(0 < len(word) <= MAX_KEY for word in (knock.event, knock.return_id)):
        body = kept(message, knock.store)
        event, return_id = cleaned(knock.event), cleaned(knock.return_id)
        await writer.keep(arrivals.Knock(knock.store_id, event, return_id, body, now))
    else:
        await run_in_threadpool(_keep_unreadable, pool, knock.store_id, message, now)


def kept(message: Mapping[str, Any], store: str = "") -> dict[str, Any]:
    """What a knock keeps of its body: the names of the return as we keep them, and nothing of the shopper."""
    inner = message.get("return")
    told = inner if isinstance(inner, dict) else message
    words = {name: value for name in KEPT if isinstance(value := told.get(name), str | int)}
    return {"return": named_by_store({name: cleaned(str(one)[:MAX_VALUE]) for name, one in words.items()}, store)}


def _keep_unreadable(pool: Pool, store_id: str, message: Mapping[str, Any], now: datetime) -> None:
    body = without_personal_data(storable(cleaned(dict(message))))
    with pool.transaction() as conn:
        inbox.store_unreadable(conn, store_id=store_id, body=body, now=now)


def _proven(
    raw: bytes, headers: Mapping[str, str], stores: Mapping[str, SwapSettings], now: datetime
) -> tuple[dict[str, Any], NamedReturn]:
    """The message, and what it names of the one store under whose secret, and in whose name, it was signed."""
    message = parsed(raw)
    if not isinstance(message, dict):
        raise HTTPException(400, "the body is no JSON object")
    refused: dict[str, RejectedError] = {}
    for name, settings in stores.items():
        try:
            if settings.webhook_hmac_header:
                verify_hmac(raw, headers.get(settings.webhook_hmac_header, ""), settings)
            return message, verify(message, settings, now)
        except RejectedError as error:
            refused[name] = error
    named = _named_store(message.get("jwt"))
    told = next((name for name, settings in stores.items() if is_same(named, settings.store_id)), "")
    raise RejectedError(of_store(str(refused[told]), told)) if told else next(iter(refused.values()))


def of_store(reason: str, store: str) -> str:
    """Why a message was refused, with the store that it names, where there are several."""
    return f"{reason} (store {store})" if store else reason


def _named_store(token: object) -> str:
    """The store that a token names, proven or not: it says whose refusal is told, and nothing else."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("store_id", ""))  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return ""


def _answer(error: Exception) -> HTTPException:
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, RecursionError):
        return HTTPException(400, "the body is nested too deep")
    return HTTPException(401, str(error))


def _claims(token: str, settings: SwapSettings) -> Mapping[str, Any]:
    """The claims under whichever of our secrets signed them; both are tried, whatever the first one gave."""
    found = [claims for secret in _secrets(settings) if (claims := _decoded(token, secret)) is not None]
    if not found:
        raise RejectedError("the token is not signed with our secret")
    return found[0]


def _secrets(settings: SwapSettings) -> list[str]:
    given = (settings.webhook_secret.get_secret_value(), settings.webhook_secret_previous.get_secret_value())
    return [secret for secret in given if secret]


def _hmac_keys(settings: SwapSettings) -> list[bytes]:
    if settings.webhook_hmac_key == "whole":
        return [secret.encode() for secret in _secrets(settings)]
    parts = [secret.rpartition("_")[2] for secret in _secrets(settings)]
    return [bytes.fromhex(part) for part in parts if _is_hex(part)]


def _is_hex(text: str) -> bool:
    return bool(text) and len(text) % 2 == 0 and set(text.lower()) <= set("0123456789abcdef")


@lru_cache(maxsize=64)
def _key(secret: str) -> jwt.PyJWK:
    """A secret as a key of HS256 alone, made once: to make it costs more than to use it."""
    mark = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return jwt.PyJWK({"kty": "oct", "alg": "HS256", "k": mark})


def _decoded(token: str, secret: str) -> Mapping[str, Any] | None:
    try:
        claims: dict[str, Any] = jwt.decode(token, _key(secret), algorithms=["HS256"], options=OPTIONS)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    return claims


def _require_time(claims: Mapping[str, Any], now: float, skew: int) -> None:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if not issued < expires <= issued + LIFETIME_SECONDS:
        raise RejectedError(f"the token is not valid for {LIFETIME_SECONDS} s or less")
    if expires + skew < now:
        raise RejectedError("the token has expired")
    if issued - skew > now:
        raise RejectedError("the token is from the future")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise RejectedError(f"the token has no time in {name}")
    return float(value)


def _require_agreement(claims: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Whatever the body says of these four must be what the token says: a body may be swapped, a token not."""
    inner = body.get("return")
    for part in (body, inner if isinstance(inner, dict) else {}):
        for name in NAMED:
            told = part.get(name)
            if told is not None and told != "" and str(told) != str(claims.get(name, "")):
                raise RejectedError(f"the body names another {name} than the token")
