"""The merchants of a folder: one file of settings each, ``NAME.env``, read again when one comes, changes or goes.

Belongs here: what a file must be, and what no two may have alike. Stays out: processes (``house``, ``merchant``), and
whether one merchant's settings hold together, which its own process finds out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.private import OTHERS
from khaos_swap_assets.adapters.settings import LOOPBACK, PREFIX, Settings
from khaos_swap_assets.adapters.settings_checks import INTERNAL
from khaos_swap_assets.adapters.settings_stores import named, variable
from khaos_swap_assets.adapters.store import database
from khaos_swap_assets.running import installation

NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
OF_THE_HOUSE = frozenset(
    f"{PREFIX}{name}"
    for name in (
        "DATA_DIR", "WEBSERVER_HOST", "WEBSERVER_PORT", "WEBSERVER_PUBLIC_URL", "RUNS_BROKER_URL", "RUNS_AT_ONCE"
    )
)  # fmt: skip
"""Settings that all merchants of a house share, and none of its files may hold."""
FILES = tuple(f"{PREFIX}{name}" for name in ("KHAOS_CA_FILE", "POLICY_FILE", "DOOR_MEMBERS_FILE"))
LONGEST_FILE = 256 * 1024


@dataclass(frozen=True)
class Merchant:
    """One file: the merchant's name, which begins its assets, and its settings, secrets among them."""

    path: Path
    name: str
    values: Mapping[str, str] = field(repr=False)

    def get(self, setting: str) -> str:
        """What the file sets, else nothing."""
        return self.values.get(f"{PREFIX}{setting}", "").strip()


def files(folder: Path) -> list[Path]:
    """The files of the merchants, by name. Raises ``SettingsError`` where the folder cannot be read."""
    try:
        return sorted(one for one in folder.iterdir() if one.suffix == ".env" and one.stem)
    except OSError as error:
        raise SettingsError(f"{folder}: cannot be read: {error.strerror}; name a folder of NAME.env files") from None


def read(path: Path) -> Merchant:
    """One merchant. Raises ``SettingsError`` with every fault that shows before any setting is weighed."""
    try:
        found = path.stat()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    if found.st_mode & OTHERS:
        raise SettingsError(f"{path}: holds secrets and others may read it: chmod 600 {path}")
    if found.st_size > LONGEST_FILE:
        raise SettingsError(f"{path}: is longer than {LONGEST_FILE} bytes: this is no file of settings")
    values = installation.settings_of(path)
    shared = [
        f"{path}: {name} is the same for all merchants: set it where you start"
        for name in values
        if name in OF_THE_HOUSE | INTERNAL
    ]
    name = values.get(f"{PREFIX}MERCHANT", "").strip() or path.stem
    if not NAME.fullmatch(name):
        shared.append(f"{path}: {name!r} is no short name: set {PREFIX}MERCHANT to small letters, digits and _")
    if shared:
        raise SettingsError("\n".join(sorted(shared)))
    return Merchant(path, name, {**values, **_beside(path, values)})


def _beside(path: Path, values: Mapping[str, str]) -> dict[str, str]:
    """The files that the settings name, which count from the folder of the merchant's own."""
    named = {name: values[name] for name in FILES if values.get(name, "").strip()}
    return {name: str((path.parent / one.strip()).absolute()) for name, one in named.items()}


def read_all(paths: Sequence[Path]) -> tuple[list[Merchant], list[str]]:
    """Those merchants that can be read, and what is wrong with the other files."""
    found, faults = [], []
    for path in paths:
        try:
            found.append(read(path))
        except SettingsError as error:
            faults += str(error).splitlines()
    return found, faults


def clashes(merchants: Sequence[Merchant]) -> list[str]:
    """A line for each thing that two merchants have alike and may not, naming both files."""
    return [line for one, other in combinations(merchants, 2) for line in clash(one, other)]


def clash(one: Merchant, other: Merchant) -> Iterator[str]:
    """What two merchants have alike and may not: name, database, Khaos, Swap store, port of the gateway."""
    for what, (places, remedy) in ALIKE.items():
        if (places(one) & places(other)) - {""}:
            yield f"{one.path} and {other.path} have the same {what}: {remedy}"


def _database(merchant: Merchant) -> str:
    url = merchant.get("DATABASE_URL")
    if not url:
        return ""
    try:
        parts = database.parts(url)
    except SettingsError:
        return ""
    host = parts.get("host", "localhost")
    name = parts.get("dbname") or parts.get("user", "")
    return f"{_host(host)}:{parts.get('port', '5432')}/{name}"


def _khaos(merchant: Merchant) -> str:
    return _address(merchant.get("KHAOS_URL"))


def _swap_stores(merchant: Merchant) -> set[str]:
    """Every store of a merchant, the further ones too."""
    url, names = merchant.get("SWAP_URL"), named(merchant.get("STORES"))
    asked = [(url, merchant.get("SWAP_STORE_ID"))]
    for name in names:
        own = [merchant.get(variable(name, group).removeprefix(PREFIX)) for group in ("SWAP_URL", "SWAP_STORE_ID")]
        asked.append((own[0] or url, own[1]))
    return {f"{_address(address)} {store}" for address, store in asked if store}


def _address(url: str) -> str:
    """Host, port and path of a URL without what makes no difference."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{_host(parts.hostname or '')}:{port}{parts.path.rstrip('/').lower()}" if parts.hostname else ""


def _host(host: str) -> str:
    return "localhost" if host in LOOPBACK else host.lower()


def _port(merchant: Merchant) -> str:
    return merchant.get("GATEWAY_PORT") or str(Settings.model_fields["gateway_port"].default)


ALIKE: Mapping[str, tuple[Callable[[Merchant], set[str]], str]] = {
    "name": (lambda merchant: {merchant.name}, f"give one another {PREFIX}MERCHANT"),
    "database": (lambda merchant: {_database(merchant)}, f"each needs a {PREFIX}DATABASE_URL of its own"),
    "Khaos": (lambda merchant: {_khaos(merchant)}, f"only one merchant may write to it; correct {PREFIX}KHAOS_URL"),
    "Swap store": (_swap_stores, f"its returns would be credited twice; correct {PREFIX}SWAP_STORE_ID"),
    "gateway port": (lambda merchant: {_port(merchant)}, f"give one another {PREFIX}GATEWAY_PORT"),
}
"""What no two merchants may share: how it is told apart, and what to do."""
