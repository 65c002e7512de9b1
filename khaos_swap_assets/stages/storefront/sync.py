"""Reading the storefront: refunds of orders that changed since the last look, which return each pays, and the variants.

Belongs here: which window to ask for, keeping what came with its watermark in one transaction, and putting in line what
it touches. Stays out: paging and parsing (``adapters.storefront``), what links a refund (``linking.refund_links``) and
what comes of a SKU (``returns.foreseeing``).
A tick costs by what changed: only refunds that say something new, and those of returns in line, are linked again. Every
variant is read once a night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import (
    Conn,
    cancellations,
    cancelled_parts,
    findings,
    goodwill,
    inbox,
    refunds,
    setbacks,
    variants,
    worklist,
)
from khaos_swap_assets.adapters.store.refunds import Orders
from khaos_swap_assets.adapters.storefront.records import RefundSweep
from khaos_swap_assets.adapters.storefront.variants import listed_variants
from khaos_swap_assets.domain.judging.money_conditions import (
    UNKNOWN_KIND,
    WITHOUT_RETURN,
    unknown_payment_kinds,
    without_return,
)
from khaos_swap_assets.domain.money.periods import london_date, night_has_passed
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import isolating, marks, refusing, stores
from khaos_swap_assets.stages.storefront.money import SEEN_FROM, link_orders
from khaos_swap_assets.stages.toolbox import Toolbox

SOURCE = marks.MONEY
NOTHING = RefundSweep((), (), 0, 0)
MOST_NAMED = 20
"""Orders that are asked for one by one; where more are knocked for, all that changed is read without waiting."""


@dataclass(frozen=True, slots=True)
class SyncedRefunds:
    """What one look brought; counts of orders and refunds read, of those that changed, and of what was linked again."""

    orders_read: int
    refunds_read: int
    changed: int
    unreadable: int
    linked_again: int
    without_return: int


def sync_refunds(tools: Toolbox) -> SyncedRefunds:
    """Read each storefront when it is time, and link what changed on either side; one's outage holds up no other."""
    found = stores.each(tools, refusing.STOREFRONT, _sync_connected)
    names = SyncedRefunds.__dataclass_fields__
    return SyncedRefunds(**{name: sum(getattr(one, name) for one in found if one) for name in names})


def _sync_connected(tools: Toolbox) -> SyncedRefunds | None:
    """Read the storefront of one store; where it has none, use up what knocked while it had one."""
    if tools.settings.storefront.is_connected:
        return _sync(tools)
    with tools.store() as conn:
        inbox.consume(conn, inbox.knocks(conn, "storefront", store=tools.settings.swap.store), tools.now())
    return None


def _sync(tools: Toolbox) -> SyncedRefunds:
    now, store = tools.now(), tools.settings.swap.store
    operation = marks.of(refusing.STOREFRONT, store)
    with tools.store() as conn:
        knocks = [one for one in inbox.knocks(conn, "storefront", store=store) if one.is_due(now)]
        since = due_since(conn, tools.settings, now, at_once=len(knocks) > MOST_NAMED)
        again = setbacks.due(conn, [operation], now) if since else []
    named = {name.rpartition(" ")[2] for name in again} | {one.order_id for one in knocks[:MOST_NAMED]}
    sweep, refusal = _read(tools, since, sorted(named)) if since or named else (NOTHING, None)
    with tools.store() as conn:
        fresh = refunds.changed(conn, sweep.refunds)
        refunds.save(conn, fresh, now)
        cancellations.save(conn, sweep.cancelled, now)
        refunds.save_faults(conn, sweep, now)
        if since or named:
            refusing.keep_whole(conn, operation, refusal, now, longest=stores.longest_pause(tools.settings))
            _keep_refusals(conn, operation, sweep if refusal is None else None, again, now)
        if since and refusal is None:
            if worklist.trusted(conn, marks.of(SEEN_FROM, store), now) is None:
                worklist.move(conn, marks.of(SEEN_FROM, store), since)
            worklist.move(conn, marks.of(SOURCE, store), now)
        shown = [one for one in knocks if _is_shown(one, sweep)]
        inbox.consume(conn, shown, now)
        inbox.postpone(conn, [one for one in knocks if one not in shown], now)
        judged, loose = judge(conn, tools.settings, now)
        strange = unknown_payment_kinds(refunds.gateways(conn), tools.settings.storefront.kinds)
        findings.replace_of_kinds(conn, [UNKNOWN_KIND], strange, now)
    return SyncedRefunds(
        orders_read=sweep.orders,
        refunds_read=len(sweep.refunds),
        changed=len(fresh),
        unreadable=len(sweep.faults),
        linked_again=judged,
        without_return=loose,
    )


