"""Units that the shop took off an order which goes on: are they still in Khaos's Sales Order, or did they leave?

Belongs here: the records, what proves that units were taken off, and what is trouble. Stays out: reading either side
(``stages.orders.cancelled_parts``). Khaos's web service cancels whole orders only and AmendOrder is never called, so a
person takes the units off; what Khaos shows of the order proves it. Source: contracts/khaos.md §7.4, §7.5, §7.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.cancellations import OPEN_KIND, SENT_KIND, OrderProgress, stage_words
from khaos_swap_assets.domain.money.periods import LONDON

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
    return SeenPart(
        progress=progress, so_codes=order.so_codes, stage_id=order.stage_id, units_now=units, units_most=most
    )


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
        yield _problem(OPEN_KIND, part, f"{since}, and {stands}; Khaos cancels whole orders only")
    if seen.progress == "sent" and not has_return:
        yield _problem(SENT_KIND, part, f"{since}, and {where} was sent {_with(seen)}; a return is expected")


def _with(seen: SeenPart) -> str:
    return f"with {seen.units_now}" if seen.units_now else "and Khaos does not tell whether with them"


def _moment(part: CancelledPart) -> str:
    return f"{part.cancelled_at.astimezone(LONDON):%Y-%m-%d at %H:%M}"


def _problem(kind: str, part: CancelledPart, message: str) -> Problem:
    subject = f"{part.order_name or part.order_id}/{part.sku}"
    return Problem(kind, subject, message, money_at_risk_pence=part.value_pence, currency=part.currency)
