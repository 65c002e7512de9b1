"""A database as a file that PostgreSQL's own tools read, and what is in it: rows and a hash of every table.

Belongs here: dumping a database at one moment, restoring a dump, saying what a database holds. Stays out: which
databases there are and where a backup lies (``running.backing_up``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import copying, database

Contents = dict[str, dict[str, str | int]]
"""Of each table its ``rows`` and the ``hash`` of what they hold, in whatever order they lie."""
AS_TEXT = "SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1"
TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
"""
HELD = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t"


@contextmanager
def one_moment(url: str) -> Iterator[tuple[str, Contents, int]]:
    """A snapshot of the database for ``dump``, what it holds in it, and the server's major version.

    Others go on writing meanwhile. Raises ``StoreError``.
    """
    with copying.reading(url) as connection:
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        yield str(snapshot), _contents(connection), connection.info.server_version // 10000


def contents(url: str) -> Contents:
    """What the database holds now. Raises ``StoreError``."""
    with copying.reading(url) as connection:
        return _contents(connection)


def is_empty(url: str) -> bool:
    """Whether the database has no table yet. Raises ``StoreError``."""
    with copying.reading(url) as connection:
        return not connection.execute(TABLES).fetchall()


def dump(url: str, file: Path, *, snapshot: str, major: int) -> None:
    """Write the database as of ``snapshot`` to ``file`` in PostgreSQL's custom form. Raises ``StoreError``."""
    words = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={file}")
    _run(_program("pg_dump", major, at_least=True), url, words)


def restore(url: str, file: Path) -> None:
    """Fill the empty database with what ``file`` holds, all of it or nothing. Raises ``StoreError``."""
    with closing(database.connect(url, application="restore")) as connection:
        major = connection.info.server_version // 10000
    words = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(file))
    _run(_program("pg_restore", major), url, words)


def _contents(connection: psycopg.Connection[Any]) -> Contents:
    connection.execute(AS_TEXT)
    found: Contents = {}
    for schema, name in connection.execute(TABLES).fetchall():
        row = connection.execute(sql.SQL(HELD).format(sql.Identifier(schema, name))).fetchone()
        rows, told = row or (0, "0")
        found[f"{schema}.{name}"] = {"rows": rows, "hash": told}
    return found


def _run(program: Path, url: str, words: Sequence[str]) -> None:
    """The password goes by the environment: whoever lists processes sees every argument."""
    parts = database.parts(url)
    secret = {"PGPASSWORD": parts.pop("password")} if "password" in parts else {}
    command = [str(program), *words, f"--dbname={conninfo.make_conninfo('', **parts)}"]
    env = {**os.environ, **secret}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603
    if done.returncode:
        said = next(iter(done.stderr.strip().splitlines()), f"exit code {done.returncode}")
        raise StoreError(f"{database.place(url)}: {said}")


def _program(name: str, major: int, *, at_least: bool = False) -> Path:
    """PostgreSQL's program of the server's version, or one ``at_least`` as new. Raises ``StoreError`` without one."""
    for path in _programs(name):
        version = _version(path)
        if version == major or (at_least and version > major):
            return path
    raise StoreError(f"{name} of PostgreSQL {major} is needed: apt-get install postgresql-client-{major}")


def _programs(name: str) -> Iterator[Path]:
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found := shutil.which(name):
        yield Path(found)
    with suppress(ImportError):
        from khaos_swap_assets.adapters.store.embedded import PROGRAMS

        yield PROGRAMS / name


def _version(program: Path) -> int:
    """The major version that a program names: ``pg_dump (PostgreSQL) 18.1``; 0 where it does not run."""
    with suppress(OSError, ValueError, IndexError):
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603
        return int(asked.stdout.split(")")[1].split(".")[0])
    return 0
