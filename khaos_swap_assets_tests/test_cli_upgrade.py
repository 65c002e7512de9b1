"""``khaos-swap upgrade --rehearse`` from outside: what an upgrade changes, on stores of earlier versions, only read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from psycopg import sql

from khaos_swap_assets.adapters.store import copying, embedded, migrate
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets_tests import lending
from khaos_swap_assets_tests.json_form import faults_of
from khaos_swap_assets_tests.running import Call
from khaos_swap_assets_tests.stages.town import KEY, NOON, Town, a_line, a_note, a_return, some_settings

pytestmark = pytest.mark.house

HERE = {
    "KHAOS_SWAP_MODE": "post",
    "KHAOS_SWAP_POST_FROM": "2026-01-01",
    "KHAOS_SWAP_ORDER_REF_FORMAT": "KCC{0}",
    "KHAOS_SWAP_SEAL_KEY": KEY,
    "KHAOS_SWAP_SWAP_STORE_ID": "S1",
}
VERSION, MARK = "UPDATE alembic_version SET version_num = '{}'", "UPDATE recon.installation SET mark = '{}'"
PERSON = "Sam Reyes"
UNPAID = {"processed_at": None, "processed_by": PERSON}


def made(url: str) -> str:
    """An empty database marked live, at this program's version."""
    dropped(url)
    store.ensure(url)
    migrate.upgrade(url)
    with store.connect(url, application="tests") as connection:
        connection.execute("INSERT INTO recon.installation (mark) VALUES ('live')")
    return url


def dropped(url: str) -> None:
    lending.close_all()
    with store.connect(store.sibling_url(url, "postgres"), application="tests") as connection:
        connection.autocommit = True
        name = sql.Identifier(store.parts(url)["dbname"])
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def taken_back(url: str, version: str) -> None:
    """The same store as an earlier version of the program would have it."""
    lending.close_all()
    with migrate._connection(url) as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, version)
        connection.commit()


def content(url: str) -> dict[str, Any]:
    """Every row of every table, and the version."""
    with store.connect(url, application="tests") as connection:
        tables = [f"{schema}.{name}" for schema, name, *_ in connection.execute(copying.COLUMNS)]
        return {
            table: connection.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t".encode())
            .fetchone()
            for table in [*tables, "alembic_version"]
        }  # fmt: skip


@pytest.fixture(scope="module")
def url(postgres: embedded.EmbeddedPostgres) -> Iterator[str]:
    """A store of version 0020 that took closing for paying, and CAP for a Stock Code.

    RMA1 is credited; the documents for RMA2 to RMA4, which nobody paid, and for RMA5 with its CAP are only planned.
    """
    town = Town(made(postgres.url("upgrade_test")), some_settings(refund_proof="closed"))
    unpaid = (a_return(number, a_line(pence=100 * number), **UNPAID) for number in (2, 3, 4))
    town.sells_and_takes_back(a_return(1), *unpaid, a_return(5, a_line("CAP", pence=500)))
    town.swap.raw = {"R2": {"processed_by": PERSON}}
    town.khaos.notes["CN9"] = a_note("CN9", 777, customer_code="C9")
    town.sync()
    town.pull()
    town.sync()
    town.do("INSERT INTO recon.worklist (stage, return_id) VALUES ('reconcile', 'R1')")
    town.do("DELETE FROM khaos.stock_codes WHERE stock_code = 'CAP'")
    taken_back(town.url, "0020")
    yield town.url
    dropped(town.url)


