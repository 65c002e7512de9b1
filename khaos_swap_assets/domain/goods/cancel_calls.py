"""Asking Khaos to cancel an order that the shop cancelled: whether it may be asked, and what a call came to.

Belongs here: the states of a call and the rules between them. Stays out: sending (``stages.orders.cancelling``) and how
far an order is (``goods.cancellations``). What Khaos answers proves nothing: only the order, read back, does.
Source: contracts/khaos.md §7.7 (an add-on; editable stages; orders of the web service, placed within 48 hours).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from khaos_swap_assets.domain.goods.cancellations import OrderProgress, OrderStage, progress_of, stage_words

State = Literal["asked", "open", "refused", "overtaken", "given_up", "verified"]
ENDED: tuple[State, ...] = ("refused", "overtaken", "given_up", "verified")
"""Khaos is not asked again about these."""
OLDEST = timedelta(days=2)
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class CancelCall:
    """The calls for one cancelled order: a state of ``asked`` may have happened until the order was read back.

    ``said``: Khaos's words, or why there is no answer. ``value_pence`` is the order's total in the shop.
    """

    order_id: str
    so_code: str
    associated_ref: str
    value_pence: int
    currency: str
    state: State
    tries: int
    asked_at: datetime
    said: str = ""


def hindrance(orders: Sequence[OrderStage], today: date) -> str:
    """Why Khaos is not asked to cancel the orders of one reference; empty where it is. ``today`` is London's."""
    live = [one for one in orders if not one.is_cancelled]
    if len(live) != 1:
        return f"{len(live)} Sales Orders of it are open or sent, so a person decides which to cancel"
    (order,), found = live, progress_of(live)
    if order.sent_on is not None:
        return "a part of it was sent, and Khaos cancels whole orders only"
    if not found.is_editable:
        return f"it stands at {stage_words(found.stage_id)}, where the web service cancels nothing"
    if order.ordered_on is None or today - order.ordered_on > OLDEST:
        return "it was placed more than 48 hours ago, and the web service cancels no such order"
    return ""


def read_back(call: CancelCall, found: OrderProgress) -> CancelCall:
    """What a call came to by the order as Khaos showed it afterwards."""
    if call.state != "asked":
        return call
    if found.progress in ("cancelled", "not_found"):
        return replace(call, state="verified")
    if not found.is_editable:
        return replace(call, state="overtaken")
    return replace(call, state="open" if call.tries < MOST_TRIES else "given_up")


def after(found: OrderProgress, call: CancelCall | None) -> OrderProgress:
    """How far the order is when its call is known: one that is gone after it was cancelled."""
    is_gone = found.progress == "not_found" and call is not None and call.state == "verified"
    return OrderProgress("cancelled", (call.so_code,)) if is_gone and call else found


def attempt_words(call: CancelCall | None, hindered: str) -> str:
    """What came of asking Khaos, or why it was not asked; empty where nothing is to be said."""
    if call is None or call.state == "open":
        return f"Khaos was not asked to cancel it: {hindered}" if hindered else ""
    said = f": {call.said}" if call.said else ""
    return {
        "asked": f"Khaos was asked to cancel it, and it is read again{said}",
        "refused": f"Khaos refused to cancel it{said}",
        "overtaken": f"Khaos was asked to cancel it, and it went on all the same{said}",
        "given_up": f"Khaos was asked {call.tries} times to cancel it, and did not{said}",
        "verified": "Khaos had cancelled it, and it is open again",
    }[call.state]


def outcome_words(found: OrderProgress, state: str, *, has_return: bool) -> str:
    """How the race between the shop's word and the warehouse ended, or stands; ``state`` of the call, if any."""
    match found.progress:
        case "cancelled":
            return "cancelled in Khaos by Khaos Swap" if state == "verified" else "cancelled in Khaos"
        case "sent":
            return "sent, a return is known" if has_return else "sent, no return yet"
        case "not_found":
            return "not known to Khaos"
        case _:
            return f"open: {stage_words(found.stage_id)}"
