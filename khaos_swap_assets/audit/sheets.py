"""How a sheet of the workbook looks, on the screen and on A4 paper.

Belongs here: formats, widths, what repeats on each printed page, and rows as xlsxwriter writes them, ten times as fast:
one in which nothing is odd is one text. Stays out: which sheets there are and what they say (``workbook``). Text is
always written as text, so that no cell can become a formula; money is written as real numbers in whole units, days as
real dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files.written import OWN, Alike, cells_of
from khaos_swap_assets.domain.money.amounts import exponent_of, from_pence

LONGEST_CELL, MOST_ROWS = 32_000, 1_000_000
PAPER = 112
"""Characters that stand side by side on A4 landscape at full size."""
SUMMARY_WIDTHS = (34, 16)
SUMMARY_COLUMNS = 7
LINE_HEIGHT = 15
WRAPPED = frozenset({"Message", "What to do", "Suggestion", "Decision", "Reason", "State", "Credit Notes", "Status"})
LEFT = frozenset({"Encoding", "First day", "Last day"})
WIDTHS = {
    **dict.fromkeys(("Message", "What to do"), 42),
    **dict.fromkeys(("Suggestion", "Reason", "State"), 34),
    "Status": 27,
    **dict.fromkeys(("Kind", "Object", "Decision"), 24),
    **dict.fromkeys(("Credit Notes", "Subject", "Matched by"), 17),
    **dict.fromkeys(("RMA", "Order", "Owner", "SKU", "Decided by", "Return", "Paid on", "Credited on"), 14),
    **dict.fromkeys(("Currency", "Period"), 10),
}
FIRST_DAY, ZERO_DAY = date(1900, 3, 1), date(1899, 12, 30)
MOST_KNOWN = 2**14
SHORT = 1_000
NOTHING = (None, "")
AT = "\0"
"""Stands for the number of a row, which no plain text holds."""
Place = tuple[str, Any]
_PLAIN = re.compile(r"(?!.*_x)[!-%'-;=?-~£]([ -%'-;=?-~£]*[!-%'-;=?-~£])?", re.ASCII)
"""Texts that stand in the file as they are: no end spaces, nothing that XML or a spreadsheet reads otherwise."""


class MoneyCell(NamedTuple):
    """Money in a cell."""

    pence: int
    currency: str


def _money_format(plain: str) -> str:
    """Negative amounts in red, and a dash for nothing, so that what differs is seen at once."""
    return f'{plain};[Red]-{plain};"\N{EN DASH}"'


class Sheets:
    """Writes cells by the kind of their value."""

    def __init__(self, book: Any) -> None:
        self._book = book
        head = {"bold": True, "bottom": 1, "bg_color": "#EEF2F6", "text_wrap": True, "valign": "bottom"}
        top = {"valign": "top", "align": "left", "indent": 1}
        self._left = book.add_format({**head, "align": "left", "indent": 1})
        self._right = book.add_format({**head, "align": "right"})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._text, self._wrapped = book.add_format(top), book.add_format({**top, "text_wrap": True})
        self._day = book.add_format({**top, "num_format": "yyyy-mm-dd"})
        self._money = {
            places: book.add_format(
                {"valign": "top", "num_format": _money_format("#,##0" + ("." + "0" * places if places else ""))}
            )
            for places in (0, 2, 3)
        }

    def table(
        self,
        name: str,
        pages: Sequence[Sequence[str]],
        count: int,
        rows: Iterator[Sequence[Any] | Alike],
    ) -> Any:
        """A sheet with a frozen heading and filters, whose columns print on so many pages side by side; gives it."""
        headings, count = [heading for page in pages for heading in page], min(count, MOST_ROWS)
        first = next(rows, ())
        sheet = self._sheet(name)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(count, 1), len(headings) - 1)
        for column, heading in enumerate(headings):
            sheet.set_column(column, column, WIDTHS.get(heading, 12))
        self._printed(sheet, pages)
        sheet.set_row(0, 2 * LINE_HEIGHT + 4)
        money = [isinstance(cell, MoneyCell) for cell in cells_of(first)]
        for column, heading in enumerate(headings):
            is_right = column < len(money) and money[column]
            sheet.write_string(0, column, heading, self._right if is_right else self._left)
        self._rows(sheet, headings, islice(chain([first], rows), count), count)
        return sheet

    def _rows(self, sheet: Any, headings: Sequence[str], rows: Iterable[Sequence[Any] | Alike], count: int) -> None:
        """Each row as high as its text needs; the last goes cell by cell, from which the package knows the size."""
        styles = [self._wrapped if heading in WRAPPED else self._text for heading in headings]
        writer = RowWriter(sheet, self._day, self._money, styles)
        widths = [(place, WIDTHS[heading] - 2) for place, heading in enumerate(headings) if heading in WRAPPED]
        for number, row in enumerate(rows, start=1):
            cells = cells_of(row)
            lengths = [1 + len(str(cells[place])) // width for place, width in widths if cells[place:] and cells[place]]
            height = LINE_HEIGHT * max(lengths, default=1)
            told = f' ht="{height}" customHeight="1"' if height > LINE_HEIGHT else ""
            if number == count or not writer.write(number, row, told):
                sheet.set_row(number, height)
                self._line(sheet, number, cells, styles)

    def _printed(self, sheet: Any, pages: Sequence[Sequence[str]]) -> None:
        """Each page is as wide as the paper; the heading and the first column stand on all of them."""
        first = WIDTHS.get(pages[0][0], 12)
        widths = [
            sum(WIDTHS.get(heading, 12) + 1 for heading in page) + first * bool(at) for at, page in enumerate(pages)
        ]
        sheet.set_print_scale(min(100, 100 * PAPER // max(widths)))
        sheet.repeat_rows(0)
        sheet.repeat_columns(0)
        sheet.print_across()
        ends = [sum(map(len, pages[:at])) for at in range(1, len(pages))]
        sheet.set_v_pagebreaks(ends)

    def plain(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """A sheet of titles (lines of one cell), headings (tuples), figures, and sentences as wide as the page."""
        sheet = self._sheet(name)
        sheet.fit_to_pages(1, 0)
        sheet.set_column(0, 0, SUMMARY_WIDTHS[0])
        sheet.set_column(1, SUMMARY_COLUMNS - 1, SUMMARY_WIDTHS[1])
        for number, cells in enumerate(rows):
            if isinstance(cells, tuple):
                self._headings(sheet, number, cells)
            elif any(isinstance(cell, str) and len(cell) > SUMMARY_WIDTHS[0] for cell in cells):
                self._sentence(sheet, number, cells)
            else:
                self._line(sheet, number, cells, [self._title if len(cells) == 1 else self._text] * len(cells))

    def _headings(self, sheet: Any, number: int, headings: Sequence[str]) -> None:
        longest = max(map(len, headings[1:]), default=0)
        sheet.set_row(number, LINE_HEIGHT * (2 if longest > SUMMARY_WIDTHS[1] else 1) + 2)
        for column, heading in enumerate(headings):
            is_left = column == 0 or heading in LEFT
            sheet.write_string(number, column, heading, self._left if is_left else self._right)

    def _sentence(self, sheet: Any, number: int, cells: Sequence[Any]) -> None:
        """A line whose last text needs the rest of the page's width."""
        said = [str(cell) for cell in cells if cell]
        width = SUMMARY_WIDTHS[1] * (SUMMARY_COLUMNS - 1) + SUMMARY_WIDTHS[0] * (len(said) == 1)
        sheet.set_row(number, LINE_HEIGHT * (1 + len(said[-1]) // width))
        for column, text in enumerate(said[:-1]):
            sheet.write_string(number, column, text, self._text)
        sheet.merge_range(number, len(said) - 1, number, SUMMARY_COLUMNS - 1, "", self._wrapped)
        sheet.write_string(number, len(said) - 1, said[-1][:LONGEST_CELL], self._wrapped)

    def _sheet(self, name: str) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.set_footer("&L&8&A&R&8&P / &N")
        return sheet

    def _line(self, sheet: Any, number: int, cells: Sequence[Any], styles: Sequence[Any]) -> None:
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
                sheet.write_string(number, column, str(value)[:LONGEST_CELL], styles[column])


class RowWriter:
    """Writes whole rows into a sheet of constant memory; formats of days, money by its decimals, text by column.

    The package takes each cell by itself and gives no other way in.
    """

    def __init__(self, sheet: Any, day: Any, money: Mapping[int, Any], texts: Sequence[Any]) -> None:
        from xlsxwriter.utility import xl_col_to_name

        self._sheet, self._day, self._money = sheet, day, money
        self._places: list[Place] = [
            (f'<c r="{xl_col_to_name(column)}{AT}', style) for column, style in enumerate(texts)
        ]
        self._cell: Callable[[object, Any], str] = lru_cache(MOST_KNOWN)(self._told)
        self._pattern = lru_cache(16)(self._shared)

    def write(self, number: int, row: Sequence[Any] | Alike, height: str) -> bool:
        """Write a row by its number from 0, of a height such as ``ht="30"``; False for one that is not plain."""
        try:
            if isinstance(row, Alike):
                pattern, places = self._pattern(row.base)
                told = pattern % tuple(self._cells(places, row.own))
            else:
                told = "".join(self._cells(self._places, row))
        except ValueError:
            return False
        at = str(number + 1)
        self._sheet._write_single_row(number)  # what it holds of the row before
        self._sheet.row_data_fh.write(f'<row r="{at}"{height}>{told.replace(AT, at)}</row>')
        return True

    def _shared(self, base: tuple[Any, ...]) -> tuple[str, list[Place]]:
        """The cells of rows that are alike, with %s for each of their own, and the places of these."""
        told = [
            "%s" if cell is OWN else "".join(self._cells([place], [cell])).replace("%", "%%")
            for place, cell in zip(self._places, base, strict=False)
        ]
        return "".join(told), [place for place, cell in zip(self._places, base, strict=False) if cell is OWN]

    def _cells(self, places: Iterable[Place], cells: Iterable[Any]) -> Iterator[str]:
        """Cells, with ``AT`` for the number of their row; nothing of one that is empty."""
        for (head, style), cell in zip(places, cells, strict=False):
            told = self._told if isinstance(cell, str) else self._cell
            yield "" if cell in NOTHING else head + told(cell, style)

    def _told(self, cell: object, style: Any) -> str:
        """A cell from its row's number on. Raises ``ValueError`` for one that is not plain."""
        if isinstance(cell, str) and len(cell) < SHORT and _PLAIN.fullmatch(cell):
            return f'{_styled(style)} t="inlineStr"><is><t>{cell}</t></is></c>'
        if isinstance(cell, MoneyCell):
            return _number(from_pence(*cell), self._money[exponent_of(cell.currency)])
        if isinstance(cell, date) and cell >= FIRST_DAY:
            return _number((cell - ZERO_DAY).days, self._day)
        raise ValueError("is not plain")


def _number(value: Any, style: Any) -> str:
    return f"{_styled(style)}><v>{value:.16G}</v></c>"


def _styled(style: Any) -> str:
    if style.xf_index is None:
        raise ValueError("no cell had this format yet")
    return f'" s="{style.xf_index}"'
