"""Figures that follow from the facts of one return: what is due, what is apart, and who is waiting for whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.judging.document_facts import LineFacts, NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.policy.settlement import settle
from khaos_swap_assets_tests.domain.cases import REFUNDED, a_line, a_posting, a_return, attributed, some_facts
from khaos_swap_assets_tests.domain.records import line, returned
from khaos_swap_assets_tests.domain.test_policy import decided

counts = st.integers(0, 20)


@settings(max_examples=50)
@given(counts, counts, counts, counts, counts)
def test_units_without_a_disposition_are_never_negative(
    quantity: int, sellable: int, damaged: int, missing: int, strange: int
) -> None:
    one = a_line(
        quantity=quantity,
        sellable_quantity=sellable,
        damaged_quantity=damaged,
        missing_quantity=missing,
        strange_quantity=strange,
    )
    assert one.uninspected_quantity == max(quantity - sellable - damaged - missing - strange, 0)
    assert one.unsettled_quantity == one.uninspected_quantity + strange


@settings(max_examples=50)
@given(st.integers(1, 50), st.integers(0, 10**7))
def test_units_of_a_line_are_never_worth_more_than_the_line(quantity: int, cost: int) -> None:
    one = a_line(quantity=quantity, cost_pence=cost)
    assert one.value_of(0) == 0
    assert one.value_of(quantity) == cost
    assert sum(one.value_of(1) for _ in range(quantity)) <= cost


def test_a_line_of_zero_units_is_worth_nothing() -> None:
    assert a_line(quantity=0).value_of(1) == 0


@pytest.mark.parametrize(
    ("changes", "refund"),
    [
        ({}, 5000),
        ({"status": "Open"}, 0),
        ({"processed_at": None, "closed_at": None}, 0),
        ({"processed_at": None}, 0),
        ({"processed_at": None, "is_closing_proof": True}, 5000),
        ({"refund_pence": 0}, 0),
    ],
)
def test_nothing_is_due_until_swap_confirms_the_refund(changes: dict[str, Any], refund: int) -> None:
    facts = some_facts(a_return(**changes))
    assert (facts.refund_pence, facts.due_pence) == (refund, refund)


@pytest.mark.parametrize(
    ("notes", "gap", "issued"),
    [
        ((), -5000, 0),
        ((attributed(5000),), 0, 5000),
        ((attributed(4705),), -295, 4705),
        ((attributed(5000), attributed(5000, "CN2")), 5000, 10000),
        ((attributed(5000, issued_on=None, stage_id=10),), 0, 0),
    ],
)
def test_the_gap_is_credited_less_refunded(notes: tuple[NoteFacts, ...], gap: int, issued: int) -> None:
    facts = some_facts(notes=notes)
    assert (facts.gap_pence, facts.apart_pence, facts.issued_pence) == (gap, gap, issued)


@pytest.mark.parametrize(
    ("credited", "settled", "apart"),
    [(4705, 0, -295), (4705, -295, 0), (4705, -300, 5), (5000, -295, 295), (5100, 0, 100)],
)
def test_only_the_part_without_a_reason_is_apart(credited: int, settled: int, apart: int) -> None:
    assert some_facts(notes=(attributed(credited),), settled_pence=settled).apart_pence == apart


@pytest.mark.parametrize(
    ("notes", "tolerance", "covered"),
    [
        ((), "", False),
        ((attributed(5000),), "", True),
        ((attributed(4999),), "", False),
        ((attributed(4999),), "accepted", True),
        ((attributed(4999),), "systematic", False),
    ],
)
def test_covered_is_to_the_penny_unless_finance_lets_it_be(
    notes: tuple[NoteFacts, ...], tolerance: Any, covered: bool
) -> None:
    facts = some_facts(notes=notes, tolerance=tolerance)
    assert (facts.is_covered, facts.is_worth_posting) == (covered, not covered)


def test_a_note_for_a_return_without_refund_covers_nothing() -> None:
    assert not some_facts(a_return(refund_pence=0), lines=(), notes=(attributed(0),)).is_covered


STATES = [
    ("planned", 5000, 5000),
    ("in_doubt", 5000, 5000),
    ("confirmed", 0, 5000),
    ("refused", 0, 0),
    ("withdrawn", 0, 0),
]


@pytest.mark.parametrize(("state", "undone", "posted"), STATES)
def test_only_live_documents_count(state: str, undone: int, posted: int) -> None:
    facts = some_facts(postings=(a_posting(state),))
    assert (facts.undone_pence, facts.posted_pence) == (undone, posted)


def posted(*values: int, refund: int = 5000, fresh: int | None = None, **changes: Any) -> ReturnFacts:
    """A return whose first line is in a document, and whose second one, of ``fresh`` pence, is not."""
    lines = [a_line(is_posted=True)]
    lines += [a_line(product_id="P2", cost_pence=fresh)] if fresh is not None else []
    postings = tuple(a_posting("confirmed", reference=f"D{value}", value_pence=value) for value in values)
    return some_facts(a_return(refund_pence=refund), lines=tuple(lines), postings=postings, **changes)


@pytest.mark.parametrize(
    ("facts", "growth", "explained"),
    [
        (some_facts(), 0, True),
        (posted(5000), 0, True),
        (posted(5000, refund=7000), 2000, False),
        (posted(5000, refund=7000, fresh=2000), 2000, True),
        (posted(5000, refund=7000, fresh=1999), 2000, False),
        (posted(5000, refund=4000), -1000, False),
        (posted(5000, 2000, refund=7000), 0, True),
    ],
    ids=["never posted", "as posted", "grown", "grown by a row", "off by a penny", "shrunk", "posted twice"],
)
def test_a_later_refund_is_explained_by_its_own_rows_or_not_at_all(
    facts: ReturnFacts, growth: int, explained: bool
) -> None:
    assert (facts.growth_pence, facts.is_growth_explained) == (growth, explained)


def test_value_beyond_the_refund_is_no_growth() -> None:
    facts = some_facts(postings=(a_posting("confirmed", value_pence=5295, beyond_pence=295),))
    assert (facts.growth_pence, facts.due_pence) == (0, 5295)


def test_what_a_document_that_ended_held_beyond_the_refund_is_not_due() -> None:
    facts = some_facts(postings=(a_posting("refused", value_pence=5295, beyond_pence=295),))
    assert facts.due_pence == 5000


@pytest.mark.parametrize(
    ("values", "notes", "expected"),
    [
        ((), (), False),
        ((5000,), (attributed(5000),), True),
        ((5000,), (attributed(4999),), False),
        ((5000,), (), False),
        ((3000, 2000), (attributed(5000),), True),
    ],
)
def test_credited_as_posted(values: tuple[int, ...], notes: tuple[NoteFacts, ...], expected: bool) -> None:
    assert posted(*values, notes=notes).is_credited_as_posted is expected


@pytest.mark.parametrize(
    ("changes", "waiting"),
    [
        ({}, False),
        ({"status": "Open"}, True),
        ({"status": "Needs Review"}, True),
        ({"status": "A new word"}, True),
        ({"status": "Expired"}, False),
        ({"processed_at": None, "closed_at": None}, False),
    ],
)
def test_who_is_waiting_for_swap(changes: dict[str, Any], waiting: bool) -> None:
    assert some_facts(a_return(**changes)).is_waiting_for_swap is waiting


@pytest.mark.parametrize(
    ("refunded_at", "before"),
    [
        (datetime(2026, 6, 30, 22, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), False),
        (None, False),
    ],
)
def test_the_first_day_of_posting_begins_at_midnight_in_london(refunded_at: datetime | None, before: bool) -> None:
    return_ = a_return(processed_at=refunded_at, closed_at=refunded_at)
    facts = some_facts(return_, post_from=date(2026, 7, 1))
    assert facts.is_before_start is before
    assert facts.may_be_posted_later is not before


def test_an_audit_never_posts() -> None:
    assert not some_facts(mode="audit").may_be_posted_later
    assert some_facts(mode="assist").may_be_posted_later


@pytest.mark.parametrize(
    ("line_", "policy", "held"),
    [
        (a_line(), "disposition", False),
        (a_line(sellable_quantity=1), "disposition", True),
        (a_line(sellable_quantity=1), "none", False),
        (a_line(sellable_quantity=1, damaged_quantity=1), "disposition", False),
        (a_line(strange_quantity=1, sellable_quantity=1), "disposition", True),
        (a_line(outcome="Exchange", sellable_quantity=0), "disposition", False),
    ],
)
def test_a_unit_without_disposition_holds_the_draft_where_the_policy_asks_for_one(
    line_: LineFacts, policy: str, held: bool
) -> None:
    assert some_facts(lines=(line_,), legs_policy=policy).is_held_for_inspection is held


def test_store_credit_is_worth_posting_once_finance_decides_it() -> None:
    goods = line("P1", 4000, outcome="Store Credit")
    return_ = returned(goods, store_credit_pence=4000)
    facts = (a_line(product_id="P1", cost_pence=4000, outcome="Store Credit"),)
    settled = settle(return_, decided(store_credit="mpv_reduce_now"))
    plain, credited = ReturnFacts(return_, facts), ReturnFacts(return_, facts, settled=settled)
    assert (plain.is_confirmed, plain.due_pence, plain.refund_lines) == (False, 0, ())
    assert (credited.is_confirmed, credited.due_pence, credited.refund_lines) == (True, 4000, facts)
    still_open = ReturnFacts(replace(return_, status="Open"), facts, settled=settled)
    assert (still_open.is_confirmed, still_open.due_pence) == (False, 0)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 10**6), max_size=4), st.integers(1, 10**6), st.integers(-500, 500))
def test_credited_less_due_is_what_is_apart(values: list[int], refund: int, settled: int) -> None:
    notes = tuple(attributed(value, f"CN{number}") for number, value in enumerate(values))
    facts = some_facts(a_return(refund_pence=refund), notes=notes, settled_pence=settled)
    assert facts.credited_pence == sum(values)
    assert facts.refund_pence + facts.gap_pence == facts.credited_pence
    assert facts.apart_pence in (0, facts.gap_pence, facts.gap_pence - settled)
    assert facts.is_covered == (bool(values) and facts.apart_pence == 0)


def test_the_day_of_a_refund_is_that_of_processing_and_what_swap_did_first_is_when_it_was_done() -> None:
    later = REFUNDED.replace(day=20)
    assert a_return(closed_at=later).refunded_at == REFUNDED
    assert a_return(processed_at=later).refunded_at == later
    assert a_return(closed_at=later).done_at == a_return(processed_at=later).done_at == REFUNDED
