"""Random histories against the engine: a sample on paper, a smaller one on PostgreSQL.

``KHAOS_SWAP_HISTORIES`` in the environment of the test run sets how many; it is read at import, before the fixture
that clears the environment.
"""

from __future__ import annotations

import os
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from khaos_swap_assets.adapters.store import notes
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Key, Posting
from khaos_swap_assets_tests.stages.credit_notes.faults import FAULTS, Fault
from khaos_swap_assets_tests.stages.credit_notes.histories import History
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, Paper, PaperBook, Ready, copy_of
from khaos_swap_assets_tests.stages.credit_notes.world import BrokenError, Side

TABLES = ("postings", "feed_pages", "feed_holds", "watermarks")
HISTORIES = int(os.environ.get("KHAOS_SWAP_HISTORIES", "250"))
ON_POSTGRESQL = HISTORIES // 25 if "KHAOS_SWAP_HISTORIES" in os.environ else 4


class PaperSide:
    """Books on paper; a restore begins another life."""

    def __init__(self) -> None:
        self.paper = Paper()

    def begin(self) -> PaperBook:
        return PaperBook(self.paper)

    def commit(self, book: PaperBook) -> None:
        book.commit()

    def rollback(self, book: PaperBook) -> None:
        pass

    def set_ready(self, ready: dict[Key, Ready]) -> None:
        self.paper.ready = ready

    def set_notes(self, notes: list[CreditNote]) -> None:
        self.paper.notes = {note.credit_note_code: note for note in notes}

    def backup(self) -> object:
        return copy_of(self.paper)

    def restore(self, backup: object) -> None:
        assert isinstance(backup, Paper)
        life = self.paper.life + 1
        self.paper = copy_of(backup)
        self.paper.life = life


def play(seed: int, side: Side, **faults: Any) -> dict[Key, Posting]:
    history = History(seed, side, **faults)
    try:
        history.run()
        return history.postings()
    except BrokenError as error:
        raise BrokenError(f"seed {seed}: {error}; after {' '.join(history.trail)}") from None


@pytest.mark.parametrize("part", range(10))
def test_no_history_breaks_an_invariant(part: int) -> None:
    for seed in range(part, HISTORIES, 10):
        play(seed, PaperSide())


class SqlSide:
    """Books on PostgreSQL; one connection, so that transactions follow one another."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn
        for table in TABLES:
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("recon", table)))
        conn.commit()

    def begin(self) -> SqlPostings:
        return SqlPostings(self.conn)

    def commit(self, book: SqlPostings) -> None:
        self.conn.commit()

    def rollback(self, book: SqlPostings) -> None:
        self.conn.rollback()

    def set_ready(self, ready: dict[Key, Ready]) -> None:
        self.conn.execute("DELETE FROM recon.drafts")
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, value_pence, draft, "
                "currency, drafted_at) VALUES (%s, %s, %s, 'ready', %s, %s, 'GBP', now())",
                [(*key, *one) for key, one in ready.items()],
            )
        self.conn.commit()

    def set_notes(self, found: list[CreditNote]) -> None:
        notes.save(self.conn, found, NOON)
        self.conn.commit()

    def backup(self) -> object:
        return {table: self._copy(table, "TO STDOUT") for table in TABLES}

    def restore(self, backup: object) -> None:
        assert isinstance(backup, dict)
        names = sql.SQL(", ").join(sql.Identifier("recon", table) for table in TABLES)
        self.conn.execute(sql.SQL("TRUNCATE {}").format(names))
        for table, data in backup.items():
            self._copy(table, "FROM STDIN", data)
        self.conn.commit()

    def _copy(self, table: str, how: LiteralString, data: bytes = b"") -> bytes:
        statement = sql.SQL("COPY {} " + how).format(sql.Identifier("recon", table))
        with self.conn.cursor() as cursor, cursor.copy(statement) as copy:
            if how == "TO STDOUT":
                return b"".join(bytes(block) for block in copy)
            copy.write(data)
        return b""


@pytest.mark.long
def test_no_history_breaks_an_invariant_on_postgresql(database: psycopg.Connection[Any]) -> None:
    for seed in range(ON_POSTGRESQL):
        play(seed, SqlSide(database))


def test_paper_and_postgresql_tell_the_same_history(database: psycopg.Connection[Any]) -> None:
    on_paper, on_disk = play(3, PaperSide()), play(3, SqlSide(database))
    assert {key: (one.state, one.times_handed_out, one.credit_note_code) for key, one in on_paper.items()} == {
        key: (one.state, one.times_handed_out, one.credit_note_code) for key, one in on_disk.items()
    }


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_fault_is_found(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample that passes without the fault turns red with it."""
    twist = fault(monkeypatch) or {}
    for seed in range(HISTORIES):
        try:
            play(seed, PaperSide(), **twist)
        except BrokenError:
            return
    pytest.fail(f"{HISTORIES} histories did not find: {fault.__doc__}")
