"""The workbook: a summary, every row and every exception, to be filtered and sorted.

Belongs here: which sheets there are and their cells. Stays out: figures (``summary``) and how a sheet looks
(``sheets``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from khaos_swap_assets.adapters.files.written import Alike
from khaos_swap_assets.audit.control import Strip
from khaos_swap_assets.audit.deciding import Ruling
from khaos_swap_assets.audit.engine import AuditFinding
from khaos_swap_assets.audit.rows import LEG_WORDS, STATUS_WORDS, STEP_WORDS, AuditRow, Rows, joined
from khaos_swap_assets.audit.sheets import MoneyCell, Sheets
from khaos_swap_assets.audit.summary import Summary, Totals
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.decisions import SIGNED, DecisionKind

ROW_PAGES = (
    ("RMA", "Order", "Credit Notes", "Currency", "Refunded", "Credited", "Gap", "Status", "Day", "Decision"),
    (*LEG_WORDS.values(), "VAT gap"),
    ("Matched by", "Certainty", "Period", "Paid on", "Credited on", "Return"),
)
OWN_CELLS = {
    "RMA": "rma",
    "Order": "order_ref",
    "Credit Notes": "credit_note_codes",
    "Refunded": "money",
    "Credited": "money",
    "Day": "day",
    "Period": "period",
    "Paid on": "paid_on",
    "Credited on": "credited_on",
    "Return": "return_id",
}
"""What a row in step has of its own (``rows``)."""
FINDING_PAGES = (
    ("Subject", "Kind", "Owner", "Money at risk", "Currency", "Opened on", "Message", "What to do"),
    ("RMA", "Order", "SKU", "Refunded", "Credited", "Suggestion"),
    ("Decision", "Object", "Decided by", "Reason"),
)
RULING_PAGES = (
    (
        *("Decision", "Subject", "Object", "Decided by", "Reason", "Decided on", "Money at risk", "Refunded"),
        *("Credited", "Currency", "State"),
    ),
)
CHOICES = tuple(kind for kind in get_args(DecisionKind) if kind != SIGNED)


def write(path: Path, summary: Summary, rows: Rows, findings: Sequence[AuditFinding]) -> None:
    """Write the workbook; rows beyond a million are left to the CSV file, the worst come first."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheets = Sheets(book)
        _summary_sheet(sheets, summary)
        sheets.table("Reconciliation", ROW_PAGES, len(rows), _cells_of(rows))
        sheet = sheets.table("Exceptions", FINDING_PAGES, len(findings), map(_finding_cells, findings))
        choices = {"validate": "list", "source": list(CHOICES)}
        place = len((*FINDING_PAGES[0], *FINDING_PAGES[1]))
        sheet.data_validation(1, place, max(len(findings), 1), place, choices)
        if summary.rulings:
            sheets.table("Decided", RULING_PAGES, len(summary.rulings), map(_ruling_cells, summary.rulings))


_money = lru_cache(10_000)(MoneyCell)


def _cells_of(rows: Rows) -> Iterator[Sequence[Any] | Alike]:
    columns = {**rows.own, "money": list(map(_money, rows.own["refund_pence"], rows.own["currency"]))}
    headings = enumerate(heading for page in ROW_PAGES for heading in page)
    return rows.cells(_row_cells, {at: columns[OWN_CELLS[name]] for at, name in headings if name in OWN_CELLS})


def _row_cells(row: AuditRow) -> list[Any]:
    def money(pence: int) -> MoneyCell:
        return _money(pence, row.currency)

    return [
        *(row.rma, row.order_ref, joined(row.credit_note_codes), row.currency),
        *map(money, (row.refund_pence, row.credited_pence, row.gap_pence)),
        *(STATUS_WORDS[row.status], row.day, row.decision),
        *(money(row.legs[leg]) for leg in LEGS),
        None if row.vat_gap_pence is None else money(row.vat_gap_pence),
        *(row.matched_by, row.certainty, row.period),
        *map(joined, (row.timing.paid_on, row.timing.credited_on)),
        row.return_id,
    ]


