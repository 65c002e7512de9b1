"""What Khaos is asked about orders that the shop cancelled: how they stand, and, where the setting says so, to cancel.

Belongs here: the question to the status feed for all of them at once, the same from files where Khaos answers nothing,
which orders Khaos is asked to cancel now, the intent that is committed before each call, and what was heard. Stays out:
the rules (``goods.cancellations``, ``goods.cancel_calls``), which orders, and reading them back, without which no call
is repeated and none counts as done (``cancellations``). A hold of the feed by a person and the caps of the day stop
these calls too. A call without an answer ends the round: the rest waits for the next look. Source: contracts/khaos.md
§4.1, §7.4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError, VendorError
from khaos_swap_assets.adapters.settings import PREFIX
from khaos_swap_assets.adapters.store import Conn, cancel_calls, cancellations, feed_holds, orders
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.goods.cancel_calls import CancelCall, hindrance
from khaos_swap_assets.domain.goods.cancellations import FINAL, ISSUED, CancelledOrder, OrderProgress, OrderStage
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages.credit_notes.feed import FeedLimits, day_of
from khaos_swap_assets.stages.orders.sync import read_feed
from khaos_swap_assets.stages.toolbox import Toolbox

A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Told:
    """The Sales Orders of each reference, or why Khaos does not tell them; ``is_whole``: each row could be read."""

    orders: Mapping[str, Sequence[OrderStage]]
    refusal: PermanentError | None = None
    is_whole: bool = True


def standing(tools: Toolbox, refs: Collection[str]) -> Told:
    """How the orders of these references stand; a refusal is part of the answer. Of an empty one no order is known."""
    wanted = sorted(one for one in refs if one)
    if wanted and not tools.settings.khaos.is_cloud:
        return _ask(tools, wanted)
    with tools.store() as conn:
        return Told(_by_files(conn, wanted))


def next_look(tools: Toolbox, cancelled_at: datetime, progress: str) -> datetime | None:
    """When to ask again: soon while it can be stopped, ever more seldom where Khaos knows no such order, or never."""
    if progress in FINAL:
        return None
    waits = [timedelta(minutes=tools.settings.storefront.poll_minutes), A_MINUTE]
    if progress == "not_found":
        waits.append((tools.now() - cancelled_at) / 10)
    return tools.now() + max(waits)


def _ask(tools: Toolbox, refs: Sequence[str]) -> Told:
    read = read_feed(tools.open_khaos(), associated_refs=refs)
    told = (
        (one.associated_ref, OrderStage(
            one.so_code, one.is_cancelled, one.stage_id, ordered_on=one.ordered_on, sent_on=one.invoiced_on,
            items_pence=one.items_gross_pence, goods=one.stock_codes,
        ))
        for one in read.feed.orders
    )  # fmt: skip
    return Told(grouped(told), read.refusal, is_whole=not read.feed.faults)


def _by_files(conn: Conn, refs: Sequence[str]) -> Mapping[str, Sequence[OrderStage]]:
    """The same from what files of Khaos Cloud told: an invoice is known or not, its stage is not."""

    def stage(one: SalesOrder) -> OrderStage:
        sold = sum(line.gross_pence for line in one.lines) if one.lines else None
        return OrderStage(
            one.so_code, one.is_cancelled, ISSUED if one.invoiced_on else None, ordered_on=one.ordered_on,
            sent_on=one.invoiced_on, items_pence=sold, goods=tuple(one.sold.items()),
        )  # fmt: skip

    return {ref: [stage(one) for one in some] for ref, some in orders.by_ref(conn, refs).items()}


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
