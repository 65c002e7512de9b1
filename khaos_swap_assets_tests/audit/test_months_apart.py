"""Payments and notes of different months, from files: what is told, and what each month shows (U-1, U-2, U-17)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.run import reconcile
from khaos_swap_assets.audit.writing import write
from khaos_swap_assets.domain.money.periods import VatPeriods
from khaos_swap_assets_tests.audit.files import Shop
from khaos_swap_assets_tests.audit.reading import read_inputs

FIGURES = ("refunded_pence", "credited_in_another_month_pence", "credited_for_another_month_pence")


def test_each_month_shows_both_directions_and_every_output_both_dates(tmp_path: Path) -> None:
    """RMA1: paid in January, credited in February. RMA2: paid in February, credited in January. Nothing is set off."""
    shop = Shop()
    for number, paid, made_on in ((1, "2026-01-31T23:50:00Z", "2026-02-01"), (2, "2026-02-02T09:00:00Z", "2026-01-31")):
        shop.sold(number)
        shop.returned(number, date_closed=paid, date_created="2026-01-20T09:00:00Z")
        shop.credited(f"CN{number}", number, created_on=made_on)
        shop.paid(number, "24.99", refunded_at=paid)
    span = Span(date(2026, 2, 28), vat_periods=VatPeriods("quarters-1"))
    result = reconcile(read_inputs(shop.write(tmp_path), skips_bad_rows=False), span)
    assert [(one.kind, one.subject, one.money_at_risk_pence) for one in result.findings] == [
        ("credited_in_another_month", "RMA1", 2499),
        ("credited_in_another_month", "RMA2", 2499),
    ]
    assert "another VAT period (quarters ending in month 1)" in result.findings[0].message
    write(result, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    months = told["currencies"]["GBP"]["months"]
    assert {month: [figures[name] for name in FIGURES] for month, figures in months.items()} == {
        "2026-01": [2499, 2499, 2499],
        "2026-02": [2499, 2499, 2499],
    }
    assert told["vat_periods"] == "quarters ending in month 1"
    rows = (tmp_path / "out" / "reconciliation.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[-3:-1] for row in rows] == [
        ["paid_on", "credited_on"],
        ["2026-01-31", "2026-02-01"],
        ["2026-02-02", "2026-01-31"],
    ]
    assert "VAT periods: quarters ending in month 1." in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
