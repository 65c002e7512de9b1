"""What a search of Khaos settles, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Bystander
from khaos_swap_assets.stages.credit_notes import engine, feed
from khaos_swap_assets_tests.stages.credit_notes.paper import (
    NOON,
    POST_FROM,
    Paper,
    committed,
    draft_of,
    note_of,
    render,
)
from khaos_swap_assets_tests.stages.credit_notes.planning import LATER, evidence, hand_out, out, plan, settle


def test_a_note_with_the_reference_confirms_at_its_own_value() -> None:
    paper = Paper()
    out(paper)
    (found,) = settle(paper, note_of(ref="RMA1", value=999, sku="COAT"))
    one = paper.postings["RMA1"]
    assert (found.outcome, found.reason) == ("confirmed", "CN1")
    assert (one.state, one.witnessed_pence, one.ended_by, one.ended_at) == ("confirmed", 999, "witness", LATER)
    assert one.party_sealed is None
    with committed(paper) as book:
        assert [gap.reference for gap in book.gaps()] == ["RMA1"]


@pytest.mark.parametrize(
    ("notes", "outcome"),
    [
        ([note_of()], "confirmed"),
        ([note_of("CN1"), note_of("CN2")], "still_in_doubt"),
        ([note_of("CN1"), note_of("CN2", value=7)], "confirmed"),
        ([note_of(value=999)], "still_in_doubt"),
        ([note_of(sku="COAT")], "still_in_doubt"),
        ([note_of(currency="EUR")], "still_in_doubt"),
        ([note_of(on=None)], "still_in_doubt"),
        ([note_of(on=date(2026, 3, 8))], "still_in_doubt"),
        ([note_of(on=date(2026, 4, 10))], "still_in_doubt"),
        ([note_of(on=date(2026, 4, 9))], "confirmed"),
        ([replace(note_of(), lines=())], "still_in_doubt"),
        ([note_of(customer="OAK2")], "still_in_doubt"),
    ],
)
def test_without_a_reference_only_the_one_note_that_fits_confirms(notes: list[CreditNote], outcome: str) -> None:
    paper = Paper()
    out(paper)
    assert [one.outcome for one in settle(paper, *notes)] == [outcome]


def bare(code: str = "CN1", **parts: Any) -> CreditNote:
    """A note whose goods nobody told."""
    return replace(note_of(code, **parts), lines=())


def beside(**parts: Any) -> Bystander:
    return Bystander(**{"return_id": "R9", "customer_code": "ASH1", "currency": "GBP", "values": (1000,), **parts})


@pytest.mark.parametrize(
    ("notes", "known", "outcome"),
    [
        ([bare()], {"items_by": "none"}, "confirmed"),
        ([bare()], {"items_by": "export"}, "still_in_doubt"),
        ([bare()], {"items_by": "status"}, "still_in_doubt"),
        ([bare()], {}, "still_in_doubt"),
        ([bare()], {"items_by": "none", "nobodies": frozenset({"ASH1"})}, "still_in_doubt"),
        ([bare(), bare("CN2")], {"items_by": "none"}, "still_in_doubt"),
        ([bare(), bare("CN2", value=7)], {"items_by": "none"}, "confirmed"),
        ([bare(), bare("CN2", on=date(2025, 3, 8))], {"items_by": "none"}, "still_in_doubt"),
        ([bare(value=999)], {"items_by": "none"}, "still_in_doubt"),
        ([bare(on=date(2026, 3, 8))], {"items_by": "none"}, "still_in_doubt"),
        ([bare()], {"items_by": "none", "bystanders": (beside(),)}, "still_in_doubt"),
        ([bare()], {"items_by": "none", "bystanders": (beside(values=(1, 1000)),)}, "still_in_doubt"),
        ([bare()], {"items_by": "none", "bystanders": (beside(values=(999,)),)}, "confirmed"),
        ([bare()], {"items_by": "none", "bystanders": (beside(customer_code="OAK2"),)}, "confirmed"),
        ([bare()], {"items_by": "none", "bystanders": (beside(currency="EUR"),)}, "confirmed"),
        ([bare()], {"items_by": "none", "bystanders": (beside(return_id="id-RMA1"),)}, "confirmed"),
        ([bare(ref="SO-RMA1")], {"order_refs": frozenset({"SO-RMA1"}), "items_by": "none"}, "confirmed"),
        ([bare(ref="SO-9")], {"order_refs": frozenset({"SO-9"}), "items_by": "none"}, "still_in_doubt"),
        ([bare(ref="SO-9")], {"items_by": "none"}, "confirmed"),
        ([note_of(ref="SO-9")], {"order_refs": frozenset({"SO-9"})}, "still_in_doubt"),
        ([note_of(ref="SO-RMA1")], {"order_refs": frozenset({"SO-RMA1"})}, "confirmed"),
        (
            [bare(ref="SO-RMA1")],
            {"order_refs": frozenset({"SO-RMA1"}), "items_by": "none", "bystanders": (beside(order_ref="SO-9"),)},
            "confirmed",
        ),
    ],
)
def test_a_note_without_goods_is_known_by_its_value_only_where_nothing_else_can_be_meant(
    notes: list[CreditNote], known: dict[str, Any], outcome: str
) -> None:
    paper = Paper()
    out(paper)
    with committed(paper) as book:
        seen = replace(evidence(*notes, at=LATER), **known)
        settled = engine.read_back(book, seen, wanted=engine.wanted(book), now=LATER)
    assert [one.outcome for one in settled] == [outcome]


def test_one_note_that_fits_two_postings_confirms_neither() -> None:
    paper = Paper()
    plan(paper, draft_of(), draft_of("RMA2"))
    hand_out(paper, "RMA1")
    hand_out(paper, "RMA2")
    assert [one.outcome for one in settle(paper, note_of())] == ["still_in_doubt"] * 2
    assert "CN1" in paper.postings["RMA1"].doubt


def test_a_note_under_the_reference_of_another_posting_is_not_taken() -> None:
    paper = Paper()
    plan(paper, draft_of(), draft_of("RMA2"))
    hand_out(paper, "RMA1")
    hand_out(paper, "RMA2")
    assert [(one.reference, one.outcome) for one in settle(paper, note_of(ref="RMA2"))] == [
        ("RMA1", "still_in_doubt"),
        ("RMA2", "confirmed"),
    ]


def test_a_note_is_the_witness_of_one_posting_only() -> None:
    paper = Paper()
    out(paper)
    settle(paper, note_of())
    afterwards = LATER + timedelta(hours=1)
    plan(paper, draft_of("RMA2"), seen=evidence(note_of(), at=afterwards), now=afterwards)
    hand_out(paper, "RMA2")
    assert [one.outcome for one in settle(paper, note_of(), now=afterwards)] == ["still_in_doubt"]


def test_a_note_that_fits_one_that_is_out_and_one_that_waits_is_neither_of_theirs() -> None:
    """It may be our first document, or what staff credited by hand for the second return."""
    paper = Paper()
    plan(paper, draft_of(), draft_of("RMA2"))
    hand_out(paper, "RMA1")
    assert [one.outcome for one in settle(paper, note_of())] == ["still_in_doubt", "held"]
    assert paper.postings["RMA2"].cleared_at is None


def test_a_note_that_proves_one_posting_already_does_not_prove_another_by_its_reference() -> None:
    paper = Paper()
    out(paper)
    plan(paper, draft_of("RMA2", sku="CAP"))
    hand_out(paper, "RMA2", state="confirmed", credit_note_code="CN1")
    assert [one.outcome for one in settle(paper, note_of(ref="RMA1"))] == ["still_in_doubt"]
    assert "CN1 carries reference RMA1" in paper.postings["RMA1"].doubt


def test_a_search_that_began_in_an_earlier_life_clears_nothing() -> None:
    """It began before the backup was restored: what left in between is in neither."""
    paper = Paper()
    plan(paper, draft_of())
    with committed(paper) as book:
        wanted = engine.wanted(book)
    paper.life = 2
    with committed(paper) as book:
        engine.read_back(book, evidence(at=LATER), wanted=wanted, now=LATER)
        engine.plan(
            book, [draft_of("RMA2")], evidence(at=LATER),
            render=render, mode="post", post_from=POST_FROM, now=LATER,
        )  # fmt: skip
        life = book.life()
    assert [feed.is_cleared(one, life, LATER) for one in paper.postings.values()] == [False, False]


def test_nothing_found_clears_only_what_khaos_asked_for_again() -> None:
    paper = Paper()
    out(paper)
    assert [one.outcome for one in settle(paper)] == ["still_in_doubt"]
    assert paper.postings["RMA1"].cleared_at is None
    hand_out(paper, asked_again_at=NOON, asked_by="continuation")
    assert [one.outcome for one in settle(paper)] == ["cleared"]
    assert paper.postings["RMA1"].cleared_at == LATER


@pytest.mark.parametrize("change", [{"times_handed_out": 2}, {"asked_again_at": NOON}])
def test_a_search_clears_nothing_that_moved_while_it_ran(change: dict[str, Any]) -> None:
    paper = Paper()
    out(paper)
    with committed(paper) as book:
        wanted = engine.wanted(book)
    hand_out(paper, **change)
    with committed(paper) as book:
        (found,) = engine.read_back(book, evidence(at=LATER), wanted=wanted, now=LATER)
    assert found.outcome == "still_in_doubt"
    assert paper.postings["RMA1"].cleared_at is None


def test_what_was_not_searched_is_not_settled() -> None:
    paper = Paper()
    out(paper, asked_again_at=NOON)
    with committed(paper) as book:
        seen = evidence(customers=("OAK2",), at=LATER)
        assert engine.read_back(book, seen, wanted=engine.wanted(book), now=LATER) == []


def test_planned_ones_are_searched_again_adopted_or_held() -> None:
    paper = Paper()
    plan(paper, draft_of())
    assert [one.outcome for one in settle(paper)] == ["cleared"]
    assert [one.outcome for one in settle(paper, note_of())] == ["held"]
    assert paper.postings["RMA1"].cleared_at is None
    assert [one.outcome for one in settle(paper, note_of(ref="RMA1"))] == ["confirmed"]
    assert paper.postings["RMA1"].ended_by == "adoption"


def test_wanted_names_everything_undone_and_nothing_else() -> None:
    paper = Paper()
    plan(paper, draft_of(), draft_of("RMA2", customer="OAK2"), seen=evidence(customers=("ASH1", "OAK2")))
    hand_out(paper, "RMA2", state="confirmed")
    with committed(paper) as book:
        wanted = engine.wanted(book)
    assert (wanted.customers, wanted.references) == (frozenset({"ASH1"}), frozenset({"RMA1"}))


@pytest.mark.parametrize(
    ("age", "life", "is_cleared"),
    [
        (timedelta(), "1", True),
        (timedelta(hours=24), "1", True),
        (timedelta(hours=24, seconds=1), "1", False),
        (timedelta(), "2", False),
        (timedelta(hours=-24, seconds=-1), "1", False),
    ],
)
def test_a_clearance_lasts_a_day_in_one_life(age: timedelta, life: str, is_cleared: bool) -> None:
    paper = Paper()
    plan(paper, draft_of())
    assert feed.is_cleared(paper.postings["RMA1"], life, NOON + age) is is_cleared
