"""A month's figures: exact, split by currency, the worst trouble first."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.reporting.month_end import CAUSES, EXCEPTION_COLUMNS, MonthEnd, compute, worst_of

RETURN_COLUMNS = (
    "return_id",
    "rma",
    "currency",
    "refund_pence",
    "credited_pence",
    "issued_pence",
    "gap_pence",
    *(f"gap_{cause}_pence" for cause in CAUSES),
    "refund_vat_pence",
    "vat_gap_pence",
    "status",
)


def a_row(return_id: str, refund: int, credited: int, **changes: Any) -> dict[str, Any]:
    """A reconciled return whose gap is all goods, its credit issued."""
    base = {
        **{f"gap_{cause}_pence": 0 for cause in CAUSES},
        "return_id": return_id,
        "rma": f"RMA-{return_id}",
        "currency": "GBP",
        "refund_pence": refund,
        "credited_pence": credited,
        "issued_pence": credited,
        "gap_pence": credited - refund,
        "gap_goods_pence": credited - refund,
        "refund_vat_pence": None,
        "vat_gap_pence": None,
        "status": "matched" if refund == credited else "value_gap",
    }
    return {**base, **changes}


def an_exception(kind: str, return_id: str, pence: int, **changes: Any) -> dict[str, Any]:
    """An open exception of that return."""
    base = {
        "kind": kind,
        "subject": f"RMA-{return_id}",
        "owner": KINDS[kind].owner,
        "return_id": return_id,
        "rma": f"RMA-{return_id}",
        "message": "it is wrong",
        "money_at_risk_pence": pence,
        "currency": "GBP",
    }
    return {**base, **changes}


def months(returns: list[dict[str, Any]], exceptions: list[dict[str, Any]] | None = None) -> tuple[MonthEnd, ...]:
    """The month of these rows."""
    found = pd.DataFrame(returns, columns=list(RETURN_COLUMNS))
    return compute("2026-03", found, pd.DataFrame(exceptions or [], columns=list(EXCEPTION_COLUMNS)))


RETURNS = [
    a_row("R1", 5000, 5000),
    a_row("R2", 5000, 4900),
    a_row("R3", 700, 0, status="in_flight", gap_goods_pence=0, gap_fee_pence=-700),
    a_row("R4", 300, 300, issued_pence=0),
]


def test_the_figures_of_a_month() -> None:
    (month,) = months(RETURNS, [an_exception("value_gap", "R2", 100), an_exception("value_gap", "R9", 50)])
    assert (month.period, month.currency, month.returns) == ("2026-03", "GBP", 4)
    assert (month.refund_pence, month.credited_pence, month.issued_pence) == (11000, 10200, 9900)
    assert (month.gap_pence, month.in_flight_pence) == (-800, -700)
    assert (month.not_issued_pence, month.unreconciled_pence) == (300, -1100)
    assert month.statuses == {"in_flight": 1, "matched": 2, "value_gap": 1}
    assert month.causes == {cause: {"goods": -100, "fee": -700}.get(cause, 0) for cause in CAUSES}
    assert (month.open_exceptions, month.money_at_risk_pence) == (2, 150)


def test_net_and_vat_of_refunds_are_of_those_with_a_known_rate() -> None:
    """FINANCE_RULES U-2's first quarter beside a refund whose rate nobody knows."""
    (month,) = months([a_row("R1", 5000, 5000, refund_vat_pence=833), a_row("R2", 700, 700)])
    figures = (month.refund_net_pence, month.refund_vat_pence, month.refund_without_rate_pence)
    assert figures == (4167, 833, 700)
    assert sum(figures) == month.refund_pence


def test_u21_vat_claimed_too_much_and_too_little_are_kept_apart() -> None:
    gaps = [833, -17, None, 0, 10]
    (month,) = months([a_row(f"R{number}", 5000, 5000, vat_gap_pence=gap) for number, gap in enumerate(gaps)])
    assert (month.vat_over_pence, month.vat_under_pence) == (843, 17)


