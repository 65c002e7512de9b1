"""The book of the posting engine on PostgreSQL: it keeps what it is given, and refuses what must never be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from khaos_swap_assets.adapters.errors import StoreError
from khaos_swap_assets.adapters.store import audit_log, drafts, exceptions
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.documents.postings import Page, Posting, PostingChange

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def posting(reference: str = "RMA1", **changes: Any) -> Posting:
    made = Posting(
        "store", f"id-{reference}", 1, reference, reference, "planned", "ASH1", "SO1", "GBP", 1000,
        '{"b": 84.90,  "a": [1.0]}', "hash", b"sealed", NOW,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def book(database: psycopg.Connection[Any]) -> SqlPostings:
    return SqlPostings(database)


def save(book: SqlPostings, *postings: Posting, what: str = "saved") -> None:
    book.save(postings, who="tests", what=what, now=NOW, reason="because")


def test_a_posting_comes_back_as_it_was_saved(book: SqlPostings) -> None:
    one = posting(
        state="in_doubt", is_released=True, handed_out_at=NOW, times_handed_out=2, asked_again_at=NOW,
        asked_by="continuation", cleared_at=NOW, cleared_in="life", doubt="why", drafted='{"b": 1,  "a": 2}',
    )  # fmt: skip
    save(book, one)
    assert book.by_reference(["RMA1"]) == {"RMA1": one}
    assert book.by_key([one.key]) == {one.key: one}
    ended = replace(
        one, state="confirmed", ended_at=NOW, credit_note_code="CN1", witnessed_pence=999, ended_by="witness"
    )
    save(book, ended)
    assert book.of_state("confirmed") == [ended]


def test_the_document_keeps_every_byte(book: SqlPostings) -> None:
    save(book, posting())
    assert book.by_reference(["RMA1"])["RMA1"].document == '{"b": 84.90,  "a": [1.0]}'


def test_undone_are_planned_and_in_doubt_the_oldest_first(book: SqlPostings) -> None:
    save(
        book,
        posting("LATE", planned_at=NOW + timedelta(days=1)),
        posting("EARLY", state="in_doubt", times_handed_out=1),
        *[posting(state, state=state) for state in ("confirmed", "refused", "withdrawn")],
    )
    assert [one.reference for one in book.undone()] == ["EARLY", "LATE"]


@pytest.mark.parametrize("state", ["planned", "in_doubt", "confirmed", "refused", "withdrawn"])
def test_only_what_is_planned_waits_to_leave(book: SqlPostings, state: str) -> None:
    assert not book.has_planned()
    save(book, posting("RMA1", state=state))
    assert book.has_planned() is (state == "planned")


def test_references_are_equal_only_character_by_character(book: SqlPostings) -> None:
    save(book, posting("RMA1"), posting("rma1"))
    assert list(book.by_reference(["RMA1"])) == ["RMA1"]
    assert book.by_reference(["Rma1", "RMA1 "]) == {}


def test_a_reference_never_changes_its_return(book: SqlPostings) -> None:
    save(book, posting())
    with pytest.raises(StoreError, match="a reference keeps its return"):
        save(book, posting(return_id="other"))


def test_a_document_that_left_never_changes(book: SqlPostings) -> None:
    save(book, posting())
    save(book, posting(document='{"a": 2}'))
    out = posting(document='{"a": 2}', state="in_doubt", times_handed_out=1)
    save(book, out)
    with pytest.raises(StoreError, match="once handed out, its content"):
        save(book, replace(out, document='{"a":2}'))


def test_one_key_has_one_posting(book: SqlPostings) -> None:
    save(book, posting())
    with pytest.raises(errors.UniqueViolation):
        save(book, posting(reference="OTHER", return_id="id-RMA1", rma="RMA1"))


@pytest.mark.parametrize(
    ("changed", "is_stale"),
    [
        ({}, False),
        ({"policy_version": "autumn", "refund_pence": 900}, False),
        ({"lines": (DraftLine("p1", "CAP", 1, 1000, "sellable"),)}, True),
        ({"lines": (DraftLine("p1", "HAT", 2, 500, "sellable"),)}, True),
        ({"lines": (DraftLine("p1", "HAT", 1, 1000, "damaged"),)}, True),
        ({"customer_code": "OAK2"}, True),
        ({"order_ref": "#1002"}, True),
    ],
)
def test_a_draft_of_equal_value_makes_a_posting_stale_as_soon_as_its_document_would_differ(
    book: SqlPostings, changed: dict[str, Any], is_stale: bool
) -> None:
    line = DraftLine("p1", "HAT", 1, 1000, "sellable")
    made = Draft("store", "id-RMA1", 1, "RMA1", "SO1", "#1001", "ASH1", "GBP", 1000, (line,), "spring")
    save(book, posting(drafted=made.content))
    now_ready = replace(made, **changed)
    drafts.save(book.conn, [SavedDraft("store", "id-RMA1", 1, "ready", (), now_ready, "GBP", NOW)])
    assert [one.reference for one in book.stale()] == (["RMA1"] if is_stale else [])


@pytest.mark.parametrize(
    ("state", "value", "is_stale"), [("ready", 1000, False), ("ready", 999, True), ("held", 1000, True), ("", 0, True)]
)
def test_stale_is_what_has_no_ready_draft_of_its_value(
    book: SqlPostings, state: str, value: int, is_stale: bool
) -> None:
    save(book, posting(), posting("OUT", state="in_doubt", times_handed_out=1))
    if state:
        book.conn.execute(
            "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, value_pence, currency, drafted_at) "
            "VALUES ('store', 'id-RMA1', 1, %s, %s, 'GBP', now())",
            (state, value),
        )
    assert [one.reference for one in book.stale()] == (["RMA1"] if is_stale else [])


@pytest.mark.parametrize(
    ("changes", "is_witness", "is_gap"),
    [
        ({"witnessed_pence": 1000, "ended_by": "witness", "handed_out_at": NOW}, True, False),
        ({"witnessed_pence": 1000, "ended_by": "adoption"}, False, False),
        ({"witnessed_pence": 999, "ended_by": "witness", "handed_out_at": NOW}, False, True),
        ({"witnessed_pence": 999, "ended_by": "adoption"}, False, True),
        ({"witnessed_pence": 999, "ended_by": "person Kim", "handed_out_at": NOW}, False, False),
    ],
)
def test_witnesses_and_gaps(book: SqlPostings, changes: dict[str, Any], is_witness: bool, is_gap: bool) -> None:
    save(book, posting(state="confirmed", credit_note_code="CN1", **changes))
    assert book.has_witness() is is_witness
    assert bool(book.gaps()) is is_gap
    assert book.claimed(["CN1", "CN2"]) == {"CN1"}


def test_what_was_handed_out_since_a_moment(book: SqlPostings) -> None:
    save(
        book,
        posting("A", handed_out_at=NOW),
        posting("B", handed_out_at=NOW - timedelta(seconds=1)),
        posting("C", value_pence=5),
    )
    assert book.handed_out_since(NOW) == (1, 1000)
    assert book.handed_out_since(NOW + timedelta(days=1)) == (0, 0)


def test_pages_are_kept_in_order(book: SqlPostings) -> None:
    assert book.newest_page() is None
    pages = [Page(number, f"ks1.{number - 1}", f"ks1.{number}", ("RMA1", "RMA2"), NOW) for number in (1, 2, 10)]
    for page in pages:
        book.add_page(page)
    assert book.newest_page() == pages[-1]


def test_holds_are_opened_once_and_trusted_together(book: SqlPostings) -> None:
    book.hold("ks1.9", "from the future", NOW)
    book.hold("ks1.9", "from the future", NOW)
    book.hold("ks1.8", "as well", NOW)
    assert book.holds() == ["from the future", "as well"]
    assert book.trust("Kim", "all imported", NOW) == ["ks1.8", "ks1.9"]
    assert book.holds() == []
    assert [entry.what for entry in audit_log.of_document(book.conn, "feed")] == ["held", "held", "trusted"]


def test_a_search_older_than_the_last_one_is_refused(book: SqlPostings) -> None:
    later = NOW + timedelta(seconds=6)
    used = [book.begin_search(NOW + timedelta(seconds=step), now=later) for step in (0, 0, 5, 4, 5)]
    assert used == [True, True, True, False, True]


@pytest.mark.parametrize("jump", [timedelta(minutes=6), timedelta(hours=1), timedelta(days=900)])
def test_after_a_clock_ran_ahead_only_searches_that_begin_from_then_on_are_used(
    book: SqlPostings, jump: timedelta
) -> None:
    assert book.begin_search(NOW + jump, now=NOW + jump)
    under_way, now, fresh = NOW, NOW + timedelta(seconds=30), NOW + timedelta(seconds=31)
    assert [book.begin_search(at, now=now) for at in (under_way, under_way, NOW + jump)] == [False] * 3
    assert book.begin_search(fresh, now=fresh)


def test_a_search_that_began_before_the_clock_was_set_back_is_not_used(book: SqlPostings) -> None:
    assert book.begin_search(NOW, now=NOW)
    assert not book.begin_search(NOW + timedelta(hours=1), now=NOW)


def test_a_truncated_table_begins_another_life(book: SqlPostings) -> None:
    life = book.life()
    save(book, posting())
    assert book.life() == life
    book.conn.execute("TRUNCATE recon.postings")
    assert book.life() != life


def test_the_lock_keeps_another_transaction_out(book: SqlPostings, database_url: str) -> None:
    book.lock()
    with store.connect(database_url, application="other") as other:
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            SqlPostings(other).lock()
        other.rollback()
        book.conn.commit()
        SqlPostings(other).lock()


@pytest.mark.parametrize(
    ("asked", "given"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
)
def test_what_is_done_under_the_lock_is_on_disk_at_its_commit(book: SqlPostings, asked: str, given: str) -> None:
    book.conn.execute("SELECT set_config('synchronous_commit', %s, false)", (asked,))
    book.conn.commit()
    book.lock()
    assert book.conn.execute("SHOW synchronous_commit").fetchone() == (given,)
    book.conn.rollback()
    assert book.conn.execute("SHOW synchronous_commit").fetchone() == (asked,)
    book.conn.execute("RESET synchronous_commit")
    book.conn.commit()


def test_each_change_is_logged_with_before_and_after_and_without_party(book: SqlPostings) -> None:
    save(book, posting(), what="planned")
    save(book, posting(state="refused", party_sealed=None), what="refused")
    save(book, posting(state="refused", party_sealed=None), what="")
    first, second = audit_log.of_document(book.conn, "posting RMA1")
    assert (first.before, first.what, first.who, first.reason) == (None, "planned", "tests", "because")
    assert second.before is not None
    assert second.after is not None
    assert (second.before["state"], second.after["state"]) == ("planned", "refused")
    assert "party_sealed" not in second.after


def test_changes_of_several_kinds_are_written_together(book: SqlPostings, monkeypatch: pytest.MonkeyPatch) -> None:
    save(book, posting("A"), what="")
    changes = [
        PostingChange(posting("A", doubt="two notes fit"), "doubted", "two notes fit"),
        PostingChange(posting("B", party_sealed=None)),
        PostingChange(posting("C"), "planned"),
    ]
    statements: list[object] = []
    execute = psycopg.Cursor.execute

    def noted(self: Any, *given: Any, **named: Any) -> Any:
        statements.append(given)
        return execute(self, *given, **named)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    book.save_changes([*changes, *(PostingChange(posting(f"X{n}")) for n in range(50))], who="tests", now=NOW)
    assert len(statements) <= 3
    monkeypatch.undo()
    assert {one.reference: one.doubt for one in book.undone() if one.reference < "X"} == {
        "A": "two notes fit", "B": "", "C": ""
    }  # fmt: skip
    told = [(reference, one.what, one.reason) for reference in "ABC" for one in log(book, reference)]
    assert told == [("A", "doubted", "two notes fit"), ("C", "planned", "")]


def test_nothing_of_a_round_is_kept_when_one_of_it_must_not_be(book: SqlPostings) -> None:
    out = posting("OUT", state="in_doubt", times_handed_out=1)
    save(book, out)
    book.conn.commit()
    with pytest.raises(StoreError, match="once handed out, its content"):
        save(book, posting("NEW"), replace(out, document="{}"))
    book.conn.rollback()
    assert book.undone() == [out]


def test_a_reference_twice_in_one_round_is_refused(book: SqlPostings) -> None:
    with pytest.raises(errors.CardinalityViolation):
        save(book, posting(), posting(return_id="other"))


def test_nothing_to_write_asks_nothing(book: SqlPostings) -> None:
    book.conn.close()
    save(book)


def log(book: SqlPostings, reference: str) -> Sequence[audit_log.Entry]:
    return audit_log.of_document(book.conn, f"posting {reference}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recon.audit_log SET who = 'nobody'",
        "DELETE FROM recon.audit_log",
        "TRUNCATE recon.audit_log",
    ],
)
def test_the_audit_log_only_grows(book: SqlPostings, statement: Any) -> None:
    audit_log.append(book.conn, [audit_log.Entry(NOW, "Kim", "looked", "feed")])
    with pytest.raises(errors.RaiseException, match="append-only"):
        book.conn.execute(statement)


def test_open_exceptions_of_nobody_are_none(book: SqlPostings) -> None:
    assert list(exceptions.open_exceptions(book.conn, owner="finance")) == []
