"""Connections to PostgreSQL, and its errors as one clear line each.

Belongs here: opening a connection, creating a database, naming Dagster's one, translating errors. Stays out: tables
(``migrate`` and the stores) and the embedded server (``embedded``).
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import conninfo, errors, sql
from psycopg.abc import Buffer
from psycopg.types.array import ListDumper

from khaos_swap_assets.adapters.errors import SettingsError, StoreAwayError, StoreError

OLDEST_SERVER = 140000
CONNECT_SECONDS = 10
LOCK_SECONDS = 30
"""Longer than anything of ours keeps a lock: whoever does is none of ours, or hangs."""
SHORTEST_WORD = 4
QUICK = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000"}
"""A line that is dead is noticed at our end within half a minute, and by the server, which undoes what was begun."""
_QUICK_TOO = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"

_SQLSTATE_LINES: Mapping[str, str] = {
    "28P01": "{place}: wrong password for user {user}; correct it in KHAOS_SWAP_DATABASE_URL",
    "28000": "{place}: user {user} may not log in; grant LOGIN or correct pg_hba.conf",
    "no role": "{place}: the user {user} does not exist there; correct KHAOS_SWAP_DATABASE_URL or create it",
    "42501": "{place}: user {user} has no permission: {detail}; grant it or use another user",
    "3D000": "{place}: the database {database} does not exist; create it: khaos-swap migrate",
    "53100": "{place}: the disk of the database is full: {detail}; free space, then run again",
    "53300": "{place}: the server has no connection left; raise max_connections or stop other programs",
    "57P03": "{place}: the server is starting up or shutting down; try again in a moment",
    "57P01": "{place}: the server was stopped while we used it; start it, then run again",
    "25006": "{place}: the database is read-only; use the primary server",
    "55P03": "{place}: {holder} keeps a lock that we need; end it, or wait for its end, then run again",
}
_AWAY = ("", "53100", "53300", "57P03", "57P01", "25006", "55P03")
"""States that pass without anybody correcting a setting: the first is that of a server that said nothing."""
_TEXT_STATES: Mapping[str, str] = {
    "is not permitted to log in": "28000",
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    "pg_hba.conf rejects connection": "28000",
    'FATAL:  role "': "no role",
    "permission denied": "42501",
    "does not exist": "3D000",
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "the database system is": "57P03",
    "terminating connection due to administrator command": "57P01",
}

_NOT_WRITABLE = """
    SELECT count(*), has_schema_privilege('public', 'CREATE'), coalesce(
        array_agg(c.oid::regclass::text ORDER BY 1) FILTER (WHERE NOT has_table_privilege(c.oid, 'INSERT')), '{}')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('swap', 'khaos', 'recon', 'public') AND c.relkind IN ('r', 'p')
        AND c.relname <> 'alembic_version'
