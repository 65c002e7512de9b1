"""Khaos's Write Off Report: a row for units of a Stock Code that were written off, with their cost and who did it.

Belongs here: what the columns are. Stays out: reading (``tables``), and what was proposed
(``reporting.returned_goods``). Khaos says that the report shows item, cost and user, and names no heading. Source:
contracts/khaos.md §17.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from khaos_swap_assets.adapters.files import cells, known
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY, Check, Column, Found, Layout


class WriteOffRow(NamedTuple):
    """Units written off on a day; ``cost_pence`` of all of them, None where the report does not say."""

    line: int
    stock_code: str
    quantity: int
    written_off_on: date
    currency: str
    cost_pence: int | None
    written_off_by: str


def _check() -> Check[WriteOffRow]:
    def check(row: WriteOffRow) -> Iterator[Found]:
        if not row.quantity:
            yield "quantity", "0", "is no unit: leave the row out"

    return check


WRITE_OFFS: Layout[WriteOffRow] = Layout(
    known.WRITE_OFFS,
    (
        Column("stock_code", cells.code, "", is_required=True),
        Column("quantity", cells.quantity, is_required=True),
        Column("written_off_on", cells.day, is_required=True),
        Column(CURRENCY, cells.currency, HOME_CURRENCY),
        Column(name="cost", parse=None),
        Column("written_off_by", cells.key, ""),
    ),
    WriteOffRow._make,
    _check,
    worth="cost",
)
