"""Payouts: reading those of Shopify Payments of every store, and laying all beside the refunds that were paid.

Belongs here: when to ask and how far back, keeping what came with its watermark, what is refused; which lines and
payments to look at, and keeping where each belongs, so that finance is told what is in no place. Stays out: the
questions (``adapters.storefront.payouts``), files (``stages.importing``) and the comparison (``domain.payouts``). A
tick costs by the payouts that came and by what is apart; payments that no payout holds are looked for when a payout
came, and once a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, findings, paid_refunds, payouts, refunds, setbacks, worklist
from khaos_swap_assets.adapters.storefront.payouts import PROVIDER, payouts_since, subject_of
from khaos_swap_assets.adapters.storefront.records import PayoutSweep
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.payouts.comparing import KINDS, Placed, compare, missing, problem_of, total_problem
from khaos_swap_assets.domain.payouts.records import Covered, PaidLine, PaidRefund
from khaos_swap_assets.domain.records.stores import owner
from khaos_swap_assets.stages import marks, refusing, stores
from khaos_swap_assets.stages.toolbox import Toolbox

CHANGES_WITHIN = timedelta(days=14)
"""A payout is scheduled first, and paid, failed or cancelled some days later."""
NOTHING = PayoutSweep((), (), ())


@dataclass(frozen=True, slots=True)
class ReadPayouts:
    """What one look brought: payouts that were listed, those that said something new, and those not read whole."""

    listed: int = 0
    changed: int = 0
    unreadable: int = 0


def read_payouts(tools: Toolbox) -> ReadPayouts:
    """Read the payouts of each store when it is time; one's outage holds up no other."""
    found = stores.each(tools, refusing.PAYOUTS, _read)
    return ReadPayouts(*(sum(getattr(one, name) for one in found) for name in ReadPayouts.__dataclass_fields__))


def _read(tools: Toolbox) -> ReadPayouts:
    now, store = tools.now(), tools.settings.swap.store
    operation = marks.of(refusing.PAYOUTS, store)
    with tools.store() as conn:
        since = due_since(conn, tools.settings, now)
        known = payouts.hashes_since(conn, PROVIDER, london_date(since)) if since else {}
    if since is None:
        return ReadPayouts()
    refusal: PermanentError | None = None
    try:
        sweep = payouts_since(tools.open_storefront(), since, known.get)
    except PermanentError as error:
        sweep, refusal = NOTHING, error
    with tools.store() as conn:
        payouts.save(conn, sweep.payouts, now)
        read = [subject_of(one.record.payout_id) for one in sweep.payouts]
        refunds.keep_faults(conn, read, sweep.faults, now)
        refusing.keep_whole(conn, operation, refusal, now, longest=stores.longest_pause(tools.settings))
        if refusal is None:
            setbacks.over(conn, [operation], [one for one in sweep.seen if one not in sweep.refused])
            setbacks.keep(conn, operation, sweep.refused, now)
            if worklist.trusted(conn, marks.of(marks.PAYOUTS_FROM, store), now) is None:
                worklist.move(conn, marks.of(marks.PAYOUTS_FROM, store), since)
            worklist.move(conn, marks.of(marks.PAYOUTS, store), now)
    return ReadPayouts(len(sweep.seen), len(sweep.payouts), len(sweep.faults))


def due_since(conn: Conn, settings: Settings, now: datetime) -> datetime | None:
    """The moment since which to ask a store, or None where nobody asks, or did lately, or was refused a moment ago."""
    operation, mark = (marks.of(name, settings.swap.store) for name in (refusing.PAYOUTS, marks.PAYOUTS))
    if not settings.storefront.reads_payouts or setbacks.WHOLE in setbacks.paused(conn, operation, now):
        return None
    reached = worklist.trusted(conn, mark, now)
    if reached is None:
        return marks.first_read_from(settings, now)
    is_due = reached <= now - timedelta(minutes=settings.storefront.payout_minutes)
    return reached - CHANGES_WITHIN if is_due else None


