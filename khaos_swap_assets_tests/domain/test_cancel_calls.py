"""Whether Khaos may be asked to cancel an order, and what a call came to: tables, and the law between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khaos_swap_assets.domain.goods.cancel_calls import (
    ENDED,
    MOST_TRIES,
    CancelCall,
    State,
    after,
    attempt_words,
    hindrance,
    outcome_words,
    read_back,
)
from khaos_swap_assets.domain.goods.cancellations import EDITABLE, OrderProgress, OrderStage, Progress, progress_of

TODAY = date(2026, 7, 3)
OPEN = OrderStage("SO1", False, 10, TODAY)
CALL = CancelCall("id1", "SO1", "R1", 1495, "GBP", "asked", 1, datetime(2026, 7, 3, tzinfo=UTC), "so it said")


@pytest.mark.parametrize(
    ("orders", "begins"),
    [
        ([OPEN], ""),
        ([replace(OPEN, stage_id=None)], ""),
        ([OPEN, replace(OPEN, so_code="SO2", is_cancelled=True)], ""),
        ([replace(OPEN, ordered_on=TODAY - timedelta(days=2))], ""),
        ([replace(OPEN, ordered_on=TODAY - timedelta(days=3))], "it was placed more than 48 hours ago"),
        ([replace(OPEN, ordered_on=None)], "it was placed more than 48 hours ago"),
        ([OPEN, replace(OPEN, so_code="SO2")], "2 Sales Orders of it are open or sent"),
        ([replace(OPEN, sent_on=TODAY)], "a part of it was sent"),
        ([replace(OPEN, stage_id=12)], "it stands at picking"),
        ([replace(OPEN, stage_id=42)], "it stands at stage 42"),
    ],
)
def test_khaos_is_asked_about_one_whole_young_order_that_it_lets_be_changed(
    orders: list[OrderStage], begins: str
) -> None:
    told = hindrance(orders, TODAY)
    assert told.startswith(begins)
    assert bool(told) == bool(begins)


@pytest.mark.parametrize(
    ("progress", "stage_id", "state"),
    [
        ("cancelled", None, "verified"),
        ("not_found", None, "verified"),
        ("waiting", 10, "open"),
        ("waiting", 42, "overtaken"),
        ("picking", 13, "overtaken"),
        ("sent", 70, "overtaken"),
    ],
)
def test_only_the_order_read_back_says_what_a_call_came_to(
    progress: Progress, stage_id: int | None, state: State
) -> None:
    assert read_back(CALL, OrderProgress(progress, ("SO1",), stage_id)).state == state
    assert read_back(replace(CALL, tries=MOST_TRIES), OrderProgress("waiting", ("SO1",), 10)).state == "given_up"


@given(
    st.sampled_from([*ENDED, "open"]), st.sampled_from(["cancelled", "not_found", "waiting", "picking", "sent"]),
    st.sampled_from([None, 10, 12, 70]),
)  # fmt: skip
def test_a_call_that_is_read_back_stays_what_it_came_to(state: State, progress: Progress, stage_id: int | None) -> None:
    call = replace(CALL, state=state)
    assert read_back(call, OrderProgress(progress, (), stage_id)) == call


def test_an_order_that_is_gone_after_its_call_was_cancelled() -> None:
    gone, verified = OrderProgress("not_found"), replace(CALL, state="verified")
    assert after(gone, verified) == OrderProgress("cancelled", ("SO1",))
    assert [after(gone, one) for one in (None, CALL)] == [gone, gone]


@pytest.mark.parametrize("stage_id", [*sorted(EDITABLE), None, 12, 20, 42, 70])
def test_what_may_be_changed_is_what_the_contract_lists(stage_id: int | None) -> None:
    found = progress_of([replace(OPEN, stage_id=stage_id)])
    assert found.is_editable == (stage_id is None or stage_id in EDITABLE)


def test_what_went_out_is_valued_by_khaos_where_it_tells_the_whole() -> None:
    sent = replace(OPEN, stage_id=70, sent_on=TODAY, items_pence=1000)
    other = replace(sent, so_code="SO2", items_pence=250, sent_on=TODAY - timedelta(days=1))
    found = progress_of([sent, other, replace(OPEN, so_code="SO3", is_cancelled=True, items_pence=7)])
    assert (found.out_pence, found.sent_on) == (1250, TODAY - timedelta(days=1))
    assert progress_of([sent, replace(other, items_pence=None)]).out_pence is None
    assert progress_of([replace(OPEN, items_pence=1000)]).out_pence is None


@pytest.mark.parametrize(
    ("call", "hindered", "words"),
    [
        (None, "", ""),
        (None, "too late", "Khaos was not asked to cancel it: too late"),
        (replace(CALL, state="open"), "too late", "Khaos was not asked to cancel it: too late"),
        (CALL, "", "Khaos was asked to cancel it, and it is read again: so it said"),
        (replace(CALL, state="refused"), "", "Khaos refused to cancel it: so it said"),
        (replace(CALL, state="overtaken", said=""), "", "Khaos was asked to cancel it, and it went on all the same"),
        (replace(CALL, state="given_up", tries=3), "", "Khaos was asked 3 times to cancel it, and did not: so it said"),
        (replace(CALL, state="verified"), "", "Khaos had cancelled it, and it is open again"),
    ],
)
def test_the_task_says_what_was_tried(call: CancelCall | None, hindered: str, words: str) -> None:
    assert attempt_words(call, hindered) == words


@pytest.mark.parametrize(
    ("progress", "state", "has_return", "words"),
    [
        ("cancelled", "verified", False, "cancelled in Khaos by Khaos Swap"),
        ("cancelled", "refused", False, "cancelled in Khaos"),
        ("sent", "", False, "sent, no return yet"),
        ("sent", "overtaken", True, "sent, a return is known"),
        ("not_found", "", False, "not known to Khaos"),
        ("picking", "", False, "open: picking"),
    ],
)
def test_how_the_race_ended(progress: Progress, state: str, has_return: bool, words: str) -> None:
    assert outcome_words(OrderProgress(progress, ("SO1",), 12), state, has_return=has_return) == words
