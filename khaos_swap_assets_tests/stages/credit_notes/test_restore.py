"""A backup is restored while Khaos holds documents that it has not imported yet: none is sent again, none is lost.

Belongs here: a real dump of the database and a real restore. Stays out: restores in random histories
(``test_histories``) and one engine rule alone (``test_read_back``).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from khaos_swap_assets.adapters.store import database, embedded
from khaos_swap_assets.stages.credit_notes.feed import hand_out
from khaos_swap_assets.stages.credit_notes.people import Person, trust_feed
from khaos_swap_assets_tests import lending
from khaos_swap_assets_tests.stages.town import Town, a_return, connect

KIM = Person("Kim", "Khaos has imported everything that it holds")


@pytest.fixture
def backup(town: Town, tmp_path: Path) -> Iterator[Path]:
    """Where the dump goes; the database that it is restored into is gone at the end."""
    yield tmp_path / "backup"
    lending.close_all()
    with psycopg.connect(database.sibling_url(town.url, "postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")


def dump(town: Town, backup: Path) -> None:
    subprocess.run([embedded.PROGRAMS / "pg_dump", "-Fc", "-f", backup, "-d", town.url], check=True)


def restore(town: Town, backup: Path) -> None:
    """The town goes on with the database as it was when it was dumped."""
    url = town.url.replace("/khaos_swap?", "/restored?")
    database.ensure(url)
    subprocess.run([embedded.PROGRAMS / "pg_restore", "-d", url, backup], check=True)
    town.url = url


def handed_out(town: Town) -> list[str]:
    """One pull, of which Khaos keeps the documents without importing them."""
    with connect(town) as conn:
        page = hand_out(conn, settings=town.settings, now=town.now, continuation=town.token)
    town.token = page.token
    return page.documents


def test_what_was_out_and_not_imported_when_a_backup_came_back_is_credited_once(town: Town, backup: Path) -> None:
    town.sells_and_takes_back(a_return(1), a_return(2), a_return(3))
    town.sync()
    town.pull()
    town.sync()
    dump(town, backup)
    out = handed_out(town)
    assert len(out) == 2
    restore(town, backup)
    assert town.ask("SELECT count(*) FROM recon.postings WHERE state = 'planned'") == [(2,)]
    for _ in range(2):
        assert handed_out(town) == []
        town.sync()
    assert town.ask("SELECT token FROM recon.feed_holds WHERE closed_at IS NULL") == [(town.token,)]
    for document in out:
        town.khaos.take(document)
    with connect(town) as conn:
        trust_feed(conn, KIM, now=town.now)
        conn.commit()
    assert handed_out(town) == []
    for _ in range(3):
        town.sync()
        town.pull()
    assert sorted(note.associated_ref for note in town.khaos.notes.values()) == ["RMA1", "RMA2", "RMA3"]
    assert town.ask("SELECT DISTINCT state FROM recon.postings") == [("confirmed",)]
    assert town.kinds() == {}
