"""Rows of a large sheet as xlsxwriter writes them, ten times as fast: a row in which nothing is odd is one text.

Belongs here: such rows, and what the package holds back of a row that was written cell by cell. Stays out: what cells
look like (``sheets``). The package takes each cell by itself and gives no other way in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from khaos_swap_assets.domain.money.amounts import exponent_of, from_pence

FIRST_DAY, ZERO_DAY = date(1900, 3, 1), date(1899, 12, 30)
MOST_KNOWN = 2**14
SHORT = 1_000
NOTHING = (None, "")
_PLAIN = re.compile(r"(?!.*_x)[!-%'-;=?-~]([ -%'-;=?-~]*[!-%'-;=?-~])?", re.ASCII)
"""Texts that stand in the file as they are: no end spaces, nothing that XML or a spreadsheet reads otherwise."""


class MoneyCell(NamedTuple):
    """Money in a cell."""

    pence: int
    currency: str


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of a sheet: of days, of money by its decimals, and of the text of each column."""

    day: Any
    money: dict[int, Any]
    texts: Sequence[Any]


class RowWriter:
    """Writes whole rows into a sheet of constant memory; ``columns`` are the letters of its columns."""

    def __init__(self, sheet: Any, columns: Sequence[str], styles: Styles) -> None:
        self._sheet, self._columns, self._styles = sheet, columns, styles
        self._cell: Callable[[object, Any], str] = lru_cache(MOST_KNOWN)(self._told)
        self._heads = [f'<c r="{letter}' for letter in columns]

    def write(self, number: int, cells: Sequence[Any], height: str) -> bool:
        """Write a row by its number from 0, of a height such as ``ht="30"``; False for one that is not plain."""
        at = str(number + 1)
        cells_of_it = zip(self._heads, cells, self._styles.texts, strict=False)
        try:
            told = [f"{head}{at}{self._cell(cell, style)}" for head, cell, style in cells_of_it if cell not in NOTHING]
        except ValueError:
            return False
        self._sheet._write_single_row(number)  # what it holds of the row before
        self._sheet.row_data_fh.write(f'<row r="{at}"{height}>{"".join(told)}</row>')
        return True

    def _told(self, cell: object, style: Any) -> str:
        """A cell from its row's number on. Raises ``ValueError`` for one that is not plain."""
        if isinstance(cell, MoneyCell):
            return _number(from_pence(*cell), self._styles.money[exponent_of(cell.currency)])
        if isinstance(cell, date) and cell >= FIRST_DAY:
            return _number((cell - ZERO_DAY).days, self._styles.day)
        if isinstance(cell, str) and len(cell) < SHORT and _PLAIN.fullmatch(cell):
            return f'{_styled(style)} t="inlineStr"><is><t>{cell}</t></is></c>'
        raise ValueError("is not plain")


def _number(value: Any, style: Any) -> str:
    return f"{_styled(style)}><v>{value:.16G}</v></c>"


def _styled(style: Any) -> str:
    if style.xf_index is None:
        raise ValueError("no cell had this format yet")
    return f'" s="{style.xf_index}"'
