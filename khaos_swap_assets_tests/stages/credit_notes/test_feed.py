"""One pull of Khaos at a time: tokens, questions, breakers, caps; and on PostgreSQL: commits, locks, bytes."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.postings import SqlBook
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.domain.postings import Evidence, Posting
from khaos_swap_assets.stages.credit_notes import engine, feed
from khaos_swap_assets_tests.stages.credit_notes.paper import (
    NOON,
    PARTY,
    POST_FROM,
    Paper,
    PaperBook,
    committed,
    complete,
    draft_of,
    note_of,
    render,
)

FIRST = "2019-12-31 12:00:00Z"
FREELY = feed.Limits("post", 100, 10**7, 100)
KEY = SecretStr(Sealer.new_key())


def full(count: int = 2, *, is_proven: bool = True, **changes: Any) -> Paper:
    """RMA1 ... planned; with ``is_proven`` an older document was witnessed at its value."""
    paper = Paper()
    drafts = [draft_of(f"RMA{number}", sku=f"HAT{number}") for number in range(1, count + 1)]
    paper.ready = {engine._key(one.draft): one.draft.value_pence for one in drafts}
    with committed(paper) as book:
        engine.plan(
            book, drafts, Evidence((), frozenset({"ASH1"}), NOON),
            render=render, mode="post", post_from=POST_FROM, now=NOON,
        )  # fmt: skip
    for reference, one in paper.postings.items():
        paper.postings[reference] = replace(one, **changes)
    if is_proven:
        paper.postings["OLD"] = proof()
    return paper


def proof(witnessed: int = 1000, ended_by: str = "witness") -> Posting:
    day = NOON - timedelta(days=9)
    return Posting(
        "store", "id-OLD", 1, "OLD", "OLD", "confirmed", "OAK2", "SO", "GBP", 1000, "{}", "", None, day,
        handed_out_at=day, times_handed_out=1, ended_at=day, credit_note_code="CN0",
        witnessed_pence=witnessed, ended_by=ended_by,
    )  # fmt: skip


def pull(
    paper: Paper,
    token: str = FIRST,
    asked: Sequence[str] = (),
    *,
    limits: feed.Limits = FREELY,
    now: datetime = NOON,
) -> tuple[str, list[str]]:
    with committed(paper) as book:
        page = feed.answer(book, limits, complete, now, token, feed.named(asked))
    return page.token, [json.loads(text)["AssociatedRef"] for text in page.documents]


def search(paper: Paper, *notes: Any, now: datetime = NOON) -> None:
    with committed(paper) as book:
        seen = Evidence(notes, frozenset({"ASH1"}), now)
        engine.read_back(book, seen, wanted=engine.wanted(book), now=now)


def test_what_is_planned_leaves_once_and_is_then_in_doubt() -> None:
    paper = full()
    assert pull(paper) == ("ks1.1", ["RMA1", "RMA2"])
    assert pull(paper, "ks1.1") == ("ks1.1", [])
    one = paper.postings["RMA1"]
    assert (one.state, one.handed_out_at, one.times_handed_out, one.cleared_at) == ("in_doubt", NOON, 1, None)
    assert one.document_hash == sha256(complete(one).encode()).hexdigest()
    assert paper.pages[1].references == ("RMA1", "RMA2")


def test_an_empty_feed_gives_the_token_back() -> None:
    assert pull(Paper()) == (FIRST, [])


@pytest.mark.parametrize("days", [2, 30])
def test_time_alone_sends_nothing_again(days: int) -> None:
    paper = full()
    pull(paper)
    later = NOON + timedelta(days=days)
    search(paper, now=later)
    assert pull(paper, "ks1.1", now=later) == ("ks1.1", [])


def test_a_lost_page_is_asked_for_again_and_leaves_after_a_search_that_finds_nothing() -> None:
    paper = full()
    pull(paper)
    assert pull(paper) == (FIRST, [])
    assert pull(paper) == (FIRST, [])
    search(paper)
    assert pull(paper) == ("ks1.2", ["RMA1", "RMA2"])
    assert pull(paper, "ks1.2") == ("ks1.2", [])


def test_each_clearance_is_used_once() -> None:
    paper = full()
    pull(paper)
    pull(paper)
    search(paper)
    pull(paper)
    assert pull(paper) == (FIRST, [])
    assert pull(paper) == (FIRST, [])


def test_a_search_before_the_question_does_not_count() -> None:
    paper = full()
    pull(paper)
    search(paper)
    assert pull(paper) == (FIRST, [])


def test_a_lost_page_that_khaos_had_imported_is_confirmed_and_the_feed_goes_on() -> None:
    paper = full(1)
    pull(paper)
    pull(paper)
    search(paper, note_of(ref="RMA1", sku="HAT1"))
    assert paper.postings["RMA1"].state == "confirmed"
    assert pull(paper) == ("ks1.1", [])


def test_a_doubt_does_not_block_the_rest_of_a_lost_page() -> None:
    paper = full()
    pull(paper)
    pull(paper)
    search(paper, note_of(value=7, sku="HAT1"))
    assert pull(paper) == ("ks1.2", ["RMA2"])


def test_a_stray_repeat_is_forgotten_when_khaos_goes_on() -> None:
    paper = full()
    pull(paper)
    pull(paper)
    assert pull(paper, "ks1.1") == ("ks1.1", [])
    search(paper)
    assert paper.postings["RMA1"].asked_again_at is None
    assert pull(paper, "ks1.1") == ("ks1.1", [])


def test_an_older_token_gets_the_newest_one_and_nothing_else() -> None:
    paper = full(1)
    pull(paper)
    paper.postings |= full(3).postings | {"RMA1": paper.postings["RMA1"]}
    paper.ready = full(3).ready
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA2", "RMA3"])
    assert pull(paper, FIRST) == ("ks1.2", [])
    assert paper.postings["RMA2"].asked_again_at is None


def test_first_contact_with_another_date_repeats_the_first_page() -> None:
    paper = full()
    pull(paper)
    pull(paper, "2020-01-01 00:00:00Z")
    assert paper.postings["RMA1"].asked_by == "continuation"


@pytest.mark.parametrize("token", ["ks1.1", "ks1.57", "ks1.", "ks1.x", "ks1.99999999999999999999"])
def test_a_token_that_we_never_gave_holds_the_feed(token: str) -> None:
    paper = full()
    assert pull(paper, token) == (token, [])
    assert pull(paper, FIRST) == (FIRST, [])
    with committed(paper) as book:
        assert "trust-feed" in feed.problems(book, FREELY, NOON)[0]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('"RMA1,RMA2"', {"RMA1", "RMA2"}),
        ("RMA1, RMA2 ,", {"RMA1", "RMA2"}),
        ('"RMA1","RMA2"', {"RMA1", "RMA2"}),
        ("'rma1'", {"rma1"}),
        ("", set()),
        ('""', set()),
    ],
)
def test_specific_ids_are_read_as_khaos_writes_them(header: str, found: set[str]) -> None:
    assert feed.named([header]) == found


def test_specific_ids_get_only_what_they_name_and_only_after_a_search() -> None:
    paper = full()
    pull(paper)
    assert pull(paper, "ks1.1", ['"RMA2"']) == ("ks1.1", [])
    search(paper)
    assert pull(paper, "ks1.1", ['"RMA2"']) == ("ks1.2", ["RMA2"])


def test_what_was_asked_for_by_name_stays_asked_for_when_khaos_goes_on() -> None:
    paper = full()
    pull(paper)
    pull(paper, "ks1.1", ["RMA2"])
    pull(paper, "ks1.1")
    search(paper)
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA2"])


def test_a_question_by_name_after_a_stray_one_needs_a_search_of_its_own() -> None:
    paper = full(1)
    pull(paper)
    pull(paper)
    search(paper)
    assert pull(paper, "ks1.1", ["RMA1"]) == ("ks1.1", [])
    search(paper)
    assert pull(paper, "ks1.1", ["RMA1"]) == ("ks1.2", ["RMA1"])


def test_references_of_another_case_are_not_ours() -> None:
    paper = full()
    pull(paper)
    pull(paper, "ks1.1", ["rma1"])
    assert paper.postings["RMA1"].asked_again_at is None


def test_a_name_that_khaos_cannot_know_yet_must_be_searched_for_first() -> None:
    paper = full()
    assert pull(paper, FIRST, ["RMA1"]) == (FIRST, [])
    search(paper)
    assert pull(paper, FIRST, ["RMA1"]) == ("ks1.1", ["RMA1"])


@pytest.mark.parametrize(
    ("mode", "is_released", "expected"),
    [
        ("audit", True, (FIRST, [])),
        ("assist", False, (FIRST, [])),
        ("assist", True, ("ks1.1", ["RMA1", "RMA2"])),
        ("post", False, ("ks1.1", ["RMA1", "RMA2"])),
    ],
)
def test_the_mode_of_now_decides(mode: engine.Mode, is_released: bool, expected: tuple[str, list[str]]) -> None:
    paper = full(is_released=is_released)
    assert pull(paper, limits=replace(FREELY, mode=mode)) == expected


def test_audit_writes_nothing() -> None:
    paper = full()
    pull(paper)
    pull(paper, limits=replace(FREELY, mode="audit"))
    pull(paper, "ks1.9", limits=replace(FREELY, mode="audit"))
    assert paper.postings["RMA1"].asked_again_at is None
    assert paper.holds == {}


def test_a_person_may_permit_one_more_hand_out() -> None:
    paper = full(1)
    pull(paper)
    paper.postings["RMA1"] = replace(paper.postings["RMA1"], is_released=True)
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA1"])
    assert pull(paper, "ks1.2") == ("ks1.2", [])


@pytest.mark.parametrize(
    "changes", [{"cleared_at": None}, {"cleared_in": "0"}, {"cleared_at": NOON - timedelta(hours=25)}]
)
def test_nothing_leaves_without_a_search_of_today_and_of_this_life(changes: dict[str, Any]) -> None:
    assert pull(full(**changes)) == (FIRST, [])


def test_a_draft_that_is_no_longer_ready_stays() -> None:
    paper = full()
    del paper.ready["store", "id-RMA1", 1]
    paper.ready["store", "id-RMA2", 1] = 999
    assert pull(paper) == (FIRST, [])


def test_one_document_is_out_until_one_was_witnessed_at_its_value() -> None:
    paper = full(3, is_proven=False)
    assert pull(paper) == ("ks1.1", ["RMA1"])
    assert pull(paper, "ks1.1") == ("ks1.1", [])
    with committed(paper) as book:
        assert "RMA1 is out" in feed.problems(book, FREELY, NOON)[0]
    search(paper, note_of(ref="RMA1", sku="HAT1"))
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA2", "RMA3"])


def test_the_first_document_may_be_asked_for_again() -> None:
    paper = full(3, is_proven=False)
    pull(paper)
    pull(paper)
    search(paper)
    assert pull(paper) == ("ks1.2", ["RMA1"])


@pytest.mark.parametrize(
    ("ended_by", "documents"), [("witness", []), ("adoption", []), ("person Kim", ["RMA1", "RMA2"])]
)
def test_a_value_gap_stops_the_feed_until_a_person_accepts_it(ended_by: str, documents: list[str]) -> None:
    paper = full()
    paper.postings["GAP"] = replace(proof(999, ended_by), reference="GAP", return_id="id-GAP")
    assert pull(paper)[1] == documents
    with committed(paper) as book:
        assert len(feed.problems(book, FREELY, NOON)) == (0 if documents else 1)


@pytest.mark.parametrize(
    ("limits", "documents"),
    [
        (replace(FREELY, daily_documents=1), ["RMA1"]),
        (replace(FREELY, daily_documents=0), []),
        (replace(FREELY, daily_pence=2000), ["RMA1", "RMA2"]),
        (replace(FREELY, daily_pence=1999), ["RMA1"]),
        (replace(FREELY, daily_pence=999), []),
        (replace(FREELY, page_documents=2), ["RMA1", "RMA2"]),
    ],
)
def test_caps_of_a_day_and_of_a_page(limits: feed.Limits, documents: list[str]) -> None:
    assert pull(full(3), limits=limits)[1] == documents


def test_a_day_is_a_london_day() -> None:
    """In June London is an hour ahead: 23:30 UTC belongs to the next day."""
    paper = full(2, cleared_at=datetime(2026, 6, 1, 12, tzinfo=UTC))
    one_a_day = replace(FREELY, daily_documents=1)
    assert pull(paper, limits=one_a_day, now=datetime(2026, 6, 1, 22, 30, tzinfo=UTC))[1] == ["RMA1"]
    assert pull(paper, "ks1.1", limits=one_a_day, now=datetime(2026, 6, 1, 22, 59, tzinfo=UTC))[1] == []
    assert pull(paper, "ks1.1", limits=one_a_day, now=datetime(2026, 6, 1, 23, 1, tzinfo=UTC))[1] == ["RMA2"]


def test_one_that_is_too_big_does_not_stop_the_others_and_is_named() -> None:
    paper = full(2)
    paper.postings["RMA1"] = replace(paper.postings["RMA1"], value_pence=9000)
    paper.ready["store", "id-RMA1", 1] = 9000
    limits = replace(FREELY, daily_pence=5000)
    assert pull(paper, limits=limits)[1] == ["RMA2"]
    with committed(paper) as book:
        assert feed.problems(book, limits, NOON) == ["RMA1 is worth £90.00, more than the cap of a day"]


def test_a_document_that_cannot_be_completed_holds_back_only_itself() -> None:
    paper = full(2)

    def picky(posting: Posting) -> str:
        if posting.reference == "RMA1":
            raise ValueError("the party has no InvoiceAddress")
        return complete(posting)

    book = PaperBook(paper)
    page = feed.answer(book, FREELY, picky, NOON, FIRST, frozenset())
    book.commit()
    assert len(page.documents) == 1
    assert (paper.postings["RMA1"].state, paper.postings["RMA1"].cleared_at) == ("planned", None)
    assert "no InvoiceAddress" in paper.postings["RMA1"].doubt


@pytest.fixture
def settings() -> Settings:
    return Settings(mode="post", post_from=POST_FROM, seal_key=KEY)


@pytest.fixture
def stocked(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """RMA1 planned on PostgreSQL."""
    database.execute(
        "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, value_pence, currency, drafted_at) "
        "VALUES ('store', 'id-RMA1', 1, 'ready', 1000, 'GBP', now())"
    )
    ready = replace(draft_of(), party_sealed=Sealer(KEY).seal(PARTY))
    engine.plan(
        SqlBook(database), [ready], Evidence((), frozenset({"ASH1"}), NOON),
        render=render, mode="post", post_from=POST_FROM, now=NOON,
    )  # fmt: skip
    database.commit()
    return database


def test_the_intent_is_on_disk_when_the_answer_leaves(
    stocked: psycopg.Connection[Any], settings: Settings, database_url: str
) -> None:
    stocked.execute("SELECT 1")
    page = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST, specific_ids=[])
    with store.connect(database_url, application="other") as other:
        assert SqlBook(other).by_reference(["RMA1"])["RMA1"].state == "in_doubt"
        assert SqlBook(other).newest_page() is not None
    document = json.loads(page.documents[0])
    assert (document["InvoiceContact"], document["AssociatedRef"]) == (PARTY["InvoiceContact"], "RMA1")


def test_the_second_hand_out_has_the_same_bytes(stocked: psycopg.Connection[Any], settings: Settings) -> None:
    book = SqlBook(stocked)
    first = feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    feed.hand_out(stocked, settings=settings, now=NOON, continuation=FIRST)
    engine.read_back(book, Evidence((), frozenset({"ASH1"}), NOON), wanted=engine.wanted(book), now=NOON)
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
    assert feed.feed_problems(stocked, settings=settings, now=NOON) == []
    feed.hand_out(stocked, settings=settings, now=NOON, continuation="ks1.8")
    assert "ks1.8" in feed.feed_problems(stocked, settings=settings, now=NOON)[0]
