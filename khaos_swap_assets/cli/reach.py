"""What the commands reach: the installation of this folder, or the running demo; and the checks of their arguments.

Belongs here: choosing the world, opening its store and vendors when a command needs them. Stays out: the commands
(``cli.postings`` and its like).
"""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.cli.postings import Reach

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.khaos.client import KhaosClient
    from khaos_swap_assets.adapters.settings import Settings

DEMO = "demo"
DATABASE_URL = "KHAOS_SWAP_DATABASE_URL"
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def enter_demo(folder: Path) -> None:
    """Put the running demo's environment in the place of ours. Raises ``SettingsError`` when there is none."""
    from khaos_swap_assets.demo import environment, live

    found = live.environment_of(folder)
    environment.forget_outside()
    os.environ.update(found)


def enter_merchant(file: Path) -> None:
    """Put a merchant's settings in the place of the house's. Raises ``SettingsError``, ``StoreError``."""
    from khaos_swap_assets.running import house, merchant, merchants

    found = merchants.read(file.absolute())
    is_embedded = house.enter(found.name, len(merchants.files(found.path.parent)))
    merchant.take_on(found, is_embedded=is_embedded)


def refuse_merchant(command: str) -> None:
    """Raise ``SettingsError`` where a command is for all merchants of a house."""
    if os.environ.get("KHAOS_SWAP_SHARED_URL"):
        raise SettingsError(f"{command} is for all merchants of a house: leave --merchant out")


def mark() -> Literal["live", "demo"]:
    """Whose world this process is in."""
    from khaos_swap_assets.adapters.settings_checks import STARTED_BY  # brings pydantic, which no help needs

    return "demo" if os.environ.get(STARTED_BY) == DEMO else "live"


@cache
def settings() -> Settings:
    """Settings of this world. Raises ``SettingsError`` with every fault."""
    from khaos_swap_assets.adapters.settings import load_settings
    from khaos_swap_assets.running import installation

    if mark() == DEMO:
        return load_settings()
    return installation.settings_here()


def said_by_the_database(error: Exception) -> StoreError | None:
    """The clear line for an error by which PostgreSQL speaks of itself; None for any other."""
    if "psycopg" not in sys.modules:
        return None
    from khaos_swap_assets.adapters.store import database

    return database.of_the_server(error, os.environ.get(DATABASE_URL, ""))


def said_by_the_command_line(error: Any) -> str:
    """One line for an argument or option that is wrong or missing; nothing where the help was shown instead."""
    words = " ".join(error.format_message().split())
    command = error.ctx.command_path if error.ctx else "khaos-swap"
    return f"{command}: {words.rstrip('.')}; see {command} --help\n" if words else ""


def _open_store() -> psycopg.Connection[Any]:
    from khaos_swap_assets.adapters.store import database, migrate
    from khaos_swap_assets.running import installation

    installation.require_embedded(settings())
    url = settings().database_url.get_secret_value() or installation.open_database(settings()).url
    migrate.check(url)
    return database.connect(url, application="hand")


def _open_khaos() -> KhaosClient:
    from khaos_swap_assets.adapters.khaos import client

    return client.connect(settings().khaos)


REACH = Reach(_open_store, settings, _open_khaos, lambda: datetime.now(UTC))


def wanted_switches(given: list[str]) -> tuple[str, ...]:
    """The switches as given. Raises ``SettingsError`` naming every one that the sandbox does not have."""
    from khaos_swap_assets.sandbox.state import State
    from khaos_swap_assets.sandbox.switches import set_switches
    from khaos_swap_assets.sandbox.world import World

    pairs = [pair.partition("=") for pair in given]
    wanted = {name: value for name, _, value in pairs}
    problems = set_switches(State(World(0, datetime.now(UTC), "")), wanted)
    if problems:
        raise SettingsError("\n".join(f"--switch {problem}" for problem in problems))
    return tuple(given)


def require_route(route: str, *, is_credit_first: bool) -> None:
    """Raise ``SettingsError`` unless it is a route of stock for a merchant who credits first, or none."""
    if route and (route not in ("file", "level") or not is_credit_first):
        raise SettingsError("--stock-route is file or level, and needs --credit-first")


def require_history(history: Path | None, month: str) -> None:
    """Raise ``SettingsError`` unless there is a file that can be played and its month, or neither."""
    from khaos_swap_assets.sandbox.history import require
    from khaos_swap_assets.sandbox.history_file import HistoryError

    if history is None and not month:
        return
    if history is None or not month:
        raise SettingsError("--history and --month belong together")
    if not history.is_file():
        raise SettingsError(f"--history {history}: there is no such file")
    if not MONTH.fullmatch(month):
        raise SettingsError(f"--month {month}: write it as YYYY-MM")
    try:
        require(history, month)
    except HistoryError as error:
        raise SettingsError(f"--history {error}".replace("\n", "\n--history ")) from None