def _finding_cells(finding: AuditFinding) -> list[Any]:
    amounts = (finding.money_at_risk_pence, finding.refund_pence, finding.credited_pence)
    at_risk, *sides = (_money_cell(pence, finding.currency) for pence in amounts)
    return [
        *(finding.subject, finding.kind, finding.owner, at_risk, finding.currency, finding.opened_on),
        *(finding.message, finding.action),
        *(finding.rma, finding.order_ref, finding.sku, *sides, finding.suggestion),
        *((one.decision, one.object, one.decided_by, one.reason) if (one := finding.waiver) else ()),
    ]


def _money_cell(pence: int | None, currency: str) -> MoneyCell | None:
    return MoneyCell(pence, currency) if currency and pence is not None else None


def _ruling_cells(ruling: Ruling) -> list[Any]:
    one, on = ruling.decision, ruling.decision.on
    return [
        *(one.decision, one.subject, one.object, one.decided_by, one.reason, london_date(one.decided_at)),
        *(_money_cell(pence, on.currency) for pence in (on.money_at_risk_pence, on.refund_pence, on.credited_pence)),
        on.currency,
        ruling.words,
    ]


def _summary_sheet(sheets: Sheets, summary: Summary) -> None:
    lines: list[Sequence[Any]] = [
        ["Returns and Credit Notes"],
        ["As of", summary.span.as_of],
        ["Refunds", summary.refunds_are],
        ["VAT periods", summary.span.vat_periods.words],
        *([[], ["What was not compared"]] if summary.not_compared else []),
        *([one, None] for one in summary.not_compared),
        [],
        ["The files, as they were read"],
        ("File", "Documents", "First day", "Last day", "Adds up to", "Negative"),
    ]
    lines += [line for strip in summary.strips for line in _strip_lines(strip)]
    for totals in summary.totals:
        lines += _totals_lines(totals)
    lines += [[], ["Input files"], ("File", "Encoding", "Records", "Read", "Rejected")]
    lines += [[one.file, one.encoding, one.given, one.read, one.rejected] for one in summary.files.values()]
    sheets.plain("Summary", lines)


def _strip_lines(strip: Strip) -> list[Sequence[Any]]:
    """A file's figures; each further currency has a line of its own."""
    sums: list[Any] = [MoneyCell(pence, currency) for currency, pence in strip.sums.items()] or [None]
    first = [strip.file, strip.documents, strip.first, strip.last, sums[0], strip.negative]
    return [first, *(["", None, None, None, amount] for amount in sums[1:])]


def _totals_lines(totals: Totals) -> list[Sequence[Any]]:
    def money(pence: int) -> MoneyCell:
        return MoneyCell(pence, totals.currency)

    lines: list[Sequence[Any]] = [
        [],
        [totals.currency],
        ["Not reconciled", money(totals.open.pence), totals.open.count],
        ["Refunded", money(totals.refunded_pence)],
        ["Credited", money(totals.credited_pence)],
        ["Gap", money(totals.gap_pence)],
        [],
        ("Status", "Gap", "Rows"),
    ]
    lines += [
        [STATUS_WORDS[name], money(tally.pence), tally.count] for name, tally in totals.by_status.items() if tally.count
    ]
    lines += [[], ("Cause", "Gap")]
    lines += [[STEP_WORDS[step], money(pence)] for step, pence in totals.steps.items() if pence]
    shifted = ("Credited in another month", "Credited for another month")
    lines += [[], ("Month", "Refunded", "Credited", "Not reconciled", "Rows", *shifted)]
    for month, one in totals.by_month.items():
        sums = map(money, (one.refunded_pence, one.credited_pence, one.open.pence))
        beside = map(money, (one.elsewhere_pence, one.for_elsewhere_pence))
        lines.append([month or "no date", *sums, one.open.count, *beside])
    lines += [[], ("Age in days", "Not reconciled", "Rows")]
    return lines + [[age, money(tally.pence), tally.count] for age, tally in totals.by_age.items()]
