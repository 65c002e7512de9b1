"""Who may speak to the gateway, and over which line.

Belongs here: Basic and Bearer credentials, the rule about plain HTTP, and the secrets that belong to the demo alone.
Stays out: the token of a webhook (``webhooks``). Every comparison takes the same time for a near miss and a far one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import HTTPException, Request, Security
from fastapi.security import HTTPBasic, HTTPBearer
from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.settings import PREFIX, Settings
from khaos_swap_assets.adapters.settings_stores import prefix_of
from khaos_swap_assets.gateway.limits import is_among

DEMO_SECRETS: Mapping[str, str] = {
    "KHAOS_SWAP_SWAP_API_KEY": "demo-swap-key",
    "KHAOS_SWAP_SWAP_WEBHOOK_SECRET": "whsk_demo_6b68616f732d737761702d73616e64626f78",
    "KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD": "demo-channel-password",
    "KHAOS_SWAP_INSPECTION_TOKEN": "demo-inspection-token",
    "KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN": "demo-storefront-token",
    "KHAOS_SWAP_STOREFRONT_WEBHOOK_SECRET": "demo-storefront-webhook-secret",
    "KHAOS_SWAP_SEAL_KEY": "a2hhb3Mtc3dhcC1kZW1vLXNlYWwta2V5LTMyLWJ5dGU=",
}
DEMO_STORE_SECRETS: Mapping[str, str] = {
    "SWAP_API_KEY": "demo-outlet-swap-key",
    "SWAP_WEBHOOK_SECRET": "whsk_demo_6f75746c65742d737761702d73616e64626f78",
}
"""Secrets that everybody can read here, the second group of a further store; the demo uses them, a live installation
refuses them.
"""


def refuse_demo_secrets(settings: Settings, mark: str) -> None:
    """Raise ``SettingsError`` naming each variable of a live installation that holds a secret of the demo."""
    if mark != "live":
        return
    known = {*DEMO_SECRETS.values(), *DEMO_STORE_SECRETS.values()}
    stores = [(one.swap.store, _secrets(one)) for one in settings.by_store]
    demo = [(store, name) for store, some in stores for name, secret in some.items() if _words(secret) & known]
    found = [name.replace(PREFIX, prefix_of(store), 1) for store, name in demo if _is_of(store, name)]
    if found:
        raise SettingsError(f"{', '.join(found)}: this secret belongs to the demo and is public; set your own")


def _is_of(store: str, name: str) -> bool:
    """Whether a store has a setting of its own for this; all but the first have Swap's and the storefront's alone."""
    return not store or name.startswith((f"{PREFIX}SWAP_", f"{PREFIX}STOREFRONT_"))


def is_same(given: str, expected: SecretStr | str) -> bool:
    """Whether a secret is the right one; an expected secret that is not set is never right."""
    wanted = expected.get_secret_value() if isinstance(expected, SecretStr) else expected
    return bool(wanted) & hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def is_any(given: str, expected: Sequence[SecretStr]) -> bool:
    """Whether a secret is one of the right ones; every one is compared, whatever the first one gave."""
    found = [is_same(given, one) for one in expected]
    return any(found)


def is_signed(body: bytes, given: str, keys: Sequence[bytes]) -> bool:
    """Whether a text is the HMAC-SHA256 of the body under one of the keys, in Base64 or hex; every one is compared."""
    made = [hmac.new(key, body, hashlib.sha256).digest() for key in keys]
    good = [text for mark in made for text in (base64.b64encode(mark).decode(), mark.hex())]
    found = [is_same(given.strip(), text) for text in good]
    return any(found)


def basic_guard(user: str, *passwords: SecretStr) -> Callable[..., None]:
    """A dependency that lets in whoever sends this user and one of these passwords; 401 for everybody else."""

    def guard(request: Request, _: Annotated[Any, Security(HTTPBasic(auto_error=False))] = None) -> None:
        require_private_line(request)
        given_user, given_password = _basic(request.headers.get("authorization", ""))
        is_user, is_password = is_same(given_user, user), is_any(given_password, passwords)
        if not (is_user and is_password):
            raise HTTPException(401, "user or password is wrong", {"WWW-Authenticate": 'Basic realm="khaos-swap"'})
        prove(request)

    return guard


def bearer_guard(*tokens: SecretStr) -> Callable[..., None]:
    """A dependency that lets in whoever sends one of these tokens; 401 for everybody else."""

    def guard(request: Request, _: Annotated[Any, Security(HTTPBearer(auto_error=False))] = None) -> None:
        require_private_line(request)
        scheme, _space, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_any(given.strip(), tokens):
            raise HTTPException(401, "the token is wrong", {"WWW-Authenticate": "Bearer"})
        prove(request)

    return guard


def is_near(request: Request, named: str) -> bool:
    """Whether the sender has a private address, one of those ``named`` (comma list of addresses and networks).

    A private address alone proves nothing: a proxy that adds no header lends its own to the whole internet.
    """
    host = request.client.host if request.client else ""
    return is_among(host, named.split(",")) and ip_address(host).is_private


def prove(request: Request) -> None:
    """Note that the sender showed a right secret: a share of the lines is kept for such ones."""
    request.state.is_proven = True


def require_private_line(request: Request) -> None:
    """Refuse a secret, an address or a name over plain HTTP from another machine: 403.

    The server sets scheme and client from ``X-Forwarded-*`` only where a trusted proxy sent them.
    """
    if request.url.scheme != "https" and not _is_loopback(request.client.host if request.client else ""):
        raise HTTPException(403, "only https is served here; put the gateway behind a proxy that ends TLS")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
    return user, password


def _secrets(settings: Settings) -> dict[str, SecretStr]:
    return {
        "KHAOS_SWAP_SWAP_API_KEY": settings.swap.api_key,
        "KHAOS_SWAP_SWAP_WEBHOOK_SECRET": settings.swap.webhook_secret,
        "KHAOS_SWAP_SWAP_WEBHOOK_SECRET_PREVIOUS": settings.swap.webhook_secret_previous,
        "KHAOS_SWAP_KHAOS_PASSWORD": settings.khaos.password,
        "KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD": settings.khaos.channel_password,
        "KHAOS_SWAP_KHAOS_CHANNEL_PASSWORD_PREVIOUS": settings.khaos.channel_password_previous,
        "KHAOS_SWAP_INSPECTION_TOKEN": settings.inspection_token,
        "KHAOS_SWAP_INSPECTION_TOKEN_PREVIOUS": settings.inspection_token_previous,
        "KHAOS_SWAP_SEAL_KEY": settings.seal_key,
        "KHAOS_SWAP_STOREFRONT_ACCESS_TOKEN": settings.storefront.access_token,
        "KHAOS_SWAP_STOREFRONT_WEBHOOK_SECRET": settings.storefront.webhook_secret,
        "KHAOS_SWAP_STOREFRONT_WEBHOOK_SECRET_PREVIOUS": settings.storefront.webhook_secret_previous,
    }


def _words(secret: SecretStr) -> set[str]:
    """The keys within a setting, which may hold several with commas (rotation)."""
    return {word.strip() for word in secret.get_secret_value().split(",")}
