"""Planning, rule by rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Planned, SearchEvidence
from khaos_swap_assets.stages.credit_notes import engine
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, Paper, committed, draft_of, note_of, render
from khaos_swap_assets_tests.stages.credit_notes.planning import LATER, evidence, hand_out, plan, settle


def test_a_ready_draft_is_planned_with_a_clearance() -> None:
    paper = Paper()
    assert plan(paper, draft_of()) == [Planned(("store", "id-RMA1", 1), "RMA1", "planned")]
    one = paper.postings["RMA1"]
    assert (one.state, one.cleared_at, one.cleared_in, one.value_pence) == ("planned", NOON, "1", 1000)
    assert one.party_sealed == b"sealed ASH1"
    assert '"AssociatedRef": "RMA1"' in one.document


@pytest.mark.parametrize(
    ("draft", "seen", "reason"),
    [
        (replace(draft_of(), refunded_on=date(2025, 12, 31)), None, "before KHAOS_SWAP_POST_FROM"),
        (draft_of(customer="OAK2"), None, "not searched for customer OAK2"),
        (draft_of(), evidence(note_of(value=1000, sku="COAT")), "Credit Note CN1 of customer ASH1 may already"),
        (draft_of(), evidence(note_of(value=1, sku="HAT")), "may already"),
        (draft_of(), evidence(note_of(ref="RMA1", customer="OAK2")), "for another customer or currency"),
        (draft_of(), evidence(note_of(ref="RMA1", currency="EUR")), "for another customer or currency"),
        (draft_of(), evidence(note_of(value=7), CN1="id-RMA1"), "may already"),
        (draft_of(), evidence(note_of(ref="RMA1", sku="COAT")), "carries reference RMA1 for other goods"),
        (draft_of(), evidence(replace(note_of(ref="RMA1", value=990), lines=())), "reference RMA1 for other goods"),
    ],
)
def test_what_does_not_pass_is_held_with_its_reason(
    draft: ReadyDraft, seen: SearchEvidence | None, reason: str
) -> None:
    paper = Paper()
    (found,) = plan(paper, draft, seen=seen)
    assert found.outcome == "held"
    assert reason in found.reason
    assert paper.postings == {}


@pytest.mark.parametrize(
    "note",
    [
        note_of(value=1, sku="COAT"),
        note_of(customer="OAK2"),
        note_of(ref="rma1", value=1, sku="COAT"),
    ],
)
def test_other_notes_hold_nothing(note: CreditNote) -> None:
    assert [one.outcome for one in plan(Paper(), draft_of(), seen=evidence(note))] == ["planned"]


@pytest.mark.parametrize("note", [note_of(), note_of(ref="RMA1"), note_of(ref="RMA1", sku="COAT")])
def test_a_note_that_belongs_to_another_return_holds_nothing_and_proves_nothing(note: CreditNote) -> None:
    paper = Paper()
    assert plan(paper, draft_of(), seen=evidence(note, CN1="id-RMA9"))[0].outcome == "planned"
    assert paper.postings["RMA1"].credit_note_code is None


def test_a_note_with_the_reference_is_adopted_after_a_restore() -> None:
    paper = Paper()
    (found,) = plan(paper, draft_of(), seen=evidence(note_of(ref="RMA1", value=990)))
    one = paper.postings["RMA1"]
    assert found.outcome == "adopted"
    assert (one.state, one.credit_note_code, one.witnessed_pence, one.ended_by) == ("confirmed", "CN1", 990, "adoption")
    assert one.party_sealed is None


def test_a_note_with_the_reference_and_the_value_is_adopted_where_khaos_shows_no_goods() -> None:
    (found,) = plan(Paper(), draft_of(), seen=evidence(replace(note_of(ref="RMA1"), lines=())))
    assert found.outcome == "adopted"


def test_audit_plans_nothing() -> None:
    paper = Paper()
    assert plan(paper, draft_of(), mode="audit") == []
    assert paper.postings == {}


def test_posting_needs_a_start() -> None:
    with committed(Paper()) as book, pytest.raises(SettingsError, match="KHAOS_SWAP_POST_FROM"):
        engine.plan(book, [], evidence(), render=render, mode="post", post_from=None, now=NOON)


def test_the_same_draft_again_keeps_its_release_and_renews_its_clearance() -> None:
    paper = Paper()
    plan(paper, draft_of())
    paper.postings["RMA1"] = replace(paper.postings["RMA1"], is_released=True, doubt="something")
    assert plan(paper, draft_of(), now=LATER)[0].outcome == "unchanged"
    one = paper.postings["RMA1"]
    assert (one.is_released, one.cleared_at, one.planned_at, one.doubt) == (True, LATER, NOON, "")


def test_a_changed_draft_replaces_the_document_and_loses_its_release() -> None:
    paper = Paper()
    plan(paper, draft_of())
    paper.postings["RMA1"] = replace(paper.postings["RMA1"], is_released=True)
    assert plan(paper, draft_of(value=900))[0].outcome == "replaced"
    assert (paper.postings["RMA1"].is_released, paper.postings["RMA1"].value_pence) == (False, 900)


@pytest.mark.parametrize("state", ["in_doubt", "confirmed", "refused"])
def test_what_left_once_never_changes(state: str) -> None:
    paper = Paper()
    plan(paper, draft_of())
    hand_out(paper, state=state)
    before = paper.postings["RMA1"]
    assert plan(paper, draft_of(value=900))[0].outcome == "ended"
    assert paper.postings["RMA1"] == before


def test_a_planned_one_that_no_longer_passes_loses_its_clearance() -> None:
    paper = Paper()
    plan(paper, draft_of())
    plan(paper, draft_of(), seen=evidence(note_of(), at=LATER), now=LATER)
    one = paper.postings["RMA1"]
    assert (one.state, one.cleared_at) == ("planned", None)
    assert "may already" in one.doubt


def test_a_stale_one_is_withdrawn_and_comes_back_under_its_reference() -> None:
    paper = Paper()
    plan(paper, draft_of())
    with committed(paper) as book:
        assert [one.reference for one in engine.withdraw_stale(book, now=NOON)] == ["RMA1"]
    assert (paper.postings["RMA1"].state, paper.postings["RMA1"].party_sealed) == ("withdrawn", None)
    assert plan(paper, draft_of(value=900))[0] == Planned(("store", "id-RMA1", 1), "RMA1", "planned")
    assert paper.postings["RMA1"].ended_at is None


def test_what_left_is_never_withdrawn() -> None:
    paper = Paper()
    plan(paper, draft_of())
    hand_out(paper)
    with committed(paper) as book:
        assert engine.withdraw_stale(book, now=NOON) == []


def test_two_returns_of_one_rma_and_two_refunds_of_one_return_have_references_of_their_own() -> None:
    drafts = [draft_of(), draft_of(return_id="other"), draft_of(ordinal=2), draft_of("RMA-2026-000000001")]
    references = [one.reference for one in plan(Paper(), *drafts)]
    assert references[0] == "RMA1"
    assert references[2] == "RMA1-2"
    assert len(set(references)) == 4
    assert all(len(one) <= 15 for one in references)


def test_an_older_search_than_one_used_plans_and_settles_nothing() -> None:
    paper = Paper()
    plan(paper, draft_of(), now=LATER)
    assert plan(paper, draft_of(value=900), now=NOON) == []
    assert settle(paper, note_of(ref="RMA1"), now=NOON) == []
    assert paper.postings["RMA1"].value_pence == 1000
