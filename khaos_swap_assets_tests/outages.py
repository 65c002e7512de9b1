"""Ways in which a database does not give what it should: locked by somebody, read-only, full, without a connection.

Belongs here: bringing each about, and ending it. Stays out: what must hold meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import database, embedded, mark, migrate

MEGABYTE = 2**20
TERMINAL = "a terminal"
CONNECTIONS = 20


@contextmanager
def kept(url: str, statement: str) -> Iterator[int]:
    """Somebody at a terminal keeps a lock; the process number of that session."""
    with psycopg.connect(url, application_name=TERMINAL) as outsider:
        outsider.execute(statement.encode())
        yield outsider.info.backend_pid
        outsider.rollback()


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """Every new session of the database only reads, as on a standby."""
    name = database.parts(url)["dbname"]
    _rule(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield
    finally:
        _rule(url, f"ALTER DATABASE {name} RESET default_transaction_read_only")


def cut(url: str) -> None:
    """End every other session of the database, as a failover does."""
    ours = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {ours}".encode())


@contextmanager
def crowded(url: str) -> Iterator[None]:
    """Other programs take every connection that the server has."""
    with ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            while True:
                taken.enter_context(psycopg.connect(url, application_name=TERMINAL))
        yield


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """Somebody filled the disk that holds ``folder`` to the last byte."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(MEGABYTE))
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(512))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """A folder on a disk of its own and of this size; None where nothing may be mounted here."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-disk-", dir="/tmp") as folder:
        words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "khaos-swap", folder]
        is_mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
        try:
            yield Path(folder) if is_mounted else None
        finally:
            if is_mounted:
                subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def small_server(folder: Path) -> Iterator[tuple[embedded.EmbeddedPostgres, str]]:
    """A durable server with few connections and a short log of changes, and the URL of a migrated database of it."""
    before = embedded.CONFIG
    embedded.CONFIG = (
        before.replace("max_connections = 200", f"max_connections = {CONNECTIONS}")
        + "min_wal_size = 32MB\nmax_wal_size = 32MB\n"
    )
    server = embedded.start(folder / "postgres")
    try:
        url = server.url("khaos_swap")
        database.ensure(url)
        migrate.upgrade(url)
        with database.connect(url, application="tests") as connection:
            mark.ensure(connection, "test")
        yield server, url
    finally:
        server.stop()
        embedded.CONFIG = before


def _rule(url: str, statement: str) -> None:
    with psycopg.connect(database.sibling_url(url, "postgres"), autocommit=True) as admin:
        admin.execute(statement.encode())


def count(url: str, query: str) -> Any:
    """The first column of the only row of a query."""
    with psycopg.connect(url) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row
    return row[0]
