"""The feed on PostgreSQL: commits, locks, bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.domain.documents.postings import SearchEvidence
from khaos_swap_assets.stages.credit_notes import engine, feed, stopping
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, PARTY, POST_FROM, complete_run, draft_of, render
from khaos_swap_assets_tests.stages.credit_notes.pulling import FIRST

KEY = SecretStr(Sealer.new_key())


@pytest.fixture
def settings() -> Settings:
    return Settings(mode="post", post_from=POST_FROM, seal_key=KEY)


@pytest.fixture
def stocked(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """RMA1 planned on PostgreSQL."""
    database.execute(
        "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, draft, value_pence, currency, drafted_at) "
        "VALUES ('store', 'id-RMA1', 1, 'ready', %s, 1000, 'GBP', now())",
        (draft_of().draft.content,),
    )
    ready = replace(draft_of(), party_sealed=Sealer(KEY).seal(PARTY))
    engine.plan(
        SqlPostings(database), [ready],
        SearchEvidence((), frozenset({"ASH1"}), NOON, life=SqlPostings(database).life()),
        render=render, mode="post", post_from=POST_FROM, now=NOON,
    )  # fmt: skip
    complete_run(database)
    database.commit()
    return database


@pytest.mark.parametrize(("is_committed", "state"), [(True, "in_doubt"), (False, "planned")])
def test_a_connection_that_dies_at_the_commit_gives_no_answer(
    stocked: psycopg.Connection[Any],
    settings: Settings,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    is_committed: bool,
    state: str,
) -> None:
    """Whether the commit came through is unknown: the next pull finds what is on disk, and repeats nothing unseen."""
    asked = store.connect(database_url, application="gateway")

    def die() -> None:
        stocked.execute("SELECT pg_terminate_backend(%s, 5000)", (asked.info.backend_pid,))
        stocked.commit()

    @contextmanager
    def dying() -> Iterator[None]:
        with psycopg.Connection.transaction(asked):
            yield
            if not is_committed:
                die()
        die()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(asked, "transaction", dying)
    with closing(asked), pytest.raises(psycopg.OperationalError):
        feed.hand_out(asked, settings=settings, now=NOON, continuation=FIRST)
    assert SqlPostings(stocked).by_reference(["RMA1"])["RMA1"].state == state
    page = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    assert len(page.documents) == (0 if is_committed else 1)


def test_the_intent_is_on_disk_when_the_answer_leaves(
    stocked: psycopg.Connection[Any], settings: Settings, database_url: str
) -> None:
    stocked.execute("SELECT 1")
    page = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST, specific_ids=[])
    with store.connect(database_url, application="other") as other:
        assert SqlPostings(other).by_reference(["RMA1"])["RMA1"].state == "in_doubt"
        assert SqlPostings(other).newest_page() is not None
    document = json.loads(page.documents[0])
    assert (document["InvoiceContact"], document["AssociatedRef"]) == (PARTY["InvoiceContact"], "RMA1")


def test_the_second_hand_out_has_the_same_bytes(stocked: psycopg.Connection[Any], settings: Settings) -> None:
    book = SqlPostings(stocked)
    first = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    seen = SearchEvidence((), frozenset({"ASH1"}), NOON, life=book.life())
    engine.read_back(book, seen, wanted=engine.wanted(book), now=NOON)
    second = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    assert first.documents == second.documents != []
    assert book.by_reference(["RMA1"])["RMA1"].document_hash == sha256(second.documents[0].encode()).hexdigest()


def test_many_pulls_at_once_hand_out_once(
    stocked: psycopg.Connection[Any], settings: Settings, database_url: str
) -> None:
    pages: list[feed.FeedPage] = []

    def worker() -> None:
        with store.connect(database_url, application="worker") as conn:
            pages.append(feed.hand_out(conn, settings=settings, now=NOON, continuation=FIRST))

    workers = [threading.Thread(target=worker) for _ in range(6)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(len(page.documents) for page in pages) == [0, 0, 0, 0, 0, 1]


def test_problems_of_the_feed_on_postgresql(stocked: psycopg.Connection[Any], settings: Settings) -> None:
    assert stopping.feed_problems(stocked, settings=settings, now=NOON) == []
    feed.hand_out(stocked, settings=settings, now=NOON, continuation="ks1.8")
    assert "ks1.8" in stopping.feed_problems(stocked, settings=settings, now=NOON)[0]