"""
_HOLDER = """
    SELECT format('session %%s (%%s of user %%s, since %%s UTC)', pid,
        coalesce(nullif(application_name, ''), 'unnamed'), usename,
        to_char(coalesce(xact_start, state_change) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'khaos-swap up'
        AND pid IN (SELECT pid FROM pg_locks WHERE granted AND locktype IN ('relation', 'transactionid', 'advisory')
            AND mode LIKE ANY(%s))
    ORDER BY coalesce(xact_start, state_change) LIMIT 1
"""
_KEEPS_OUT = ["Share%Lock", "ExclusiveLock", "AccessExclusiveLock"]
_SILENT = "{place} cannot be used: {detail}; is the server running and reachable?"
_ANSWERED = "{place} refused what was asked: {detail}; its log says more"
OF_THE_SERVER = (errors.OperationalError, errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)
"""The classes of error by which a server may speak of itself."""
_OF_THE_STATEMENT = ("40", "54", "550", "57014")


class AtOnce(psycopg.Cursor[Any]):
    """A cursor whose rows, all here already, are made at once where somebody goes through them: that costs less."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """The rows that were not fetched yet."""
        return iter(self.fetchall())


class Texts(ListDumper):
    """Lists of texts, by which rows are asked for, in one go where nothing in them needs care."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The array as PostgreSQL reads it."""
        if set(map(type, obj)) == {str} and self.connection and self.connection.info.encoding == "utf-8":
            joined = '","'.join(obj)
            if joined.count('"') == 2 * (len(obj) - 1) and "\\" not in joined and "\0" not in joined:
                return f'{{"{joined}"}}'.encode()
        return super().dump(obj)


def connect(url: str, *, application: str, statement_seconds: int = 0) -> psycopg.Connection[Any]:
    """Open a connection in UTC, autocommit off, each statement seeing what others committed before it.

    It waits for a lock of somebody else for half a minute at most: longer, and nobody would hear of it.

    The engine waits for its lock and must then see what was done under it: a server whose own default is a stricter
    isolation would show it the state before the wait.
    ``application`` is the name that the server shows for it; with ``statement_seconds`` it ends a statement that takes
    longer. Raises ``StoreError`` with one line and never the
    password, ``SettingsError`` when the URL cannot be read.
    """
    usual = {"connect_timeout": str(CONNECT_SECONDS), **QUICK}
    settings = {**usual, **parts(url), "application_name": f"khaos-swap {application}"}
    with reported(url):
        connection = psycopg.connect(conninfo.make_conninfo("", **settings), autocommit=True)
    connection.cursor_factory = AtOnce
    connection.adapters.register_dumper(list, Texts)
    try:
        _require_version(connection, url)
        limits = f"SET lock_timeout = '{LOCK_SECONDS}s'; SET statement_timeout = '{statement_seconds}s'"
        connection.execute(f"SET TIME ZONE 'UTC'; {limits}; {_QUICK_TOO}".encode())
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    except BaseException:
        connection.close()
        raise
    return connection


def is_cut(connection: psycopg.Connection[Any]) -> bool:
    """True when the server said something unasked on an idle connection: its goodbye. Asks nothing."""
    try:
        watched = select.poll()
        watched.register(connection.fileno(), select.POLLIN)
    except psycopg.OperationalError:
        return True
    return bool(watched.poll(0))


def parts(url: str) -> dict[str, str]:
    """The libpq parameters of a URL. Raises ``SettingsError`` when it is none; the text shows nothing of it."""
    try:
        found = conninfo.conninfo_to_dict(_without_driver(url))
    except psycopg.ProgrammingError:
        found = {}
    if not found:
        raise SettingsError("KHAOS_SWAP_DATABASE_URL is no PostgreSQL URL: write postgresql://user:password@host/name")
    return {name: str(value) for name, value in found.items() if value is not None}


def place(url: str) -> str:
    """Where a URL points, for a person: host, port and database, never user or password."""
    found = parts(url)
    host = found.get("host", "localhost")
    port = "" if host.startswith("/") else f":{found.get('port', '5432')}"
    return f"database {_name(found)} at {host}{port}"


def dagster_url(url: str) -> str:
    """The SQLAlchemy URL of Dagster's database: on the same server, our name plus ``_dagster``.

    The driver is named because SQLAlchemy 2.1 reads the bare scheme as psycopg 3, which dagster-postgres cannot use.
    Its connections notice a dead line as ours do: the daemon would else wait for hours for an answer that was lost.
    """
    from sqlalchemy import URL

    found = parts(url)
    name = f"{_name(found)}_dagster"
    user, password = found.pop("user", None), found.pop("password", None)
    host, port = found.pop("host", None), found.pop("port", None)
    found.pop("dbname", None)
    query = found | {"host": host} if host and host.startswith("/") else {**QUICK, **found}
    net_host = None if host and host.startswith("/") else host
    made = URL.create("postgresql+psycopg2", user, password, net_host, int(port) if port else None, name, query)
    return made.render_as_string(hide_password=False)


def sibling_url(url: str, database: str) -> str:
    """The libpq connection string of another database of the same server."""
    return conninfo.make_conninfo("", **{**parts(url), "dbname": database})


def ensure(url: str) -> bool:
    """Create the database of the URL when it is missing; says whether it did. Raises ``StoreError``."""
    found = parts(url)
    try:
        psycopg.connect(conninfo.make_conninfo("", **{"connect_timeout": str(CONNECT_SECONDS), **found})).close()
    except psycopg.OperationalError as error:
        if _state(error) != "3D000":
            raise translate(error, url) from None
    else:
        return False
    with reported(url), connect(sibling_url(url, "postgres"), application="setup") as connection:
        connection.autocommit = True
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_name(found))))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            return False
    return True


