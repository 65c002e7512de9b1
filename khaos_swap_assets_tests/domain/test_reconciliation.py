"""The verdict: status, causes of a gap, the next moment to look, and what is said of a single Credit Note."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.judging.document_facts import LineFacts, NoteFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.judging.verdict import judge, judge_note, judge_unreadable
from khaos_swap_assets_tests.domain.cases import (
    DELIVERED,
    LATE,
    LIMITS,
    REFUNDED,
    SOON,
    a_line,
    a_note,
    a_posting,
    a_return,
    attributed,
    some_facts,
    verdict,
)

A_TICK = timedelta(microseconds=1)
OPEN = a_return(status="Open", processed_at=None, closed_at=None)
CANCELLED = a_return(status="Cancelled", processed_at=None)
UNINSPECTED = (a_line(sellable_quantity=0),)
CONFIRMED = a_posting("confirmed", witnessed_pence=5000)
SECOND = (a_line(is_posted=True), a_line(product_id="P2", sku="NEW", stock_code="NEW", quantity=1, cost_pence=1000))
GROWN = a_return(refund_pence=6000)


@pytest.mark.parametrize(
    ("facts", "now", "status"),
    [
        (some_facts(OPEN), LATE, "in_flight"),
        (some_facts(CANCELLED), LATE, "nothing_due"),
        (some_facts(a_return(refund_pence=0)), LATE, "nothing_due"),
        (some_facts(), SOON, "in_flight"),
        (some_facts(), REFUNDED + timedelta(days=2), "in_flight"),
        (some_facts(), REFUNDED + timedelta(days=2) + A_TICK, "credit_note_missing"),
        (some_facts(mode="audit"), LATE, "credit_note_missing"),
        (some_facts(lines=UNINSPECTED), LATE, "in_flight"),
        (some_facts(lines=UNINSPECTED, mode="audit"), LATE, "credit_note_missing"),
        (some_facts(lines=(a_line(problem="sku_unknown"),)), LATE, "credit_note_missing"),
        (some_facts(postings=(a_posting(),)), LATE, "in_flight"),
        (some_facts(postings=(a_posting("planned", handed_out_at=None),)), LATE, "in_flight"),
        (some_facts(OPEN, notes=(attributed(),)), SOON, "in_flight"),
        (some_facts(notes=(attributed(),)), SOON, "matched"),
        (some_facts(notes=(attributed(2000), attributed(3000, "CN2"))), SOON, "matched"),
        (some_facts(notes=(attributed(4999),)), SOON, "value_gap"),
        (some_facts(notes=(attributed(4999),), tolerance="accepted"), SOON, "within_tolerance"),
        (some_facts(notes=(attributed(4999),), tolerance="systematic"), SOON, "value_gap"),
        (some_facts(a_return(refund_pence=3500), exchange_pence=1500, notes=(attributed(),)), SOON, "matched"),
        (some_facts(a_return(refund_pence=3500), exchange_pence=1500, notes=(attributed(4900),)), SOON, "value_gap"),
        (some_facts(CANCELLED, notes=(attributed(),)), SOON, "value_gap"),
        (some_facts(notes=(attributed(), attributed(1, "CN2"))), SOON, "duplicate"),
        (some_facts(GROWN, lines=SECOND, postings=(CONFIRMED,), notes=(attributed(),)), LATE, "in_flight"),
        (some_facts(GROWN, postings=(CONFIRMED,), notes=(attributed(),)), LATE, "value_gap"),
        (
            some_facts(GROWN, postings=(CONFIRMED, a_posting(value_pence=1000)), notes=(attributed(),)),
            SOON,
            "in_flight",
        ),
    ],
)
def test_status(facts: ReturnFacts, now: datetime, status: str) -> None:
    assert verdict(facts, now).status == status


TWO_CODES = (
    a_line(quantity=3, cost_pence=1000, sellable_quantity=3),
    a_line(product_id="P2", sku="B", stock_code="B", quantity=1, cost_pence=4000, sellable_quantity=1),
)


@pytest.mark.parametrize(
    ("facts", "legs"),
    [
        (some_facts(), {"goods": -5000}),
        (some_facts(notes=(attributed(),)), {}),
        (some_facts(notes=(attributed(4900),)), {"goods": -100}),
        (some_facts(notes=(attributed(5100),)), {"goods": 100}),
        (some_facts(notes=(attributed(5395, delivery_gross_pence=395),)), {"delivery": 395}),
        (some_facts(notes=(attributed(2500, lines=(("ABC", 1),)),)), {"quantity": -2500}),
        (some_facts(notes=(attributed(4900, lines=()),)), {"unexplained": -100}),
        (some_facts(notes=(attributed(4900, lines=(("XYZ", 2),)),)), {"goods": -100}),
        (some_facts(lines=TWO_CODES, notes=(attributed(1000, lines=(("ABC", 3),)),)), {"goods": -4000}),
        (
            some_facts(lines=TWO_CODES, notes=(attributed(666, lines=(("ABC", 2),)),)),
            {"goods": -4000, "quantity": -334},
        ),
        (some_facts(notes=(attributed(), attributed(5000, "CN2"))), {"quantity": 5000}),
        (some_facts(CANCELLED, notes=(attributed(),)), {"goods": 5000}),
        (some_facts(GROWN, lines=SECOND, postings=(CONFIRMED,), notes=(attributed(),)), {"goods": -1000}),
        (some_facts(a_return(refund_pence=4705, handling_fee_pence=295), notes=(attributed(),)), {"fee": 295}),
        (some_facts(a_return(refund_pence=4705), notes=(attributed(),)), {"unexplained": 295}),
        (some_facts(a_return(refund_pence=3500), exchange_pence=1500, notes=(attributed(),)), {"exchange": 1500}),
        (some_facts(a_return(refund_pence=5300), duties_pence=300, notes=(attributed(),)), {"tax": -300}),
        (some_facts(a_return(refund_pence=5200), taxes_on_top_pence=200, notes=(attributed(),)), {"tax": -200}),
        (some_facts(lines=(a_line(sold_pence=5600),), notes=(attributed(5600),)), {"discount": 600}),
        (some_facts(lines=(a_line(vat_percent=20),), notes=(attributed(4167),)), {"tax": -833}),
    ],
)
def test_causes_of_a_gap(facts: ReturnFacts, legs: dict[str, int]) -> None:
    found = verdict(facts).waterfall
    assert {leg.name: leg.pence for leg in found.legs} == legs
    assert all(leg.name in found.told for leg in found.legs)


def test_a_missing_note_says_in_words_what_holds_the_draft() -> None:
    (problem,) = verdict(some_facts(mode="audit", holds=("before_post_from",)), LATE).problems
    told = "Refund of £50.00 and no Credit Note; held: refunded before the first day of posting"
    assert problem.message == f"{told}; its last day was 2026-03-23: the 14 days from the refund are over"


def test_a_difference_that_is_accepted_or_told_once_for_all_raises_nothing_of_its_own() -> None:
    for tolerance in ("accepted", "systematic"):
        facts = some_facts(notes=(attributed(4999),), tolerance=tolerance)
        assert [one.kind for one in verdict(facts).problems] == []
    assert [one.kind for one in verdict(some_facts(notes=(attributed(4999),))).problems] == ["value_gap"]


def test_only_the_part_of_a_gap_that_is_not_as_it_should_be_is_at_risk() -> None:
    facts = some_facts(
        a_return(refund_pence=3500), exchange_pence=1500, notes=(attributed(5395, delivery_gross_pence=395),)
    )
    (problem,) = (one for one in verdict(facts).problems if one.kind == "value_gap")
    assert problem.money_at_risk_pence == 395
    assert "delivery £3.95 (note: delivery), exchange £15.00" in problem.message


@pytest.mark.parametrize(
    ("facts", "pence"),
    [
        (some_facts(), None),
        (some_facts(notes=(attributed(net_pence=4167),)), None),
        (some_facts(lines=(a_line(vat_percent=20),), notes=(attributed(net_pence=4167),)), 0),
        (some_facts(lines=(a_line(vat_percent=0),), notes=(attributed(net_pence=4167),)), 833),
        (some_facts(lines=(a_line(vat_percent=20),), notes=(attributed(net_pence=5000),)), -833),
        (some_facts(CANCELLED, lines=(a_line(vat_percent=20),), notes=(attributed(net_pence=5000),)), 0),
        (some_facts(CANCELLED, lines=(a_line(vat_percent=20),), notes=(attributed(net_pence=4167),)), 833),
        (some_facts(a_return(status="Open", processed_at=None, closed_at=None), notes=(attributed(),)), None),
    ],
)
def test_the_gap_of_vat_is_told_where_every_rate_and_net_is_known(facts: ReturnFacts, pence: int | None) -> None:
    assert verdict(facts).vat_gap_pence == pence


codes = st.sampled_from(["A", "B", "C"])
line_facts = st.builds(
    LineFacts,
    product_id=st.uuids().map(str),
    sku=codes,
    quantity=st.integers(1, 4),
    cost_pence=st.integers(0, 9999),
    outcome=st.sampled_from(["Refund", "Refund", "Exchange"]),
    stock_code=codes,
    problem=st.sampled_from(["", "", "sku_unknown", "sku_discontinued"]),
    sellable_quantity=st.integers(0, 4),
    missing_quantity=st.integers(0, 1),
    strange_quantity=st.integers(0, 1),
    is_posted=st.booleans(),
    sold_pence=st.none() | st.integers(0, 9999),
    vat_percent=st.sampled_from([None, 0, 20]),
)
postings = st.builds(
    a_posting,
    state=st.sampled_from(["planned", "in_doubt", "confirmed", "refused", "withdrawn"]),
    value_pence=st.integers(1, 9999),
    refusal=st.sampled_from(["", "no"]),
)
days = st.dates(date(2026, 3, 1), date(2026, 4, 1))
notes = st.builds(
    attributed,
    pence=st.integers(0, 9999),
    lines=st.lists(st.tuples(codes, st.integers(1, 3)), max_size=3).map(tuple),
    created_on=days,
    issued_on=st.none() | days,
    stage_id=st.none(),
    unallocated_pence=st.integers(0, 9999),
)
moments = st.integers(0, 90_000).map(lambda minutes: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minutes))
returns = st.builds(
    a_return,
    status=st.sampled_from(["Closed", "Closed", "Open", "Cancelled"]),
    refund_pence=st.integers(0, 20000),
    handling_fee_pence=st.sampled_from([0, 299]),
    delivered_at=st.none() | moments,
    processed_at=st.none() | moments,
    closed_at=st.none() | moments,
)
facts_of_any_kind = st.builds(
    some_facts,
    returns,
    lines=st.lists(line_facts, max_size=3).map(tuple),
    postings=st.lists(postings, max_size=2).map(tuple),
    notes=st.lists(notes, max_size=3).map(tuple),
    mode=st.sampled_from(["audit", "assist", "post"]),
    post_from=st.none() | days,
    covering_note_code=st.sampled_from(["", "", "CN9"]),
    is_order_awaited=st.booleans(),
    exchange_pence=st.sampled_from([0, 0, 1500]),
    duties_pence=st.sampled_from([0, 0, 300]),
)


@given(facts_of_any_kind, moments)
def test_legs_add_up_and_problems_are_told_once(facts: ReturnFacts, now: datetime) -> None:
    found = verdict(facts, now)
    legs = sum(leg.pence for leg in found.waterfall.legs)
    assert legs == found.gap_pence == facts.credited_pence - facts.refund_pence
    subjects = [(problem.kind, problem.subject) for problem in found.problems if not problem.credit_note_code]
    assert len(subjects) == len(set(subjects))


@given(facts_of_any_kind, moments, st.floats(0, 1))
def test_nothing_changes_before_the_next_due_moment_and_something_does_then(
    facts: ReturnFacts, now: datetime, share: float
) -> None:
    found = verdict(facts, now)
    end = found.next_due_at or now + timedelta(days=1000)
    between = verdict(facts, min(now + (end - now) * share, end - A_TICK)) if end > now else found
    assert (between.status, between.problems) == (found.status, found.problems)
    if found.next_due_at:
        after = verdict(facts, found.next_due_at)
        assert found.next_due_at > now
        assert (after.status, after.problems) != (found.status, found.problems)


@given(facts_of_any_kind, moments)
def test_a_missing_note_is_never_without_an_owner_or_a_reason_to_wait(facts: ReturnFacts, now: datetime) -> None:
    found = verdict(facts, now)
    if found.status == "credit_note_missing":
        assert found.problems or facts.covering_note_code


@pytest.mark.parametrize(
    ("facts", "now", "due"),
    [
        (some_facts(), SOON, REFUNDED + timedelta(days=2)),
        (some_facts(lines=UNINSPECTED), SOON, DELIVERED + timedelta(days=2)),
        (some_facts(OPEN), SOON, datetime(2026, 3, 24, tzinfo=UTC) - A_TICK),
        (some_facts(postings=(a_posting(),)), SOON, SOON + timedelta(hours=24)),
    ],
)
def test_next_due_at_is_the_first_moment_after_the_limit(facts: ReturnFacts, now: datetime, due: datetime) -> None:
    assert verdict(facts, now).next_due_at == due + A_TICK
    assert verdict(facts, due).next_due_at == due + A_TICK


def test_nothing_is_due_when_time_changes_nothing() -> None:
    assert verdict(some_facts(notes=(attributed(),)), SOON).next_due_at is None
    assert verdict(some_facts(), LATE).next_due_at is None


def test_limits_are_those_that_are_passed() -> None:
    strict = Limits(credit_note_days=0)
    assert judge(some_facts(), strict, SOON).status == "credit_note_missing"


UNISSUED: dict[str, Any] = {"issued_on": None, "stage_id": None, "created_on": date(2026, 3, 11)}


def london(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "now", "kinds"),
    [
        (attributed(**UNISSUED), london(14, 23), []),
        (attributed(**UNISSUED), london(15, 0), ["credit_note_not_issued"]),
        (attributed(**{**UNISSUED, "created_on": None}), LATE, []),
        (attributed(**{**UNISSUED, "stage_id": 70}), LATE, []),
        (attributed(unallocated_pence=5000), london(18, 23), []),
        (attributed(unallocated_pence=5000), london(19, 0), ["credit_note_unallocated"]),
        (attributed(unallocated_pence=4999), LATE, []),
        (attributed(unallocated_pence=None), LATE, []),
        (attributed(**UNISSUED, unallocated_pence=5000), LATE, ["credit_note_not_issued"]),
        (NoteFacts(a_note()), SOON, ["credit_note_orphan"]),
        (NoteFacts(a_note(), seen_from=date(2026, 3, 11)), SOON, ["credit_note_orphan"]),
        (NoteFacts(a_note(), seen_from=date(2026, 3, 12)), SOON, []),
        (NoteFacts(a_note(created_on=None), seen_from=date(2026, 3, 12)), SOON, ["credit_note_orphan"]),
        (NoteFacts(a_note(), unallocated_pence=9999), LATE, ["credit_note_orphan"]),
    ],
)
def test_credit_note_kinds(facts: NoteFacts, now: datetime, kinds: list[str]) -> None:
    found = judge_note(facts, LIMITS, now)
    assert [problem.kind for problem in found.problems] == kinds
    assert all(problem.subject == problem.credit_note_code == "CN1" for problem in found.problems)


def test_the_day_after_the_limit_begins_at_midnight_in_london() -> None:
    summer = attributed(**{**UNISSUED, "created_on": date(2026, 3, 28)})
    assert judge_note(summer, LIMITS, london(28)).next_due_at == datetime(2026, 3, 31, 23, tzinfo=UTC)


def test_a_return_tells_the_trouble_of_its_notes_and_waits_for_their_limits() -> None:
    facts = some_facts(notes=(attributed(unallocated_pence=5000),))
    assert verdict(facts).next_due_at == london(19, 0)
    (problem,) = verdict(facts, LATE).problems
    assert (problem.kind, problem.return_id, problem.rma) == ("credit_note_unallocated", "R1", "RMA1001")
    assert "Do not refund again" in problem.message
    assert "£50.00" in problem.message


def test_an_orphan_names_its_rivals_or_its_reference() -> None:
    (rivals,) = judge_note(NoteFacts(a_note(), rival_rmas=("RMA1", "RMA2")), LIMITS, SOON).problems
    assert "RMA1, RMA2" in rivals.message
    (lonely,) = judge_note(NoteFacts(a_note(associated_ref="")), LIMITS, SOON).problems
    assert "(none)" in lonely.message
    assert lonely.money_at_risk_pence == 5000


def test_an_unreadable_row_is_named_by_its_rma_or_its_hash() -> None:
    by_hash = judge_unreadable("3f2a", "no return_id")
    assert (by_hash.kind, by_hash.subject, by_hash.rma) == ("record_unreadable", "3f2a", "")
    assert judge_unreadable("RMA1001", "date", "R1").rma == "RMA1001"


def test_a_missing_note_says_why_its_draft_is_held() -> None:
    (problem,) = verdict(some_facts(holds=("awaiting_release",)), LATE).problems
    assert problem.kind == "credit_note_missing"
    told = "Refund of £50.00 and no Credit Note; held: awaiting release"
    assert problem.message == f"{told}; its last day was 2026-03-23: the 14 days from the refund are over"
