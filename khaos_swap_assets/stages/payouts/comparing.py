"""Laying payouts beside the refunds that were paid, and telling finance what is in no place.

Belongs here: which lines and payments to look at, and keeping where each belongs. Stays out: the comparison
(``domain.payouts``) and reading payouts (``reading``, ``importing``). A tick costs by the payouts that came and by what
is apart; payments that no payout holds are looked for when a payout came, and once a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import findings, paid_refunds, payouts, worklist
from khaos_swap_assets.adapters.storefront.payouts import PROVIDER
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.payouts.comparing import KINDS, Placed, compare, missing, problem_of, total_problem
from khaos_swap_assets.domain.payouts.records import Covered, PaidLine, PaidRefund
from khaos_swap_assets.domain.records.stores import owner
from khaos_swap_assets.stages import marks
from khaos_swap_assets.stages.toolbox import Toolbox


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


def _compared(conn: psycopg.Connection, settings: Settings, lines: Sequence[PaidLine]) -> list[Placed]:
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


def _look_for_missing(conn: psycopg.Connection, settings: Settings, now: datetime, *, is_news: bool) -> None:
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


def _covered(conn: psycopg.Connection, settings: Settings, now: datetime) -> list[tuple[str, str | None, Covered]]:
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
