"""Webhooks of Swap: proof that Swap sent one, then a row in the inbox, then 200.

Belongs here: the token and what it must agree with. Stays out: what changed, which only the API tells: a webhook is a
knock. Source: contracts/swap.md §5, DESIGN §4.1. The token does not sign the body and lives 300 s, so a replay within
that time is possible and harmless: it folds into the knock that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import jwt
from fastapi import APIRouter, Depends, HTTPException

from khaos_swap_assets.adapters.settings import SwapSettings
from khaos_swap_assets.adapters.store import inbox
from khaos_swap_assets.adapters.swap.raw import cleaned, without_personal_data
from khaos_swap_assets.gateway.messages import body_of, object_of
from khaos_swap_assets.gateway.pool import Pool
from khaos_swap_assets.gateway.security import is_same

LIFETIME_SECONDS = 300
SKEW_SECONDS = 60
MAX_KEY = 200
NAMED = ("return_id", "order_id", "store_id", "event")
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
class Knock:
    """What a proven token names; ``event`` or ``return_id`` may be empty when Swap left them out."""

    store_id: str
    event: str
    return_id: str


def verify(body: Mapping[str, Any], settings: SwapSettings, now: datetime) -> Knock:
    """Check the token of a webhook against our secrets, our store, the time and the body beside it.

    Raises ``RejectedError``. HS256 only; the current or the previous secret; ``now`` is aware.
    """
    token = body.get("jwt")
    if not isinstance(token, str) or not token:
        raise RejectedError("no token in field jwt")
    claims = _claims(token, settings)
    _require_time(claims, now.timestamp())
    if not is_same(str(claims.get("store_id", "")), settings.store_id):
        raise RejectedError("the token is for another store")
    _require_agreement(claims, body)
    event, return_id = (str(claims.get(name) or "")[: MAX_KEY + 1] for name in ("event", "return_id"))
    return Knock(settings.store_id, event, return_id)


def router(pool: Pool, settings: SwapSettings, clock: Callable[[], datetime]) -> APIRouter:
    """The endpoint that Swap posts to."""
    routes = APIRouter(tags=["Swap"])

    @routes.post("/webhooks/swap", summary="A return was created or processed")
    def receive(body: Annotated[bytes, Depends(body_of)]) -> dict[str, bool]:
        message, now = object_of(body), clock()
        try:
            knock = verify(message, settings, now)
        except RejectedError as error:
            raise HTTPException(401, str(error)) from None
        _keep(pool, knock, without_personal_data(message), now)
        return {"accepted": True}

    return routes


def _keep(pool: Pool, knock: Knock, body: Mapping[str, Any], now: datetime) -> None:
    with pool.transaction() as conn:
        if all(0 < len(word) <= MAX_KEY for word in (knock.event, knock.return_id)):
            inbox.store_knock(
                conn, store_id=knock.store_id, event=knock.event, return_id=knock.return_id, body=body, now=now
            )
        else:
            inbox.store_unreadable(conn, store_id=knock.store_id, body=body, now=now)


def _claims(token: str, settings: SwapSettings) -> Mapping[str, Any]:
    """The claims under whichever of our secrets signed them; both are tried, whatever the first one gave."""
    secrets = [settings.webhook_secret.get_secret_value(), settings.webhook_secret_previous.get_secret_value()]
    found = [claims for secret in secrets if secret and (claims := _decoded(token, secret)) is not None]
    if not found:
        raise RejectedError("the token is not signed with our secret")
    return found[0]


def _decoded(token: str, secret: str) -> Mapping[str, Any] | None:
    try:
        claims: dict[str, Any] = cleaned(jwt.decode(token, secret, algorithms=["HS256"], options=OPTIONS))
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    return claims


def _require_time(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if not issued < expires <= issued + LIFETIME_SECONDS:
        raise RejectedError(f"the token is not valid for {LIFETIME_SECONDS} s or less")
    if expires + SKEW_SECONDS < now:
        raise RejectedError("the token has expired")
    if issued - SKEW_SECONDS > now:
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
            if told not in (None, "") and str(told) != str(claims.get(name, "")):
                raise RejectedError(f"the body names another {name} than the token")
