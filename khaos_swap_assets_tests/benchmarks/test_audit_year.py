"""The year that the audit is measured on: what the conversion writes is good input and adds up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks import audit_year, auditing
from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span


@pytest.fixture
def trade() -> pd.DataFrame:
    """Forty orders of one line each, and a credit of every second of them; odd rows that are no trade."""
    rows: list[Any] = []
    for number in range(40):
        day = pd.Timestamp("2010-03-01 10:00") + pd.Timedelta(days=number)
        rows.append((f"49{number:04}", "85123A ", 3, day, 2.55, 13000 + number))
        if number % 2:
            rows.append((f"C49{number:04}", "85123A ", -2, day + pd.Timedelta(days=9), 2.55, 13000 + number))
    rows += [
        ("499999", "X", 1, pd.Timestamp("2010-04-01"), 0.0, None),
        ("C5", "", -1, pd.Timestamp("2010-04-01"), 1, 1),
    ]
    names = ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "CustomerID"]
    return pd.DataFrame(rows, columns=names).astype({"CustomerID": "Int32"})


@pytest.mark.parametrize("size", [1, 2])
def test_the_conversion_is_good_input(tmp_path: Path, trade: pd.DataFrame, size: int) -> None:
    lines = audit_year.convert(trade, tmp_path, size)
    assert lines == size * (40 + 20 + 20) + 1
    done = run.audit(auditing.paths_in(tmp_path), Span(auditing.AS_OF), tmp_path / "out")
    totals = done.summary.totals[0]
    assert (done.summary.returns, done.summary.credit_notes) == (20 * size, 20 * size)
    assert totals.credited_pence == size * 20 * 510
    assert (totals.refunded_pence - totals.credited_pence) % 250 == 0
    assert done.summary.order_ref_format == "KCC{0}"
    assert totals.by_status["matched"].count > 10 * size


def test_the_yardstick_reads_the_same_files(tmp_path: Path, trade: pd.DataFrame) -> None:
    audit_year.convert(trade, tmp_path, 1)
    assert len(auditing.bare_merge(tmp_path)) >= 20


def test_without_the_data_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(audit_year, "DATA", tmp_path / "none.parquet")
    assert "is_met" not in audit_year.measure()


@pytest.mark.long
def test_lines_in_step_and_out_of_it_are_found_as_they_were_made() -> None:
    told = auditing.alone("audit_lines", 800)
    assert told["returns"] == 400
    assert told["statuses"] == {"matched": 392, "value_gap": 4, "credit_note_missing": 4}
