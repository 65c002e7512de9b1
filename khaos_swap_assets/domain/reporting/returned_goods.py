"""The goods of a month's refunds: where each unit is, and what that is worth in stock or lost.

Belongs here: units and their cost by whereabouts. Stays out: where a unit went (``goods.dispositions``) and which rows
are of a month (``adapters.store.matches``). Cost is what Khaos shows as today's buying price, in pence of the house: it
takes goods back at today's value, not at that of the sale. Source: FINANCE_RULES U-27, contracts/khaos.md §17.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WHERE = {
    "sellable": "back in the saleable stock, at cost",
    "damaged": "in quarantine, at cost until it is written down or off",
    "b_grade": "to be sold as B-grade, at cost until it is valued anew",
    "written_off": "written off: a loss",
    "missing": "not in the parcel: a loss, for a claim",
    "strange": "not what was sold",
    "disputed": "in a condition that is disputed",
    "kept": "kept by the customer: written off",
    "unclear": "nobody can tell whether it is kept",
    "open": "on its way or not inspected",
}
"""Where a unit may be, and what that means for its value."""


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A refunded row: its units by the words of ``WHERE`` but the last, and the cost of one, None where not known."""

    quantity: int
    units: tuple[int, ...]
    cost_pence: int | None


@dataclass(frozen=True, slots=True)
class GoodsTotal:
    """Units in one place, their cost as far as it is known, and of how many it is not."""

    where: str
    units: int
    cost_pence: int
    without_cost: int


def returned_goods(rows: Iterable[ReturnedRow]) -> list[GoodsTotal]:
    """All units of the rows by where they are, each once; places without a unit are left out."""
    found = {where: [0, 0, 0] for where in WHERE}
    for row in rows:
        units = (*row.units, max(row.quantity - sum(row.units), 0))
        for total, count in zip(found.values(), units, strict=True):
            total[0] += count
            total[1] += count * (row.cost_pence or 0)
            total[2] += count if row.cost_pence is None else 0
    return [GoodsTotal(where, *total) for where, total in found.items() if total[0]]
