"""Fixtures that every test may use: a clean environment and a database.

Belongs here: what more than one folder of tests needs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, mark, migrate
from khaos_swap_assets.cli import commands, reach
from khaos_swap_assets_tests import lending
from khaos_swap_assets_tests.running import Call, Done

KEPT_TABLES = ("recon.installation",)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread the files of long tests over the processes, each at the start of a share; a file stays together."""
    shares = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    rest = [item for item in items if not item.get_closest_marker("long")]
    files, size = list(dict.fromkeys(item.path for item in long)), -(-len(rest) // shares)
    items[:] = [
        item
        for share in range(shares)
        for item in (
            *(one for one in long if one.path in files[share::shares]),
            *rest[share * size : (share + 1) * size],
        )
    ]


def pytest_collection_finish() -> None:
    """What is loaded stays to the end: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KHAOS_SWAP_") or name in {"DAGSTER_HOME", "PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")


@pytest.fixture(scope="session")
def postgres() -> Iterator[embedded.EmbeddedPostgres]:
    """One embedded server a test process, without fsync, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-tests-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        server = embedded.start(Path(folder) / "postgres", durable=False)
        yield server
        lending.close_all()
        server.stop()


@pytest.fixture(scope="session")
def _server_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="khaos-swap-tests-", dir="/tmp", ignore_cleanup_errors=True) as parent:
        yield Path(parent)


@pytest.fixture
def server_folder(_server_folder: Path) -> Iterator[Path]:
    """A parent of ``postgres``, a server's folder outside every home: its tests use it by turns, each finds it stopped.

    To make the files of a server takes longer than most that is done with them.
    """
    yield _server_folder
    embedded.start(_server_folder / "postgres", durable=False).stop()


@pytest.fixture(scope="session")
def _migrated_url(postgres: embedded.EmbeddedPostgres) -> str:
    url = postgres.url("khaos_swap")
    store.ensure(url)
    migrate.upgrade(url)
    with store.connect(url, application="tests") as connection:
        mark.ensure(connection, "test")
    return url


@pytest.fixture(scope="session")
def reader(postgres: embedded.EmbeddedPostgres) -> str:
    """A user who may log in and nothing else; ``reader@`` in place of ``postgres@`` makes a URL theirs."""
    with store.connect(postgres.url("postgres"), application="tests") as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    return "reader"


@pytest.fixture
def database_url(_migrated_url: str) -> str:
    """URL of a migrated database marked 'test', emptied before each test."""
    with lending.lend(_migrated_url) as connection:
        empty(connection)
    return _migrated_url


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the emptied database, autocommit off."""
    with store.connect(database_url, application="tests") as connection:
        yield connection


def empty(connection: psycopg.Connection[Any]) -> None:
    """Empty every table that holds rows. Replica role: the audit log's own guard refuses to be emptied otherwise."""
    rows = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('swap', 'khaos', 'storefront', 'recon')"
    ).fetchall()
    tables = [sql.Identifier(*row) for row in rows if ".".join(row) not in KEPT_TABLES]
    connection.execute("SET LOCAL session_replication_role = replica")
    connection.execute("SET LOCAL lock_timeout = '10s'")
    if full := _full(connection, tables):
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(full)))
    connection.execute("DELETE FROM recon.installation")
    mark.ensure(connection, "test")


def _full(connection: psycopg.Connection[Any], tables: Sequence[sql.Identifier]) -> list[sql.Identifier]:
    asked = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT FROM {})").format(table) for table in tables)
    answers = connection.execute(sql.SQL("SELECT {}").format(asked)).fetchone() or ()
    return [table for table, has_rows in zip(tables, answers, strict=True) if has_rows]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the program in this process, in an empty folder; names in capitals are of its environment."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: str, **env: str) -> Done:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["khaos-swap", *arguments])
        reach.settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            commands.main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    yield call
    reach.settings.cache_clear()
    for number, handler in handlers.items():
        signal.signal(number, handler)
