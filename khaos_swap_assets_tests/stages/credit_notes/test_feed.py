"""One pull of Khaos at a time: tokens, and what is asked for again."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from khaos_swap_assets.stages.credit_notes import feed, stopping
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, Paper, committed, complete, note_of
from khaos_swap_assets_tests.stages.credit_notes.pulling import FIRST, FREELY, full, pull, search


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
        assert "trust-feed" in stopping.problems(book, FREELY)[0]


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
    assert pull(paper, "ks1.1", ['"RMA2"']) == ("ks1.1", ["RMA2"])


def test_a_pull_after_specific_ids_repeats_nothing() -> None:
    """Khaos goes on with the token that it held: that is no question for what it asked for by name."""
    paper = full()
    pull(paper)
    pull(paper, "ks1.1", ["RMA2"])
    search(paper)
    assert pull(paper, "ks1.1", ["RMA2"])[1] == ["RMA2"]
    for _ in range(2):
        assert pull(paper, "ks1.1") == ("ks1.1", [])
        search(paper)
    assert paper.postings["RMA2"].asked_again_at is None


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
    assert pull(paper, "ks1.1", ["RMA1"]) == ("ks1.1", ["RMA1"])


def test_references_of_another_case_are_not_ours() -> None:
    paper = full()
    pull(paper)
    pull(paper, "ks1.1", ["rma1"])
    assert paper.postings["RMA1"].asked_again_at is None


def test_a_name_that_khaos_cannot_know_yet_must_be_searched_for_first() -> None:
    paper = full()
    assert pull(paper, FIRST, ["RMA1"]) == (FIRST, [])
    search(paper)
    assert pull(paper, FIRST, ["RMA1"]) == (FIRST, ["RMA1"])
    assert pull(paper, FIRST) == ("ks1.1", ["RMA2"])
