"""The outputs, all of them or none.

Belongs here: the CSV files, the JSON, and putting finished files into their folder. Stays out: the page (``page``),
the workbook (``workbook``) and how a CSV is written (``adapters.files``).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.files.decided import write_decisions
from khaos_swap_assets.adapters.files.faults import Fault
from khaos_swap_assets.adapters.files.written import write_csv, write_rejected
from khaos_swap_assets.audit import page, workbook
from khaos_swap_assets.audit.deciding import Ruling
from khaos_swap_assets.audit.engine import AuditFinding
from khaos_swap_assets.audit.rows import AuditRow, Rows, joined
from khaos_swap_assets.audit.summary import Summary, Totals
from khaos_swap_assets.domain.judging.waterfall import LEGS

Cells = dict[str, Callable[[Any], Any]]


def _own(*names: str) -> Cells:
    """Columns that are named as what they show."""
    return {name: attrgetter(name) for name in names}


def _leg(name: str) -> Callable[[AuditRow], int]:
    return lambda row: row.legs[name]


RECONCILIATION: Cells = {
    **_own("rma", "return_id", "order_ref"),
    "credit_note_codes": lambda row: joined(row.credit_note_codes),
    **_own("currency", "refund_pence", "credited_pence", "gap_pence"),
    **{f"gap_{leg}_pence": _leg(leg) for leg in LEGS},
    **_own("vat_gap_pence", "status", "matched_by", "certainty", "period"),
    "paid_on": lambda row: joined(row.timing.paid_on),
    "credited_on": lambda row: joined(row.timing.credited_on),
    **_own("decision"),
}
"""The columns of reconciliation.csv with what each shows of an ``AuditRow``."""
EXCEPTIONS: Cells = {
    **_own("kind", "owner", "subject", "rma", "order_ref", "sku", "money_at_risk_pence"),
    "opened_on": lambda finding: finding.opened_on.isoformat() if finding.opened_on else "",
    **_own("message", "suggestion", "currency"),
    "what_to_do": attrgetter("action"),
    "decision": lambda finding: finding.waiver.words if finding.waiver else "",
}
"""The columns of exceptions.csv with what each shows of an ``AuditFinding``."""
REJECTED, DECISIONS = "rejected.csv", "decisions.csv"


class OutputError(KhaosSwapError):
    """The outputs cannot be written."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that is written. ``faults`` is None when bad rows were not to be skipped."""

    rows: Rows
    findings: Sequence[AuditFinding]
    summary: Summary
    faults: Iterable[Fault] | None = None


def write(result: Result, folder: Path) -> list[Path]:
    """Write all files into the folder, which is made; the paths. Raises ``OutputError``, and then nothing is there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".audit-", dir=folder) as draft:
            names = _write_all(result, Path(draft))
            for name in (REJECTED, DECISIONS):
                (folder / name).unlink(missing_ok=True)
            for name in names:
                shutil.move(Path(draft) / name, folder / name)
    except OSError as error:
        raise OutputError(f"--out {folder} cannot be written: {error.strerror or error}") from error
    return [folder / name for name in names]


def _write_all(result: Result, folder: Path) -> list[str]:
    rows = result.rows
    own = {place: rows.own[name] for place, name in enumerate(RECONCILIATION) if name in rows.own}
    cells = rows.cells(lambda row: [cell(row) for cell in RECONCILIATION.values()], own)
    write_csv(folder / "reconciliation.csv", tuple(RECONCILIATION), cells)
    found = ([cell(one) for cell in EXCEPTIONS.values()] for one in result.findings)
    write_csv(folder / "exceptions.csv", tuple(EXCEPTIONS), found)
    told = json.dumps(summary_json(result.summary), indent=2, ensure_ascii=False, default=str)
    (folder / "summary.json").write_text(told + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page.html(result.summary, rows.judged), encoding="utf-8")
    workbook.write(folder / "report.xlsx", result.summary, rows, result.findings)
    names = ["reconciliation.csv", "exceptions.csv", "summary.json", "report.html", "report.xlsx"]
    if state := {one.decision: one.words for one in result.summary.rulings}:
        write_decisions(folder / DECISIONS, state, state.__getitem__)
        names.append(DECISIONS)
    if result.faults is None:
        return names
    write_rejected(folder / REJECTED, result.faults)
    return [*names, REJECTED]


def summary_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON values and days; money in pence, by currency."""
    span = summary.span
    return {
        "as_of": span.as_of,
        "from": span.first,
        "to": span.last,
        "refunds_are": "the refunds file" if summary.is_money_seen else "Swap's figures",
        "vat_periods": span.vat_periods.words,
        "closed_counts_as_refunded": not (summary.is_money_seen or summary.is_proof_known),
        "order_ref_format": summary.order_ref_format,
        "not_compared": summary.not_compared,
        "control": [asdict(strip) for strip in summary.strips],
        "files": {name: asdict(figures) for name, figures in summary.files.items()},
        "returns": summary.returns,
        "credit_notes": summary.credit_notes,
        "currencies": {totals.currency: _totals_json(totals) for totals in summary.totals},
        "links": summary.passes,
        "exceptions": [
            {"kind": task.kind, "owner": task.owner, "count": task.count, "money_at_risk_pence": task.pence}
            for task in summary.tasks
        ],
        "decisions": [_ruling_json(one) for one in summary.rulings],
    }


def _ruling_json(one: Ruling) -> dict[str, str]:
    names = ("decision", "subject", "object", "decided_by", "reason")
    return {**{name: str(getattr(one.decision, name)) for name in names}, "state": one.state, "why": one.why}


def _totals_json(totals: Totals) -> dict[str, Any]:
    return {
        "refunded_pence": totals.refunded_pence,
        "credited_pence": totals.credited_pence,
        "gap_pence": totals.gap_pence,
        "not_reconciled": asdict(totals.open),
        "decided": asdict(totals.decided),
        "legs_pence": totals.legs,
        "statuses": {
            status: {"count": tally.count, "gap_pence": tally.pence} for status, tally in totals.by_status.items()
        },
        "ages_in_days": {age: asdict(tally) for age, tally in totals.by_age.items()},
        "months": {
            month: {
                "refunded_pence": figures.refunded_pence,
                "credited_pence": figures.credited_pence,
                "credited_in_another_month_pence": figures.elsewhere_pence,
                "credited_for_another_month_pence": figures.for_elsewhere_pence,
                "not_reconciled": asdict(figures.open),
            }
            for month, figures in totals.by_month.items()
        },
    }
