"""Inspections that a person brings: the warehouse's file, a finding at the bench, and corrections of either.

Belongs here: one import, one finding or one correction, as one transaction. Stays out: reading the file
(``adapters.files``) and to which return a row belongs (``goods.bench_rows``). An inspection is never changed: another
one takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import audit_log, inspections
from khaos_swap_assets.domain.goods.bench_rows import BenchRow, numbered, tie
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person


@dataclass(frozen=True, slots=True)
class ImportedInspections:
    """Rows that are news, rows that were known, and rows that ask a person, with the question of each."""

    new: int
    known: int
    questions: tuple[tuple[BenchRow, str], ...]


def import_inspections(
    conn: psycopg.Connection[Any], rows: Sequence[BenchRow], file_name: str, by: str, now: datetime
) -> ImportedInspections:
    """Keep what the rows of a file say of exactly one open line each. The caller commits."""
    given = list(numbered(rows))
    known = inspections.known(conn, [key for key, _ in given])
    fresh = [(key, row) for key, row in given if key not in known]
    lines = inspections.open_lines(conn, sorted({row.order_ref for _, row in fresh}))
    told = list(tie(fresh, lines, by, now))
    found = [one for _, one in told if not isinstance(one, str)]
    for one in found:
        inspections.save(conn, one, now, "file")
    if found:
        after = {"rows": len(given), "new": len(found)}
        audit_log.append(conn, [audit_log.Entry(now, by, "imported", f"inspections {file_name}", after=after)])
    return ImportedInspections(len(found), len(known), tuple((row, one) for row, one in told if isinstance(one, str)))


def correct(
    conn: psycopg.Connection[Any], inspection_id: str, condition: str, quantity: int, person: Person, *, now: datetime
) -> str:
    """Put a new inspection in the place of one that was wrong; the id of the new one. The caller commits.

    Raises ``ActionError`` where there is no such inspection, or another took its place already.
    """
    old = inspections.load(conn, inspection_id)
    if old is None:
        raise ActionError(f"there is no inspection {inspection_id}; khaos-swap inspections list --rma shows them")
    new = replace(
        old, inspection_id=f"{inspection_id}/corrected", condition=condition, quantity=quantity, inspected_at=now,
        inspected_by=person.by, corrects=inspection_id,
    )  # fmt: skip
    if inspections.save(conn, new, now, "person") != "new":
        raise ActionError(f"inspection {inspection_id} was corrected before; correct the one that took its place")
    _tell(conn, old, new, person.reason, now)
    return new.inspection_id


def keep_finding(conn: psycopg.Connection[Any], found: Inspection, reason: str, *, now: datetime) -> inspections.Saved:
    """Keep what somebody found at the bench: ``new``, or ``repeated`` and nothing is done. The caller commits.

    One that takes another's place needs a reason. Raises ``ActionError`` for what cannot be kept.
    """
    if found.corrects and not reason.strip():
        raise ActionError("say what was wrong with the finding that this one replaces")
    saved = inspections.save(conn, found, now, "bench")
    if saved == "nothing_to_correct":
        raise ActionError(f"there is no finding {found.corrects} of {found.rma}")
    if saved == "conflict":
        was_used = inspections.load(conn, found.inspection_id) is not None
        told = f"{found.inspection_id} was used for another finding"
        raise ActionError(told if was_used else f"{found.corrects} was corrected before: load the return again")
    if saved == "new" and (old := inspections.load(conn, found.corrects)):
        _tell(conn, old, found, reason, now)
    return saved


def _tell(conn: psycopg.Connection[Any], old: Inspection, new: Inspection, reason: str, now: datetime) -> None:
    """Write into the record that one finding took another's place."""
    before, after = ({"condition": one.condition, "quantity": one.quantity} for one in (old, new))
    document = f"inspection {old.inspection_id}"
    entry = audit_log.Entry(now, new.inspected_by, "corrected", document, before=before, after=after, reason=reason)
    audit_log.append(conn, [entry])
