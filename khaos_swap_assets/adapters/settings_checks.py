"""What settings must hold together before anything real starts, found without asking anybody.

Belongs here: what is missing, malformed or misspelt, all of it. Stays out: types, defaults and ranges (``settings``),
and trying a connection (``preflight``). No line holds a value of a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import NoReturn
from urllib.parse import urlsplit

from pydantic import SecretStr

from khaos_swap_assets.adapters import settings_stock, settings_stores
from khaos_swap_assets.adapters.errors import SettingsError, TransientError
from khaos_swap_assets.adapters.settings import LOOPBACK, PREFIX, KhaosSettings, Settings
from khaos_swap_assets.adapters.settings_list import variables
from khaos_swap_assets.domain.money.periods import london_date

STARTED_BY = f"{PREFIX}STARTED_BY"
INTERNAL = frozenset(
    f"{PREFIX}{name}" for name in ("STARTED_BY", "DAGSTER_URL", "DEMO_CLOCK", "HOUSE", "HOUSE_OF", "SHARED_URL")
)
REQUIRED = frozenset({"SWAP_API_KEY", "SWAP_STORE_ID", "KHAOS_CHANNEL_USER", "KHAOS_CHANNEL_PASSWORD"})
BASIC_USERS = frozenset({"KHAOS_USER", "KHAOS_CHANNEL_USER"})
REASON = re.compile(r"[A-Za-z0-9_-]{1,40}")


def require_live(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise ``SettingsError`` with one line for every fault that would stop a live installation."""
    checks = (_missing, _addresses, _carried, _accounts, _different, _parts, _begun)
    first, *further = ([line for check in checks for line in check(one)] for one in settings.by_store)
    of_stores = zip(settings.by_store[1:], further, strict=True)
    own = [line for one, lines in of_stores for line in settings_stores.of_store(one.swap.store, lines)]
    if faults := [*first, *own, *unknown(environ)]:
        raise SettingsError("\n".join(faults))


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A line for each variable with our prefix that is none of ours: a misspelt one would be ignored in silence."""
    stores = settings_stores.variables_of(settings_stores.named(environ.get(f"{PREFIX}STORES", "")))
    known = [*(variable.name for variable in variables()), *stores]
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
        "WEBSERVER_PUBLIC_URL": settings.webserver_public_url,
        "STOREFRONT_URL": settings.storefront.url,
    }
    for name, url in urls.items():
        if url.strip() and (reason := _wrong_url(url)):
            yield f"{PREFIX}{name}: {reason}"
    swap = urlsplit(settings.swap.url) if not _wrong_url(settings.swap.url) else None
    if swap and swap.scheme == "http" and swap.hostname not in LOOPBACK:
        yield f"{PREFIX}SWAP_URL: must be https: over http anybody on the way could read the key"
    if settings.gateway_port and settings.gateway_port == settings.webserver_port:
        yield f"{PREFIX}GATEWAY_PORT: is {PREFIX}WEBSERVER_PORT too; choose another"
    lists = {"TRUSTED_PROXIES": settings.gateway_trusted_proxies, "METRICS_FROM": settings.gateway_metrics_from}
    for name, told in lists.items():
        words = [word.strip() for word in told.split(",")] if told or name == "TRUSTED_PROXIES" else []
        if wrong := [ascii(word) for word in words if not _is_network(word)]:
            told = "each must be an IP address or a network like 10.0.0.0/8"
            yield f"{PREFIX}GATEWAY_{name}: {', '.join(wrong)}: {told}"


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
    if parts.query or parts.fragment:
        return "must hold no query and no fragment"
    return "holds a space" if " " in url else ""


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _carried(settings: Settings) -> Iterator[str]:
    """What goes into a header or a query, and comes back in one, exactly as it is."""
    swap, khaos = settings.swap, settings.khaos
    carried: dict[str, SecretStr | str] = {
        "SWAP_API_KEY": swap.api_key,
        "SWAP_STORE_ID": swap.store_id,
        "SWAP_WEBHOOK_SECRET": swap.webhook_secret,
        "SWAP_WEBHOOK_SECRET_PREVIOUS": swap.webhook_secret_previous,
        "KHAOS_USER": khaos.user,
        "KHAOS_PASSWORD": khaos.password,
        "KHAOS_CHANNEL_USER": khaos.channel_user,
        "KHAOS_CHANNEL_PASSWORD": khaos.channel_password,
        "KHAOS_CHANNEL_PASSWORD_PREVIOUS": khaos.channel_password_previous,
        "INSPECTION_TOKEN": settings.inspection_token,
        "INSPECTION_TOKEN_PREVIOUS": settings.inspection_token_previous,
        "STOREFRONT_ACCESS_TOKEN": settings.storefront.access_token,
        "STOREFRONT_WEBHOOK_SECRET": settings.storefront.webhook_secret,
        "STOREFRONT_WEBHOOK_SECRET_PREVIOUS": settings.storefront.webhook_secret_previous,
        "DOOR_MICROSOFT_CLIENT_ID": settings.door.microsoft_client_id,
        "DOOR_MICROSOFT_CLIENT_SECRET": settings.door.microsoft_client_secret,
        "DOOR_GOOGLE_CLIENT_ID": settings.door.google_client_id,
        "DOOR_GOOGLE_CLIENT_SECRET": settings.door.google_client_secret,
    }
    for name, given in carried.items():
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if text.strip() and not (text.isascii() and text.isprintable() and text == text.strip()):
            yield f"{PREFIX}{name}: holds a space at an end, a line break or a character that HTTP headers cannot carry"
        elif text and not text.strip() and name not in REQUIRED:
            yield f"{PREFIX}{name}: holds nothing but spaces"
        elif ":" in text and name in BASIC_USERS:
            yield f"{PREFIX}{name}: must hold no colon, at which Basic auth ends the user"


def _accounts(settings: Settings) -> Iterator[str]:
    """A provider of accounts is named whole, or not at all; over http anybody on the way could sign in."""
    door = settings.door
    microsoft = (door.microsoft_issuer, door.microsoft_client_id, door.microsoft_client_secret)
    google = (door.google_issuer, door.google_client_id, door.google_client_secret)
    for name, (issuer, client, secret) in {"MICROSOFT": microsoft, "GOOGLE": google}.items():
        if issuer.strip() and (reason := _wrong_issuer(issuer)):
            yield f"{PREFIX}DOOR_{name}_ISSUER: {reason}"
        is_whole = bool(issuer.strip() and secret.get_secret_value() and door.members_file)
        if client == client.strip() != "" and not is_whole:
            needed = f"{PREFIX}DOOR_{name}_ISSUER, {PREFIX}DOOR_{name}_CLIENT_SECRET and {PREFIX}DOOR_MEMBERS_FILE"
            yield f"{PREFIX}DOOR_{name}_CLIENT_ID: needs {needed} too"


def _wrong_issuer(url: str) -> str:
    is_open = urlsplit(url).scheme == "http" and urlsplit(url).hostname not in LOOPBACK
    return _wrong_url(url) or ("must be https" if is_open else "")


def _different(settings: Settings) -> Iterator[str]:
    """Sites and return reasons that decide where goods go: one for two would make damaged goods saleable."""
    khaos = settings.khaos
    if khaos.site_id == khaos.nonsaleable_site_id:
        yield f"{PREFIX}KHAOS_NONSALEABLE_SITE_ID: is {PREFIX}KHAOS_SITE_ID too; choose another"
    taken: dict[str, str] = {}
    for name in ("SELLABLE", "DAMAGED", "MISSING"):
        reason = getattr(khaos, f"reason_{name.lower()}")
        if not REASON.fullmatch(reason):
            yield f"{PREFIX}KHAOS_REASON_{name}: must be the id of a return reason in Khaos"
        elif (other := taken.setdefault(reason, name)) != name:
            yield f"{PREFIX}KHAOS_REASON_{name}: is {PREFIX}KHAOS_REASON_{other} too; choose another"
    if (kept := khaos.reason_kept) and not REASON.fullmatch(kept):
        yield f"{PREFIX}KHAOS_REASON_KEPT: must be the id of a return reason in Khaos, or empty"
    elif (other := taken.get(kept, "MISSING")) != "MISSING":
        yield f"{PREFIX}KHAOS_REASON_KEPT: is {PREFIX}KHAOS_REASON_{other} too, which moves stock; choose another"


def _begun(settings: Settings) -> Iterator[str]:
    """The reports need a month to begin with."""
    if settings.period_start > london_date(datetime.now(UTC)):
        yield f"{PREFIX}PERIOD_START: lies in the future; choose the first day of a month that has begun"


def _parts(settings: Settings) -> Iterator[str]:
    checks = (_seal_key, _database, _authority, _pin, _storefront, _alerts, _policy, _members, settings_stock.require)
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
    if settings.storefront.webhook_keys and not settings.storefront.is_connected:
        needed = f"{PREFIX}STOREFRONT_URL, where its orders are read"
        raise SettingsError(f"{PREFIX}STOREFRONT_WEBHOOK_SECRET: needs {needed}")
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


def _members(settings: Settings) -> None:
    if settings.door.members_file:
        from khaos_swap_assets.adapters.members import load_roster

        try:
            load_roster(settings.door.members_file)
        except SettingsError as error:
            raise SettingsError(
                "\n".join(f"{PREFIX}DOOR_MEMBERS_FILE: {line}" for line in str(error).splitlines())
            ) from None
