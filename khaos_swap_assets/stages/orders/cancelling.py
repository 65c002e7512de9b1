"""Having Khaos cancel orders that the shop cancelled, where its web service has the add-on and the setting says so.

Belongs here: which orders Khaos is asked about now, the intent that is committed before each call, and what was heard.
Stays out: the rules (``goods.cancel_calls``), and reading the order back, without which no call is repeated and none
counts as done (``cancellations``). A hold of the feed by a person and the caps of the day stop these calls too. A call
without an answer ends the round: the rest waits for the next look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError, VendorError
from khaos_swap_assets.adapters.settings import PREFIX
from khaos_swap_assets.adapters.store import cancel_calls, cancellations, feed_holds
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.goods.cancel_calls import CancelCall, hindrance
from khaos_swap_assets.domain.goods.cancellations import CancelledOrder, OrderProgress, OrderStage
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.credit_notes.feed import FeedLimits, day_of
from khaos_swap_assets.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class SeenOrder:
    """A cancelled order as it was just seen in Khaos, with the call for it, if any."""

    order: CancelledOrder
    ref: str
    stages: Sequence[OrderStage]
    found: OrderProgress
    call: CancelCall | None

    @property
    def is_wanted(self) -> bool:
        """True where Khaos should cancel it, and may be asked as far as earlier calls tell."""
        return self.found.progress in ("waiting", "picking") and (self.call is None or self.call.state == "open")


def is_on(tools: Toolbox) -> bool:
    """Whether this installation asks Khaos to cancel anything."""
    khaos = tools.settings.khaos
    return khaos.cancels_orders and tools.settings.mode == "post" and not khaos.is_cloud


def cancel(tools: Toolbox, seen: Sequence[SeenOrder]) -> list[CancelledOrder]:
    """Ask Khaos to cancel what it may cancel, one after the other; the orders to be read back now."""
    wanted = [one for one in seen if one.is_wanted] if is_on(tools) else []
    if not wanted:
        return []
    hindered = {one.order.order_id: _hindrance(tools, one) for one in wanted}
    ready = [one for one in wanted if not hindered[one.order.order_id]]
    asked: list[CancelledOrder] = []
    if ready:
        try:
            names = tools.open_khaos().cancel_parameters()
        except VendorError as error:
            hindered |= {one.order.order_id: str(error) for one in ready}
            ready = []
    for one in ready:
        call = _next_call(tools, one)
        if why := _not_claimed(tools, call):
            hindered[call.order_id] = why
            continue
        asked.append(one.order)
        if not _sent(tools, names, call):
            break
    with tools.store() as conn:
        cancellations.hinder(conn, hindered)
    return asked


def _hindrance(tools: Toolbox, one: SeenOrder) -> str:
    post_from = tools.settings.post_from
    if post_from and london_date(one.order.cancelled_at) < post_from:
        return f"it was cancelled before {PREFIX}POST_FROM, {post_from}"
    return hindrance(one.stages, london_date(tools.now()))


def _next_call(tools: Toolbox, one: SeenOrder) -> CancelCall:
    order, tries = one.order, one.call.tries if one.call else 0
    (so_code,) = (stage.so_code for stage in one.stages if not stage.is_cancelled)
    return CancelCall(
        order_id=order.order_id, so_code=so_code, associated_ref=one.ref, value_pence=order.total_pence,
        currency=order.currency, state="asked", tries=tries + 1, asked_at=tools.now(),
    )  # fmt: skip


def _not_claimed(tools: Toolbox, call: CancelCall) -> str:
    """Commit the intent of a call; why it may not be sent, empty where it is to be sent now."""
    limits = FeedLimits.of(tools.settings)
    with tools.store() as conn:
        book = SqlPostings(conn)
        book.lock()  # a person who holds the feed has this lock
        if held := feed_holds.by_person(conn):
            return held
        if not limits.allow(*book.handed_out_since(day_of(call.asked_at)), call.value_pence):
            return "the cap of the day is reached"
        return "" if cancel_calls.claim(conn, call) else "it is being asked for already"


def _sent(tools: Toolbox, names: Sequence[str], call: CancelCall) -> bool:
    """Send one call and keep what was heard; False where Khaos did not answer. Only a read-back proves anything."""
    try:
        said = tools.khaos_to_write().cancel_order(names, call.so_code, call.associated_ref)
        heard, is_answered = replace(call, said=said), True
    except PermanentError as error:
        heard, is_answered = replace(call, state="refused", said=str(error)), True
    except InDoubtError as error:
        heard, is_answered = replace(call, said=str(error)), False
    except TransientError as error:
        heard, is_answered = replace(call, state="open", tries=call.tries - 1, said=str(error)), False
    with tools.store() as conn:
        cancel_calls.settle(conn, call, heard, tools.now())
    return is_answered
