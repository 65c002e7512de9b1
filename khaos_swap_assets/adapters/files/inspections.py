"""What the warehouse found, from the file that it uploads to Swap: a row for some units of a SKU in one condition.

Belongs here: what the columns are. Stays out: reading (``tables``), and to which return a row belongs
(``goods.bench_rows``). Conditions are the warehouse's own words: an unknown one is kept and shown to a person. Source:
contracts/swap.md §7.4, §14.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from khaos_swap_assets.adapters.files import cells, known
from khaos_swap_assets.adapters.files.tables import Check, Column, Layout


class InspectionRow(NamedTuple):
    """Units of one SKU of an order in one condition; ``inspected_at`` where the file says when."""

    line: int
    order_ref: str
    return_id: str
    sku: str
    condition: str
    quantity: int
    inspected_at: datetime | None
    inspected_by: str


def _check() -> Check[InspectionRow]:
    def check(row: InspectionRow) -> list[tuple[str, str, str]]:
        return [] if row.quantity else [("quantity", "0", "is no unit: leave the row out")]

    return check


INSPECTIONS: Layout[InspectionRow] = Layout(
    known.INSPECTIONS,
    (
        Column("order_ref", cells.key, "", is_required=True),
        Column("return_id", cells.key, ""),
        Column("sku", cells.code, "", is_required=True),
        Column("condition", cells.key, "", is_required=True),
        Column("quantity", cells.quantity, is_required=True),
        Column("inspected_at", cells.moment),
        Column("inspected_by", cells.key, ""),
    ),
    InspectionRow._make,
    _check,
)
