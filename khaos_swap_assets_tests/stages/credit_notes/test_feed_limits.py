"""What keeps the feed shut: mode, breakers, caps, and documents that cannot be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.documents.postings import Posting, Prices, SearchEvidence
from khaos_swap_assets.stages.credit_notes import engine, feed, stopping
from khaos_swap_assets_tests.stages.credit_notes.paper import (
    NOON,
    POST_FROM,
    Paper,
    PaperBook,
    committed,
    complete,
    draft_of,
    note_of,
    render,
)
from khaos_swap_assets_tests.stages.credit_notes.pulling import FIRST, FREELY, full, proof, pull, search


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
    paper.ready["store", "id-RMA2", 1] = (999, paper.postings["RMA2"].drafted)
    assert pull(paper) == (FIRST, [])


def test_a_draft_with_other_goods_at_the_same_value_stays_until_it_is_planned_again() -> None:
    paper = full(1)
    other = draft_of("RMA1", sku="COAT")
    paper.ready["store", "id-RMA1", 1] = (1000, other.draft.content)
    assert pull(paper) == (FIRST, [])
    with committed(paper) as book:
        engine.plan(
            book, [other], SearchEvidence((), frozenset({"ASH1"}), NOON, life="1"),
            render=render, mode="post", post_from=POST_FROM, now=NOON,
        )  # fmt: skip
    assert pull(paper) == ("ks1.1", ["RMA1"])
    assert paper.postings["RMA1"].contents == (("COAT", 1),)


def test_one_document_is_out_until_one_was_witnessed_at_its_value() -> None:
    paper = full(3, is_proven=False)
    assert pull(paper) == ("ks1.1", ["RMA1"])
    assert pull(paper, "ks1.1") == ("ks1.1", [])
    with committed(paper) as book:
        assert "RMA1 is out" in stopping.problems(book, FREELY)[0]
    search(paper, note_of(ref="RMA1", sku="HAT1"))
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA2", "RMA3"])


def test_the_first_document_may_be_asked_for_again() -> None:
    paper = full(3, is_proven=False)
    pull(paper)
    pull(paper)
    search(paper)
    assert pull(paper) == ("ks1.2", ["RMA1"])


def priced(paper: Paper, *prices: Prices) -> Paper:
    for number, each in enumerate(prices, 1):
        paper.postings[f"RMA{number}"] = replace(paper.postings[f"RMA{number}"], prices=each)
    return paper


@pytest.mark.parametrize(
    ("prices", "documents"),
    [
        (("own", "own", "sale"), ["RMA1", "RMA3"]),
        (("sale", "own", "own"), ["RMA1", "RMA2"]),
        (("sale", "sale", "own"), ["RMA1", "RMA2", "RMA3"]),
        (("unsure", "own", "unsure"), ["RMA1"]),
        (("sale", "sale", "sale"), ["RMA1", "RMA2", "RMA3"]),
    ],
)
def test_one_of_another_price_than_the_sale_is_out_until_one_was_witnessed(
    prices: tuple[Prices, ...], documents: list[str]
) -> None:
    assert pull(priced(full(3), *prices))[1] == documents


def test_a_witness_of_an_own_price_opens_the_page_and_one_that_may_be_the_sale_does_not() -> None:
    paper = priced(full(3), "unsure", "own", "own")
    assert pull(paper) == ("ks1.1", ["RMA1"])
    assert pull(paper, "ks1.1") == ("ks1.1", [])
    with committed(paper) as book:
        (line,) = stopping.problems(book, FREELY)
    assert line.startswith("RMA1 is priced otherwise than its sale and not witnessed yet; the 2 documents like it wait")
    search(paper, note_of(ref="RMA1", sku="HAT1"))
    assert pull(paper, "ks1.1") == ("ks1.2", ["RMA2"])
    search(paper, note_of("CN2", ref="RMA2", sku="HAT2"))
    assert pull(paper, "ks1.2") == ("ks1.3", ["RMA3"])
    paper.postings["RMA3"] = replace(paper.postings["RMA3"], state="planned", cleared_at=NOON, times_handed_out=0)
    paper.postings["RMA1"] = replace(paper.postings["RMA1"], state="in_doubt")
    assert pull(paper, "ks1.3") == ("ks1.4", ["RMA3"])


@pytest.mark.parametrize("is_proven", [True, False])
def test_one_above_the_cap_of_a_day_is_not_the_one_that_all_others_wait_for(is_proven: bool) -> None:
    paper = priced(full(2, is_proven=is_proven), "own", "own")
    big = replace(paper.postings["RMA1"], value_pence=9000)
    paper.postings["RMA1"] = big
    paper.ready[big.key] = (9000, big.drafted)
    assert pull(paper, limits=replace(FREELY, daily_pence=5000))[1] == ["RMA2"]


@pytest.mark.parametrize(
    ("ended_by", "documents"), [("witness", []), ("adoption", []), ("person Kim", ["RMA1", "RMA2"])]
)
def test_a_value_gap_stops_the_feed_until_a_person_accepts_it(ended_by: str, documents: list[str]) -> None:
    paper = full()
    paper.postings["GAP"] = replace(proof(999, ended_by), reference="GAP", return_id="id-GAP")
    assert pull(paper)[1] == documents
    with committed(paper) as book:
        assert len(stopping.problems(book, FREELY)) == (0 if documents else 1)


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
def test_caps_of_a_day_and_of_a_page(limits: feed.FeedLimits, documents: list[str]) -> None:
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
    paper.ready["store", "id-RMA1", 1] = (9000, paper.postings["RMA1"].drafted)
    limits = replace(FREELY, daily_pence=5000)
    assert pull(paper, limits=limits)[1] == ["RMA2"]
    with committed(paper) as book:
        assert stopping.problems(book, limits) == ["RMA1 is worth £90.00, more than the cap of a day"]


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
