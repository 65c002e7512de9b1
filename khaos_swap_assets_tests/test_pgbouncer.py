"""PgBouncer as ``deploy/pgbouncer.ini`` has it, started for real before a real PostgreSQL.

Belongs here: that Dagster and our tables work through it, and that nobody waits for ever. Stays out: PgBouncer itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import psycopg
import pytest

from khaos_swap_assets.adapters.store import database, embedded, migrate
from khaos_swap_assets.running.dagster_parts import prepare_dagster_home
from khaos_swap_assets.ui.webserver import MOST_CONNECTIONS, RECYCLE_SECONDS, STATEMENT_MS

FILE = Path(__file__).parents[1] / "deploy" / "pgbouncer.ini"
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
OURS, DAGSTER = "khaos_swap", "khaos_swap_dagster"
SIZE, PATIENCE, PORT = 3, 2, 6499
ASKERS = 12

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (Debian: apt install pgbouncer)")


def configured(server: str, folder: Path) -> str:
    """The file as it is, but for where the server is, where it listens, who may come in, and a smaller pool."""
    told = ConfigParser(interpolation=None)
    told.read_string(FILE.read_text())
    for name, where in told["databases"].items():
        told["databases"][name] = where.replace("host=DATABASE-HOST port=5432", f"host={server} user=postgres")
    del told["pgbouncer"]["auth_file"]
    own = {"listen_addr": "", "unix_socket_dir": str(folder), "listen_port": str(PORT), "auth_type": "any"}
    told["pgbouncer"].update(
        own | {"default_pool_size": str(SIZE), "query_wait_timeout": str(PATIENCE), "logfile": str(folder / "log")}
    )
    parts = [(part, told[part].items()) for part in told.sections()]
    return "\n".join(f"[{part}]\n" + "\n".join(f"{name} = {value}" for name, value in some) for part, some in parts)


@pytest.fixture(scope="module")
def folder(postgres: embedded.EmbeddedPostgres) -> Iterator[Path]:
    """Where a running PgBouncer listens, before both databases of an installation."""
    for name in (OURS, DAGSTER):
        database.ensure(postgres.url(name))
    made = Path(tempfile.mkdtemp(prefix="khaos-swap-pgbouncer-"))
    server = parse_qs(urlsplit(postgres.url(OURS)).query)["host"][0]
    (made / "pgbouncer.ini").write_text(configured(server, made))
    user = Path(server).owner() if os.geteuid() == 0 else ""
    if user:
        shutil.chown(made, user)
    running = subprocess.Popen([str(PROGRAM), "-q", *(["-u", user] if user else []), str(made / "pgbouncer.ini")])
    try:
        _wait_for(made / f".s.PGSQL.{PORT}")
        yield made
    finally:
        running.terminate()
        running.wait(10)
        shutil.rmtree(made)


def _wait_for(socket: Path) -> None:
    deadline = time.monotonic() + 20
    while not socket.exists():
        assert time.monotonic() < deadline, "PgBouncer does not listen"
        time.sleep(0.05)


def through(folder: Path, name: str) -> str:
    return f"postgresql://postgres@/{name}?host={folder}&port={PORT}"


def at_the_server(postgres: embedded.EmbeddedPostgres, name: str) -> int:
    """Connections to a database that the server has."""
    with psycopg.connect(postgres.url("postgres")) as conn:
        row = conn.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone()
    return int(row[0]) if row else 0


@dg.op
def nothing() -> None:
    """Leave events behind."""


@dg.job
def a_job() -> None:
    """One step."""
    nothing()


def test_dagster_works_through_few_connections_however_many_ask(
    postgres: embedded.EmbeddedPostgres, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KHAOS_SWAP_DAGSTER_URL", through(folder, DAGSTER).replace("sql://", "sql+psycopg2://"))
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(tmp_path)))
    wrong: list[Exception] = []

    def ask(instance: dg.DagsterInstance) -> None:
        try:
            for _ in range(5):
                instance.get_runs(limit=5)
                instance.get_asset_keys()
        except Exception as error:
            wrong.append(error)

    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(STATEMENT_MS, RECYCLE_SECONDS, MOST_CONNECTIONS)
        assert a_job.execute_in_process(instance=instance).success
        askers = [threading.Thread(target=ask, args=(instance,)) for _ in range(ASKERS)]
        for one in askers:
            one.start()
        for one in askers:
            one.join()
        assert len(instance.get_runs()) >= 1
    assert wrong == []
    assert 1 <= at_the_server(postgres, DAGSTER) <= SIZE


def test_nobody_waits_for_a_place_for_ever(folder: Path) -> None:
    with ExitStack() as stack:
        for _ in range(SIZE):
            held = stack.enter_context(psycopg.connect(through(folder, DAGSTER)))
            held.execute("SELECT 1")
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="query_wait_timeout"):
            psycopg.connect(through(folder, DAGSTER)).execute("SELECT 1")
        assert PATIENCE - 1 < time.monotonic() - began < PATIENCE + 8
    with psycopg.connect(through(folder, DAGSTER)) as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_our_locks_and_prepared_statements_outlive_a_transaction(folder: Path) -> None:
    migrate.upgrade(through(folder, OURS))
    with database.connect(through(folder, OURS), application="tests") as mine:
        with database.connect(through(folder, OURS), application="tests") as other:
            assert mine.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)
            mine.commit()
            assert other.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (False,)
            other.commit()
        for _ in range(8):
            mine.execute("SELECT %s::text", ("x",), prepare=True)
            mine.commit()
        assert mine.execute("SELECT pg_advisory_unlock(1)").fetchone() == (True,)
