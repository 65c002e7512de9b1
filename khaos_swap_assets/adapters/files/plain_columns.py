"""A large text in which nothing is odd, read as columns by Arrow: the same values, many times as fast.

Belongs here: telling that a whole text is plain. Stays out: which cells are (``plain_rows``), and whatever needs a
closer look (``rows``).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from khaos_swap_assets.adapters.files.columns import Coded, Columns, Places
from khaos_swap_assets.adapters.files.plain_rows import PlainRows
from khaos_swap_assets.adapters.files.recognising import Chosen
from khaos_swap_assets.adapters.files.tables import Layout, Row

LARGE = 2**18
"""Characters from which it is worth to load Arrow."""


def plain_columns(chosen: Chosen, layout: Layout[Row], plain: PlainRows) -> Columns[Row] | None:
    """All rows; None for a text of which any cell, or line, needs a closer look.

    Plain is one line a record, the headings first, and each quote around a whole cell.
    """
    text, separator = chosen.source.text, chosen.source.separator
    if len(text) < LARGE or chosen.header.line != 1 or not _is_plainly_quoted(text, separator):
        return None
    cells = _coded(text, separator, len(chosen.header.cells))
    if not cells or (read := plain.coded([one.values for one in cells])) is None:
        return None
    nowhere = np.broadcast_to(np.int32(0), len(cells[0].places))
    fields = layout.fields or [column.name for column in layout.columns]
    columns = {
        field: _distinct(list(values), nowhere if place is None else cells[place].places)
        for field, (place, values) in zip(fields, read, strict=True)
    }
    return Columns(layout.make, range(2, len(nowhere) + 2), columns)


def _distinct(values: list[Any], places: Places) -> Coded:
    """Each value once, where different cells mean the same, such as 2 and 2.0; a rate is shown as it is written."""
    known: dict[Any, int] = {}
    if not isinstance(values[0], str | int | None) or len(set(values)) == len(values):
        return Coded(values, places)
    again = np.array([known.setdefault(value, len(known)) for value in values], np.int32)
    return Coded(list(known), again[places])


def _is_plainly_quoted(text: str, separator: str) -> bool:
    if text.count("\r") != text.count("\r\n"):
        return False
    if '"' not in text:
        return True
    mark = re.escape(separator)
    whole = re.compile(rf'(?<![^\n{mark}])"[^"\r\n]*"(?![^\r\n{mark}])')
    return 2 * sum(1 for _ in whole.finditer(text)) == text.count('"')


def _coded(text: str, separator: str, width: int) -> list[Coded]:
    """The columns of all records under the first line; none where a record has another number of cells.

    One block, so that each column has one list of its values; memory from the system, to which it goes back.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(width)]
    try:
        data = text.encode()
        table = csv.read_csv(
            pa.py_buffer(data),
            read_options=csv.ReadOptions(skip_rows=1, column_names=names, block_size=len(data) + 1),
            parse_options=csv.ParseOptions(delimiter=separator, double_quote=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())), check_utf8=False
            ),
            memory_pool=pa.system_memory_pool(),
        ).combine_chunks()
    except (UnicodeEncodeError, pa.ArrowException):
        return []
    return [_column(table.column(name)) for name in names] if len(table) else []


def _column(column: Any) -> Coded:
    whole = column.chunk(0)
    return Coded(whole.dictionary.to_pylist(), whole.indices.to_numpy())
