"""What of a month is not reconciled, by causes that a person would use, and whether the month may be signed.

Belongs here: one cause for each return of a month that is apart, and what makes a month red. Stays out: which rows are
apart (``adapters.store.monthly``) and the legs of a gap (``judging.waterfall``). Money is pence of the row's currency.
Source: FINANCE_RULES U-17.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from khaos_swap_assets.domain.exceptions.catalogue import KINDS
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import note_clock

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

    ``open_kinds`` is what is open about it, errors and the most money first; ``owner`` and ``message`` those of the
    first. ``waived_by`` are the people whose waivers about it stand. ``timing_pence`` was credited in another month.
    ``paid_on`` is the London day of the refund, at the latest the last of the month.
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
    paid_on: date

    @property
    def gone_by(self) -> str:
        """The month in which a difference that is carried over should be gone: that of the note's last day (U-3)."""
        return f"{note_clock(self.paid_on).last_day:%Y-%m}"

    @property
    def apart_pence(self) -> int:
        """Issued less refunded."""
        return self.issued_pence - self.refund_pence

    @property
    def cause(self) -> Cause:
        """Why it is apart. What has an open error is not waived, and what asks for anybody is not on its way."""
        open_kinds = set(self.open_kinds)
        if self.waived_by and not any(KINDS[kind].severity == "error" for kind in open_kinds):
            return "waived"
        if open_kinds & SKU_KINDS:
            return "blocked by a SKU"
        if open_kinds & ORDER_KINDS:
            return "blocked by an order"
        if self.timing_pence and self.timing_pence == self.apart_pence:
            return "credited in another month"
        if not open_kinds and self.status in ("in_flight", "matched", "within_tolerance"):
            return "on its way"
        return "amounts differ" if self.credited_pence not in (0, self.refund_pence) else "no note yet"


@dataclass(frozen=True, slots=True)
class Shifted:
    """Returns of one currency whose money and Credit Note are of two months: paid in this one, or credited in it."""

    currency: str
    is_paid_here: bool
    returns: int
    pence: int


def blocking(rows: Iterable[Apart], today: str) -> list[Apart]:
    """The rows for which a month is red in the month ``today``: all but the waived ones and those on their way.

    What is on its way is carried over up to the month in which it should be gone; after that it is red, however small.
    """
    return [row for row in rows if row.cause != "waived" and (row.cause != "on its way" or today > row.gone_by)]


def by_cause(rows: Sequence[Apart], shifted: Sequence[Shifted] = ()) -> list[dict[str, str | int]]:
    """Each cause with its returns and its pounds, over- and under-credits apart: they are never netted.

    What is credited in full, but in another month, is a row of its own: nothing is apart but the months.
    """
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
    return [*found, *(_moved(one) for one in shifted)]


def _moved(one: Shifted) -> dict[str, str | int]:
    here, there = format_money(one.pence, one.currency), format_money(0, one.currency)
    under, over = (here, there) if one.is_paid_here else (there, here)
    cause: Cause = "credited in another month"
    return {"cause": cause, "returns": one.returns, "credited too little": under, "credited too much": over}


def shifted_words(shifted: Sequence[Shifted]) -> str:
    """How many returns of the month are credited in another one, and their pounds; empty where none is."""
    sums = " and ".join(format_money(one.pence, one.currency) for one in shifted)
    return f"credited in another month: {sum(one.returns for one in shifted)}, {sums}" if shifted else ""


def carried_words(rows: Iterable[Apart], period: str) -> str:
    """What of these is on its way beyond the month ``period``, and when it should be gone; empty where nothing is."""
    carried = [row for row in rows if row.cause == "on its way" and row.gone_by > period]
    months = " and ".join(sorted({row.gone_by for row in carried}))
    told = counted([(abs(row.apart_pence), row.currency) for row in carried])
    return f"carried over: {told}, to be gone in {months}" if carried else ""


def waived_words(waived: Sequence[tuple[int, str, Sequence[str]]]) -> str:
    """How many waived (pence, currency, people) there are, their pounds and by whom; empty where none is."""
    people = " and ".join(sorted({person for *_, some in waived for person in some}))
    return f"waived: {counted([(pence, currency) for pence, currency, _ in waived])}, by {people}" if waived else ""


def waived_of(rows: Iterable[Apart]) -> list[tuple[int, str, Sequence[str]]]:
    """The waived ones of these rows, as ``waived_words`` takes them."""
    return [(abs(row.apart_pence), row.currency, row.waived_by) for row in rows if row.cause == "waived"]


def counted(some: Sequence[tuple[int, str]]) -> str:
    """How many of these (pence, currency), and their sums: ``2, £74.97``."""
    currencies = sorted({currency for _, currency in some})
    sums = [format_money(sum(pence for pence, its in some if its == one), one or "GBP") for one in currencies]
    return f"{len(some)}, {' and '.join(sums)}"
