"""The commands of people about postings, on a real store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from khaos_swap_assets.adapters.errors import InDoubtError
from khaos_swap_assets.adapters.khaos.client import ReturnRefused
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import audit_log, notes
from khaos_swap_assets.adapters.store import database as store
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.store.seal import Sealer
from khaos_swap_assets.cli.postings import Reach, postings_app
from khaos_swap_assets.domain.documents.postings import SearchEvidence
from khaos_swap_assets.stages.credit_notes import engine, feed
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, POST_FROM, complete_run, draft_of, note_of, render

KEY = SecretStr(Sealer.new_key())
WHO = ["--by", "Kim", "--reason", "looked it up"]


class KhaosThatSays:
    """Answers every ProcessReturn in the same way."""

    def __init__(self, answer: str | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def process_return(self, return_code: str, auth_code: str) -> Any:
        self.asked.append((return_code, auth_code))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def settings() -> Settings:
    return Settings(mode="post", post_from=POST_FROM, seal_key=KEY)


@pytest.fixture
def khaos() -> KhaosThatSays:
    return KhaosThatSays("processed")


@pytest.fixture
def run(database_url: str, settings: Settings, khaos: KhaosThatSays) -> Callable[..., Result]:
    reach = Reach(
        lambda: store.connect(database_url, application="tests"), lambda: settings, lambda: khaos, lambda: NOON
    )
    app = postings_app(reach)
    return lambda *words: CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


@pytest.fixture
def planned(database: psycopg.Connection[Any]) -> SqlPostings:
    """RMA1 is planned."""
    ready = draft_of()
    sealed = Sealer(KEY).seal({"InvoiceAddress": {"Line1": "1 Mill Lane"}, "InvoiceContact": {"Surname": "Ash"}})
    database.execute(
        "INSERT INTO recon.drafts (store_id, return_id, ordinal, state, draft, value_pence, currency, drafted_at) "
        "VALUES ('store', 'id-RMA1', 1, 'ready', %s, 1000, 'GBP', now())",
        (draft_of().draft.content,),
    )
    book = SqlPostings(database)
    seen = SearchEvidence((), frozenset({"ASH1"}), NOON, life=book.life())
    drafts = [engine.ReadyDraft(ready.draft, ready.refunded_on, sealed)]
    engine.plan(
        book, drafts, seen, render=render, mode="post", post_from=POST_FROM, now=NOON,
    )  # fmt: skip
    complete_run(database)
    database.commit()
    return book


@pytest.fixture
def in_doubt(planned: SqlPostings, settings: Settings) -> SqlPostings:
    """RMA1 was handed out."""
    feed.hand_out(planned.conn, settings=settings, now=NOON, continuation="")
    return planned


def state(book: SqlPostings) -> str:
    found = book.by_reference(["RMA1"])["RMA1"].state
    book.conn.rollback()
    return found


def test_the_list_shows_what_is_undone(run: Callable[..., Result], planned: SqlPostings) -> None:
    result = run("list")
    assert result.exit_code == 0
    assert "RMA1" in result.stdout
    assert "£10.00" in result.stdout
    assert run("list", "--state", "confirmed", "--json").stdout.strip() == "[]"


def test_the_list_as_json(run: Callable[..., Result], planned: SqlPostings) -> None:
    assert [row["reference"] for row in json.loads(run("list", "--json").stdout)] == ["RMA1"]


def test_show_has_document_and_history_but_no_party(run: Callable[..., Result], in_doubt: SqlPostings) -> None:
    shown = run("show", "RMA1", "--json").stdout
    assert [entry["what"] for entry in json.loads(shown)["history"]] == ["planned", "handed out"]
    assert "party_sealed" not in shown
    assert "Mill Lane" not in shown
    assert "handed out" in run("show", "RMA1").stdout


def test_the_history_says_where_it_goes_on_when_its_month_was_set_apart(
    run: Callable[..., Result], planned: SqlPostings
) -> None:
    conn = planned.conn
    told = "what was done up to 2099-12 was set apart, in tables months.audit_log_*"
    assert told not in run("show", "RMA1").stdout
    assert json.loads(run("show", "RMA1", "--json").stdout)["history_set_apart_to"] == ""
    conn.execute("CREATE TABLE months.audit_log_2099_12 ()")
    conn.commit()
    try:
        assert told in run("show", "RMA1").stdout
        assert json.loads(run("show", "RMA1", "--json").stdout)["history_set_apart_to"] == "2099-12"
        conn.execute("ALTER TABLE months.audit_log_2099_12 RENAME TO audit_log_1999_12")
        conn.commit()
        assert "set apart" not in run("show", "RMA1").stdout
    finally:
        conn.execute("DROP TABLE IF EXISTS months.audit_log_2099_12, months.audit_log_1999_12")
        conn.commit()


def test_release_marks_and_logs(run: Callable[..., Result], planned: SqlPostings) -> None:
    assert run("release", "RMA1", *WHO).exit_code == 0
    assert planned.by_reference(["RMA1"])["RMA1"].is_released
    last = audit_log.of_document(planned.conn, "posting RMA1")[-1]
    assert (last.who, last.what, last.reason) == ("Kim", "released", "looked it up")
    assert last.before is not None
    assert last.after is not None
    assert (last.before["is_released"], last.after["is_released"]) == (False, True)


def test_a_release_is_taken_back_until_khaos_has_it(run: Callable[..., Result], planned: SqlPostings) -> None:
    run("release", "RMA1", *WHO)
    assert "is taken back; it waits as before" in run("release", "RMA1", "--take-back", *WHO).stdout
    assert not planned.by_reference(["RMA1"])["RMA1"].is_released
    assert audit_log.of_document(planned.conn, "posting RMA1")[-1].what == "release taken back"
    refused = run("release", "RMA1", "--take-back", *WHO)
    assert (refused.exit_code, "is planned and not released, or Khaos has it already" in refused.stderr) == (2, True)


def test_one_in_doubt_is_released_only_by_a_person_who_looked(
    run: Callable[..., Result], in_doubt: SqlPostings
) -> None:
    asked = run("release", "RMA1", *WHO)
    assert asked.exit_code == 2
    assert "sends it once more at the next pull, without another search" in asked.stderr
    assert "customer ASH1 may be credited twice" in asked.stderr
    assert "say it with --i-looked-in-khaos" in asked.stderr
    assert not in_doubt.by_reference(["RMA1"])["RMA1"].is_released
    done = run("release", "RMA1", "--i-looked-in-khaos", *WHO)
    assert (done.exit_code, "once more and without another search" in done.stdout) == (0, True)
    assert in_doubt.by_reference(["RMA1"])["RMA1"].is_released
    assert audit_log.of_document(in_doubt.conn, "posting RMA1")[-1].what == "released once more, having looked in Khaos"


def test_resolve_as_not_posted(run: Callable[..., Result], in_doubt: SqlPostings) -> None:
    assert run("resolve", "RMA1", "--not-posted", *WHO).exit_code == 0
    assert state(in_doubt) == "refused"


def test_resolve_as_confirmed_takes_the_value_of_the_note(run: Callable[..., Result], in_doubt: SqlPostings) -> None:
    notes.save(in_doubt.conn, [note_of("CN7", value=900)], NOON)
    in_doubt.conn.commit()
    assert run("resolve", "RMA1", "--confirmed", "CN7", *WHO).exit_code == 0
    found = in_doubt.by_reference(["RMA1"])["RMA1"]
    assert (found.state, found.credit_note_code, found.witnessed_pence) == ("confirmed", "CN7", 900)
    assert found.party_sealed is None
    assert in_doubt.gaps() == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["resolve", "RMA1", *WHO], "give one of"),
        (["resolve", "RMA1", "--not-posted", "--confirmed", "CN1", *WHO], "give one of"),
        (["resolve", "RMA1", "--confirmed", "CN404", *WHO], "no Credit Note CN404"),
        (["release", "RMA404", *WHO], "no posting has the reference RMA404"),
        (["release", "rma1", *WHO], "no posting has the reference rma1"),
        (["release", "RMA1", "--by", " ", "--reason", "x"], "must both say something"),
        (["trust-feed", *WHO], "not held"),
        (["process", "RMA1", "--return-code", " ", *WHO], "--return-code"),
    ],
)
def test_a_wrong_hand_is_one_line_and_exit_2(
    run: Callable[..., Result], in_doubt: SqlPostings, words: list[str], line: str
) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert state(in_doubt) == "in_doubt"


def test_a_change_needs_a_name_and_a_reason(run: Callable[..., Result], in_doubt: SqlPostings) -> None:
    assert run("resolve", "RMA1", "--not-posted").exit_code == 2
    assert state(in_doubt) == "in_doubt"


@pytest.mark.parametrize("answer", ["processed", "already_processed", InDoubtError("no answer")])
def test_processing_leaves_it_in_doubt_until_witnessed(
    run: Callable[..., Result], in_doubt: SqlPostings, khaos: KhaosThatSays, answer: str | Exception
) -> None:
    khaos.answer = answer
    result = run("process", "RMA1", "--return-code", "RET7", *WHO)
    assert result.exit_code == 0
    assert "stays in doubt" in result.stdout
    assert khaos.asked == [("RET7", "RMA1")]
    assert state(in_doubt) == "in_doubt"


def test_an_answered_refusal_ends_it(run: Callable[..., Result], in_doubt: SqlPostings, khaos: KhaosThatSays) -> None:
    khaos.answer = ReturnRefused("RET7", "return has been partially processed, unable to continue")
    assert run("process", "RMA1", "--return-code", "RET7", *WHO).exit_code == 0
    found = in_doubt.by_reference(["RMA1"])["RMA1"]
    assert (found.state, found.party_sealed) == ("refused", None)
    assert "partially processed" in found.ended_by


def test_a_code_that_khaos_does_not_know_ends_nothing(
    run: Callable[..., Result], in_doubt: SqlPostings, khaos: KhaosThatSays
) -> None:
    khaos.answer = ReturnRefused("RET8", "return does not exist or has been deleted")
    assert run("process", "RMA1", "--return-code", "RET8", *WHO).exit_code == 2
    assert state(in_doubt) == "in_doubt"


def test_the_intent_is_on_disk_before_khaos_is_called(
    run: Callable[..., Result], in_doubt: SqlPostings, khaos: KhaosThatSays, database_url: str
) -> None:
    seen: list[str] = []

    def look(return_code: str, auth_code: str) -> str:
        with store.connect(database_url, application="other") as other:
            seen.extend(entry.what for entry in audit_log.of_document(other, "posting RMA1"))
        return "processed"

    khaos.process_return = look  # type: ignore[method-assign]
    run("process", "RMA1", "--return-code", "RET7", *WHO)
    assert seen[-1] == "ProcessReturn asked for"


def test_only_a_document_that_is_out_can_be_processed(
    run: Callable[..., Result], planned: SqlPostings, khaos: KhaosThatSays
) -> None:
    assert run("process", "RMA1", "--return-code", "RET7", *WHO).exit_code == 2
    assert khaos.asked == []


def test_trusting_the_feed_goes_on_after_the_lost_token(
    run: Callable[..., Result], planned: SqlPostings, settings: Settings
) -> None:
    conn = planned.conn
    assert feed.hand_out(conn, settings=settings, now=NOON, continuation="ks1.57").documents == []
    assert "ks1.57" in run("list").stderr
    assert run("trust-feed", *WHO).exit_code == 0
    assert feed.hand_out(conn, settings=settings, now=NOON, continuation="ks1.57").documents == []
    wanted = engine.wanted(planned)
    seen = SearchEvidence((), frozenset({"ASH1"}), NOON, life=wanted.life)
    engine.read_back(planned, seen, wanted=wanted, now=NOON)
    conn.commit()
    page = feed.hand_out(conn, settings=settings, now=NOON, continuation="ks1.57")
    assert (page.token, len(page.documents)) == ("ks1.58", 1)


def test_a_person_stops_the_feed_and_lets_it_go_on(
    run: Callable[..., Result], planned: SqlPostings, settings: Settings
) -> None:
    assert "the feed is held; no document leaves" in run("hold", *WHO).output
    assert feed.hand_out(planned.conn, settings=settings, now=NOON, continuation="").documents == []
    listed = run("list").output
    assert "the feed is held by Kim since 2026-03-10 12:00 UTC: looked it up" in listed
    again = run("hold", *WHO)
    assert (again.exit_code, "khaos-swap postings resume ends that" in again.output) == (2, True)
    assert "the feed goes on" in run("resume", *WHO).output
    assert run("resume", *WHO).exit_code == 2
    assert len(feed.hand_out(planned.conn, settings=settings, now=NOON, continuation="").documents) == 1


@pytest.mark.parametrize("command", ["hold", "resume"])
def test_to_stop_the_feed_needs_a_name_and_a_reason(run: Callable[..., Result], command: str) -> None:
    assert run(command, "--by", "Kim").exit_code == 2
    assert run(command, "--by", " ", "--reason", "x").exit_code == 2
