"""The example shows every kind of trouble once, and can be audited as it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.example import AS_OF, write_example
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets_tests.audit.reading import read_inputs

STATUSES = {
    "RMA1": "matched",
    "RMA2": "value_gap",
    "RMA3": "ambiguous",
    "RMA4": "in_flight",
    "RMA5": "value_gap",
    "RMA6": "matched",
    "RMA7": "matched",
    "RMA8": "matched",
    "RMA9": "in_flight",
    "RMA10": "duplicate",
    "RMA11": "ambiguous",
    "RMA12": "credit_note_missing",
    "RMA13": "in_flight",
    "RMA14": "value_gap",
    "CN112": "ambiguous",
    "CN113": "credit_note_orphan",
}


def audited(folder: Path) -> Result:
    options = write_example(folder)
    names = ("returns", "stock-codes", "sales-orders", "credit-notes")
    inputs = read_inputs(Paths(*(Path(options[name]) for name in names)), skips_bad_rows=False)
    assert not any(table.ignored_columns for table in inputs.tables.values())
    return run.reconcile(inputs, Span(date.fromisoformat(AS_OF)))


def test_each_row_shows_what_it_is_to_show(tmp_path: Path) -> None:
    rows = audited(tmp_path / "example").rows
    assert {row.rma or row.credit_note_codes[0]: row.status for row in rows} == STATUSES


def test_what_was_closed_without_being_paid_is_told(tmp_path: Path) -> None:
    found = {(one.kind, one.subject) for one in audited(tmp_path).findings if one.subject in ("RMA13", "RMA14")}
    assert found == {
        ("closed_without_refund", "RMA13"),
        ("closed_without_refund", "RMA14"),
        ("credited_without_refund", "RMA14"),
    }


def test_the_gaps_have_their_causes(tmp_path: Path) -> None:
    legs = {row.rma: {leg: pence for leg, pence in row.legs.items() if pence} for row in audited(tmp_path).rows}
    assert legs["RMA2"] == {"tax": -1483}
    assert legs["RMA5"] == {"delivery": 395, "fee": 295}
    assert legs["RMA8"] == {"tender": 1500}
