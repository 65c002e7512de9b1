"""A return paid in several parts stands in each month with that month's money, and in one row."""

from __future__ import annotations

import csv
import json
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets_tests.audit.files import Shop, row_of

SPAN = Span(date(2026, 4, 30))
FIRST, SECOND = ("50.00", "2026-03-30T12:00:00Z"), ("70.00", "2026-04-04T12:00:00Z")


def a_shop(*payments: tuple[str, str], gateway: str = "shopify_payments") -> Shop:
    """A return of £120.00 paid in these parts."""
    shop = Shop(refunds=[])
    shop.sold(1, price="120.00")
    shop.returned(1, cost="120.00")
    for amount, moment in payments:
        shop.paid(1, amount, refunded_at=moment, gateway=gateway)
    return shop


def months_of(shop: Shop, folder: Path) -> list[tuple[str, int, int, int, int]]:
    """Month, refunded, credited, and what of it is open in pence and in rows."""
    (totals,) = shop.audited(folder, SPAN).summary.totals
    found = [
        (key, one.refunded_pence, one.credited_pence, one.open.pence, one.open.count)
        for key, one in totals.by_month.items()
    ]
    assert sum(one[1] for one in found) == totals.refunded_pence
    assert sum(one[2] for one in found) == totals.credited_pence
    assert (sum(one[3] for one in found), sum(one[4] for one in found)) == (totals.open.pence, totals.open.count)
    return found


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([("120.00", "2026-04-06")], [("2026-03", 5000, 5000, 0, 0), ("2026-04", 7000, 7000, 0, 0)]),
        ([("120.00", "2026-03-30")], [("2026-03", 5000, 12000, 0, 0), ("2026-04", 7000, 0, 0, 0)]),
        ([("110.00", "2026-04-06")], [("2026-03", 5000, 4000, 1000, 0), ("2026-04", 7000, 7000, 0, 1)]),
        ([], [("2026-03", 5000, 0, 5000, 0), ("2026-04", 7000, 0, 7000, 1)]),
    ],
)
def test_u2_each_month_has_its_part(tmp_path: Path, notes: list[tuple[str, str]], expected: list[Any]) -> None:
    shop = a_shop(FIRST, SECOND)
    for gross, day in notes:
        shop.credited("CN1", 1, gross=gross, net="100.00", created_on=day)
    assert months_of(shop, tmp_path) == expected


@pytest.mark.parametrize("order", list(permutations([("20.00", FIRST[1]), ("30.00", FIRST[1]), SECOND])))
def test_the_order_of_payments_does_not_matter(tmp_path: Path, order: tuple[tuple[str, str], ...]) -> None:
    assert [one[:2] for one in months_of(a_shop(*order), tmp_path)] == [("2026-03", 5000), ("2026-04", 7000)]


@pytest.mark.parametrize(
    "payments",
    [
        [("50.00", "2026-04-01T12:00:00Z"), SECOND],
        [("50.00", "2026-03-31T23:30:00Z"), SECOND],
        [("50.00", ""), SECOND],
    ],
)
def test_one_month_or_a_payment_without_a_day_leaves_the_row_whole(
    tmp_path: Path, payments: list[tuple[str, str]]
) -> None:
    """FINANCE_RULES U-18: 31 March 23:30 UTC is 1 April in London."""
    assert [one[:2] for one in months_of(a_shop(*payments), tmp_path)] == [("2026-04", 12000)]


def test_gift_cards_are_no_payments_of_money(tmp_path: Path) -> None:
    shop = a_shop(FIRST)
    shop.paid(1, "70.00", refunded_at=SECOND[1], gateway="gift_card")
    assert [one[1] for one in months_of(shop, tmp_path)] == [5000]


def test_the_csv_keeps_one_row_and_its_period_and_the_summary_has_both_months(tmp_path: Path) -> None:
    shop = a_shop(FIRST, SECOND)
    shop.credited("CN1", 1, gross="120.00", net="100.00", created_on="2026-04-06")
    assert row_of(shop.audited(tmp_path, SPAN), "RMA1").period == "2026-04"
    run.audit(shop.write(tmp_path / "in"), SPAN, tmp_path / "out")
    with (tmp_path / "out" / "reconciliation.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["rma"], row["refund_pence"], row["period"]) for row in csv.DictReader(file)]
    assert rows == [("RMA1", "12000", "2026-04")]
    months = json.loads((tmp_path / "out" / "summary.json").read_text())["currencies"]["GBP"]["months"]
    assert {key: one["refunded_pence"] for key, one in months.items()} == {"2026-03": 5000, "2026-04": 7000}
    page = (tmp_path / "out" / "report.html").read_text()
    assert '<td data-l="Month">2026-03</td>' in page
    assert "£50.00" in page
