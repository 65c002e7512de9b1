"""What settings must hold together before anything real starts, found without asking anybody.

Belongs here: what is missing, malformed or misspelt, all of it. Stays out: types, defaults and ranges (``settings``),
and trying a connection (``preflight``). No line holds a value of a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from khaos_swap_assets.adapters.errors import SettingsError, TransientError
from khaos_swap_assets.adapters.http import LOOPBACK
from khaos_swap_assets.adapters.settings import PREFIX, KhaosSettings, Settings
from khaos_swap_assets.adapters.settings_list import variables

INTERNAL = frozenset({f"{PREFIX}{name}" for name in ("STARTED_BY", "DAGSTER_URL", "DEMO_CLOCK", "HOUSE")})


def require_live(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ``SettingsError`` with one line for every fault that would stop a live installation."""
    faults = [*_missing(settings), *_addresses(settings), *_secrets(settings), *_parts(settings), *unknown(environ)]
    if faults:
        raise SettingsError("\n".join(faults))


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A line for each variable with our prefix that is none of ours: a misspelt one would be ignored in silence."""
    known = [variable.name for variable in variables()]
    found = sorted(name for name in environ if name.startswith(PREFIX) and name not in {*known, *INTERNAL})
    return [f"{name}: there is no such setting{_nearest(name, known)}" for name in found]


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "; khaos-swap settings lists them"


def _missing(settings: Settings) -> Iterator[str]:
    always = {
        "SWAP_URL": settings.swap.url,
        "SWAP_API_KEY": settings.swap.api_key.get_secret_value(),
        "SWAP_STORE_ID": settings.swap.store_id,
    }
    if not settings.khaos.is_cloud:
        always["KHAOS_URL"] = settings.khaos.url
    writing = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SEAL_KEY": settings.seal_key.get_secret_value(),
        "KHAOS_CHANNEL_USER": settings.khaos.channel_user,
        "KHAOS_CHANNEL_PASSWORD": settings.khaos.channel_password.get_secret_value(),
    }
    is_writing = settings.mode != "audit"
    hints = {
        "DATABASE_URL": ": the postings are the memory against doubles and need a real server",
        "SEAL_KEY": "; make one with: khaos-swap new-key",
    }
    if settings.khaos.is_cloud and settings.khaos.url.strip():
        yield f"{PREFIX}KHAOS_URL: must be empty when {PREFIX}KHAOS_EDITION is cloud, which has no web service"
    for name in [name for name, value in always.items() if not value.strip()]:
        yield f"{PREFIX}{name}: is required"
    for name in [name for name, value in writing.items() if is_writing and not value.strip()]:
        yield f"{PREFIX}{name}: is required when {PREFIX}MODE is {settings.mode}{hints.get(name, '')}"


def _addresses(settings: Settings) -> Iterator[str]:
    urls = {
        "SWAP_URL": settings.swap.url,
        "KHAOS_URL": settings.khaos.url,
        "GATEWAY_PUBLIC_URL": settings.gateway_public_url,
        "STOREFRONT_URL": settings.storefront.url,
    }
    for name, url in urls.items():
        if url and (reason := _wrong_url(url)):
            yield f"{PREFIX}{name}: {reason}"
    swap = urlsplit(settings.swap.url) if not _wrong_url(settings.swap.url) else None
    if swap and swap.scheme == "http" and swap.hostname not in LOOPBACK:
        yield f"{PREFIX}SWAP_URL: must be https: over http anybody on the way could read the key"
    if settings.gateway_port and settings.gateway_port == settings.webserver_port:
        yield f"{PREFIX}GATEWAY_PORT: is {PREFIX}WEBSERVER_PORT too; choose another"


def _wrong_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        return "is no http or https URL"
    if parts.username or parts.password:
        return "must hold no user or password; there are settings for them"
    return "holds a space" if " " in url else ""


def _secrets(settings: Settings) -> Iterator[str]:
    carried: dict[str, SecretStr] = {
        "SWAP_API_KEY": settings.swap.api_key,
        "KHAOS_PASSWORD": settings.khaos.password,
        "KHAOS_CHANNEL_PASSWORD": settings.khaos.channel_password,
        "INSPECTION_TOKEN": settings.inspection_token,
        "STOREFRONT_ACCESS_TOKEN": settings.storefront.access_token,
    }
    for name, secret in carried.items():
        text = secret.get_secret_value()
        if text and not (text.isascii() and text.isprintable() and text == text.strip()):
            yield f"{PREFIX}{name}: holds a space at an end, a line break or a character that HTTP headers cannot carry"


def _parts(settings: Settings) -> Iterator[str]:
    checks = (_seal_key, _database, _authority, _pin, _storefront, _alerts, _policy)
    for check in checks:
        yield from _said(check, settings)


def _said(check: Callable[[Settings], None], settings: Settings) -> list[str]:
    try:
        check(settings)
    except SettingsError as error:
        return str(error).splitlines()
    return []


def _seal_key(settings: Settings) -> None:
    if settings.seal_key.get_secret_value().strip():
        from khaos_swap_assets.adapters.store.seal import Sealer

        Sealer(settings.seal_key)


def _database(settings: Settings) -> None:
    if url := settings.database_url.get_secret_value().strip():
        from khaos_swap_assets.adapters.store import database

        database.dagster_url(url)


def _authority(settings: Settings) -> None:
    _verify(settings.khaos.model_copy(update={"certificate_sha256": ""}))


def _pin(settings: Settings) -> None:
    _verify(settings.khaos.model_copy(update={"ca_file": None}))


def _verify(khaos: KhaosSettings) -> None:
    """Build what verifies the server, without fetching what it shows."""
    from khaos_swap_assets.adapters.khaos import tls

    try:
        tls.verify_for(khaos, fetch=_not_now)
    except TransientError:
        return


def _not_now(_host: str, _port: int) -> NoReturn:
    raise OSError("not asked")


def _storefront(settings: Settings) -> None:
    if settings.storefront.is_connected and not _wrong_url(settings.storefront.url):
        from khaos_swap_assets.adapters.storefront import client

        client.require(settings.storefront)


def _alerts(settings: Settings) -> None:
    if not settings.alert_urls.get_secret_value():
        return
    from khaos_swap_assets.adapters import alerts

    if wrong := alerts.unknown_addresses(settings):
        which = ", ".join(map(str, wrong))
        of = len(alerts.addresses(settings))
        raise SettingsError(f"{PREFIX}ALERT_URLS: address {which} of {of} is none that apprise knows")


def _policy(settings: Settings) -> None:
    if settings.policy_file:
        from khaos_swap_assets.adapters.policy import load_policy

        try:
            load_policy(settings.policy_file)
        except SettingsError as error:
            raise SettingsError(f"{PREFIX}POLICY_FILE: {error}") from None
