"""Tests of connections and of every clear error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg import conninfo, errors

from khaos_swap_assets.adapters.errors import SettingsError, StoreError
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store import embedded, migrate

SECRET = "s3kret"


@pytest.fixture(scope="module")
def guarded(postgres: embedded.EmbeddedPostgres) -> Iterator[embedded.EmbeddedPostgres]:
    """The server with passwords demanded of two roles, as a production server would."""
    rules = postgres.folder / "pg_hba.conf"
    before = rules.read_text()
    admin = store.connect(postgres.url("postgres"), application="tests")
    admin.execute(f"CREATE ROLE clerk LOGIN PASSWORD '{SECRET}'")
    admin.execute("CREATE ROLE retired NOLOGIN")
    rules.write_text("local all clerk scram-sha-256\nlocal closed all reject\n" + before)
    admin.execute("SELECT pg_reload_conf()")
    admin.commit()
    yield postgres
    rules.write_text(before)
    admin.execute("DROP ROLE clerk")
    admin.execute("DROP ROLE retired")
    admin.execute("SELECT pg_reload_conf()")
    admin.commit()
    admin.close()


def as_user(server: embedded.EmbeddedPostgres, user: str, password: str = "", database: str = "khaos_swap") -> str:
    return server.url(database).replace("postgres@", f"{user}:{password}@")


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        store.connect(url, application="tests")
    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("default", ["repeatable read", "serializable"])
def test_each_statement_sees_what_was_committed_before_whatever_the_server_prefers(
    database_url: str, default: str
) -> None:
    option = f"-c default_transaction_isolation={default.replace(' ', chr(92) + ' ')}"
    url = conninfo.make_conninfo("", **{**store.parts(database_url), "options": option})
    with store.connect(url, application="tests") as asked:
        assert asked.execute("SHOW default_transaction_isolation").fetchone() == (default,)
        assert asked.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


def test_a_connection_is_in_utc_named_and_without_autocommit(database_url: str) -> None:
    with store.connect(database_url, application="tests") as connection:
        assert str(connection.info.timezone) == "UTC"
        assert connection.info.get_parameters()["application_name"] == "khaos-swap tests"
        assert not connection.autocommit


def test_the_right_password_opens(guarded: embedded.EmbeddedPostgres, database_url: str) -> None:
    store.connect(as_user(guarded, "clerk", SECRET), application="tests").close()


@pytest.mark.parametrize("password", ["", f"not-{SECRET}"])
def test_a_wrong_password(guarded: embedded.EmbeddedPostgres, database_url: str, password: str) -> None:
    assert "wrong password for user clerk; correct it in KHAOS_SWAP_DATABASE_URL" in refusal(
        as_user(guarded, "clerk", password)
    )


def test_a_role_that_may_not_log_in(guarded: embedded.EmbeddedPostgres, database_url: str) -> None:
    assert "user retired may not log in" in refusal(as_user(guarded, "retired"))


def test_a_role_that_is_missing(guarded: embedded.EmbeddedPostgres, database_url: str) -> None:
    assert "the user nobody_here does not exist" in refusal(as_user(guarded, "nobody_here"))


def test_a_database_that_is_closed_to_us(guarded: embedded.EmbeddedPostgres) -> None:
    assert "may not log in" in refusal(guarded.url("closed"))


def test_a_database_that_is_missing(postgres: embedded.EmbeddedPostgres) -> None:
    assert "the database nowhere does not exist; create it: khaos-swap migrate" in refusal(postgres.url("nowhere"))


@pytest.mark.parametrize(
    ("url", "where"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/books", "database books at 127.0.0.1:1 cannot be used"),
        (f"postgresql://u:{SECRET}@/books?host=/no/such/socket", "database books at /no/such/socket cannot be used"),
        (f"postgresql://u:{SECRET}@no-such-host.invalid/books", "database books at no-such-host.invalid:5432"),
    ],
)
def test_a_server_that_is_not_reachable(url: str, where: str) -> None:
    line = refusal(url)
    assert line.startswith(where)
    assert line.endswith("is the server running and reachable?")


def test_no_permission(guarded: embedded.EmbeddedPostgres, database_url: str) -> None:
    url = as_user(guarded, "clerk", SECRET)
    with (
        pytest.raises(StoreError, match="user clerk has no permission: permission denied for schema recon"),
        store.reported(url),
        store.connect(url, application="tests") as connection,
    ):
        connection.execute("SELECT * FROM recon.postings")


def test_what_the_server_says_is_told_in_sqlalchemys_wrapping_too(
    guarded: embedded.EmbeddedPostgres, database_url: str
) -> None:
    url = as_user(guarded, "clerk", SECRET)
    with pytest.raises(StoreError, match="user clerk has no permission: permission denied for table alembic_version"):
        migrate.check(url)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (errors.DiskFull("could not extend file"), "the disk of the database is full: could not extend file"),
        (errors.TooManyConnections("too many"), "the server has no connection left"),
        (errors.CannotConnectNow("starting up"), "starting up or shutting down; try again"),
        (errors.AdminShutdown("terminating"), "the server was stopped while we used it"),
        (errors.ReadOnlySqlTransaction("read-only"), "the database is read-only"),
        (psycopg.OperationalError(f"odd {SECRET}"), "cannot be used: odd \\*\\*\\*"),
        (psycopg.OperationalError(""), "cannot be used: OperationalError"),
    ],
)
def test_what_the_server_says_of_itself(error: psycopg.Error, line: str) -> None:
    url = f"postgresql://u:{SECRET}@db.example/books"
    with pytest.raises(StoreError, match=f"database books at db.example:5432.*{line}"), store.reported(url):
        raise error


def test_errors_of_our_own_statements_pass(database: psycopg.Connection[Any], database_url: str) -> None:
    with pytest.raises(errors.UndefinedTable), store.reported(database_url):
        database.execute("SELECT * FROM nowhere")


@pytest.mark.parametrize("error", [errors.DeadlockDetected(""), errors.QueryCanceled(""), ValueError("ours")])
def test_what_speaks_of_a_statement_passes_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), store.reported("postgresql://u@db/books"):
        raise error


def test_the_embedded_server_is_named_where_there_is_no_url() -> None:
    said = store.of_the_server(errors.DiskFull("could not extend file"), "")
    assert str(said).startswith("the embedded database: the disk of the database is full: could not extend file")


def test_a_user_who_may_only_read_is_told_which_tables_are_closed(
    guarded: embedded.EmbeddedPostgres, database: psycopg.Connection[Any], database_url: str
) -> None:
    store.require_writable(database, database_url)
    url = as_user(guarded, "clerk", SECRET)
    closed = r"user clerk may not write [a-z._, ]+ and more; grant it or use another"
    with store.connect(url, application="tests") as connection, pytest.raises(StoreError, match=closed):
        store.require_writable(connection, url)


def test_a_database_without_tables_must_let_its_user_make_some(guarded: embedded.EmbeddedPostgres) -> None:
    owner, url = guarded.url("bare"), as_user(guarded, "clerk", SECRET, "bare")
    store.ensure(owner)
    try:
        with store.connect(owner, application="tests") as admin, store.connect(url, application="tests") as clerk:
            with pytest.raises(StoreError, match="user clerk may not write the schema public; grant it"):
                store.require_writable(clerk, url)
            admin.execute("GRANT CREATE ON SCHEMA public TO clerk")
            admin.commit()
            store.require_writable(clerk, url)
            admin.execute("REVOKE CREATE ON SCHEMA public FROM clerk")
    finally:
        with psycopg.connect(guarded.url("postgres"), autocommit=True) as admin:
            admin.execute("DROP DATABASE bare WITH (FORCE)")


def test_a_server_that_is_stopped_while_in_use(database_url: str) -> None:
    with store.connect(database_url, application="killer") as killer:
        victim = store.connect(database_url, application="victim")
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", (victim.info.backend_pid,))
        with pytest.raises(StoreError, match="the server was stopped while we used it"), store.reported(database_url):
            victim.execute("SELECT 1")
        victim.close()


def test_an_old_server_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "OLDEST_SERVER", 990000)
    assert "is too old; version 14 or newer is needed" in refusal(database_url)


@pytest.mark.parametrize("url", ["", "mysql://u:p@h/d", f"nonsense {SECRET}", "/tmp/file.db"])
def test_what_is_no_url_is_a_setting_to_correct(url: str) -> None:
    with pytest.raises(SettingsError, match="KHAOS_SWAP_DATABASE_URL is no PostgreSQL URL") as caught:
        store.connect(url, application="tests")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected", "query"),
    [
        ("postgresql://u:p%40w@db:5433/books", "postgresql+psycopg2://u:p%40w@db:5433/books_dagster", store.QUICK),
        (
            "postgres://u@db/books?sslmode=require&keepalives_idle=60",
            "postgresql+psycopg2://u@db/books_dagster",
            {**store.QUICK, "sslmode": "require", "keepalives_idle": "60"},
        ),
        ("postgresql+psycopg://u@db/books", "postgresql+psycopg2://u@db/books_dagster", store.QUICK),
        ("postgresql://u:@/books?host=/run/pg", "postgresql+psycopg2://u@/books_dagster", {"host": "/run/pg"}),
        ("host=db dbname=books user=u", "postgresql+psycopg2://u@db/books_dagster", store.QUICK),
    ],
)
def test_dagsters_database_is_beside_ours_and_notices_a_dead_line(
    url: str, expected: str, query: dict[str, str]
) -> None:
    found = sqlalchemy.make_url(store.dagster_url(url))
    assert found.set(query={}).render_as_string(hide_password=False) == expected
    assert dict(found.query) == query
    assert found.get_dialect().driver == "psycopg2"


def test_dagsters_url_opens_the_same_server(database_url: str) -> None:
    store.ensure(store.sibling_url(database_url, "khaos_swap_dagster"))
    engine = sqlalchemy.create_engine(store.dagster_url(database_url))
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT current_database()")).scalar() == "khaos_swap_dagster"
    engine.dispose()


def test_a_missing_database_is_created_once(postgres: embedded.EmbeddedPostgres) -> None:
    url = postgres.url("made here")
    assert [store.ensure(url), store.ensure(url)] == [True, False]
    with store.connect(postgres.url("postgres"), application="tests") as connection:
        connection.autocommit = True
        connection.execute('DROP DATABASE "made here"')


def test_two_that_create_at_once_are_both_content(postgres: embedded.EmbeddedPostgres) -> None:
    url = postgres.url("at_once")
    made: list[bool] = []
    threads = [threading.Thread(target=lambda: made.append(store.ensure(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, False, True]


def test_a_role_that_may_not_create_says_so(guarded: embedded.EmbeddedPostgres) -> None:
    with pytest.raises(StoreError, match="has no permission: permission denied to create database"):
        store.ensure(as_user(guarded, "clerk", SECRET, "not_mine"))


@pytest.mark.parametrize(
    ("password", "text", "shown"),
    [
        ("p", "connection to port 1 refused", "connection to port 1 refused"),
        ("p", "in postgresql://kim:p@db/books", "in postgresql://kim:***@db/books"),
        ("p", "host=db password=p port=1", "host=db password=*** port=1"),
        ("p", "host=db password='p' port=1", "host=db password='***' port=1"),
        ("p", 'in "p": no value', 'in "***": no value'),
        ("s3cret", "whatever-s3cret-is", "whatever-***-is"),
        ("a/b c", "kim:a%2Fb%20c@db and a/b c", "kim:***@db and ***"),
        ("", "connection refused", "connection refused"),
    ],
)
def test_a_password_is_masked_and_nothing_else(password: str, text: str, shown: str) -> None:
    assert store._masked(text, password) == shown


def test_the_password_never_shows_in_the_place(tmp_path: Path) -> None:
    assert store.place(f"postgresql://u:{SECRET}@db:5433/books") == "database books at db:5433"
