"""What somebody has to do, as an audit shows it: each problem with its order and its first day.

Belongs here: the exceptions beside their rows, and rejected records. Stays out: when one holds (``judging.verdict``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta

from khaos_swap_assets.adapters.files.faults import Fault
from khaos_swap_assets.audit.deciding import Decided
from khaos_swap_assets.audit.engine import Audited
from khaos_swap_assets.audit.rows import AuditRow
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.judging.facts import Limits
from khaos_swap_assets.domain.records.decisions import PersonDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding(Problem):
    """One exception. ``opened_on`` is the London day on which its condition began, if it can be told.

    ``waiver`` says who waived it and why; ``refund_pence`` and ``credited_pence`` are those of its row.
    """

    order_ref: str = ""
    opened_on: date | None = None
    waiver: PersonDecision | None = None
    refund_pence: int | None = None
    credited_pence: int | None = None


def findings(done: Audited, faults: Sequence[Fault]) -> list[AuditFinding]:
    """All exceptions: of rows, of whole months, of rejected records; the most money first."""
    found = [_finding(problem, row, done.decided) for row, problem in done.problems]
    found += [_finding(problem, None, done.decided) for problem in done.others]
    found += _unreadable(faults)
    return sorted(found, key=lambda one: (-one.money_at_risk_pence, one.kind, one.subject))


def _finding(problem: Problem, row: AuditRow | None, decided: Decided) -> AuditFinding:
    return AuditFinding(
        **{one.name: getattr(problem, one.name) for one in fields(Problem)},
        order_ref=row.order_ref if row else "",
        opened_on=_opened_on(problem, row) if row else None,
        waiver=decided.waiver(problem),
        refund_pence=row.refund_pence if row else None,
        credited_pence=row.credited_pence if row else None,
    )


def _opened_on(problem: Problem, row: AuditRow) -> date | None:
    """A note is missing from the day on which it should have been there, all else from the day of the row."""
    waits = timedelta(days=Limits().credit_note_days if problem.kind == "credit_note_missing" else 0)
    return row.day + waits if row.day else None


def _unreadable(faults: Sequence[Fault]) -> Iterator[AuditFinding]:
    """One a rejected record, with everything wrong with it."""
    by_record: dict[tuple[str, int, int], list[Fault]] = {}
    for fault in faults:
        by_record.setdefault((fault.file, fault.line, fault.record), []).append(fault)
    for (file, line, _), some in by_record.items():
        yield AuditFinding("record_unreadable", f"{file}:{line}", "; ".join(map(_told, some)))


def _told(fault: Fault) -> str:
    return f"{fault.column}: {fault.reason}" if fault.column else fault.reason
