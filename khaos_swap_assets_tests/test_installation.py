"""A live installation's database: set up, checked, kept apart from demo and test, used by one house."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded
from khaos_swap_assets.running import installation


@pytest.fixture
def fresh_url(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """URL of a database that does not exist yet, on a running server."""
    yield postgres.url("books")
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as conn:
        for name in ("books", "books_dagster"):
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def settings(url: str = "", **more: object) -> Settings:
    return Settings.model_validate({"database_url": url, **more})


def test_setting_up_makes_both_databases_and_marks_ours(fresh_url: str) -> None:
    installation.set_up(fresh_url)
    installation.set_up(fresh_url)
    found = installation.open_database(settings(fresh_url))
    assert (found.url, found.server) == (fresh_url, None)
    with psycopg.connect(fresh_url) as conn:
        assert conn.execute("SELECT mark FROM recon.installation").fetchone() == ("live",)
    psycopg.connect(installation.dagster_database(fresh_url)).close()


def test_both_programs_mean_the_same_database_of_dagster(fresh_url: str) -> None:
    assert store.parts(installation.dagster_database(fresh_url))["dbname"] == "books_dagster"
    assert "/books_dagster?" in store.dagster_url(fresh_url)


def test_a_database_without_tables_says_what_to_run(fresh_url: str) -> None:
    store.ensure(fresh_url)
    with pytest.raises(StoreError, match="has no tables yet; run: khaos-swap migrate"):
        installation.open_database(settings(fresh_url))


def test_a_database_of_tests_or_a_demo_is_never_live(database_url: str) -> None:
    with pytest.raises(SettingsError, match="belongs to a test installation, this is live"):
        installation.open_database(settings(database_url))
    with pytest.raises(SettingsError, match="belongs to a test installation, this is live"):
        installation.set_up(database_url)


def test_a_user_with_few_rights_is_told_what_lacks_step_by_step(fresh_url: str, reader: str) -> None:
    installation.set_up(fresh_url)
    url = fresh_url.replace("postgres@", f"{reader}@")

    def refusal() -> str:
        with pytest.raises(StoreError) as caught:
            installation.open_database(settings(url))
        return str(caught.value).partition(": ")[2]

    def allow(database: str, *grants: str) -> None:
        with psycopg.connect(store.sibling_url(fresh_url, database)) as admin:
            for grant in grants:
                admin.execute(f"GRANT {grant} TO {reader}".encode())

    everything = "ALL TABLES IN SCHEMA swap, khaos, recon"
    assert refusal().startswith("user reader has no permission: permission denied for table alembic_version; grant it")
    allow("books", "SELECT ON alembic_version")
    assert refusal().startswith("user reader has no permission: permission denied for schema recon; grant it")
    allow("books", "USAGE ON SCHEMA swap, khaos, recon", f"SELECT ON {everything}")
    assert re.match("user reader may not write [a-z._, ]+ and more; grant it or use another user", refusal())
    allow("books", f"INSERT, UPDATE, DELETE ON {everything}")
    assert refusal() == "user reader may not write the schema public; grant it or use another user"
    allow("books_dagster", "CREATE ON SCHEMA public")
    assert installation.open_database(settings(url)).url == url


@pytest.mark.parametrize("mode", ["assist", "post"])
def test_the_embedded_database_is_not_for_writing(tmp_path: Path, mode: str) -> None:
    with pytest.raises(SettingsError, match=rf"KHAOS_SWAP_DATABASE_URL: is required when KHAOS_SWAP_MODE is {mode}"):
        installation.open_database(settings(mode=mode, post_from="2026-07-01", data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_demo_is_never_live(tmp_path: Path) -> None:
    (tmp_path / ".khaos-swap-demo").touch()
    with pytest.raises(SettingsError, match="belongs to the demo, this is live"):
        installation.open_database(settings(data_dir=tmp_path))


def test_for_audit_the_embedded_database_starts_migrated_and_ends(tmp_path: Path) -> None:
    found = installation.open_database(settings(data_dir=tmp_path / "data"))
    try:
        with psycopg.connect(found.url) as conn:
            assert conn.execute("SELECT mark FROM recon.installation").fetchone() == ("live",)
    finally:
        assert found.server
        found.server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(found.url)


def test_env_adds_what_is_not_set_and_only_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text('KHAOS_SWAP_MODE=assist\nKHAOS_SWAP_SWAP_API_KEY="a $b #c"\nHTTPS_PROXY=http://proxy\n')
    monkeypatch.setattr(os, "environ", {"KHAOS_SWAP_MODE": "audit"})
    installation.read_env_file(file)
    assert os.environ == {"KHAOS_SWAP_MODE": "audit", "KHAOS_SWAP_SWAP_API_KEY": "a $b #c"}
    installation.read_env_file(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"KHAOS_SWAP_MODE audit\n", ".env, line 1: sets nothing: write NAME=value"),
        (b"# mine\n\nKHAOS_SWAP_MODE\n", ".env, line 3: sets nothing: write NAME=value"),
        (b'KHAOS_SWAP_MODE="post\n', ".env, line 1: sets nothing: write NAME=value"),
        ("KHAOS_SWAP_MODE=post".encode("utf-16"), ".env: cannot be read: it is no UTF-8 text"),
        (None, ".env: cannot be read: Is a directory"),
    ],
)
def test_an_env_file_that_sets_nothing_is_told_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(".env")
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        installation.read_env_file(file)
    assert str(caught.value) == told


def test_lines_of_other_programs_in_env_are_not_ours_to_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_bytes(
        b"\xef\xbb\xbfKHAOS_SWAP_MODE=post # ours\r\nOTHER THING\r\nexport KHAOS_SWAP_PAGE_DOCUMENTS='7'\r\n"
    )
    for name in ("MODE", "PAGE_DOCUMENTS"):
        monkeypatch.setenv(f"KHAOS_SWAP_{name}", "x")
        monkeypatch.delenv(f"KHAOS_SWAP_{name}")
    installation.read_env_file(file)
    assert (os.environ["KHAOS_SWAP_MODE"], os.environ["KHAOS_SWAP_PAGE_DOCUMENTS"]) == ("post", "7")
