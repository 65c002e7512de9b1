"""What of a month is not reconciled, by causes that a person would use, and whether the month may be signed.

Belongs here: one cause for each return of a month that is apart, and what makes a month red. Stays out: which rows are
apart (``adapters.store.monthly``) and the legs of a gap (``judging.waterfall``). Money is pence of the row's currency.
Source: FINANCE_RULES U-17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from khaos_swap_assets.domain.money.amounts import format_money

Cause = Literal[
    "amounts differ",
    "no note yet",
    "blocked by a SKU",
    "blocked by an order",
    "credited in another month",
    "on its way",
    "waived",
]
CAUSES: tuple[Cause, ...] = get_args(Cause)
"""From what a person has to solve to what asks for nothing."""
SKU_KINDS = frozenset({"sku_unknown", "sku_ambiguous", "sku_discontinued", "pack_unclear"})
ORDER_KINDS = frozenset({"order_not_found", "order_ambiguous", "order_not_invoiced", "customer_unknown", "over_return"})


@dataclass(frozen=True, slots=True)
class Apart:
    """A return of the month whose issued notes are not its refund.

    ``open_kinds`` are the errors open about it, the most money first; ``kind``, ``owner`` and ``message`` those of the
    first. ``waived_by`` are the people whose waivers about it stand. ``timing_pence`` was credited in another month.
    """

    rma: str
    currency: str
    refund_pence: int
    credited_pence: int
    issued_pence: int
    timing_pence: int
    status: str
    open_kinds: tuple[str, ...]
    owner: str
    message: str
    waived_by: tuple[str, ...]

    @property
    def apart_pence(self) -> int:
        """Issued less refunded."""
        return self.issued_pence - self.refund_pence

    @property
    def cause(self) -> Cause:
        """Why it is apart. What has an open error is neither waived nor on its way."""
        open_kinds = set(self.open_kinds)
        if not open_kinds and self.waived_by:
            return "waived"
        if open_kinds & SKU_KINDS:
            return "blocked by a SKU"
        if open_kinds & ORDER_KINDS:
            return "blocked by an order"
        if self.timing_pence and self.timing_pence == self.apart_pence:
            return "credited in another month"
        if not open_kinds and self.status == "in_flight":
            return "on its way"
        return "amounts differ" if self.credited_pence else "no note yet"


def blocking(rows: Iterable[Apart], *, is_month_over: bool) -> list[Apart]:
    """The rows for which a month is red: all but the waived ones and, until the month is over, those on their way."""
    fine = {"waived"} if is_month_over else {"waived", "on its way"}
    return [row for row in rows if row.cause not in fine]


def by_cause(rows: Sequence[Apart]) -> list[dict[str, str | int]]:
    """Each cause with its returns and its pounds, over- and under-credits apart: they are never netted."""
    found: list[dict[str, str | int]] = []
    for cause in CAUSES:
        for currency in sorted({row.currency for row in rows if row.cause == cause}):
            of_cause = [row for row in rows if row.cause == cause and row.currency == currency]
            over, under = (sum(max(sign * row.apart_pence, 0) for row in of_cause) for sign in (1, -1))
            found.append(
                {
                    "cause": cause,
                    "returns": len(of_cause),
                    "credited too little": format_money(under, currency),
                    "credited too much": format_money(over, currency),
                }
            )
    return found


def waived_words(rows: Iterable[Apart]) -> str:
    """How many rows are waived, their pounds and by whom; empty where none is."""
    waived = [row for row in rows if row.cause == "waived"]
    if not waived:
        return ""
    currencies = sorted({row.currency for row in waived})
    sums = [format_money(sum(abs(row.apart_pence) for row in waived if row.currency == one), one) for one in currencies]
    people = sorted({person for row in waived for person in row.waived_by})
    return f"waived: {len(waived)}, {' and '.join(sums)}, by {' and '.join(people)}"