def _is_shown(knock: inbox.WaitingKnock, sweep: RefundSweep) -> bool:
    """Whether what was read shows what a knock told of; an order that shows nothing new yet is read again later."""
    if refund_id := knock.body.get("refund_id"):
        return any(one.record.refund_id == refund_id for one in sweep.refunds)
    return any(one.order_id == knock.order_id for one in sweep.cancelled)


def _read(tools: Toolbox, since: datetime | None, named: Sequence[str]) -> tuple[RefundSweep, PermanentError | None]:
    """What changed since a moment, if any, and the orders of these ids; or why the storefront does not tell it."""
    shop = tools.open_storefront()
    try:
        sweeps = [*([shop.changed_since(since)] if since else []), *(shop.of_order(one) for one in named)]
    except PermanentError as error:
        return NOTHING, error
    return RefundSweep(
        refunds=tuple({one.record.refund_id: one for sweep in sweeps for one in sweep.refunds}.values()),
        faults=tuple(fault for sweep in sweeps for fault in sweep.faults),
        orders=sum(sweep.orders for sweep in sweeps),
        pages=sum(sweep.pages for sweep in sweeps),
        refused={name: reason for sweep in sweeps for name, reason in sweep.refused.items()},
        cancelled=tuple({one.order_id: one for sweep in sweeps for one in sweep.cancelled}.values()),
    ), None


def _keep_refusals(conn: Conn, operation: str, sweep: RefundSweep | None, again: Sequence[str], now: datetime) -> None:
    """Keep the orders of a reading that were refused; without a reading all stays as it was."""
    if sweep:
        setbacks.over(conn, [operation], [name for name in again if name not in sweep.refused])
        setbacks.keep(conn, operation, sweep.refused, now)


def due_since(conn: Conn, settings: Settings, now: datetime, *, at_once: bool = False) -> datetime | None:
    """The moment since which to ask; None while the last look is recent enough (unless ``at_once``), or was refused."""
    store = settings.swap.store
    if setbacks.WHOLE in setbacks.paused(conn, marks.of(refusing.STOREFRONT, store), now):
        return None
    reached = worklist.trusted(conn, marks.of(SOURCE, store), now)
    if reached is None:
        return marks.first_read_from(settings, now)
    is_due = at_once or reached <= now - timedelta(minutes=settings.storefront.poll_minutes)
    return reached - timedelta(minutes=settings.storefront.overlap_minutes) if is_due else None


def judge(conn: Conn, settings: Settings, now: datetime) -> tuple[int, int]:
    """Link the refunds that are due, put their returns in line, and find money without a return: (judged, loose).

    An order whose refunds cannot be linked, by a fault of ours, waits for its pause, and its returns are looked at
    again: the same fault holds their drafts.
    """
    refunds.judge_orders_of_waiting_returns(conn, now)
    due = grouped((one.order_name or one.order_id or one.refund_id, one) for one in refunds.to_judge(conn, now))
    work = partial(_judge, conn, settings, due, now)
    done, faults = isolating.one_by_one(conn, isolating.LINKING, list(due), work, now)
    for name, moment in setbacks.next_tries(conn, isolating.LINKING, faults.found).items():
        refunds.judge_at(conn, [one.refund_id for one in due[name]], moment)
        worklist.queue(conn, "draft", refunds.returns_of(conn, Orders.of(due[name])))
    return sum(judged for judged, _ in done), sum(loose for _, loose in done)


