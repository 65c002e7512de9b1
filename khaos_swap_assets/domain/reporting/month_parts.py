"""One return in the months in which its money moved: each payment is a decrease of its own month.

Belongs here: how refund, Credit Notes, gap, legs and VAT of a return fall to months, exactly. Stays out: the gap
itself (``judging.waterfall``), the sums of a month (``reporting.month_end``). Money is whole pence of the return's
currency, days and months are London's. Source: FINANCE_RULES U-1, U-2, U-8, U-18.

A payment that comes later than a note changes nothing in the months before it: notes belong to payments that were made
by their day, the newest first, and VAT of the payments is rounded in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from typing import NamedTuple

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.money.amounts import spread
from khaos_swap_assets.domain.sums import grouped

UNPAID = ""
"""The month of what Swap says was refunded and did not move; negative: what moved beyond it."""


class PaidPart(NamedTuple):
    """One payment of a refund on its London day."""

    paid_on: date
    pence: int


@dataclass(frozen=True, slots=True)
class Whole:
    """The return as one: its refund, the legs of its gap in their order, and VAT of its first pence by the sale.

    ``vat_of`` is asked for the VAT of so many pence of the refund, and gives None where a rate is not known.
    ``has_vat_gap`` is False where VAT cannot be compared.
    """

    refund_pence: int
    legs: tuple[int, ...]
    vat_of: Callable[[int], int | None]
    has_vat_gap: bool
    status: str


@dataclass(frozen=True, slots=True)
class MonthPart:
    """What one month (``YYYY-MM``, or ``UNPAID``) holds of a return.

    ``legs`` and ``timing_pence`` add up to the gap. Timing is credit for money of another month, or for money that has
    not moved; over all months of a return it is zero.
    """

    period: str
    refund_pence: int
    credited_pence: int
    issued_pence: int
    legs: tuple[int, ...]
    timing_pence: int
    refund_vat_pence: int | None
    vat_gap_pence: int | None
    status: str

    @property
    def gap_pence(self) -> int:
        """Credited less refunded."""
        return self.credited_pence - self.refund_pence


@dataclass(slots=True)
class _Slot:
    """A payment, or what is left unpaid (no day), with what notes credit for it."""

    day: date | None
    pence: int
    vat_pence: int | None
    credited_pence: int = 0
    issued_pence: int = 0
    credited_vat_pence: int = 0

    @property
    def period(self) -> str:
        return f"{self.day:%Y-%m}" if self.day else UNPAID

    @property
    def room_pence(self) -> int:
        return max(self.pence - self.credited_pence, 0)


def month_parts(whole: Whole, payments: Iterable[PaidPart], notes: Iterable[CreditNote]) -> tuple[MonthPart, ...]:
    """The return by month, the unpaid part last; empty where its money is of one month and all of it moved.

    The parts add up to the whole in every figure. The order of payments and notes changes nothing.
    """
    slots = _slots(whole, sorted(payments))
    if len({slot.period for slot in slots}) < 2:
        return ()
    for note in sorted(notes, key=lambda one: (one.created_on or date.max, one.credit_note_code)):
        _place(slots, note)
    months = grouped((slot.period, slot) for slot in slots)
    caused = _caused([_gap(found) for found in months.values()])
    legs = _legs(whole.legs, caused)
    return tuple(
        _part(whole, period, found, its_legs, _gap(found) - own)
        for (period, found), its_legs, own in zip(months.items(), legs, caused, strict=True)
    )


def _slots(whole: Whole, payments: Sequence[PaidPart]) -> list[_Slot]:
    """The payments in the order of their days; VAT is rounded on the running sum, so that it adds up (U-8)."""
    days: list[tuple[date | None, int]] = list(payments)
    unpaid = whole.refund_pence - sum(pence for _, pence in days)
    days += [(None, unpaid)] if unpaid and days else []
    vats = [whole.vat_of(pence) for pence in accumulate((pence for _, pence in days), initial=0)]
    steps = [None if before is None or after is None else after - before for before, after in pairwise(vats)]
    return [_Slot(day, pence, vat) for (day, pence), vat in zip(days, steps, strict=True)]


def _place(slots: Sequence[_Slot], note: CreditNote) -> None:
    """Give a note to the payments made by its day: to one that it equals, else to the newest first."""
    paid = [slot for slot in slots if slot.day]
    open_ = [slot for slot in paid if note.created_on is None or (slot.day and slot.day <= note.created_on)] or paid[:1]
    exact = next((slot for slot in open_ if slot.room_pence == note.gross_pence > 0), None)
    left, shares = note.gross_pence, [0] * len(open_)
    for at in [open_.index(exact)] if exact else reversed(range(len(open_))):
        shares[at] = max(min(open_[at].room_pence, left), 0)
        left -= shares[at]
    shares[-1] += left
    vats = _vat_shares(open_, shares, note.vat_pence or 0)
    for slot, pence, vat in zip(open_, shares, vats, strict=True):
        slot.credited_pence += pence
        slot.issued_pence += pence if note.is_issued else 0
        slot.credited_vat_pence += vat


def _vat_shares(slots: Sequence[_Slot], shares: Sequence[int], vat_pence: int) -> list[int]:
    """VAT of a note over its shares: as the payments have it where it credits just these, else by value."""
    is_alike = all(
        share in (0, slot.pence) and slot.vat_pence is not None for slot, share in zip(slots, shares, strict=True)
    )
    vats = [slot.vat_pence or 0 if share else 0 for slot, share in zip(slots, shares, strict=True)]
    if is_alike and sum(vats) == vat_pence:
        return vats
    weights = [max(share, 0) for share in shares]
    return spread(vat_pence, weights if any(weights) else [0] * (len(shares) - 1) + [1])


def _caused(gaps: Sequence[int]) -> list[int]:
    """The part of each gap that the legs are of: gaps of both signs cancel, those of the newest months first."""
    total = sum(gaps)
    sign = 1 if total > 0 else -1
    own = [max(sign * gap, 0) for gap in gaps]
    beyond = sum(own) - abs(total)
    for at in reversed(range(len(own))):
        taken = min(own[at], beyond)
        own[at] -= taken
        beyond -= taken
    return [sign * pence for pence in own]


def _legs(legs: Sequence[int], caused: Sequence[int]) -> list[tuple[int, ...]]:
    """The legs of each part: every leg adds up over the parts, and those of a part to what is caused in it."""
    total = sum(caused)
    if not total:
        return [tuple(0 for _ in legs) for _ in caused]
    down, across = [0, *accumulate(legs)], [0, *accumulate(caused)]
    grid = [[leg * part // total for leg in down] for part in across]
    return [
        tuple((after[at + 1] - after[at]) - (before[at + 1] - before[at]) for at in range(len(legs)))
        for before, after in pairwise(grid)
    ]


def _gap(slots: Iterable[_Slot]) -> int:
    return sum(slot.credited_pence - slot.pence for slot in slots)


def _part(whole: Whole, period: str, slots: Sequence[_Slot], legs: tuple[int, ...], timing: int) -> MonthPart:
    vats = [slot.vat_pence for slot in slots]
    vat = None if None in vats else sum(one or 0 for one in vats)
    credited_vat = sum(slot.credited_vat_pence for slot in slots)
    return MonthPart(
        period=period,
        refund_pence=sum(slot.pence for slot in slots),
        credited_pence=sum(slot.credited_pence for slot in slots),
        issued_pence=sum(slot.issued_pence for slot in slots),
        legs=legs,
        timing_pence=timing,
        refund_vat_pence=vat,
        vat_gap_pence=credited_vat - vat if whole.has_vat_gap and vat is not None else None,
        status=_status(whole.status, _gap(slots), timing),
    )


def _status(status: str, gap_pence: int, timing_pence: int) -> str:
    """That of the return, but a month whose notes come to its money is matched, and one of other money's is apart."""
    if not gap_pence:
        return "matched"
    return "value_gap" if timing_pence and status in ("matched", "within_tolerance") else status