@dataclass(frozen=True, slots=True)
class ComparedPayouts:
    """What one look brought: payouts that were due, lines by place, and all that is apart now."""

    payouts: int
    places: Mapping[str, int]
    apart: int


def compare_payouts(tools: Toolbox) -> ComparedPayouts:
    """Place the lines of payouts that came, and again what had no place; tell what is apart."""
    now, settings = tools.now(), tools.settings
    with tools.store() as conn:
        keys = payouts.due(conn)
        lines = payouts.lines_to_compare(conn, keys, settings.period_start)
        found = _compared(conn, settings, lines)
        payouts.forget_lines(conn, keys)
        payouts.place(conn, found, now)
        payouts.compared(conn, keys)
        _look_for_missing(conn, settings, now, is_news=bool(keys))
        apart = payouts.differences(conn, settings.period_start)
        totals = payouts.apart(conn, settings.period_start)
        problems = [problem for one in apart if (problem := problem_of(one))]
        findings.replace_of_kinds(conn, KINDS, [*problems, *(total_problem(*one) for one in totals)], now)
    return ComparedPayouts(len(keys), Counter(one.place for one in found), len(apart) + len(totals))


def _compared(conn: Conn, settings: Settings, lines: Sequence[PaidLine]) -> list[Placed]:
    """The lines with their refunds, and again the lines that hold one of these refunds."""
    if not lines:
        return []
    first = _money(settings, paid_refunds.named_by(conn, lines, has_storefront=bool(settings.connected)))
    beside = payouts.lines_of_refunds(conn, {one.key for one in first})
    every = list({one.name: one for one in [*lines, *beside]}.values())
    more = paid_refunds.named_by(conn, every, has_storefront=bool(settings.connected))
    return compare(every, _money(settings, more))


def _money(settings: Settings, refunds: Sequence[PaidRefund]) -> list[PaidRefund]:
    """Without gift cards and store credit, which no provider pays out (U-14)."""
    return [one for one in refunds if not settings.storefront.kinds.is_tender(one.gateway)]


def _look_for_missing(conn: Conn, settings: Settings, now: datetime, *, is_news: bool) -> None:
    """Find payments that a payout should hold by now; what a payout holds since is missing no more."""
    last = worklist.trusted(conn, marks.PAYOUTS_COMPARED, now)
    is_new_day = last is None or london_date(last) < london_date(now)
    payouts.forget_missing(conn, held_only=not (is_news or is_new_day))
    if is_news or is_new_day:
        days, further = settings.storefront.payout_days, [one.swap.store for one in settings.by_store[1:]]
        for provider, store, known in _covered(conn, settings, now):
            until = known.last - timedelta(days=days)
            unheld = _money(settings, paid_refunds.unheld(conn, provider, known.first, until))
            mine = [one for one in unheld if store is None or owner(further, one.refund_id) == store]
            payouts.place(conn, missing(mine, {provider: known}, days), now)
        worklist.move(conn, marks.PAYOUTS_COMPARED, now)


def _covered(conn: Conn, settings: Settings, now: datetime) -> list[tuple[str, str | None, Covered]]:
    """Provider, store (None: of every one) and the days of known payouts.

    Those that are read are of one store, and known from its first reading to its last.
    """
    read = []
    for store in (one.swap.store for one in settings.by_store):
        names = (marks.of(mark, store) for mark in (marks.PAYOUTS_FROM, marks.PAYOUTS))
        first, last = (worklist.trusted(conn, name, now) for name in names)
        if first and last:
            whose = store if settings.has_several_stores else None
            read.append((PROVIDER, whose, Covered(london_date(first), london_date(last))))
    told = [(name, None, days) for name, days in payouts.covered(conn).items() if not (read and name == PROVIDER)]
    return [*told, *read]
