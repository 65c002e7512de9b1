"""``khaos-swap backup`` and ``restore`` from outside: what is written, what comes back, what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import backups, embedded, migrate
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets_tests.running import Call
from khaos_swap_assets_tests.stages.town import Town, a_return, some_settings
from khaos_swap_assets_tests.test_cli_upgrade import dropped, made

pytestmark = pytest.mark.house


@pytest.fixture(scope="module")
def url(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """A live store with a return whose document is planned, and a database of Dagster's with a row."""
    url = made(postgres.url("backup_test"))
    town = Town(url, some_settings())
    town.sells_and_takes_back(a_return(1))
    town.sync()
    history = made_empty(postgres.url("backup_test_dagster"))
    with store.connect(history, application="tests") as connection:
        connection.execute("CREATE TABLE runs AS SELECT 7 AS id, now() AS at")
    yield url
    dropped(history)
    dropped(url)


@pytest.fixture(scope="module")
def backup(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole backup of it, made by the command's own work."""
    from khaos_swap_assets.running import backing_up

    return backing_up.back_up(url, tmp_path_factory.mktemp("kept"), lambda _: None)


@pytest.fixture
def elsewhere(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database that is not there yet."""
    url = postgres.url("restored_test")
    yield url
    for name in ("restored_test", "restored_test_dagster"):
        dropped(postgres.url(name))


def made_empty(url: str) -> str:
    dropped(url)
    store.ensure(url)
    return url


def of(url: str) -> dict[str, str]:
    return {"KHAOS_SWAP_DATABASE_URL": url}


def copied(backup: Path, folder: Path) -> Path:
    """A backup to spoil."""
    there = folder / backup.name
    there.mkdir()
    for file in backup.iterdir():
        (there / file.name).write_bytes(file.read_bytes())
    return there


def told(backup: Path) -> Any:
    return json.loads((backup / "manifest.json").read_text())


def test_a_backup_is_one_folder_for_our_eyes_only_and_says_what_every_table_held(
    url: str, call: Call, tmp_path: Path
) -> None:
    done = call("backup", str(tmp_path / "kept"), **of(url))
    assert done.returncode == 0, done.stderr
    (made_now,) = (tmp_path / "kept").iterdir()
    assert {one.name for one in made_now.iterdir()} == {"khaos_swap.dump", "dagster.dump", "manifest.json"}
    assert {one.stat().st_mode & 0o077 for one in (made_now, *made_now.iterdir())} == {0}
    manifest = told(made_now)
    assert manifest["version"] == migrate.head()
    ours = manifest["databases"]["khaos_swap"]["tables"]
    with store.connect(url, application="tests") as connection:
        (returns,) = connection.execute("SELECT count(*) FROM swap.returns").fetchone() or (0,)
    assert ours["swap.returns"]["rows"] == returns == 1
    assert manifest["databases"]["dagster"]["tables"]["public.runs"]["rows"] == 1
    assert "--check" in done.stdout
    assert str(made_now.name) in done.stdout


def test_it_is_shown_to_come_back_and_nothing_else_is_touched(url: str, backup: Path, call: Call) -> None:
    before = backups.contents(url)
    done = call("restore", str(backup), "--check", **of("postgresql://nobody@127.0.0.1:1/none"))
    assert done.returncode == 0, done.stderr
    assert "each as it was" in done.stdout
    assert "comes back whole" in done.stdout
    assert backups.contents(url) == before


def test_restored_it_holds_every_row_and_knows_that_it_has_another_life(
    url: str, backup: Path, call: Call, elsewhere: str
) -> None:
    done = call("restore", str(backup), **of(elsewhere))
    assert done.returncode == 0, done.stderr
    assert backups.contents(elsewhere) == backups.contents(url)
    assert "start in audit" in " ".join(done.stdout.split())
    lives = []
    for one in (url, elsewhere):
        with store.connect(one, application="tests") as connection:
            lives.append(SqlPostings(connection).life)
            connection.rollback()
    assert lives[0] != lives[1]


def test_a_database_in_use_is_never_overwritten(url: str, backup: Path, call: Call) -> None:
    before = backups.contents(url)
    done = call("restore", str(backup), **of(url))
    assert done.returncode == 2
    assert "backup_test" in done.stderr
    assert "holds tables" in done.stderr
    assert backups.contents(url) == before


def test_dagsters_history_stays_where_only_our_database_was_lost(
    postgres: embedded.EmbeddedPostgres, backup: Path, call: Call, elsewhere: str
) -> None:
    history = made_empty(postgres.url("restored_test_dagster"))
    with store.connect(history, application="tests") as connection:
        connection.execute("CREATE TABLE runs AS SELECT 9 AS id")
    done = call("restore", str(backup), **of(elsewhere))
    assert done.returncode == 0, done.stderr
    assert "left as it is" in done.stdout
    assert backups.contents(history)["public.runs"]["rows"] == 1
    assert "public.events" not in backups.contents(history)


@pytest.mark.parametrize(
    ("file", "spoil", "says"),
    [
        ("khaos_swap.dump", lambda one: one.write_bytes(one.read_bytes()[:-1]), "is not as it was written"),
        (
            "dagster.dump",
            lambda one: one.write_bytes(bytes(255 - byte for byte in one.read_bytes())),
            "is not as it was written",
        ),
        ("dagster.dump", Path.unlink, "is missing"),
        ("manifest.json", Path.unlink, "name a backup's folder"),
        ("manifest.json", lambda one: one.write_text("[]"), "no manifest"),
        ("manifest.json", lambda one: one.write_text('{"form": 2, "databases": {}}'), "no manifest"),
        ("manifest.json", lambda one: one.write_text('{"form": 1, "databases": {"khaos_swap": {"x": 1}}}'), "no manif"),
    ],
)
def test_what_is_not_whole_is_told_with_its_file_and_restores_nothing(
    backup: Path, call: Call, tmp_path: Path, elsewhere: str, file: str, spoil: Any, says: str
) -> None:
    there = copied(backup, tmp_path)
    spoil(there / file)
    done = call("restore", str(there), **of(elsewhere))
    assert done.returncode == 2
    assert file in done.stderr
    assert says in done.stderr


def test_a_table_that_comes_back_otherwise_is_named(backup: Path, call: Call, tmp_path: Path, elsewhere: str) -> None:
    there = copied(backup, tmp_path)
    manifest = told(there)
    manifest["databases"]["khaos_swap"]["tables"]["swap.returns"] = {"rows": 2, "hash": "0"}
    (there / "manifest.json").write_text(json.dumps(manifest))
    done = call("restore", str(there), **of(elsewhere))
    assert done.returncode == 2
    assert "swap.returns: 1 rows for 2" in done.stderr


def test_the_newest_are_kept_and_what_was_broken_off_counts_for_nothing(url: str, call: Call, tmp_path: Path) -> None:
    for day in ("20260101", "20260102"):
        (tmp_path / f"khaos-swap-{day}T000000Z").mkdir()
        (tmp_path / f"khaos-swap-{day}T000000Z" / "manifest.json").write_text("{}")
    (tmp_path / "khaos-swap-20260103T000000Z.unfinished").mkdir()
    (tmp_path / "of somebody else").mkdir()
    done = call("backup", str(tmp_path), "--keep", "2", **of(url))
    assert done.returncode == 0, done.stderr
    names = sorted(one.name for one in tmp_path.iterdir() if one.name.startswith("khaos-swap-"))
    assert names[0] == "khaos-swap-20260102T000000Z"
    assert len(names) == 3
    assert "removed khaos-swap-20260101T000000Z" in done.stdout
    assert (tmp_path / "of somebody else").is_dir()


def test_a_backup_that_fails_leaves_nothing_and_removes_nothing(url: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "khaos-swap-20260101T000000Z").mkdir()
    (tmp_path / "khaos-swap-20260101T000000Z" / "manifest.json").write_text("{}")
    dropped(store.sibling_url(url, "backup_test_dagster"))
    try:
        done = call("backup", str(tmp_path), "--keep", "1", **of(url))
    finally:
        history = made_empty(store.sibling_url(url, "backup_test_dagster"))
        with store.connect(history, application="tests") as connection:
            connection.execute("CREATE TABLE runs AS SELECT 7 AS id, now() AS at")
    assert done.returncode == 75
    assert "backup_test_dagster does not exist" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["khaos-swap-20260101T000000Z"]


def test_a_file_in_the_way_is_told(url: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("")
    done = call("backup", str(tmp_path / "kept"), **of(url))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_what_is_written_meanwhile_is_of_the_next_backup(url: str, tmp_path: Path, elsewhere: str) -> None:
    file = tmp_path / "one.dump"
    with backups.one_moment(url) as (snapshot, tables, major):
        with store.connect(url, application="tests") as connection:
            connection.execute("CREATE TABLE public.later AS SELECT 1 AS id")
        backups.dump(url, file, snapshot=snapshot, major=major)
    store.ensure(elsewhere)
    backups.restore(elsewhere, file)
    assert backups.contents(elsewhere) == tables
    with store.connect(url, application="tests") as connection:
        connection.execute("DROP TABLE public.later")


def test_no_program_is_given_the_password_where_others_can_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], **how: Any) -> subprocess.CompletedProcess[str]:
        if "--version" in command:
            return subprocess.CompletedProcess(command, 0, "pg_dump (PostgreSQL) 18.1", "")
        asked.append((command, how["env"]))
        return subprocess.CompletedProcess(command, 1, "", "pg_dump: error: no\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(StoreError, match=r"^database shop at db.example:5432: pg_dump: error: no$"):
        backups.dump("postgresql://kim:s3cret-word@db.example/shop", tmp_path / "x", snapshot="1", major=14)
    ((command, env),) = asked
    assert "s3cret-word" not in " ".join(map(str, command))
    assert env["PGPASSWORD"] == "s3cret-word"


@pytest.mark.parametrize(("major", "is_there"), [(14, True), (18, True), (99, False)])
def test_the_program_is_as_new_as_the_server_or_is_asked_for(major: int, is_there: bool) -> None:
    if is_there:
        assert backups._program("pg_dump", major, at_least=True).name == "pg_dump"
    else:
        with pytest.raises(StoreError, match="apt-get install postgresql-client-99"):
            backups._program("pg_dump", major, at_least=True)
