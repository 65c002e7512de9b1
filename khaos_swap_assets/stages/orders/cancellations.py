"""Orders cancelled in the shop, followed in Khaos until they are cancelled there too, or their goods have left.

Belongs here: which orders to ask Khaos about and when again, and what is trouble. Stays out: reading the shop
(``stages.storefront``), the rule (``domain.goods.cancellations``) and asking Khaos to cancel (``cancelling``). Where
nobody is asked to, to stop an order is a task for operations, proved by reading it back all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import cancel_calls, cancellations, findings, orders, setbacks
from khaos_swap_assets.domain.goods.cancel_calls import after, attempt_words, read_back
from khaos_swap_assets.domain.goods.cancellations import (
    FINAL,
    ISSUED,
    OPEN_KIND,
    SENT_KIND,
    CancelledOrder,
    OrderProgress,
    OrderStage,
    problems_of,
    progress_of,
)
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.orders.cancelling import SeenOrder, cancel
from khaos_swap_assets.stages.orders.sync import as_ref
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_AT_ONCE = 500
A_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class FollowedCancellations:
    """What one look brought: orders asked about, and those of all that are open in Khaos or were sent all the same."""

    asked: int
    still_open: int
    sent: int


def follow_cancellations(tools: Toolbox) -> FollowedCancellations:
    """Ask Khaos about cancelled orders whose end is not known, have it cancel what it may, and tell what is trouble."""
    now, settings = tools.now(), tools.settings
    with tools.store() as conn:
        is_paused = setbacks.WHOLE in setbacks.paused(conn, refusing.CANCELLATIONS, now)
        due = [] if is_paused else cancellations.due(conn, settings.period_start, now, MOST_AT_ONCE)
    seen = _look(tools, due)
    _look(tools, cancel(tools, seen))
    with tools.store() as conn:
        return _judged(conn, len(seen), tools.now())


def _look(tools: Toolbox, due: Sequence[CancelledOrder]) -> list[SeenOrder]:
    """Have Khaos show these orders, which reads back the calls that were committed before; none where it refuses."""
    if not due:
        return []
    settings = tools.settings
    refs = {one.order_id: as_ref(one.order_name, settings) for one in due}
    with tools.store() as conn:
        calls = cancel_calls.of_orders(conn, refs)
        told = Told(_by_files(conn, sorted(set(refs.values())))) if settings.khaos.is_cloud else None
    told = told or _ask(tools, sorted(set(refs.values())))
    now, seen = tools.now(), []
    with tools.store() as conn:
        refusing.keep_whole(conn, refusing.CANCELLATIONS, told.refusal, now)
        for order in due if told.refusal is None else ():
            stages, call = told.orders.get(refs[order.order_id], ()), calls.get(order.order_id)
            found = progress_of(stages)
            if call and (found.progress != "not_found" or told.is_whole):
                read = read_back(call, found)
                cancel_calls.settle(conn, call, read, now)
                found, call = after(found, read), read
            seen.append(SeenOrder(order, refs[order.order_id], stages, found=found, call=call))
        pause = timedelta(minutes=settings.storefront.poll_minutes)
        cancellations.answered(
            conn, [(one.order.order_id, one.found, _again(one.order, one.found, pause, now)) for one in seen], now
        )  # fmt: skip
    return seen


@dataclass(frozen=True, slots=True)
class Told:
    """The Sales Orders of each reference, or why Khaos does not tell them; ``is_whole``: each row could be read."""

    orders: Mapping[str, Sequence[OrderStage]]
    refusal: PermanentError | None = None
    is_whole: bool = True


def _ask(tools: Toolbox, refs: Sequence[str]) -> Told:
    try:
        feed = tools.open_khaos().export_order_status(associated_refs=refs)
    except PermanentError as error:
        return Told({}, error)
    told: dict[str, list[OrderStage]] = {}
    for one in feed.orders:
        stage = OrderStage(
            one.so_code, one.is_cancelled, one.stage_id, ordered_on=one.ordered_on, sent_on=one.invoiced_on,
            items_pence=one.items_gross_pence,
        )  # fmt: skip
        told.setdefault(one.associated_ref, []).append(stage)
    lost = "; ".join(f"{one.subject}: {one.reason}" for one in feed.refused)
    return Told(told, PermanentError(f"not answered for {lost}") if lost else None, is_whole=not feed.faults)


def _by_files(conn: psycopg.Connection, refs: Sequence[str]) -> Mapping[str, Sequence[OrderStage]]:
    """The same from what files of Khaos Cloud told: an invoice is known or not, its stage is not."""

    def stage(one: SalesOrder) -> OrderStage:
        sold = sum(line.gross_pence for line in one.lines) if one.lines else None
        return OrderStage(
            one.so_code, one.is_cancelled, ISSUED if one.invoiced_on else None, ordered_on=one.ordered_on,
            sent_on=one.invoiced_on, items_pence=sold,
        )  # fmt: skip

    return {ref: [stage(one) for one in some] for ref, some in orders.by_ref(conn, refs).items()}


def _again(order: CancelledOrder, found: OrderProgress, pause: timedelta, now: datetime) -> datetime | None:
    """When to ask again: soon while it can be stopped, ever more seldom where Khaos knows no such order."""
    if found.progress in FINAL:
        return None
    if found.progress == "not_found":
        return now + max(pause, A_MINUTE, (now - order.cancelled_at) / 10)
    return now + max(pause, A_MINUTE)


def _judged(conn: psycopg.Connection, asked: int, now: datetime) -> FollowedCancellations:
    known = cancellations.unsettled(conn)
    found = [
        problem
        for one in known
        for problem in problems_of(
            one.order, one.progress, has_return=one.has_return, attempt=attempt_words(one.call, one.hindrance)
        )
    ]
    findings.replace_of_kinds(conn, [OPEN_KIND, SENT_KIND], found, now)
    kinds = [one.kind for one in found]
    return FollowedCancellations(asked, kinds.count(OPEN_KIND), kinds.count(SENT_KIND))
