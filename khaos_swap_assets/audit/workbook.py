"""The workbook: a summary, every row and every exception, to be filtered and sorted.

Belongs here: sheets and cells. Stays out: figures (``summary``). Text is always written as text, so that no cell can
become a formula; money is written as real numbers in whole units, days as real dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, get_args

from khaos_swap_assets.audit.control import Strip
from khaos_swap_assets.audit.deciding import Ruling
from khaos_swap_assets.audit.findings import AuditFinding
from khaos_swap_assets.audit.rows import LEG_WORDS, STATUS_WORDS, STEP_WORDS, AuditRow
from khaos_swap_assets.audit.summary import Summary, Totals
from khaos_swap_assets.domain.judging.waterfall import LEGS
from khaos_swap_assets.domain.money.amounts import exponent_of, from_pence
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.decisions import DecisionKind

MOST_ROWS = 1_000_000
LONGEST_CELL = 32_000
ROW_HEADINGS = (
    *("RMA", "Return", "Order", "Credit Notes", "Currency", "Refunded", "Credited", "Gap"),
    *LEG_WORDS.values(),
    *("VAT gap", "Status", "Matched by", "Certainty", "Day", "Period", "Paid on", "Credited on"),
    "Decision",
)
FINDING_HEADINGS = (
    *("Kind", "Owner", "Subject", "RMA", "Order", "SKU", "Money at risk", "Currency", "Opened on", "Message"),
    *("Suggestion", "What to do", "Refunded", "Credited", "Decision", "Object", "Decided by", "Reason"),
)
RULING_HEADINGS = (
    *("Decision", "Subject", "Object", "Decided by", "Reason", "Decided on", "Money at risk", "Refunded", "Credited"),
    *("Currency", "State"),
)
CHOICES = get_args(DecisionKind)
LEFT = frozenset({"Encoding", "First day", "Last day"})
WIDTHS = {
    "Message": 70,
    "Suggestion": 50,
    "What to do": 70,
    "Credit Notes": 22,
    "Subject": 22,
    "Status": 28,
    "Kind": 24,
}


@dataclass(frozen=True, slots=True)
class MoneyCell:
    """Money in a cell."""

    pence: int
    currency: str


def write(path: Path, summary: Summary, rows: Sequence[AuditRow], findings: Sequence[AuditFinding]) -> None:
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
        sheets = _Sheets(book)
        _summary_sheet(sheets, summary)
        sheets.table("Reconciliation", ROW_HEADINGS, [_row_cells(row) for row in rows[:MOST_ROWS]])
        sheet = sheets.table("Exceptions", FINDING_HEADINGS, [_finding_cells(one) for one in findings[:MOST_ROWS]])
        choices, place = {"validate": "list", "source": list(CHOICES)}, FINDING_HEADINGS.index("Decision")
        sheet.data_validation(1, place, max(len(findings), 1), place, choices)
        if summary.rulings:
            sheets.table("Decided", RULING_HEADINGS, list(map(_ruling_cells, summary.rulings)))


def _money_format(plain: str) -> str:
    """Negative amounts in red, and a dash for nothing, so that what differs is seen at once."""
    return f'{plain};[Red]-{plain};"\N{EN DASH}"'


class _Sheets:
    """Writes cells by the kind of their value."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F6", "text_wrap": True})
        self._right = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF2F6", "align": "right"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._money = {
            places: book.add_format({"num_format": _money_format("#,##0" + ("." + "0" * places if places else ""))})
            for places in (0, 2, 3)
        }

    def table(self, name: str, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
        """A sheet with a frozen heading and filters; gives it."""
        sheet = self._sheet(name)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(rows), 1), len(headings) - 1)
        for column, heading in enumerate(headings):
            sheet.set_column(column, column, WIDTHS.get(heading, 14))
        self.line(sheet, 0, headings, self._bold)
        for number, cells in enumerate(rows, start=1):
            self.line(sheet, number, cells)
        return sheet

    def plain(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """A sheet of titles (lines of one cell), headings (tuples) and figures."""
        sheet = self._sheet(name)
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 6, 16)
        for number, cells in enumerate(rows):
            if isinstance(cells, tuple):
                for column, heading in enumerate(cells):
                    is_left = column == 0 or heading in LEFT
                    sheet.write_string(number, column, heading, self._bold if is_left else self._right)
            else:
                self.line(sheet, number, cells, self._title if len(cells) == 1 else None)

    def _sheet(self, name: str) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def line(self, sheet: Any, number: int, cells: Sequence[Any], style: Any = None) -> None:
        """One row of cells; nothing is left blank."""
        for column, value in enumerate(cells):
            if isinstance(value, MoneyCell):
                places = exponent_of(value.currency)
                sheet.write_number(number, column, from_pence(value.pence, value.currency), self._money[places])
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value, self._day)
            elif isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value:
                sheet.write_string(number, column, str(value)[:LONGEST_CELL], style)


def _row_cells(row: AuditRow) -> list[Any]:
    amounts = (row.refund_pence, row.credited_pence, row.gap_pence, *(row.legs[leg] for leg in LEGS))
    return [
        row.rma,
        row.return_id,
        row.order_ref,
        ";".join(row.credit_note_codes),
        row.currency,
        *(MoneyCell(pence, row.currency) for pence in amounts),
        None if row.vat_gap_pence is None else MoneyCell(row.vat_gap_pence, row.currency),
        STATUS_WORDS[row.status],
        row.matched_by,
        row.certainty,
        row.day,
        row.period,
        *(";".join(map(str, days)) for days in (row.timing.paid_on, row.timing.credited_on)),
        row.decision,
    ]


def _finding_cells(finding: AuditFinding) -> list[Any]:
    amounts = (finding.money_at_risk_pence, finding.refund_pence, finding.credited_pence)
    money, *sides = (_money_cell(pence, finding.currency) for pence in amounts)
    return [
        finding.kind,
        finding.described.owner,
        finding.subject,
        finding.rma,
        finding.order_ref,
        finding.sku,
        money,
        finding.currency,
        finding.opened_on,
        finding.message,
        finding.suggestion,
        finding.described.action,
        *sides,
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


def _summary_sheet(sheets: _Sheets, summary: Summary) -> None:
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
    lines += [[STATUS_WORDS[name], money(tally.pence), tally.count] for name, tally in totals.by_status.items()]
    lines += [[], ("Cause", "Gap")]
    lines += [[STEP_WORDS[step], money(pence)] for step, pence in totals.steps.items()]
    shifted = ("Credited in another month", "Credited for another month")
    lines += [[], ("Month", "Refunded", "Credited", "Not reconciled", "Rows", *shifted)]
    for month, one in totals.by_month.items():
        lines.append(
            [
                month or "no date",
                money(one.refunded_pence),
                money(one.credited_pence),
                money(one.open.pence),
                one.open.count,
                money(one.elsewhere_pence),
                money(one.for_elsewhere_pence),
            ]
        )
    lines += [[], ("Age in days", "Not reconciled", "Rows")]
    return lines + [[age, money(tally.pence), tally.count] for age, tally in totals.by_age.items()]
