"""Inspections that people bring: the warehouse's file, findings at the bench, corrections, and the bench's own view.

Belongs here: one import, one finding or one correction, as one transaction; and a return as whoever opens the parcel
sees it, line by line with what was found of each. Stays out: reading the file (``adapters.files``), to which return a
row belongs (``goods.bench_rows``), what units still wait (``adapters.store.inspections``) and the page
(``desk.bench_page``). An inspection is never changed: another one takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from khaos_swap_assets.adapters.store import Conn, audit_log, inspections, returns
from khaos_swap_assets.adapters.swap import names
from khaos_swap_assets.domain.goods.bench_rows import BenchRow, OpenLine, numbered, tie
from khaos_swap_assets.domain.goods.dispositions import Inspection
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages.credit_notes.people import ActionError, Person


@dataclass(frozen=True, slots=True)
class BenchLine:
    """Units of one line: ``quantity`` of the return, ``waiting`` of them not inspected, and what was found."""

    sku: str
    line_item_id: str
    name: str
    quantity: int
    waiting: int
    found: tuple[Inspection, ...]


@dataclass(frozen=True, slots=True)
class BenchReturn:
    """A return at the bench; ``beside`` are findings of goods that are on none of its lines."""

    rma: str
    order_name: str
    status: str
    lines: tuple[BenchLine, ...]
    beside: tuple[Inspection, ...]


def returns_at_the_bench(conn: Conn, word: str) -> list[BenchReturn]:
    """The returns that an RMA or the name of an order means."""
    ids = inspections.returns_named(conn, word)
    loaded, told = returns.load(conn, ids), returns.parts(conn, ids, [names.MEMBER])
    waiting = inspections.open_lines(conn, [one.order_name for one in loaded.values()])
    found = inspections.of_rmas(conn, [one.rma for one in loaded.values()])
    still = {(one.rma, one.line_item_id, one.sku): one for some in waiting.values() for one in some}
    bench = []
    for key, one in loaded.items():
        of_it = [row for row in found if row.rma == one.rma]
        lines = tuple(_lines(one, names.read_names(told.get(key, {})), still, of_it))
        placed = {row.inspection_id for line in lines for row in line.found}
        beside = tuple(row for row in of_it if row.inspection_id not in placed)
        bench.append(BenchReturn(one.rma, one.order_name, one.status, lines, beside=beside))
    return bench


def _lines(
    record: Return,
    named: dict[str, str],
    still: dict[tuple[str, str, str], OpenLine],
    found: Sequence[Inspection],
) -> Iterator[BenchLine]:
    """Rows of one line item are one line; a finding without a line item is of the first line of its SKU."""
    left = list(found)
    for (line_item_id, sku), rows in grouped(((row.line_item_id, row.sku), row) for row in record.lines).items():
        own = [one for one in left if _is_of(one, line_item_id, sku)]
        left = [one for one in left if one not in own]
        open_line = still.get((record.rma, line_item_id, sku))
        yield BenchLine(
            sku=sku,
            line_item_id=line_item_id,
            name=next((named[row.product_id] for row in rows if named.get(row.product_id)), sku or "(no SKU)"),
            quantity=sum(row.quantity for row in rows),
            waiting=max(open_line.waiting, 0) if open_line else 0,
            found=tuple(own),
        )


def _is_of(found: Inspection, line_item_id: str, sku: str) -> bool:
    return found.line_item_id == line_item_id if found.line_item_id else bool(sku) and found.sku == sku


@dataclass(frozen=True, slots=True)
class ImportedInspections:
    """Rows that are news, rows that were known, and rows that ask a person, with the question of each."""

    new: int
    known: int
    questions: tuple[tuple[BenchRow, str], ...]


def import_inspections(
    conn: Conn, rows: Sequence[BenchRow], file_name: str, by: str, now: datetime
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


def correct(conn: Conn, inspection_id: str, condition: str, quantity: int, person: Person, *, now: datetime) -> str:
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


def keep_finding(conn: Conn, found: Inspection, reason: str, *, now: datetime) -> inspections.Saved:
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


def _tell(conn: Conn, old: Inspection, new: Inspection, reason: str, now: datetime) -> None:
    """Write into the record that one finding took another's place."""
    before, after = ({"condition": one.condition, "quantity": one.quantity} for one in (old, new))
    document = f"inspection {old.inspection_id}"
    entry = audit_log.Entry(now, new.inspected_by, "corrected", document, before=before, after=after, reason=reason)
    audit_log.append(conn, [entry])
