"""Fixtures that every test may use: a clean environment and a database.

Belongs here: what more than one folder of tests needs.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from psycopg import sql

from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, mark, migrate
from khaos_swap_assets.cli import commands, reach
from khaos_swap_assets_tests import lending
from khaos_swap_assets_tests.running import Call, Done

EXAMPLES = int(os.environ.get("KHAOS_SWAP_EXAMPLES", "50"))
"""With how many examples a law is tried that names no number of its own; the proof ``laws`` tries far more."""
hypothesis.settings.register_profile("khaos_swap", max_examples=EXAMPLES, deadline=None)
hypothesis.settings.load_profile("khaos_swap")
LENGTHY = {"long", "house", "browser"}
KEPT_TABLES = ("recon.installation",)
LONG = """
    SELECT relnamespace::regnamespace::text, relname FROM pg_class
    WHERE relnamespace::regnamespace::text IN ('swap', 'khaos', 'storefront', 'recon', 'months')
        AND relkind = 'r' AND pg_relation_size(oid) > 0
"""
ALONE = "SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '10s'"
RESTART = """
    SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Spread the files of long tests and houses over the processes, each at the start of a share, a file together.

    Those that take minutes come first, so that no process works on one alone when the others are done.
    """
    shares = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if LENGTHY & {mark.name for mark in item.iter_markers()}]
    rest = [item for item in items if not LENGTHY & {mark.name for mark in item.iter_markers()}]
    minutes = {item.path: 0.0 for item in long}
    for item in long:
        minutes[item.path] += sum(float(mark.kwargs.get("minutes", 0)) for mark in item.iter_markers("house"))
    files, size = sorted(minutes, key=lambda path: -minutes[path]), -(-len(rest) // shares)
    items[:] = [
        item
        for share in range(shares)
        for item in (
            *(one for path in files[share::shares] for one in long if one.path == path),
            *rest[share * size : (share + 1) * size],
        )
    ]


def pytest_collection_finish() -> None:
    """What is loaded stays to the end: the garbage collector need not look through it, and seldom at all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of ours from outside, and nothing that a test leaves: commands read a ``.env`` into the environment."""
    _forget_environment()
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    yield
    monkeypatch.undo()
    _forget_environment()


def _forget_environment() -> None:
    for name in list(os.environ):
        if name.startswith("KHAOS_SWAP_") or name in {"DAGSTER_HOME", "PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"}:
            del os.environ[name]


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
    with lending.lend(database_url) as connection:
        yield connection


def empty(connection: psycopg.Connection[Any]) -> None:
    """Empty every table that holds rows. Replica role: the audit log's own guard refuses to be emptied otherwise.

    To delete and vacuum leaves each file as short as to truncate does, so that rows come as they are written, without
    new files, which cost a file system many times as much. What somebody still looks at keeps its length: truncated.
    """
    full = _longer_than_nothing(connection)
    connection.execute(ALONE)
    if full:
        connection.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in full))
        connection.execute(RESTART)
    connection.execute("DELETE FROM recon.installation")
    mark.ensure(connection, "test")
    connection.commit()
    if full:
        connection.autocommit = True
        connection.execute(sql.SQL("VACUUM (SKIP_DATABASE_STATS) {}").format(sql.SQL(", ").join(full)))
        connection.autocommit = False
    if left := _longer_than_nothing(connection):
        connection.execute(ALONE)
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(left)))


def _longer_than_nothing(connection: psycopg.Connection[Any]) -> list[sql.Identifier]:
    rows = connection.execute(LONG).fetchall()
    return [sql.Identifier(*row) for row in rows if ".".join(row) not in KEPT_TABLES]


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
