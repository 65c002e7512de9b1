"""Custody of returned goods: where every unit of a return line is, and the movements that brought it there.

Belongs here: the places, where the facts of a line put its units, and the movements between what was and what is. Stays
out: gathering the facts (``stages.stock.custody``). A movement takes units from one place and puts them into another,
so a line adds up to nothing with the customer's side counted; a correction is a movement back, never a change of one.
Source: DESIGN §1, §4.6, contracts/swap.md §7.2, §7.3, §8.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from khaos_swap_assets.domain.goods.dispositions import AT_REST

CUSTOMER = "customer"
PLACES = {
    "in_transit": "On its way back",
    "received": "Delivered, nobody has looked",
    "at_the_bench": "Looked at, in no condition that settles it",
    "inspected": "Inspected, and not in Khaos yet",
    "available": "Back in the saleable stock",
    "available_unseen": "Back in the saleable stock, nobody has looked",
    "b_grade": "In the stock of its B-grade Stock Code",
    "non_saleable": "With the goods that may not be sold",
    "by_hand": "Credited by a note of staff, which shows no stock",
    "kept": "Kept by the customer",
    "lost": "Missing from the parcel",
    "written_off": "Written off, or missing and the loss accepted",
}
"""Each place in words; ``customer`` is the side that all units come from."""
WAITING = ("in_transit", "received", "at_the_bench", "inspected")
NOT_SHELVED = ("received", "at_the_bench", "inspected")
"""Came in and is on no shelf of Khaos."""


@dataclass(frozen=True, slots=True)
class CustodyEvidence:
    """What shows it: ``source`` is swap, warehouse, khaos or a person; ``record`` names its record; ``at`` is UTC."""

    source: str
    record: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGoods:
    """What is known of the units of one return line.

    ``sellable`` to ``strange`` are units by what was found, ``excess`` those beyond the line, ``seen_sellable`` those
    of ``sellable`` that the bench saw. Khaos holds ``shelved``, ``set_aside`` (not saleable) and ``graded`` units.
    """

    quantity: int
    delivery_status: str = ""
    is_delivered: bool = False
    is_over: bool = False
    sellable: int = 0
    seen_sellable: int = 0
    damaged: int = 0
    b_grade: int = 0
    written_off: int = 0
    missing: int = 0
    strange: int = 0
    kept: int = 0
    excess: int = 0
    shelved: int = 0
    set_aside: int = 0
    graded: int = 0
    is_loss_accepted: bool = False
    is_credited_by_hand: bool = False


def places_of(goods: LineGoods) -> dict[str, int]:
    """Units by place, those with the customer left out; below zero where Khaos holds more than anybody found."""
    found = goods.sellable + goods.damaged + goods.b_grade
    unseen = min(max(goods.shelved - goods.seen_sellable, 0), max(goods.sellable - goods.seen_sellable, 0))
    known = found + goods.written_off + goods.missing + goods.strange + goods.kept
    rest = max(goods.quantity - known, 0)
    units = {
        _open_place(goods): rest,
        "at_the_bench": goods.strange + goods.excess,
        "by_hand" if goods.is_credited_by_hand else "inspected": found - goods.shelved - goods.set_aside - goods.graded,
        "available": goods.shelved - unseen,
        "available_unseen": unseen,
        "b_grade": goods.graded,
        "non_saleable": goods.set_aside,
        "kept": goods.kept,
        "written_off": goods.written_off + (goods.missing if goods.is_loss_accepted else 0),
        "lost": 0 if goods.is_loss_accepted else goods.missing,
    }
    return {place: count for place, count in units.items() if count and place != CUSTOMER}


def _open_place(goods: LineGoods) -> str:
    """Where units are of which nobody said anything; a return that ended unpaid never left the customer."""
    if goods.is_delivered:
        return "received"
    return CUSTOMER if goods.is_over or goods.delivery_status.casefold() in AT_REST else "in_transit"


def movements(before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """(from, to, units) that make ``after`` of ``before``, in the order of the places; the customer's side balances."""
    change = {place: after.get(place, 0) - before.get(place, 0) for place in PLACES}
    change[CUSTOMER] = -sum(change.values())
    taken = [place for place, units in change.items() for _ in range(-units)]
    for place, units in change.items():
        given, taken = (taken[:units], taken[units:]) if units > 0 else ([], taken)
        yield from ((source, place, count) for source, count in Counter(given).items())
