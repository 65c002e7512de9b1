"""Units that the shop took off an order which goes on, followed in Khaos until they are off there too, or have left.

Belongs here: which orders to ask Khaos about, when again, and which units of the Stock Code are in each. Stays out: the
rule (``domain.goods.cancellations``). What is sent is in the status feed; of an order that is still open ExportOrders
shows the lines, one call an order within a budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from khaos_swap_assets.adapters.store import cancelled_parts
from khaos_swap_assets.adapters.store.cancelled_parts import FollowedPart
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.cancellations import (
    CancelledPart,
    OrderProgress,
    SeenPart,
    part_problems,
    progress_of,
    seen_part,
)
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.orders.standing import next_look, standing
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_AT_ONCE = 50


def follow_parts(tools: Toolbox, *, is_paused: bool) -> list[Problem]:
    """Ask Khaos about parts whose end is not known, unless paused; all that is trouble now, of earlier looks too."""
    with tools.store() as conn:
        due = [] if is_paused else cancelled_parts.due(conn, tools.settings.period_start, tools.now(), MOST_AT_ONCE)
    if due:
        _look(tools, due)
    with tools.store() as conn:
        known = cancelled_parts.unsettled(conn)
    return [problem for one in known for problem in part_problems(one.part, one.seen, has_return=one.has_return)]


def _look(tools: Toolbox, due: Sequence[FollowedPart]) -> None:
    namings = tools.settings.namings
    refs = {one.part.order_id: namings.ref(one.part.order_name) for one in due}
    told = standing(tools, set(refs.values()))
    with tools.store() as conn:
        refusing.keep_whole(conn, refusing.CANCELLATIONS, told.refusal, tools.now())
    if told.refusal:
        return
    found = {ref: progress_of(told.orders.get(ref, ())) for ref in refs.values()}
    goods = {
        ref: _units(line for order in told.orders[ref] if not order.is_cancelled for line in order.goods)
        for ref, one in found.items()
        if one.progress == "sent" or (tools.settings.khaos.is_cloud and one.progress != "not_found")
    }
    goods |= _lines(tools, [ref for ref, one in found.items() if one.progress in ("waiting", "picking")])
    with tools.store() as conn:
        rows = [
            (part, seen, next_look(tools, part.cancelled_at, seen.progress))
            for part, seen in _seen(due, refs, found, goods)
        ]
        cancelled_parts.answered(conn, rows, tools.now())


def _seen(
    due: Sequence[FollowedPart],
    refs: Mapping[str, str],
    found: Mapping[str, OrderProgress],
    goods: Mapping[str, Mapping[str, int]],
) -> Iterator[tuple[CancelledPart, SeenPart]]:
    for one in due:
        ref = refs[one.part.order_id]
        told = goods.get(ref)
        units = told.get(one.part.stock_code, 0) if told and one.part.stock_code else None
        yield one.part, seen_part(one.part, found[ref], units, one.seen)


def _units(goods: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """Units by Stock Code; empty where Khaos shows no goods of it at all, which proves nothing."""
    units = Counter[str]()
    for code, quantity in goods:
        units[code] += quantity
    return units


def _lines(tools: Toolbox, refs: Sequence[str]) -> dict[str, Mapping[str, int]]:
    """The same of orders that are still open; those that Khaos refuses to show are left out, and it is told."""
    if tools.settings.khaos.is_cloud or not refs:
        return {}
    client = tools.open_khaos()
    heard = refusing.hear(client.export_orders_many(refs))
    with tools.store() as conn:
        refusing.keep(conn, refusing.ORDERS, heard, client, tools.now())
    return {
        ref: _units(line for full in fulls if not full.order.is_cancelled for line in full.order.sold.items())
        for ref, fulls in heard.answers.items()
        if fulls
    }
