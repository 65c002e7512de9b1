"""Bringing the database's tables to the code's version.

Belongs here: upgrade and check. Stays out: the tables themselves (``migrations/versions``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import database

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = sqlalchemy.text(
    "SET lock_timeout = 0; SELECT pg_advisory_lock(hashtext('khaos-swap migrate')); "
    f"SET lock_timeout = '{database.LOCK_SECONDS}s'"
)


def upgrade(url: str, version: str = "head") -> None:
    """Bring the tables up to a version, else to this code's, all or nothing; two callers wait for each other.

    Raises ``StoreError`` when the database belongs to a newer version.
    """
    with database.reported(url), _connection(url) as connection:
        connection.execute(ONE_AT_A_TIME)
        if _current(connection) not in (None, *_known()):
            raise _newer(url)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.commit()


def check(url: str) -> None:
    """Raise ``StoreError`` when the tables are older or newer than this code; the line names what to do."""
    if (current := standing(url)) != head():
        state = f"has tables of version {current}, this program needs {head()}"
        raise StoreError(f"{database.place(url)} {state}; run: khaos-swap migrate")


def standing(url: str) -> str:
    """The version of the tables, this code's or an older one. Raises ``StoreError`` where there are none, or newer."""
    with database.reported(url), _connection(url) as connection:
        current = _current(connection)
    if current is None:
        raise StoreError(f"{database.place(url)} has no tables yet; run: khaos-swap migrate")
    if current not in _known():
        raise _newer(url)
    return current


def version(conn: psycopg.Connection[Any]) -> str:
    """The version of the tables as they are, whatever it is."""
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def head() -> str:
    """The version of the tables that this code needs."""
    return _known()[0]


def _newer(url: str) -> StoreError:
    return StoreError(
        f"{database.place(url)} has tables of a newer version than this program ({head()}); install the newer program"
    )


@cache
def _known() -> list[str]:
    return [revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()]


def _current(connection: sqlalchemy.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connection(url: str) -> Iterator[sqlalchemy.Connection]:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: database.connect(url, application="migrate"), poolclass=NullPool
    )
    with engine.connect() as connection:
        yield connection
