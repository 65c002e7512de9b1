"""How the Sales Orders of a reference stand in Khaos now: what is asked to see where an order is, in one call for all.

Belongs here: the question to the status feed, and the same from files where Khaos answers nothing. Stays out: which
orders, and what follows from it (``cancellations``, ``cancelled_parts``). Source: contracts/khaos.md §4.1, §7.4.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import orders
from khaos_swap_assets.domain.goods.cancellations import FINAL, ISSUED, OrderStage
from khaos_swap_assets.domain.records.orders import SalesOrder
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
    try:
        feed = tools.open_khaos().export_order_status(associated_refs=refs)
    except PermanentError as error:
        return Told({}, error)
    told: dict[str, list[OrderStage]] = {}
    for one in feed.orders:
        stage = OrderStage(
            one.so_code, one.is_cancelled, one.stage_id, ordered_on=one.ordered_on, sent_on=one.invoiced_on,
            items_pence=one.items_gross_pence, goods=one.stock_codes,
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
            sent_on=one.invoiced_on, items_pence=sold, goods=tuple(one.sold.items()),
        )  # fmt: skip

    return {ref: [stage(one) for one in some] for ref, some in orders.by_ref(conn, refs).items()}
