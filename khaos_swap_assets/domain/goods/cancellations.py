"""Orders that the shop cancelled, and units that it took off others: how far is Khaos, is somebody still picking them?

Belongs here: the records, the stages of a Khaos invoice in words, what proves that units were taken off, and what is
trouble. Stays out: reading either side (``adapters``) and when to ask again (``stages.orders``). Khaos's web service
cancels whole orders only and AmendOrder is never called, so a person takes units off; what Khaos shows of the order
proves it. Source: contracts/khaos.md §4.1, §7.4, §7.5, §7.7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.money.periods import LONDON

Progress = Literal["not_found", "waiting", "picking", "sent", "cancelled"]
FINAL = frozenset({"sent", "cancelled", "taken_off"})
"""Nothing that Khaos does changes these, of an order or a part of it: the goods have left, or never will."""
UNSENT: tuple[Progress, ...] = ("waiting", "picking", "cancelled")
"""Khaos knows the order and has not sent it, so that no sale stands in the books."""

ISSUED = 70
STAGES = {
    9: "released",
    10: "staging",
    11: "waiting for payment",
    12: "picking",
    13: "packing",
    14: "shipping",
    15: "printing invoices",
    16: "waiting to be issued",
    17: "waiting for its date",
    18: "waiting for stock",
    19: "on hold",
    20: "processing",
    21: "on hold for terms",
}
EDITABLE = frozenset({9, 10, 11, 17, 18, 19, 21})
"""Stages in which Khaos lets an order be changed (khaos.md §7.7, §15)."""
BEING_PICKED = frozenset({12, 13, 14, 15, 16, 20})
PACKING = frozenset({13, 14, 15, 16})
OPEN_KIND, SENT_KIND = "cancelled_order_open", "cancelled_order_sent"


@dataclass(frozen=True, slots=True)
class CancelledOrder:
    """An order that the shop cancelled: when (UTC), why in the shop's word, and its total in pence of ``currency``."""

    order_id: str
    order_name: str
    cancelled_at: datetime
    reason: str
    total_pence: int
    currency: str


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """How far Khaos is with a cancelled order. ``so_codes``: its Sales Orders; ``stage_id`` of the furthest invoice.

    Of an order that was sent: ``out_pence`` is what its goods were sold for, with VAT, and ``sent_on`` Khaos's day.
    """

    progress: Progress
    so_codes: tuple[str, ...] = ()
    stage_id: int | None = None
    out_pence: int | None = None
    sent_on: date | None = None

    @property
    def is_editable(self) -> bool:
        """True while Khaos lets it be cancelled, as far as its stage tells."""
        return self.progress == "waiting" and (self.stage_id is None or self.stage_id in EDITABLE)


@dataclass(frozen=True, slots=True)
class OrderStage:
    """What Khaos shows of one Sales Order; ``stage_id`` of its furthest live invoice, None where it has none.

    ``items_pence`` is what its goods were sold for, with VAT; ``sent_on`` the day of its first issued invoice;
    ``goods`` are (Stock Code, units) of its invoices, or of its lines where a file told it.
    """

    so_code: str
    is_cancelled: bool
    stage_id: int | None
    ordered_on: date | None = None
    sent_on: date | None = None
    items_pence: int | None = None
    goods: tuple[tuple[str, int], ...] = ()


def progress_of(orders: Collection[OrderStage]) -> OrderProgress:
    """How far the Sales Orders of one reference are; what can still be stopped counts before what has left."""
    codes = tuple(sorted(one.so_code for one in orders))
    live = [one for one in orders if not one.is_cancelled]
    if not live:
        return OrderProgress("cancelled" if codes else "not_found", codes)
    open_ = [one for one in live if (one.stage_id or 0) < ISSUED]
    furthest = max((one.stage_id or 0 for one in open_ or live), default=0) or None
    if not open_:
        return _sent(live, codes, furthest)
    return OrderProgress("picking" if furthest in BEING_PICKED else "waiting", codes, furthest)


def _sent(live: Sequence[OrderStage], codes: tuple[str, ...], stage_id: int | None) -> OrderProgress:
    values = [one.items_pence for one in live if one.items_pence is not None]
    days = [one.sent_on for one in live if one.sent_on]
    out_pence = sum(values) if len(values) == len(live) else None
    return OrderProgress("sent", codes, stage_id, out_pence=out_pence, sent_on=min(days, default=None))


