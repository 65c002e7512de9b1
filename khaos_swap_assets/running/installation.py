"""A live installation: its settings, its folder and its database, all checked before anything starts.

Belongs here: reading ``.env``, and opening the database that carries the live mark. Stays out: the demo's world
(``demo.environment``), starting processes (``up``), tables (``adapters.store.migrate``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.settings import PREFIX, Settings, load_settings
from khaos_swap_assets.adapters.settings_checks import STARTED_BY

if TYPE_CHECKING:
    from dotenv.parser import Binding

    from khaos_swap_assets.adapters.store.embedded import EmbeddedPostgres

SHARED = f"{PREFIX}SHARED_URL"
"""Set for a merchant of a house of many: the connection string of Dagster's database, which all of them share."""
HOUSE_OF = f"{PREFIX}HOUSE_OF"
"""Set for a command that serves a merchant of a house of many: how many merchants the house has."""
DATABASE = "khaos_swap"
ENV_FILE = Path(".env")


@dataclass(frozen=True)
class Database:
    """Where the tables are, and the hold on the embedded server where they are there."""

    url: str
    server: EmbeddedPostgres | None = None


def read_env_file(path: Path = ENV_FILE) -> None:
    """Add the settings of ``.env`` in the working folder to the environment, which wins; nothing else of it counts.

    Raises ``SettingsError`` for a file that is no text, and with every line of ours that sets nothing.
    """
    if path.exists():
        for name, value in settings_of(path).items():
            os.environ.setdefault(name, value)


def settings_of(path: Path) -> dict[str, str]:
    """The settings that a file sets, by their variables; nothing else of it counts. Raises as ``read_env_file``."""
    from dotenv.parser import parse_stream

    try:
        lines = list(parse_stream(StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
    ours = [line for line in lines if (line.key or line.original.string).strip().startswith(PREFIX)]
    if faults := [_line_number(line) for line in ours if line.error or line.value is None]:
        raise SettingsError("\n".join(f"{path}, line {number}: sets nothing: write NAME=value" for number in faults))
    return {str(line.key): str(line.value) for line in ours}


def _line_number(line: Binding) -> int:
    """Where the text begins: the parser counts from the blank lines before it."""
    text = line.original.string
    return line.original.line + text[: len(text) - len(text.lstrip())].count("\n")


def settings_here() -> Settings:
    """Settings of the environment and ``.env``, which a program that was started by ours does not read.

    Raises ``SettingsError`` with every fault.
    """
    if not os.environ.get(STARTED_BY):
        read_env_file()
    return load_settings()


def open_database(settings: Settings) -> Database:
    """The database that the settings name, else the embedded one, started and brought up to date.

    Raises ``StoreError`` when it cannot be used or is of another version, ``SettingsError`` for a demo's, a test's or
    another merchant's.
    """
    from khaos_swap_assets.adapters.store import database, mark, migrate

    url = settings.database_url.get_secret_value()
    if not url:
        return _open_embedded(settings)
    migrate.check(url)
    with database.reported(url), database.connect(url, application="setup") as connection:
        mark.require(connection, "live")
        database.require_writable(connection, url)
        mark.claim(connection, settings.merchant)
    require_dagster(url)
    return Database(url)


def open_as_it_is(settings: Settings) -> Database:
    """The database that the settings name, else the embedded one, started: of whatever version, and left at it.

    Raises ``StoreError`` when there is none yet, ``SettingsError`` for a demo's folder.
    """
    from khaos_swap_assets.adapters.store import embedded, mark

    if url := settings.database_url.get_secret_value():
        return Database(url)
    require_embedded(settings)
    mark.require_folder(settings.data_dir, "live")
    server = embedded.start(settings.data_dir / "postgres")
    return Database(server.url(DATABASE), server)


def require_embedded(settings: Settings) -> None:
    """Raise ``StoreError`` where neither a database is named nor an embedded one was ever made."""
    if not settings.database_url.get_secret_value() and not (settings.data_dir / "postgres").exists():
        raise StoreError("there is no database yet: run khaos-swap up, or set KHAOS_SWAP_DATABASE_URL; see also --demo")


def set_up(url: str) -> None:
    """Create both databases where they are missing, bring the tables up to date, put the live mark.

    Raises ``SettingsError`` for a database that belongs to a demo or a test, ``StoreError`` for a newer version's.
    """
    from khaos_swap_assets.adapters.store import database, mark, migrate

    for needed in (url, dagster_database(url)):
        database.ensure(needed)
    migrate.upgrade(url)
    with database.connect(url, application="setup") as connection:
        mark.ensure(connection, "live")


def dagster_database(url: str) -> str:
    """The libpq connection string of Dagster's database: on the same server, or the one that merchants share."""
    from khaos_swap_assets.adapters.store import database

    if shared := os.environ.get(SHARED):
        return shared
    found = database.parts(url)
    return database.sibling_url(url, f"{found.get('dbname') or found.get('user') or 'postgres'}_dagster")


def require_dagster(url: str) -> str:
    """The connection string of Dagster's database. Raises ``StoreError`` unless it is there and may be written."""
    from khaos_swap_assets.adapters.store import database

    dagster = dagster_database(url)
    with database.reported(dagster), database.connect(dagster, application="setup") as connection:
        database.require_writable(connection, dagster)
    return dagster


def _open_embedded(settings: Settings) -> Database:
    from khaos_swap_assets.adapters.store import database, embedded, mark

    if settings.mode != "audit":
        raise SettingsError(f"{PREFIX}DATABASE_URL: is required when {PREFIX}MODE is {settings.mode}")
    mark.ensure_folder(settings.data_dir, "live")
    server = embedded.start(settings.data_dir / "postgres")
    try:
        set_up(server.url(DATABASE))
        with database.connect(server.url(DATABASE), application="setup") as connection:
            mark.claim(connection, settings.merchant)
    except BaseException:
        server.stop()
        raise
    return Database(server.url(DATABASE), server)