def test_what_an_upgrade_changes_is_told_in_pence_and_the_store_is_only_read(call: Call, url: str, reader: str) -> None:
    with store.connect(url, application="tests") as connection:
        for schema in ("swap", "khaos", "storefront", "recon", "public"):
            connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {reader}".encode())
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {reader}".encode())
    before = content(url)
    theirs = url.replace("postgres@", f"{reader}:s3cret-word@")
    done = call("upgrade", "--rehearse", "--json", **HERE, KHAOS_SWAP_DATABASE_URL=theirs)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert list(faults_of(told)) == []
    found = {(one["about"], one["kind"], one["subject"]): one for one in told["changes"]}
    assert (told["version_before"], told["version_after"], told["returns"]) == ("0020", migrate.head(), 5)
    assert told["judged_at"] == (NOON + timedelta(minutes=2)).isoformat()
    unpaid = [
        key
        for rma in ("RMA2", "RMA3", "RMA4")
        for key in (("status", "", rma), ("exception", "closed_without_refund", rma), ("draft", "", rma))
    ]
    documents = {("document", "", f"RMA{number}") for number in (2, 3, 4, 5)}
    assert {*found} == {*unpaid, ("exception", "sku_unknown", "RMA5/CAP"), ("draft", "", "RMA5"), *documents}
    exception = found["exception", "closed_without_refund", "RMA2"]
    assert [exception[name] for name in ("owner", "before", "after", "before_pence", "after_pence")] == [
        *("cx", "", "open", 0, 200)
    ]
    assert [found["draft", "", "RMA3"][name] for name in ("before", "before_pence", "after_pence")] == ["ready", 300, 0]
    document = found["document", "", "RMA4"]
    assert [document[name] for name in ("before", "after", "after_pence")] == ["planned", "withdrawn", 0]
    totals = {(one["about"], one["after"]): (one["count"], one["before_pence"]) for one in told["totals"]}
    assert totals["document", "withdrawn"] == (4, 1400)
    assert content(url) == before
    assert not any(secret in done.stdout for secret in (PERSON, "s3cret-word", KEY, "Mill Lane"))


def test_it_judges_by_the_settings_of_this_folder_and_says_what_the_list_leaves_out(call: Call, url: str) -> None:
    closed = {**HERE, "KHAOS_SWAP_REFUND_PROOF": "closed"}
    done = call("upgrade", "--rehearse", "--limit", "1", **closed, KHAOS_SWAP_DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    totals, _ = done.stdout.split("\nabout")
    rows = [re.split(r"\s{2,}", line) for line in totals.splitlines() if line[0].isdigit()]
    assert rows == [
        ["1", "£0.00", "£5.00", "exception", "sku_unknown", "data management", "open"],
        ["1", "£5.00", "£0.00", "draft", "ready", "held: sku_unknown"],
        ["3", "£9.00", "£9.00", "document", "planned", "withdrawn, to be planned anew"],
        ["1", "£5.00", "£0.00", "document", "planned", "withdrawn"],
    ]
    text = " ".join(done.stdout.split())
    assert "not listed: 5 more changes" in text
    assert "5 returns judged again as of 2026-03-10 12:02 UTC, changes: 6" in text
    assert "in line before the copy was made: " in text
    assert "no vendor is asked" in text


@pytest.fixture
def folder(server_folder: Path) -> Iterator[Path]:
    """The folder of an embedded installation of version 0026, all of whose returns were settled as they are now."""
    server = embedded.start(server_folder / "postgres", durable=False)
    town = Town(made(server.url("khaos_swap")))
    town.sells_and_takes_back(a_return(1), a_return(2, a_line("CAP"), **UNPAID))
    for _ in range(3):
        town.sync()
        town.pull()
    taken_back(town.url, "0026")
    server.stop()
    yield server_folder
    server.start()
    dropped(server.url("khaos_swap"))
    server.stop()


def test_an_embedded_store_under_the_same_rules_changes_in_nothing_and_keeps_its_version(
    call: Call, folder: Path
) -> None:
    done = call("upgrade", "--rehearse", **{**HERE, "KHAOS_SWAP_MODE": "audit"}, KHAOS_SWAP_DATA_DIR=str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"tables of version 0026, this program needs {migrate.head()}" in done.stdout
    assert "2 returns judged again as of 2026-03-10 12:03 UTC, changes: none" in done.stdout
    server = embedded.start(folder / "postgres", durable=False)
    assert migrate.standing(server.url("khaos_swap")) == "0026"
    server.stop()


@pytest.mark.parametrize(
    ("change", "undo", "says"),
    [
        (VERSION.format("9999"), VERSION.format("0020"), "has tables of a newer version than this program"),
        ("DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('0020')", "has no tables yet"),
        (MARK.format("demo"), MARK.format("live"), "belongs to a demo installation"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_in_one_line(
    call: Call, url: str, change: str, undo: str, says: str
) -> None:
    with store.connect(url, application="tests") as connection:
        connection.execute(change.encode())
    done = call("upgrade", "--rehearse", **HERE, KHAOS_SWAP_DATABASE_URL=url)
    with store.connect(url, application="tests") as connection:
        connection.execute(undo.encode())
    assert (done.returncode != 0, done.stdout, done.stderr.count("\n")) == (True, "", 1)
    assert says in done.stderr


def test_upgrade_itself_brings_the_tables_to_this_version(call: Call, url: str) -> None:
    done = call("upgrade", **HERE, KHAOS_SWAP_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (0, "the tables are up to date\n")
    migrate.check(url)