def problems_of(
    order: CancelledOrder, found: OrderProgress, *, has_return: bool, attempt: str = ""
) -> Iterator[Problem]:
    """Its trouble now; goods that left are none once a return is known. ``attempt``: what came of asking Khaos."""
    where = f"Sales Order {', '.join(found.so_codes)}"
    why = f" ({order.reason.lower()})" if order.reason else ""
    since = f"cancelled in the shop on {_moment(order)}{why}"
    if found.progress in ("waiting", "picking"):
        stands = f"{since}, and {where} is still open in Khaos: {stage_words(found.stage_id)}"
        yield _problem(OPEN_KIND, order, "; ".join(filter(None, [stands, attempt])))
    if found.progress == "sent" and not has_return:
        yield _problem(SENT_KIND, order, f"{since}, and {where} was sent all the same; a return is expected")


def stage_words(stage_id: int | None) -> str:
    """The stage of an invoice in words; an unknown one by its number."""
    if stage_id is None:
        return "not invoiced"
    return "sent" if stage_id >= ISSUED else STAGES.get(stage_id, f"stage {stage_id}")


def _moment(told: CancelledOrder | CancelledPart) -> str:
    return f"{told.cancelled_at.astimezone(LONDON):%Y-%m-%d at %H:%M}"


def _problem(kind: str, order: CancelledOrder, message: str) -> Problem:
    return Problem(kind, order.order_name, message, money_at_risk_pence=order.total_pence, currency=order.currency)


PartProgress = Literal["not_found", "waiting", "picking", "sent", "cancelled", "taken_off"]


@dataclass(frozen=True, slots=True)
class CancelledPart:
    """Units of one SKU that were taken off an order in the shop at ``cancelled_at`` (UTC), worth ``value_pence``.

    ``stays`` is how many of the SKU the order goes on with, as far as the lines touched tell; None where the shop does
    not tell how many were ordered. ``stock_code`` is empty where the SKU is none.
    """

    order_id: str
    order_name: str
    sku: str
    stock_code: str
    units: int
    stays: int | None
    value_pence: int
    currency: str
    cancelled_at: datetime


@dataclass(frozen=True, slots=True)
class SeenPart:
    """How far Khaos is with the order, and the units of the SKU in it: now and at the most in any look; None unseen."""

    progress: PartProgress
    so_codes: tuple[str, ...] = ()
    stage_id: int | None = None
    units_now: int | None = None
    units_most: int | None = None


def seen_part(part: CancelledPart, order: OrderProgress, units: int | None, before: SeenPart) -> SeenPart:
    """How a part stands by an order as Khaos just showed it; ``units`` of the Stock Code are in it, None: not told."""
    most = max((one for one in (units, before.units_most) if one is not None), default=None)
    is_off = order.progress not in ("not_found", "cancelled") and _is_taken_off(part.stays, units, most)
    progress: PartProgress = "taken_off" if is_off else order.progress
    return SeenPart(progress, order.so_codes, order.stage_id, units, units_most=most)


def _is_taken_off(stays: int | None, units: int | None, most: int | None) -> bool:
    """Proved by fewer units than were there before, or by units that are no more than the shop goes on with."""
    if stays is None or units is None or most is None or units > stays:
        return False
    return units > 0 or most > units


def part_problems(part: CancelledPart, seen: SeenPart, *, has_return: bool) -> Iterator[Problem]:
    """What is trouble with it now; units that left are none once a return of them is known."""
    where = f"Sales Order {', '.join(seen.so_codes)}"
    since = f"{part.units} x {part.sku} taken off the order in the shop on {_moment(part)}"
    if seen.progress in ("waiting", "picking"):
        now = f" with {seen.units_now}" if seen.units_now is not None else ""
        stands = f"{where} is still open in Khaos{now}: {stage_words(seen.stage_id)}"
        yield _part_problem(OPEN_KIND, part, f"{since}, and {stands}; Khaos cancels whole orders only")
    if seen.progress == "sent" and not has_return:
        told = f"with {seen.units_now}" if seen.units_now else "and Khaos does not tell whether with them"
        yield _part_problem(SENT_KIND, part, f"{since}, and {where} was sent {told}; a return is expected")


def _part_problem(kind: str, part: CancelledPart, message: str) -> Problem:
    subject = f"{part.order_name or part.order_id}/{part.sku}"
    return Problem(kind, subject, message, money_at_risk_pence=part.value_pence, currency=part.currency)
