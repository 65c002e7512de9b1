"""Reconciling lines in plain Python, one dictionary at a time: slow, obvious, and independent of the fast one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

ReturnRow = tuple[str, str, int, int]
CreditRow = tuple[str, str, str, int, int]


def line_rows(returns: Iterable[ReturnRow], credits_: Iterable[CreditRow]) -> dict[tuple[str, str], dict[str, Any]]:
    """(rma, stock_code, quantity, pence) and (rma, note, stock_code, quantity, pence) to one row a key."""
    refunds: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    credited: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    notes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rma, code, quantity, pence in returns:
        refunds[rma, code][0] += quantity
        refunds[rma, code][1] += pence
    for rma, note, code, quantity, pence in credits_:
        credited[rma, code][0] += quantity
        credited[rma, code][1] += pence
        notes[rma, code].add(note)
    return {key: _row(refunds.get(key), credited.get(key), sorted(notes.get(key, ()))) for key in {*refunds, *credited}}


def _row(refund: list[int] | None, credit: list[int] | None, notes: list[str]) -> dict[str, Any]:
    row = {"refund_pence": refund[1] if refund else 0, "credited_pence": credit[1] if credit else 0}
    gap = row["credited_pence"] - row["refund_pence"]
    legs = {"gap_quantity_pence": 0, "gap_value_pence": 0, "gap_missing_pence": 0, "gap_extra_pence": 0}
    if refund is None:
        status, legs["gap_extra_pence"] = "refund_missing", gap
    elif credit is None:
        status, legs["gap_missing_pence"] = "credit_missing", gap
    else:
        units = credit[0] - refund[0]
        legs["gap_quantity_pence"] = refund[1] * units // refund[0] if refund[0] else 0
        legs["gap_value_pence"] = gap - legs["gap_quantity_pence"]
        status = "quantity_gap" if units else "value_gap" if gap else "matched"
    return {**row, **legs, "gap_pence": gap, "status": status, "credit_note_code": ", ".join(notes)}


def return_rows(lines: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The rows of ``line_rows`` summed per RMA, with the status of the whole."""
    by_rma: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (rma, _), row in lines.items():
        by_rma[rma].append(row)
    return {rma: _sum(rows) for rma, rows in by_rma.items()}


def _sum(rows: list[dict[str, Any]]) -> dict[str, Any]:
    sums = {name: sum(row[name] for row in rows) for name in rows[0] if name.endswith("_pence")}
    notes = {note for row in rows for note in row["credit_note_code"].split(", ") if note}
    found = {row["status"] for row in rows}
    if found == {"refund_missing"}:
        status = "refund_missing"
    elif not notes:
        status = "credit_note_missing"
    elif len(notes) > 1 and sums["gap_pence"] > 0:
        status = "duplicate"
    elif sums["gap_pence"]:
        status = "value_gap"
    else:
        status = "matched" if found == {"matched"} else "lines_differ"
    return {**sums, "credit_notes": len(notes), "status": status}
