"""Reading Khaos's catalogue: Stock Codes that were edited since the last look.

Belongs here: what to ask for, what a push tells, and whom a changed code concerns. Stays out: SOAP and the shape of a
push (``adapters.khaos``), matching. Source: contracts/khaos.md §7.1, §8.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.pushes import read_stock_push
from khaos_swap_assets.adapters.store import catalogue, inbox, khaos_faults, matches, worklist
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.khaos.wire import RowFault
    from khaos_swap_assets.domain.stock_codes import StockCode

SOURCE = "khaos/stock_codes"
PUSH = "StockUpload"


@dataclass(frozen=True, slots=True)
class SyncedCodes:
    """What one look at the catalogue brought; ``pushed`` counts changed codes that Khaos told by itself."""

    asked: int
    changed: int
    unreadable: int
    is_due: bool
    pushed: int = 0


def sync_stock_codes(tools: Toolbox) -> SyncedCodes:
    """Read the Stock Codes revised since the watermark and queue the returns that they concern."""
    now, khaos = tools.now(), tools.settings.khaos
    with tools.store() as conn:
        pushed = _consume_pushes(conn, now)
        reached = worklist.reached(conn, SOURCE)
    if khaos.is_cloud:
        with tools.store() as conn:
            worklist.move(conn, SOURCE, now)
        return SyncedCodes(0, 0, 0, is_due=False, pushed=pushed)
    if reached is not None and now < reached + timedelta(minutes=khaos.stock_minutes):
        return SyncedCodes(0, 0, 0, is_due=False, pushed=pushed)
    client = tools.open_khaos()
    codes, list_faults = client.get_stock_list(reached and reached - timedelta(minutes=khaos.overlap_minutes))
    items, faults = client.export_stock(codes)
    with tools.store() as conn:
        changed = _keep(conn, items, [*list_faults, *faults], now)
        worklist.move(conn, SOURCE, now)
    return SyncedCodes(len(codes), len(changed), len(list_faults) + len(faults), is_due=True, pushed=pushed)


def _keep(conn: psycopg.Connection, items: Sequence[StockCode], faults: Sequence[RowFault], now: datetime) -> list[str]:
    """Save items and faults, and queue the returns that a changed code concerns; the changed codes."""
    changed = catalogue.save(conn, items, now)
    khaos_faults.resolve(conn, [item.stock_code for item in items], now)
    khaos_faults.save(conn, faults, now)
    worklist.queue(conn, "match", matches.ids_touched_by_codes(conn, changed))
    return changed


def _consume_pushes(conn: psycopg.Connection, now: datetime) -> int:
    messages = inbox.waiting(conn, "khaos", event=PUSH)
    pushes = [read_stock_push(message.body) for message in messages]
    told = {item.stock_code: item for push in pushes for item in push.items}
    known = {item.stock_code: item for item in catalogue.exact(conn, list(told))}
    items = [_beside(item, known.get(code)) for code, item in told.items()]
    gone = catalogue.of_ids(conn, [one for push in pushes for one in push.deleted_ids])
    items += [replace(item, is_discontinued=True) for item in gone if item.stock_code not in told]
    if messages:
        khaos_faults.resolve(conn, [PUSH], now)
    changed = _keep(conn, items, [fault for push in pushes for fault in push.faults], now)
    inbox.consume(conn, messages, now)
    return len(changed)


def _beside(pushed: StockCode, known: StockCode | None) -> StockCode:
    """What a push tells of an item, with what only ``ExportStock`` says of it."""
    if known is None:
        return pushed
    return replace(pushed, description=known.description, pack_components=known.pack_components)
