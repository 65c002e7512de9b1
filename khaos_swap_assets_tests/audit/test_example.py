"""The example shows every kind of trouble that files can show, and can be audited as it is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

from khaos_swap_assets.audit import run
from khaos_swap_assets.audit.engine import Span
from khaos_swap_assets.audit.example import AS_OF, write_example
from khaos_swap_assets.audit.inputs import Paths
from khaos_swap_assets.audit.writing import Result
from khaos_swap_assets.domain.exceptions.catalogue import KINDS, kinds_about
from khaos_swap_assets.domain.records.decisions import SIGNED, DecisionKind
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


NO_FILE = {
    **dict.fromkeys(("posting_in_doubt", "posting_refused", "pack_unclear"), "a document of ours"),
    **dict.fromkeys(("credit_note_not_issued", "credit_note_unallocated"), "the stage of a note"),
    **dict.fromkeys(
        (
            "inspection_overdue",
            "inspection_disputed",
            "quality_not_told",
            "kept_unclear",
            "kept_without_reason",
            "stock_adjustment_due",
        ),
        "the warehouse bench",
    ),
    **dict.fromkeys(("damaged_in_saleable", "stock_not_returned"), "levels of stock"),
    **dict.fromkeys(("fault_in_return", "record_refused", "source_refused"), "the work itself"),
    **dict.fromkeys(("nobody_watches", "source_not_read"), "the work itself"),
    **dict.fromkeys(("cancelled_order_open", "cancelled_order_sent"), "the shop's word while the warehouse works"),
    **dict.fromkeys(kinds_about("payout"), "payouts of a payment provider"),
    "storefront_restocked": "the shop's own stock",
    "code_will_fail": "orders to come, which an audit of the past has not",
    "record_unreadable": "a row that cannot be read, which an audit refuses",
}
"""The kinds that no sound file shows, each with what it is about."""


def audited(folder: Path, look: int = 0) -> Result:
    options = write_example(folder)[look]
    names = ("returns", "stock-codes", "sales-orders", "credit-notes", *(["refunds"] if look else []))
    paths = Paths(*(Path(options[name]) for name in names))
    inputs = read_inputs(paths, skips_bad_rows=False)
    assert not any(table.ignored_columns for table in inputs.tables.values())
    return run.reconcile(inputs, Span(date.fromisoformat(AS_OF)))


def test_every_kind_that_files_can_show_is_shown(tmp_path: Path) -> None:
    shown = {one.kind for look in (0, 1) for one in audited(tmp_path, look).findings}
    assert shown == set(KINDS) - set(NO_FILE)


def test_every_kind_of_decision_on_what_files_hold_applies(tmp_path: Path) -> None:
    options = write_example(tmp_path)[1]
    names = ("returns", "stock-codes", "sales-orders", "credit-notes", "refunds")
    paths = Paths(*(Path(options[name]) for name in names), decisions=(Path(options["decisions"]),))
    rulings = run.reconcile(read_inputs(paths, skips_bad_rows=False), Span(date.fromisoformat(AS_OF))).summary.rulings
    assert {one.decision.decision: one.state for one in rulings} == dict.fromkeys(
        set(get_args(DecisionKind)) - {SIGNED}, "applied"
    )


def test_each_row_shows_what_it_is_to_show(tmp_path: Path) -> None:
    rows = audited(tmp_path / "example").rows
    found = {row.rma or row.credit_note_codes[0]: row.status for row in rows}
    assert {name: found[name] for name in STATUSES} == STATUSES
    assert set(found.values()) == set(STATUSES.values()) | {"nothing_due"}


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
