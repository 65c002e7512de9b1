"""Accounts of Microsoft and Google: asking one, and believing only what it signed for us, now, for this browser.

Belongs here: OpenID Connect by Authlib, with PKCE, state and nonce, and what the claims say of a person. Stays out:
pages and cookies (``door.account_routes``), sessions (``door.keeping``). Sources: OpenID Connect Core
1.0, RFC 7636, RFC 9700.
"""

from __future__ import annotations

import hashlib
import hmac
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from khaos_swap_assets.adapters.members import LONGEST_NAME, Roster
from khaos_swap_assets.adapters.settings_door import DoorSettings
from khaos_swap_assets.domain.desk.members import Role

SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "ES256"]
TIMEOUT_SECONDS, LEEWAY_SECONDS = 10, 60
MOST_TOLD = 200


class AccountError(Exception):
    """An account was not believed; its text is one line for the log and holds no token."""


@dataclass(frozen=True)
class Provider:
    """Who keeps the accounts, and as whom we ask it."""

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: SecretStr


def providers_of(settings: DoorSettings) -> list[Provider]:
    """The providers that the settings name."""
    google = Provider(
        name="google",
        title="Google",
        issuer=settings.google_issuer,
        client_id=settings.google_client_id,
        client_secret=settings.google_client_secret,
    )
    microsoft = Provider(
        name="microsoft",
        title="Microsoft",
        issuer=settings.microsoft_issuer,
        client_id=settings.microsoft_client_id,
        client_secret=settings.microsoft_client_secret,
    )
    return [one for one in (microsoft, google) if one.client_id]


def derived(secret: str, what: str) -> str:
    """State, nonce or PKCE verifier of one sign-in: nobody makes it without the secret that its browser holds."""
    return hmac.new(secret.encode(), what.encode(), hashlib.sha256).hexdigest()


def address_of(provider: Provider, back: str, secret: str, state: str) -> str:
    """Where the browser goes to sign in; it comes ``back``. Raises ``AccountError``."""
    with _client(provider, back) as client:
        to = _metadata(client, provider)["authorization_endpoint"]
        url, _ = client.create_authorization_url(
            to, state=state, nonce=derived(secret, "nonce"), code_verifier=derived(secret, "verifier")
        )
    return str(url)


def claims_of(provider: Provider, back: str, secret: str, code: str) -> dict[str, Any]:
    """What the provider signed about the person of a code. Raises ``AccountError`` for anything that does not fit."""
    from authlib.common.errors import AuthlibBaseError
    from authlib.oidc.core import CodeIDToken
    from httpx import HTTPError
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        with _client(provider, back) as client:
            told = _metadata(client, provider)
            token = client.fetch_token(told["token_endpoint"], code=code, code_verifier=derived(secret, "verifier"))
            keys = KeySet.import_key_set(client.request("GET", told["jwks_uri"], withhold_token=True).json())
        signed = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
        params = {"nonce": derived(secret, "nonce"), "access_token": token.get("access_token")}
        params["client_id"] = provider.client_id
        found = CodeIDToken(signed.claims, signed.header, _expected(provider), params)
        found.validate(leeway=LEEWAY_SECONDS)
    except (AuthlibBaseError, JoseError, HTTPError, KeyError, ValueError, TypeError) as error:
        raise AccountError(f"{type(error).__name__}: {ascii(str(error))[:MOST_TOLD]}") from None
    return dict(found)


def person_of(provider: Provider, claims: Mapping[str, Any], roster: Roster) -> tuple[str, frozenset[Role]]:
    """The name that the record keeps, and the roles that the members file gives to it and to its groups.

    An e-mail address counts only where the provider says that it is verified: others anybody may set. A domain counts
    by the provider's word for it, ``hd``.
    """
    mail = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
    domain, groups = str(claims.get("hd", "")), claims.get("groups", [])
    words = [mail, f"@{domain}" if domain else "", *(groups if isinstance(groups, list) else [])]
    found = [roster.groups.get(str(word).casefold(), frozenset()) for word in words if word]
    row = roster.find(mail) if mail else None
    name = mail or f"{provider.name} {claims['sub']}"
    printable = "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]
    return printable, frozenset().union(*found, row.roles if row else frozenset())


def _client(provider: Provider, back: str) -> Any:
    from khaos_swap_assets.adapters.http import public_authorities

    return _client_kind()(
        provider.client_id,
        provider.client_secret.get_secret_value(),
        scope=SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
        timeout=TIMEOUT_SECONDS,
        verify=public_authorities(),
        follow_redirects=False,
    )


def _client_kind() -> Any:
    """Authlib's client over httpx, without its word that a successor of httpx is there."""
    from authlib.deprecate import AuthlibDeprecationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.httpx_client import OAuth2Client
    return OAuth2Client


def _metadata(client: Any, provider: Provider) -> dict[str, str]:
    """What the provider says of itself; it must be the one that the settings name."""
    from httpx import HTTPError

    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        found = client.request("GET", url, withhold_token=True).raise_for_status().json()
        if found["issuer"].rstrip("/") != provider.issuer.rstrip("/"):
            raise AccountError("the provider names another issuer")
        return {name: str(found[name]) for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")}
    except (HTTPError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise AccountError(f"{provider.title} does not say how to ask it: {type(error).__name__}") from None


def _expected(provider: Provider) -> dict[str, Any]:
    issuers = [provider.issuer.rstrip("/"), provider.issuer.rstrip("/") + "/"]
    return {
        "iss": {"essential": True, "values": issuers},
        "aud": {"essential": True, "value": provider.client_id},
        "nonce": {"essential": True},
    }