def require_writable(connection: psycopg.Connection[Any], url: str) -> None:
    """Raise ``StoreError`` when a table may not be written, or there is none and none may be made."""
    row = connection.execute(_NOT_WRITABLE).fetchone()
    tables, may_make, locked = row if row else (0, False, [])
    if locked or not (tables or may_make):
        which = f"{', '.join(locked[:3])}{' and more' if len(locked) > 3 else ''}" if tables else "the schema public"
        raise StoreError(
            f"{place(url)}: user {connection.info.user} may not write {which}; grant it or use another user"
        )


@contextmanager
def reported(url: str) -> Iterator[None]:
    """Turn what the server says about itself into ``StoreError``; errors of our own statements pass as they are."""
    try:
        yield
    except Exception as error:
        said = of_the_server(error, url)
        if said is None:
            raise
        raise said from None


def of_the_server(error: Exception, url: str) -> StoreError | None:
    """The clear line for an error, bare or in SQLAlchemy's wrapping, by which the server speaks of itself; else None.

    A deadlock, a cancelled statement and a value too long for an index speak of the statement. ``url`` is empty for
    the embedded server.
    """
    cause = getattr(error, "orig", None) or error
    if not isinstance(cause, OF_THE_SERVER) or str(cause.sqlstate or "").startswith(_OF_THE_STATEMENT):
        return None
    return translate(cause, url)


def translate(error: psycopg.Error, url: str) -> StoreError:
    """One clear line for an error of the server: where, what is wrong, what to do."""
    found = parts(url) if url else {}
    state = _state(error)
    line = _SQLSTATE_LINES.get(state, _ANSWERED if error.sqlstate else _SILENT)
    detail = _detail(error, found.get("password", ""))
    user = found.get("user", "of this system")
    where = place(url) if url else "the embedded database"
    holder = _holder(url) if state == "55P03" else ""
    kind = StoreAwayError if state in _AWAY else StoreError
    return kind(line.format(place=where, user=user, database=_name(found), detail=detail, holder=holder))


def _holder(url: str) -> str:
    """Who has kept others out for longest, as far as the server tells it."""
    row = None
    with suppress(psycopg.Error, StoreError, SettingsError), connect(url, application="question") as connection:
        row = connection.execute(_HOLDER, (_KEEPS_OUT,)).fetchone()
    return str(row[0]) if row else "another session"


def _state(error: psycopg.Error) -> str:
    if error.sqlstate:
        return str(error.sqlstate)
    text = str(error)
    return next((state for part, state in _TEXT_STATES.items() if part in text), "")


def _detail(error: psycopg.Error, password: str) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = re.findall(r"failed: (?:FATAL:\s+)?(.+)", str(error))
    text = next(iter([*causes[-1:], *lines[:1]]), type(error).__name__)
    return _masked(text, password)


def _masked(text: str, password: str) -> str:
    """The text without the password: a short one, part of many a word, only where a URL or a setting holds it."""
    for word in filter(None, {password, quote(password, safe="")}):
        found = re.escape(word)
        held = rf"(?<=:){found}(?=@)|(?<=password=){found}(?!\w)|(?<=['\"]){found}(?=['\"])"
        text = re.sub(found if len(password) >= SHORTEST_WORD else held, "***", text)
    return text


def _require_version(connection: psycopg.Connection[Any], url: str) -> None:
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise StoreError(f"{place(url)}: PostgreSQL {version // 10000} is too old; version 14 or newer is needed")


def _name(found: Mapping[str, str]) -> str:
    return found.get("dbname") or found.get("user") or "postgres"


def _without_driver(url: str) -> str:
    scheme = urlsplit(url).scheme
    return url.replace(f"{scheme}:", "postgresql:", 1) if scheme.startswith("postgresql+") else url
