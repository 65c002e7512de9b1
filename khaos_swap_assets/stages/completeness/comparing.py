"""Comparing the mirror with what Swap says it holds, and reading again what is apart.

Belongs here: which days to ask about and when, and mending. Stays out: what waits or was slow (``timing``). It stands
on no event and no watermark of the sync: it would notice a webhook that never came and a window that was too short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import Conn, arrivals, completeness, inbox, setbacks, worklist
from khaos_swap_assets.adapters.store.completeness import FIRST_LOOK, Day
from khaos_swap_assets.stages import marks, refusing, stores
from khaos_swap_assets.stages.returns import sync

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.swap.client import SwapClient, SweepResult
    from khaos_swap_assets.stages.toolbox import Toolbox

NEAR = "swap/completeness"
WIDE = "swap/completeness wide"
NEAR_DAYS = 2
NEAR_EVERY = timedelta(hours=1)
WIDE_EVERY = timedelta(hours=20)
MOST_SINGLE = 300
NAMED = 20
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Compared:
    """What one look compared: days asked about, and open returns read one by one."""

    days: tuple[Day, ...]
    read_singly: int


def compare(tools: Toolbox) -> Compared:
    """Compare every store; one that does not answer holds up no other."""
    done = stores.each(tools, refusing.SWAP_COUNTS, _compare)
    return Compared(tuple(day for one in done for day in one.days), sum(one.read_singly for one in done))


def _compare(tools: Toolbox) -> Compared:
    """Ask a store about the days that are due, read again the days that are apart, and keep the result."""
    now, store = tools.now(), tools.settings.swap.store
    counts, wide = marks.of(refusing.SWAP_COUNTS, store), _wide(tools.settings, now)
    with tools.store() as conn:
        is_refused = setbacks.WHOLE in setbacks.paused(conn, counts, now)
        asked, knocks = [] if is_refused else due_days(conn, tools.settings, now), inbox.knocks(conn, store=store)
        held = completeness.mirrored(conn, asked[0], asked[-1], store) if asked else {}
        far = completeness.out_of_reach(conn, wide, MOST_SINGLE, store) if len(asked) > NEAR_DAYS else []
    if not asked:
        return Compared((), 0)
    client = tools.open_swap()
    try:
        told = _told(client, asked, held)
        apart = [day for day, total in told.items() if total != held.get(day, 0)]
        lists = {day: client.submitted_on(day) for day in apart if told[day]}
    except PermanentError as error:
        with tools.store() as conn:
            refusing.keep_whole(conn, counts, error, now)
        return Compared((), 0)
    singles = refusing.hear_each(far, client.by_rma)
    with tools.store() as conn:
        before = {day: completeness.rmas_on(conn, day, store) for day in told if day in lists or told[day] == 0}
        sync.keep(conn, [*lists.values(), *singles.answers.values()], now, knocks, tools.settings)
        refusing.keep_named(conn, singles, now)
        refusing.keep_whole(conn, counts, None, now)
        found = _found(conn, told, lists, before, store=store, now=now)
        for name in (NEAR, WIDE) if len(asked) > NEAR_DAYS else (NEAR,):
            worklist.move(conn, marks.of(name, store), now)
        if worklist.trusted(conn, FIRST_LOOK, now) is None:
            worklist.move(conn, FIRST_LOOK, now)
        arrivals.forget_refused(conn, now - KEPT)
        arrivals.forget_used(conn, now - KEPT)
    return Compared(tuple(found), len(singles.answers))


def due_days(conn: Conn, settings: Settings, now: datetime) -> list[date]:
    """The days to ask about now: every day of the wide window once a night, the last two every hour, else none."""
    today = now.date()
    near, wide = (marks.of(name, settings.swap.store) for name in (NEAR, WIDE))
    if _is_due(worklist.trusted(conn, wide, now), WIDE_EVERY, now):
        first = _wide(settings, now).date() + timedelta(days=1)
        return [first + timedelta(days=number) for number in range((today - first).days + 1)]
    if _is_due(worklist.trusted(conn, near, now), NEAR_EVERY, now):
        return [today - timedelta(days=number) for number in reversed(range(NEAR_DAYS))]
    return []


def _told(client: SwapClient, asked: Sequence[date], held: Mapping[date, int]) -> dict[date, int]:
    """Swap's count of each day. Days in a row on which we hold nothing are asked about at once, first."""
    told: dict[date, int] = {}
    for is_empty, days in groupby(asked, key=lambda day: not held.get(day)):
        row = list(days)
        if is_empty and client.count_submitted(row[0], row[-1]) == 0:
            told |= dict.fromkeys(row, 0)
        else:
            told |= {day: total for day in row if (total := client.count_submitted(day, day)) is not None}
    return told


def _wide(settings: Settings, now: datetime) -> datetime:
    return now - timedelta(days=settings.swap.wide_sweep_days)


def _is_due(reached: datetime | None, every: timedelta, now: datetime) -> bool:
    return reached is None or reached <= now - every


def _found(
    conn: Conn,
    told: Mapping[date, int],
    lists: Mapping[date, SweepResult],
    before: Mapping[date, dict[str, str]],
    *,
    store: str,
    now: datetime,
) -> list[Day]:
    held = completeness.mirrored(conn, min(told), max(told), store) if told else {}
    days = (_day(day, told[day], held.get(day, 0), before.get(day, {}), lists.get(day), now) for day in told)
    found = [replace(day, store=store) for day in days]
    completeness.save(conn, found)
    return found


def _day(day: date, told: int, held: int, before: dict[str, str], read: SweepResult | None, now: datetime) -> Day:
    listed = {one.record.return_id: one.record.rma for one in read.returns} if read else {}
    missing = sorted(rma for return_id, rma in listed.items() if return_id not in before) if read else []
    vanished = sorted(rma for return_id, rma in before.items() if return_id not in listed)
    faults = len(read.faults) if read else 0
    return Day(
        day=day,
        told=told,
        mirrored=held,
        missing_rmas=missing[:NAMED],
        vanished_rmas=vanished[:NAMED],
        unreadable_rows=faults,
        mended=len(missing),
        checked_at=now,
    )
