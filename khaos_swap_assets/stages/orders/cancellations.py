"""Orders cancelled in the shop, and units taken off others, followed in Khaos until they are off there, or have left.

Belongs here: which orders to ask Khaos about and when again, which units of a Stock Code are in each, what is trouble,
and the race between the shop's word and the warehouse, which Dagster and ``khaos-swap cancellations list`` show alike.
Stays out: reading the shop (``stages.storefront``), the rules (``domain.goods``) and asking Khaos to cancel
(``cancelling``). Where nobody is asked to, to stop an order is a task for operations, proved by reading it back all the
same. What is sent is in the status feed; of an order that is still open ExportOrders shows the lines, one call an order
within a budget. Khaos tells no moment of a stage: a step is dated by the look that saw it first, so it began before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from khaos_swap_assets.adapters.store import Conn, cancel_calls, cancellations, cancelled_parts, findings, setbacks
from khaos_swap_assets.adapters.store.cancellations import FollowedOrder
from khaos_swap_assets.adapters.store.cancelled_parts import FollowedPart
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.cancel_calls import after, attempt_words, outcome_words, read_back
from khaos_swap_assets.domain.goods.cancellations import (
    OPEN_KIND,
    SENT_KIND,
    CancelledOrder,
    part_problems,
    problems_of,
    progress_of,
    seen_part,
)
from khaos_swap_assets.domain.sums import added
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.orders.cancelling import SeenOrder, cancel, next_look, standing
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_PARTS = 50
MOST_AT_ONCE = 500
KINDS = (OPEN_KIND, SENT_KIND)
"""Their exceptions are open at once, before the rest of the run: somebody may be packing."""
BY_KHAOS = "goods as Khaos sold them, with VAT"
BY_SHOP = "order total in the shop"


def follow_parts(tools: Toolbox, *, is_paused: bool) -> list[Problem]:
    """Ask Khaos about parts whose end is not known, unless paused; all that is trouble now, of earlier looks too."""
    with tools.store() as conn:
        due = [] if is_paused else cancelled_parts.due(conn, tools.settings.period_start, tools.now(), MOST_PARTS)
    if due:
        _look_for_parts(tools, due)
    with tools.store() as conn:
        known = cancelled_parts.unsettled(conn)
    return [problem for one in known for problem in part_problems(one.part, one.seen, has_return=one.has_return)]


def _look_for_parts(tools: Toolbox, due: Sequence[FollowedPart]) -> None:
    namings = tools.settings.namings
    refs = {one.part.order_id: namings.ref(one.part.order_name) for one in due}
    told = standing(tools, set(refs.values()))
    with tools.store() as conn:
        refusing.keep_whole(conn, refusing.CANCELLATIONS, told.refusal, tools.now())
    if told.refusal:
        return
    found = {ref: progress_of(told.orders.get(ref, ())) for ref in refs.values()}
    goods = {
        ref: added(line for order in told.orders[ref] if not order.is_cancelled for line in order.goods)
        for ref, one in found.items()
        if one.progress == "sent" or (tools.settings.khaos.is_cloud and one.progress != "not_found")
    }
    goods |= _lines(tools, [ref for ref, one in found.items() if one.progress in ("waiting", "picking")])
    with tools.store() as conn:
        rows = []
        for part, before in ((one.part, one.seen) for one in due):
            ref = refs[part.order_id]
            shown = goods.get(ref)
            units = shown.get(part.stock_code, 0) if shown and part.stock_code else None
            seen = seen_part(part, found[ref], units, before)
            rows.append((part, seen, next_look(tools, part.cancelled_at, seen.progress)))
        cancelled_parts.answered(conn, rows, tools.now())


def _lines(tools: Toolbox, refs: Sequence[str]) -> dict[str, Counter[str]]:
    """Units by Stock Code of orders that are still open; those that Khaos refuses to show are left out and told."""
    if tools.settings.khaos.is_cloud or not refs:
        return {}
    client = tools.open_khaos()
    heard = refusing.hear(client.export_orders_many(refs))
    with tools.store() as conn:
        refusing.keep(conn, refusing.ORDERS, heard, client, tools.now())
    return {
        ref: added(line for full in fulls if not full.order.is_cancelled for line in full.order.sold.items())
        for ref, fulls in heard.answers.items()
        if fulls
    }


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
    parts = follow_parts(tools, is_paused=is_paused)
    with tools.store() as conn:
        return _judged(conn, len(seen), parts, tools.now())


def _look(tools: Toolbox, due: Sequence[CancelledOrder]) -> list[SeenOrder]:
    """Have Khaos show these orders, which reads back the calls that were committed before; none where it refuses."""
    if not due:
        return []
    namings = tools.settings.namings
    refs = {one.order_id: namings.ref(one.order_name) for one in due}
    with tools.store() as conn:
        calls = cancel_calls.of_orders(conn, refs)
    told = standing(tools, set(refs.values()))
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
        rows = [
            (one.order.order_id, one.found, next_look(tools, one.order.cancelled_at, one.found.progress))
            for one in seen
        ]
        cancellations.answered(conn, rows, now)
    return seen


def _judged(conn: Conn, asked: int, parts: Sequence[Problem], now: datetime) -> FollowedCancellations:
    found = list(parts)
    for one in cancellations.unsettled(conn):
        attempt = attempt_words(one.call, one.hindrance)
        found += problems_of(one.order, one.progress, has_return=one.has_return, attempt=attempt)
    findings.replace_of_kinds(conn, KINDS, found, now)
    findings.open_and_close(conn, now, may_close=False, kinds=KINDS)
    kinds = [one.kind for one in found]
    return FollowedCancellations(asked, kinds.count(OPEN_KIND), kinds.count(SENT_KIND))


def race(conn: Conn, limit: int) -> list[dict[str, Any]]:
    """A row an order, those cancelled last first. The cost is the value of what went out, with where it is from."""
    return [_row(one) for one in cancellations.newest(conn, limit)]


def _row(one: FollowedOrder) -> dict[str, Any]:
    order, found = one.order, one.progress
    is_out = found.progress == "sent"
    by_khaos = is_out and found.out_pence is not None
    return {
        "order": order.order_name,
        "outcome": outcome_words(found, one.call.state if one.call else "", has_return=one.has_return),
        "cost_pence": (found.out_pence if by_khaos else order.total_pence) if is_out else 0,
        "currency": order.currency,
        "cancelled": order.cancelled_at,
        "picked": one.picking_seen_at,
        "packed": one.packing_seen_at,
        "shipped": one.sent_seen_at,
        "shipped_on": found.sent_on,
        "stopped": one.cancelled_seen_at,
        "sales_order": ", ".join(found.so_codes),
        "cost_is": (BY_KHAOS if by_khaos else BY_SHOP) if is_out else "",
    }
