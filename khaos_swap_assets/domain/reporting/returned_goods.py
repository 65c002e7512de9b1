"""The goods of a month's refunds: where each unit is, what it cost and is worth in stock, and what is to be proposed.

Belongs here: units and their value by whereabouts. Stays out: where a unit went (``goods.dispositions``) and which rows
are of a month (``adapters.store.goods_value``). A unit has two values, in pence of the house: what it cost when it was
sold, and what Khaos takes it back at, the cost of the day on which the return is processed. That these differ is no
error. Nothing is posted by this. Source: FINANCE_RULES U-27, contracts/khaos.md §17.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khaos_swap_assets.domain.sums import added, grouped

WHERE = {
    "sellable": "back in the saleable stock",
    "damaged": "in quarantine, at its value until it is written down or off",
    "b_grade": "to be sold as B-grade, at its value until it is written down",
    "scrapped": "written off",
    "missing": "not in the parcel: a loss, for a claim",
    "strange": "not what was sold, at the bench",
    "disputed": "in a condition that is disputed",
    "kept": "kept by the customer: written off",
    "unclear": "nobody can tell whether it is kept",
    "received": "delivered and not inspected",
    "in_transit": "on its way",
}
"""Where a sold unit may be that a return names, and what that means for its value: each unit is in one of them."""
PROPOSED = {
    "damaged": "write down or off by what it will bring, which is not known: no expected net value is set",
    "b_grade": "write down to what B-grade will bring, which is not known: no expected net value is set",
    "scrapped": "write off at cost",
    "missing": "claim; no stock came in",
}
"""What finance is to do about units in some of these places. It is proposed here and posted by nobody but a person."""


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A refunded row: its units by the words of ``WHERE`` but the last two, and whether its parcel was delivered.

    ``sold_pence`` is what one cost when it was sold, ``khaos_pence`` what Khaos takes it back at; None: not known.
    """

    quantity: int
    units: tuple[int, ...]
    is_delivered: bool
    sold_pence: int | None
    khaos_pence: int | None
    stock_code: str = ""


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """Units of a Stock Code that Khaos wrote off, and their cost where the report tells it of all of them."""

    stock_code: str
    currency: str
    units: int
    cost_pence: int
    is_cost_known: bool


@dataclass(frozen=True, slots=True)
class WriteOffsBeside:
    """Of a Stock Code: units proposed and written off, not seen, of no return of ours; ``told``: the write-offs."""

    stock_code: str
    matched: int
    not_seen: int
    unknown: int
    told: tuple[WrittenOff, ...]


@dataclass(frozen=True, slots=True)
class GoodsTotal:
    """Units in one place, what they cost and are worth as far as known; ``apart_pence`` of those of which both are."""

    where: str
    units: int
    sold_pence: int
    without_sold: int
    khaos_pence: int
    without_khaos: int
    apart_pence: int


def returned_goods(rows: Iterable[ReturnedRow]) -> list[GoodsTotal]:
    """All units of the rows by where they are, each once; places without a unit are left out."""
    found = {where: [0] * 6 for where in WHERE}
    for row in rows:
        rest = row.quantity - sum(row.units)
        units = (*row.units, *((rest, 0) if row.is_delivered else (0, rest)))
        for total, count in zip(found.values(), units, strict=True):
            for at, of_one in enumerate(_of_one(row)):
                total[at] += count * of_one
    return [GoodsTotal(where, *total) for where, total in found.items() if total[0]]


def _of_one(row: ReturnedRow) -> tuple[int, ...]:
    sold, khaos = row.sold_pence, row.khaos_pence
    apart = khaos - sold if sold is not None and khaos is not None else 0
    return 1, sold or 0, int(sold is None), khaos or 0, int(khaos is None), apart


def beside_write_offs(rows: Iterable[ReturnedRow], told: Iterable[WrittenOff]) -> list[WriteOffsBeside]:
    """What is proposed beside what Khaos wrote off, by Stock Code; what is in quarantine may be written off too."""
    scrapped, quarantine = (list(WHERE).index(word) for word in ("scrapped", "damaged"))
    some = list(rows)
    proposed = added((row.stock_code, row.units[scrapped]) for row in some)
    able = proposed + added((row.stock_code, row.units[quarantine]) for row in some)
    seen = grouped((one.stock_code, one) for one in told)
    found = []
    for code in sorted({code for code, units in proposed.items() if units} | set(seen)):
        own = tuple(seen.get(code, ()))
        units = sum(one.units for one in own)
        matched = min(units, able[code])
        not_seen = max(proposed[code] - units, 0)
        found.append(WriteOffsBeside(code, matched, not_seen, unknown=units - matched, told=own))
    return found
