"""Rows, their sums and the picture of them: every penny that is open stands in exactly one status, age and month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.adapters.files.tables import Table
from khaos_swap_assets.audit.engine import Audited, AuditFinding, Span
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.page import (
    LEFT,
    RIGHT,
    WIDTH,
    WORST,
    all_money,
    main_cause,
    owner_word,
    owners,
    printed,
    shares,
    waterfall,
    worst,
)
from khaos_swap_assets.audit.pairing import Pairing
from khaos_swap_assets.audit.rows import LEG_WORDS, STATUS_WORDS, STEP_WORDS, AuditRow, Rows
from khaos_swap_assets.audit.summary import AGE_NAMES, OwnerTask, Summary, Totals, age_of, summarise, tasks
from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.judging.value_conditions import UNRECONCILED, WORST_FIRST, Status
from khaos_swap_assets.domain.judging.waterfall import LEGS

TODAY = date(2026, 3, 31)
SPAN = Span(TODAY)


def a_row(refund: int = 5000, credited: int = 5000, status: Status = "matched", **changes: Any) -> AuditRow:
    """A row whose whole gap, if any, is in one leg."""
    legs = dict.fromkeys(LEGS, 0) | {changes.pop("leg", "unexplained"): credited - refund}
    base: dict[str, Any] = {
        "rma": "RMA1001",
        "return_id": "R1",
        "order_ref": "LX1",
        "credit_note_codes": ("CN1",),
        "currency": "GBP",
        "day": TODAY,
        "legs": legs,
        "open_pence": abs(credited - refund) if status in UNRECONCILED else 0,
    }
    return AuditRow(**base | changes, refund_pence=refund, credited_pence=credited, status=status)


def summary_of(rows: list[AuditRow], findings: list[AuditFinding] | None = None) -> Summary:
    """The summary of rows alone, without files behind them."""
    returns, codes, orders, notes = (Table[Any](name) for name in ("returns", "codes", "orders", "notes"))
    inputs = Inputs(returns, codes, orders, notes, None)
    pairing = Pairing(inputs)
    done = Audited(rows, [], [], pairing.decided, [])
    return summarise(inputs, pairing, done, findings or [], SPAN, Rows(rows, [], SPAN.holds))


def test_every_status_has_its_words_and_its_place() -> None:
    assert set(WORST_FIRST) == set(get_args(Status)) == set(STATUS_WORDS)
    assert set(WORST_FIRST) - UNRECONCILED == {"in_flight", "decided", "within_tolerance", "matched", "nothing_due"}
    assert set(LEG_WORDS) == set(LEGS)
    assert set(LEGS) < set(STEP_WORDS)


@pytest.mark.parametrize("status", WORST_FIRST)
def test_only_what_somebody_has_to_act_on_is_open(status: Status) -> None:
    one = a_row(5000, 4000, status)
    assert one.gap_pence == -1000
    assert one.open_pence == (1000 if status in UNRECONCILED else 0)
    assert one.is_unreconciled is (status in UNRECONCILED)


@pytest.mark.parametrize(
    ("day", "period"), [(None, ""), (date(2026, 3, 1), "2026-03"), (date(2025, 12, 31), "2025-12")]
)
def test_the_month_of_a_row(day: date | None, period: str) -> None:
    assert a_row(day=day).period == period


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-1, "0-2"),
        (0, "0-2"),
        (2, "0-2"),
        (3, "3-7"),
        (7, "3-7"),
        (8, "8-14"),
        (14, "8-14"),
        (15, "15-30"),
        (30, "15-30"),
        (31, "31+"),
        (4000, "31+"),
    ],
)
def test_ages_at_their_edges(days: int, age: str) -> None:
    assert age_of(a_row(day=TODAY - timedelta(days=days)), SPAN) == age


def test_a_row_without_a_day_has_no_age() -> None:
    assert age_of(a_row(day=None), SPAN) == "unknown"


@st.composite
def some_row(draw: st.DrawFn) -> AuditRow:
    status: Status = draw(st.sampled_from(WORST_FIRST))
    refund, credited = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    if status in ("matched", "in_flight", "credit_note_missing"):
        credited = refund if status == "matched" else 0
    refund = 0 if status == "credit_note_orphan" else refund
    day = draw(st.none() | st.dates(date(2025, 11, 1), TODAY))
    leg, currency = draw(st.sampled_from(LEGS)), draw(st.sampled_from(["GBP", "EUR", "JPY"]))
    return a_row(refund, credited, status, day=day, leg=leg, currency=currency)


@settings(max_examples=60)
@given(st.lists(some_row(), max_size=12), st.randoms(use_true_random=False))
def test_totals_divide_what_is_open_without_a_penny_left(rows: list[AuditRow], random: Any) -> None:
    found = summary_of(rows)
    for totals in found.totals:
        own = [row for row in rows if row.currency == totals.currency]
        pence, count = sum(row.open_pence for row in own), sum(row.is_unreconciled for row in own)
        for parts in (
            totals.open_by_status,
            totals.by_age,
            {key: month.open for key, month in totals.by_month.items()},
        ):
            assert (sum(one.pence for one in parts.values()), sum(one.count for one in parts.values())) == (
                pence,
                count,
            )
        assert (totals.open.pence, totals.open.count) == (pence, count)
        assert totals.refunded_pence + sum(totals.steps.values()) == totals.credited_pence
        assert sum(month.refunded_pence for month in totals.by_month.values()) == totals.refunded_pence
        assert sum(tally.count for tally in totals.by_status.values()) == len(own)
        assert list(totals.by_age) == list(AGE_NAMES)
    random.shuffle(rows)
    assert summary_of(rows) == found


def test_the_currency_of_the_most_rows_comes_first() -> None:
    rows = [a_row(currency="JPY"), a_row(currency="EUR"), a_row(currency="USD"), a_row(currency="USD")]
    assert [totals.currency for totals in summary_of(rows).totals] == ["USD", "EUR", "JPY"]


def test_nothing_to_reconcile_has_no_totals() -> None:
    found = summary_of([])
    assert (found.totals, found.tasks, found.rejected, found.is_money_seen) == ((), (), 0, False)


def finding(kind: str, pence: int = 0, currency: str = "GBP") -> AuditFinding:
    return AuditFinding(kind, "RMA1001", "message", money_at_risk_pence=pence, currency=currency)


def test_tasks_keep_currencies_apart_and_the_most_money_first() -> None:
    some = [
        finding("value_gap", 100),
        finding("value_gap", 250, "EUR"),
        finding("value_gap", 300),
        finding("vat_differs", 500),
        finding("credit_note_missing", 0, ""),
        finding("credit_note_missing", 0, ""),
        finding("credit_note_duplicate", 0, ""),
    ]
    found = tasks(some)
    assert [(task.kind, task.count, dict(task.pence)) for task in found] == [
        ("vat_differs", 1, {"GBP": 500}),
        ("value_gap", 3, {"EUR": 250, "GBP": 400}),
        ("credit_note_missing", 2, {}),
        ("credit_note_duplicate", 1, {}),
    ]
    assert all(task.owner == KINDS[task.kind].owner and task.action for task in found)


def task(owner: str, count: int, pence: Mapping[str, int]) -> OwnerTask:
    return OwnerTask("value_gap", owner, "", "", count, pence)


def test_each_owner_has_all_of_its_work() -> None:
    some = [task("cx", 2, {"GBP": 5}), task("finance", 1, {"GBP": 7}), task("finance", 3, {"EUR": 2, "GBP": 1})]
    assert [(owner, count, dict(pence)) for owner, count, pence in owners(some)] == [
        ("finance", 4, {"GBP": 8, "EUR": 2}),
        ("cx", 2, {"GBP": 5}),
    ]
    assert owners([]) == []


def test_the_worst_rows_are_open_ones_of_the_currency() -> None:
    rows = [
        a_row(5000, 4000, "value_gap", rma="small"),
        a_row(5000, 0, "credit_note_missing", rma="large"),
        a_row(5000, 0, "in_flight", rma="waiting"),
        a_row(5000, 5000, "ambiguous", rma="no money"),
        a_row(9000, 0, "credit_note_missing", rma="other", currency="EUR"),
    ]
    assert [row.rma for row in worst(rows, "GBP")] == ["large", "small"]
    assert len(worst(rows * WORST, "GBP")) == WORST


@pytest.mark.parametrize(
    ("refund", "credited", "leg", "cause"),
    [
        (5000, 4705, "fee", "Return fee"),
        (5000, 5395, "delivery", "Delivery"),
        (5000, 5000, "fee", ""),
        (5000, 0, "goods", ""),
        (0, 5000, "goods", ""),
    ],
)
def test_the_main_cause_of_a_gap(refund: int, credited: int, leg: str, cause: str) -> None:
    assert main_cause(a_row(refund, credited, "value_gap", leg=leg)) == cause


def totals_of(*rows: AuditRow) -> Totals:
    (found,) = summary_of(list(rows)).totals
    return found


def test_shares_are_of_what_is_open_only() -> None:
    found = totals_of(
        a_row(), a_row(9, 8, "value_gap"), a_row(5000, 0, "credit_note_missing"), a_row(7, 0, "in_flight")
    )
    assert [(status, tally.pence) for status, tally in shares(found)] == [
        ("credit_note_missing", 5000),
        ("value_gap", 1),
    ]


@pytest.mark.parametrize(
    ("pence", "currency", "text"),
    [(123450, "GBP", "£1,234.50"), (-5, "EUR", "−€0.05"), (-1200, "JPY", "−1,200 JPY"), (0, "GBP", "£0.00")],
)
def test_money_on_the_page(pence: int, currency: str, text: str) -> None:
    assert printed(pence, currency) == text


def test_the_picture_says_each_step_and_the_whole() -> None:
    found = waterfall(totals_of(a_row(5000, 4705, "value_gap", leg="fee"), a_row(0, 1000, "credit_note_orphan")))
    assert [(bar.label, bar.value, bar.tone) for bar in found.bars] == [
        ("Credit Note without a return", "+£10.00", "more"),
        ("Return fee", "−£2.95", "less"),
        ("Gap: credited less refunded", "+£7.05", "whole"),
    ]


def test_a_picture_without_a_gap_is_one_row_at_zero() -> None:
    found = waterfall(totals_of(a_row()))
    (bar,) = found.bars
    assert (bar.value, bar.x, bar.width) == ("£0.00", found.zero_x, 2)


@settings(max_examples=60)
@given(st.lists(some_row().filter(lambda row: row.currency == "GBP"), min_size=1, max_size=8))
def test_no_bar_leaves_the_picture(rows: list[AuditRow]) -> None:
    found = waterfall(totals_of(*rows))
    for bar in found.bars:
        assert LEFT <= bar.x <= WIDTH - RIGHT
        assert bar.width >= 2
        assert bar.x + bar.width <= WIDTH - RIGHT + 2
        assert 0 <= bar.y < found.height
    assert LEFT <= found.zero_x <= WIDTH - RIGHT
    assert len({bar.y for bar in found.bars}) == len(found.bars)


@pytest.mark.parametrize(
    ("pence", "told"),
    [
        ({"EUR": 75170, "GBP": 122515}, "£1,225.15, €751.70"),
        ({"EUR": 5, "GBP": 0}, "€0.05"),
        ({"GBP": -5}, "\N{MINUS SIGN}£0.05"),
        ({}, ""),
    ],
)
def test_money_of_several_currencies_stands_in_the_order_of_the_page(pence: dict[str, int], told: str) -> None:
    assert all_money(pence, ["GBP", "EUR"]) == told


def test_an_owner_is_written_as_people_write_it() -> None:
    assert [owner_word(name) for name in ("finance", "cx")] == ["finance", "CX"]
