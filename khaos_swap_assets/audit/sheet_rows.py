"""Rows of a large sheet as xlsxwriter writes them, ten times as fast: a row in which nothing is odd is one text.

Belongs here: such rows, and what the package holds back of a row that was written cell by cell. Stays out: what cells
look like (``sheets``). The package takes each cell by itself and gives no other way in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from khaos_swap_assets.adapters.files.written import OWN, Alike
from khaos_swap_assets.domain.money.amounts import exponent_of, from_pence

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


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of a sheet: of days, of money by its decimals, and of the text of each column."""

    day: Any
    money: dict[int, Any]
    texts: Sequence[Any]


class RowWriter:
    """Writes whole rows into a sheet of constant memory; ``columns`` are the letters of its columns."""

    def __init__(self, sheet: Any, columns: Sequence[str], styles: Styles) -> None:
        self._sheet, self._styles = sheet, styles
        self._places: list[Place] = [
            (f'<c r="{one}{AT}', style) for one, style in zip(columns, styles.texts, strict=True)
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
            return _number(from_pence(*cell), self._styles.money[exponent_of(cell.currency)])
        if isinstance(cell, date) and cell >= FIRST_DAY:
            return _number((cell - ZERO_DAY).days, self._styles.day)
        raise ValueError("is not plain")


def _number(value: Any, style: Any) -> str:
    return f"{_styled(style)}><v>{value:.16G}</v></c>"


def _styled(style: Any) -> str:
    if style.xf_index is None:
        raise ValueError("no cell had this format yet")
    return f'" s="{style.xf_index}"'
