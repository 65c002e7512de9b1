"""Orders cancelled in the shop, followed in Khaos until they are cancelled there too, or their goods have left.

Belongs here: which orders to ask Khaos about and when again, and what is trouble. Stays out: reading the shop
(``stages.storefront``), the rule (``domain.goods.cancellations``) and asking Khaos to cancel (``cancelling``). Where
nobody is asked to, to stop an order is a task for operations, proved by reading it back all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from khaos_swap_assets.adapters.store import cancel_calls, cancellations, findings, setbacks
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.cancel_calls import after, attempt_words, read_back
from khaos_swap_assets.domain.goods.cancellations import OPEN_KIND, SENT_KIND, CancelledOrder, problems_of, progress_of
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.orders.cancelled_parts import follow_parts
from khaos_swap_assets.stages.orders.cancelling import SeenOrder, cancel
from khaos_swap_assets.stages.orders.standing import next_look, standing
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_AT_ONCE = 500
KINDS = (OPEN_KIND, SENT_KIND)
"""Their exceptions are open at once, before the rest of the run: somebody may be packing."""


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
    settings = tools.settings
    namings = settings.namings
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


def _judged(conn: psycopg.Connection, asked: int, parts: Sequence[Problem], now: datetime) -> FollowedCancellations:
    known = cancellations.unsettled(conn)
    found = [
        *parts,
        *(
            problem
            for one in known
            for problem in problems_of(
                one.order, one.progress, has_return=one.has_return, attempt=attempt_words(one.call, one.hindrance)
            )
        ),
    ]
    findings.replace_of_kinds(conn, KINDS, found, now)
    findings.open_and_close(conn, now, may_close=False, kinds=KINDS)
    kinds = [one.kind for one in found]
    return FollowedCancellations(asked, kinds.count(OPEN_KIND), kinds.count(SENT_KIND))
