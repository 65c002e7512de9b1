"""Orders cancelled in the shop, followed in Khaos until they are cancelled there too, or their goods have left.

Belongs here: which orders to ask Khaos about and when again, and what is trouble. Stays out: reading the shop
(``stages.storefront``) and the rule (``domain.goods.cancellations``). Nothing is written to Khaos: ``CancelOrder`` is
an add-on that few builds have (khaos.md §7.7), so to stop an order is a task for operations, proved by reading it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import cancellations, findings, orders, setbacks
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
    """Ask Khaos about cancelled orders whose end is not known, and tell what is trouble."""
    now, settings = tools.now(), tools.settings
    with tools.store() as conn:
        is_paused = setbacks.WHOLE in setbacks.paused(conn, refusing.CANCELLATIONS, now)
        due = [] if is_paused else cancellations.due(conn, settings.period_start, now, MOST_AT_ONCE)
        refs = {one.order_id: as_ref(one.order_name, settings) for one in due}
        told = _by_files(conn, sorted(set(refs.values()))) if settings.khaos.is_cloud else {}
    refusal: PermanentError | None = None
    if due and not settings.khaos.is_cloud:
        told, refusal = _ask(tools, sorted(set(refs.values())))
    with tools.store() as conn:
        if due:
            refusing.keep_whole(conn, refusing.CANCELLATIONS, refusal, now)
        found = [(one, progress_of(told.get(refs[one.order_id], ()))) for one in due] if refusal is None else []
        pause = timedelta(minutes=settings.storefront.poll_minutes)
        cancellations.answered(
            conn, [(one.order_id, how, _again(one, how, pause, now)) for one, how in found], now
        )  # fmt: skip
        return _judged(conn, len(found), now)


def _ask(tools: Toolbox, refs: Sequence[str]) -> tuple[Mapping[str, Sequence[OrderStage]], PermanentError | None]:
    """The Sales Orders of each reference; or why Khaos does not tell them."""
    try:
        feed = tools.open_khaos().export_order_status(associated_refs=refs)
    except PermanentError as error:
        return {}, error
    told: dict[str, list[OrderStage]] = {}
    for one in feed.orders:
        told.setdefault(one.associated_ref, []).append(OrderStage(one.so_code, one.is_cancelled, one.stage_id))
    lost = "; ".join(f"{one.subject}: {one.reason}" for one in feed.refused)
    return told, PermanentError(f"not answered for {lost}") if lost else None


def _by_files(conn: psycopg.Connection, refs: Sequence[str]) -> Mapping[str, Sequence[OrderStage]]:
    """The same from what files of Khaos Cloud told: an invoice is known or not, its stage is not."""

    def stage(one: SalesOrder) -> OrderStage:
        return OrderStage(one.so_code, one.is_cancelled, ISSUED if one.invoiced_on else None)

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
        problem for one in known for problem in problems_of(one.order, one.progress, has_return=one.has_return)
    ]  # fmt: skip
    findings.replace_of_kinds(conn, [OPEN_KIND, SENT_KIND], found, now)
    kinds = [one.kind for one in found]
    return FollowedCancellations(asked, kinds.count(OPEN_KIND), kinds.count(SENT_KIND))