def _judge(
    conn: Conn,
    settings: Settings,
    due: Mapping[str, Sequence[Refund]],
    now: datetime,
    names: Sequence[str],
) -> list[tuple[int, int]]:
    """The same for the orders of these names."""
    linked = link_orders(conn, {}, [one for name in names for one in due[name]], kinds=settings.storefront.kinds)
    some, paying = linked.refunds, linked.links.returns
    loose = {one.refund_id: one for one in linked.links.loose}
    limit = timedelta(days=settings.storefront.pay_days)
    again = {key: _again(one, limit, now) for key, one in loose.items()}
    refunds.mark(
        conn,
        [
            (one.refund_id, *paying.get(one.refund_id, (None, "")), again.get(one.refund_id), one.refund_id in loose)
            for one in some
        ],
    )
    worklist.queue(conn, "draft", linked.returns)
    trouble = {key: one for key, one in loose.items() if again[key] is None and _counts(one, settings)}
    orders = [one.order_id for one in trouble.values()]
    unsent, off = cancellations.unsent(conn, orders), cancelled_parts.taken_off(conn, orders)
    open_ = sorted(trouble.keys() - goodwill.settled(conn, trouble))
    told = [trouble[key] for key in open_ if trouble[key].order_id not in unsent and not trouble[key].is_for(off)]
    problems = [without_return(one, _rmas(linked.returns.values(), one)) for one in told]
    findings.replace_of_subjects(conn, WITHOUT_RETURN, [without_return(one, ()).subject for one in some], problems, now)
    return [(len(some), len(told))]


def _again(refund: Refund, limit: timedelta, now: datetime) -> datetime | None:
    """When money without a return becomes trouble; None when it is."""
    assert refund.moved_at is not None
    due = refund.moved_at + limit + timedelta(microseconds=1)
    return due if due > now else None


def _counts(refund: Refund, settings: Settings) -> bool:
    return refund.moved_at is not None and london_date(refund.moved_at) >= settings.period_start


def _rmas(known: Iterable[Return], refund: Refund) -> tuple[str, ...]:
    """The returns of its order, none of which it fits."""
    its = (one for one in known if one.order_id == refund.order_id or one.order_name == refund.order_name)
    return tuple(sorted(one.rma for one in its))


@dataclass(frozen=True, slots=True)
class ReadVariants:
    """What one look brought: whether it was time, variants that are listed, and those that cannot be read."""

    was_due: bool
    listed: int = 0
    unreadable: int = 0


def read_variants(tools: Toolbox) -> ReadVariants:
    """Read those of every store when a night has passed; one shop that does not answer holds up no other."""
    found = stores.each(tools, refusing.VARIANTS, _read_variants)
    listed, unreadable = sum(one.listed for one in found), sum(one.unreadable for one in found)
    return ReadVariants(any(one.was_due for one in found), listed, unreadable)


def _read_variants(tools: Toolbox) -> ReadVariants:
    """Read all of one shop; where it is refused, those of before stay. Without a shop are none."""
    now, store = tools.now(), tools.settings.swap.store
    operation, mark = marks.of(refusing.VARIANTS, store), marks.of(marks.VARIANTS, store)
    with tools.store() as conn:
        if not tools.settings.storefront.is_connected:
            variants.replace(conn, [], [], now, store)
            return ReadVariants(was_due=False)
        is_paused = setbacks.WHOLE in setbacks.paused(conn, operation, now)
        was_due = night_has_passed(worklist.trusted(conn, mark, now), now) and not is_paused
    if not was_due:
        return ReadVariants(was_due=False)
    try:
        found, faults = listed_variants(tools.open_storefront())
    except PermanentError as error:
        with tools.store() as conn:
            refusing.keep_whole(conn, operation, error, now)
        return ReadVariants(was_due=True)
    with tools.store() as conn:
        variants.replace(conn, found, faults, now, store)
        refusing.keep_whole(conn, operation, None, now)
        worklist.move(conn, mark, now)
    return ReadVariants(was_due=True, listed=len(found), unreadable=len(faults))
