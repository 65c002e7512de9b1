"""Reading Swap: what changed since the last look, what is still open, and once a night a wide sweep.

Belongs here: which window to ask for and what to do with what came. Stays out: paging and parsing (``adapters.swap``).
A tick costs by what changed: only returns with another content hash are written and queued. Source: DESIGN §4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from khaos_swap_assets.adapters.store import inbox, returns, worklist
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.swap.client import SwapClient, SweepResult

SOURCE = "swap/returns"
OPEN = "swap/open_returns"
WIDE = "swap/wide_sweep"
NIGHT = time(2, 0)


@dataclass(frozen=True, slots=True)
class SyncedReturns:
    """What one look at Swap brought; counts of returns, lines and rows that could not be read."""

    read: int
    changed: tuple[str, ...]
    lines: int
    unreadable: int
    is_drifted: bool
    knocks: int


def sync_returns(tools: Toolbox) -> SyncedReturns:
    """Read Swap and bring the mirror up to date, in one transaction with the watermarks."""
    now = tools.now()
    with tools.store() as conn:
        windows = due_windows(conn, tools.settings, now)
    sweeps = list(_sweep(tools.open_swap(), windows))
    with tools.store() as conn:
        result = _keep(conn, sweeps, now)
        for window in windows:
            worklist.move(conn, window.source, now)
    return result


@dataclass(frozen=True, slots=True)
class Window:
    """One list to ask for: returns updated, or submitted, since a moment."""

    source: str
    by: str
    since: datetime


def due_windows(conn: psycopg.Connection, settings: Settings, now: datetime) -> list[Window]:
    """The lists to ask for now. The first look reaches back as far as a wide sweep; so does one a night."""
    reached = worklist.reached(conn, SOURCE)
    wide = now - timedelta(days=settings.swap.wide_sweep_days)
    if reached is None or _is_night_due(worklist.reached(conn, WIDE), now):
        return [Window(SOURCE, "changed", wide), Window(WIDE, "submitted", wide), Window(OPEN, "none", now)]
    windows = [Window(SOURCE, "changed", reached - timedelta(minutes=settings.swap.overlap_minutes))]
    reread = worklist.reached(conn, OPEN)
    if reread is None or reread <= now - timedelta(minutes=settings.open_reread_minutes):
        oldest = returns.oldest_open(conn, wide)
        windows.append(Window(OPEN, "submitted" if oldest else "none", oldest or now))
    return windows


def _is_night_due(reached: datetime | None, now: datetime) -> bool:
    london = now.astimezone(ZoneInfo("Europe/London"))
    tonight = london.replace(hour=NIGHT.hour, minute=0, second=0, microsecond=0)
    last = tonight if london >= tonight else tonight - timedelta(days=1)
    return reached is None or reached < last


def _sweep(client: SwapClient, windows: list[Window]) -> Iterator[SweepResult]:
    for window in windows:
        if window.by == "changed":
            yield client.changed_since(window.since)
        elif window.by == "submitted":
            yield client.submitted_since(window.since)


def _keep(conn: psycopg.Connection, sweeps: list[SweepResult], now: datetime) -> SyncedReturns:
    read = [one for sweep in sweeps for one in sweep.returns]
    faults = {fault.row_hash: fault for sweep in sweeps for fault in sweep.faults}
    fresh = returns.changed(conn, read)
    returns.save(conn, fresh, now)
    returns.resolve_unreadable(conn, [one.record.rma for one in read], now)
    returns.save_unreadable(conn, [(f.row_hash, f.subject, "; ".join(f.reasons)) for f in faults.values()], now)
    changed = tuple(one.record.return_id for one in fresh)
    worklist.queue(conn, "match", changed)
    knocks = inbox.consume_swap(conn, [one.record.return_id for one in read], now)
    lines = sum(len(one.record.lines) for one in fresh)
    return SyncedReturns(len(read), changed, lines, len(faults), any(sweep.is_drifted for sweep in sweeps), knocks)