def test_kinds_come_in_the_order_of_the_catalogue_with_their_owner() -> None:
    rows = [
        an_exception("value_gap", "R2", 1),
        an_exception("sku_unknown", "R1", 2),
        an_exception("value_gap", "R1", 3),
    ]
    (month,) = months(RETURNS, rows)
    assert [(found.kind, found.owner, found.count, found.money_at_risk_pence) for found in month.exceptions] == [
        ("sku_unknown", "data management", 1, 2),
        ("value_gap", "finance", 2, 4),
    ]


def test_the_worst_come_first_with_gap_and_what_to_do_and_are_twenty_at_most() -> None:
    rows = [an_exception("value_gap", f"R{number:02d}", number) for number in range(30)]
    (month,) = months([a_row("R29", 5000, 4971)], rows)
    assert [row.money_at_risk_pence for row in month.worst] == list(range(29, 9, -1))
    assert month.worst[0].gap_pence == -29
    assert month.worst[1].gap_pence == 0
    assert month.worst[0].action == KINDS["value_gap"].action
    assert month.open_exceptions == 30


def test_equals_are_told_in_the_order_of_their_subject() -> None:
    rows = [
        an_exception("value_gap", "R2", 5),
        an_exception("over_return", "R1", 5),
        an_exception("value_gap", "R1", 5),
    ]
    found = worst_of(pd.DataFrame(rows), {})
    assert [(row.subject, row.kind) for row in found] == [
        ("RMA-R1", "over_return"),
        ("RMA-R1", "value_gap"),
        ("RMA-R2", "value_gap"),
    ]


def test_currencies_are_never_added_up() -> None:
    euro = [a_row("E1", 900, 0, currency="EUR", vat_gap_pence=-150)]
    pounds, euros = months(RETURNS + euro, [an_exception("value_gap", "E1", 7, currency="EUR")])
    assert (pounds.currency, pounds.returns, pounds.open_exceptions) == ("GBP", 4, 0)
    assert (euros.currency, euros.returns, euros.gap_pence, euros.open_exceptions) == ("EUR", 1, -900, 1)
    assert (pounds.vat_under_pence, euros.vat_under_pence) == (0, 150)


@pytest.mark.parametrize(("return_id", "currency"), [("E1", "EUR"), ("", "GBP"), ("R1", "GBP"), ("R99", "GBP")])
def test_an_exception_without_currency_is_counted_once(return_id: str, currency: str) -> None:
    euro = [a_row("E1", 900, 900, currency="EUR")]
    found = months(RETURNS + euro, [an_exception("record_unreadable", return_id, 0, currency="")])
    assert {month.currency: month.open_exceptions for month in found if month.open_exceptions} == {currency: 1}


def test_a_currency_with_exceptions_alone_has_its_record() -> None:
    _, euros = months(RETURNS, [an_exception("credit_note_orphan", "", 12, currency="EUR")])
    assert (euros.currency, euros.returns, euros.gap_pence, euros.money_at_risk_pence) == ("EUR", 0, 0, 12)


def test_an_empty_month_has_no_record() -> None:
    assert months([]) == ()


def test_the_figures_are_plain_json() -> None:
    (month,) = months(RETURNS, [an_exception("value_gap", "R2", 100)])
    figures = json.loads(json.dumps(month.figures()))
    assert figures["gap_pence"] == -800
    assert figures["statuses"]["matched"] == 2
    assert figures["worst"][0]["subject"] == "RMA-R2"


rows_ = st.lists(
    st.builds(
        a_row,
        st.uuids().map(str),
        st.integers(0, 10**12),
        st.integers(0, 10**12),
        currency=st.sampled_from(["GBP", "EUR"]),
    ),
    max_size=8,
)


@given(rows_)
@settings(max_examples=25, deadline=None)
def test_causes_and_statuses_add_up(rows: list[dict[str, Any]]) -> None:
    found = months(rows)
    assert sum(month.returns for month in found) == len(rows)
    for month in found:
        assert sum(month.causes.values()) == month.gap_pence == month.credited_pence - month.refund_pence
        assert sum(month.statuses.values()) == month.returns
