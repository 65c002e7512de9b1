"""Whether a finding may be told to Swap's quality control: a table of what waits, ends, is a person's or is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khaos_swap_assets.domain.goods.quality_calls import Finding, QualityCall, State, judge
from khaos_swap_assets_tests.domain.records import REFUNDED_AT, line, returned
from khaos_swap_assets_tests.domain.test_stock import seen

PAID = returned(line("P1"))
OPEN = replace(PAID, status="Open", processed_at=None, closed_at=None)


def finding(condition: str = "Sellable", **changes: Any) -> Finding:
    given = {"return_": PAID, "is_replacing": False, "has_twin": False}
    return Finding(seen(condition), **{**given, **changes})


@pytest.mark.parametrize(
    ("found", "by_itself", "state", "said"),
    [
        (finding(), True, "sent", ""),
        (finding("no value"), True, "sent", ""),
        (finding(return_=OPEN), True, "planned", "pay the refund by itself"),
        (finding(return_=OPEN), False, "sent", ""),
        (finding(return_=None), False, "planned", "not known yet"),
        (finding("Pending"), False, "withdrawn", ""),
        (finding(return_=replace(PAID, status="Cancelled")), False, "withdrawn", ""),
        (finding(return_=returned(line("P2"))), False, "withdrawn", ""),
        (finding("B-grade"), False, "refused", "knows no condition 'B-grade'"),
        (finding(is_replacing=True), False, "refused", "cannot be taken back"),
        (finding(has_twin=True), True, "refused", "another return"),
        (finding(has_twin=True, return_=OPEN), True, "refused", "another return"),
    ],
)
def test_what_becomes_of_a_finding(found: Finding, by_itself: bool, state: State, said: str) -> None:
    told = judge(found, processes_by_itself=by_itself)
    assert told[0] == state
    assert said in told[1]


def test_a_finding_is_of_the_line_of_its_line_item_and_else_of_its_sku() -> None:
    lines = (line("P1", sku="SKU-P1"), line("P2", sku="SKU-P1"))
    two = replace(PAID, lines=lines)
    named = Finding(seen("Sellable", line_item_id="L-P2"), two, is_replacing=False, has_twin=False)
    assert named.line == lines[1]
    assert finding(return_=two).line == lines[0]


def test_a_task_says_what_was_asked_and_that_swaps_word_proves_nothing() -> None:
    call = QualityCall("I1", "RMA1", "unknown", "1 x HAT Sellable", "no answer in time", REFUNDED_AT)
    assert call.subject == "RMA1/I1"
    assert call.task("Approved") == (
        "1 x HAT Sellable, finding I1: no answer came, and Swap may have noted it: no answer in time; "
        "of the whole return Swap says Approved, which proves nothing"
    )
