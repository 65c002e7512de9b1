"""Reading Khaos's catalogue: Stock Codes that were edited since the last look.

Belongs here: what to ask for and whom a changed code concerns. Stays out: SOAP (``adapters.khaos``) and matching.
Source: contracts/khaos.md §7.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from khaos_swap_assets.adapters.store import catalogue, khaos_faults, matches, worklist
from khaos_swap_assets.stages.toolbox import Toolbox

SOURCE = "khaos/stock_codes"
REVISION = 0


@dataclass(frozen=True, slots=True)
class SyncedCodes:
    """What one look at the catalogue brought."""

    asked: int
    changed: int
    unreadable: int
    is_due: bool


def sync_stock_codes(tools: Toolbox) -> SyncedCodes:
    """Read the Stock Codes revised since the watermark and queue the returns that they concern."""
    now, khaos = tools.now(), tools.settings.khaos
    with tools.store() as conn:
        reached = worklist.reached(conn, SOURCE)
    if reached is not None and now < reached + timedelta(minutes=khaos.stock_minutes):
        return SyncedCodes(0, 0, 0, is_due=False)
    client = tools.open_khaos()
    codes, list_faults = client.get_stock_list(reached and reached - timedelta(minutes=khaos.overlap_minutes), REVISION)
    items, faults = client.export_stock(codes)
    with tools.store() as conn:
        changed = catalogue.save(conn, items, now)
        khaos_faults.save(conn, [*list_faults, *faults], now)
        worklist.queue(conn, "match", matches.ids_touched_by_codes(conn, changed))
        worklist.move(conn, SOURCE, now)
    return SyncedCodes(len(codes), len(changed), len(list_faults) + len(faults), is_due=True)
