"""Reading stock levels of the codes that matter now, before anything is offered and after it was witnessed.

Belongs here: which codes to read, and keeping the levels that Khaos pushed. Stays out: SOAP, the shape of a push
(``adapters.khaos``) and the verdict (``adjustments``). Source: contracts/khaos.md §7.2, §8.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.pushes import read_level_push
from khaos_swap_assets.adapters.store import catalogue, drafts, khaos_faults, setbacks, stock
from khaos_swap_assets.adapters.store.inbox import Waiting
from khaos_swap_assets.domain.goods.dispositions import KEPT
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.pushing import use_pushes
from khaos_swap_assets.stages.toolbox import Toolbox

PUSH = "StockStatusUpload"


@dataclass(frozen=True, slots=True)
class SyncedLevels:
    """Codes asked for, levels that changed, and levels that Khaos told by itself."""

    asked: int
    changed: int
    pushed: int = 0


def sync_levels(tools: Toolbox) -> SyncedLevels:
    """Read the saleable level of every code that a ready draft or an unsettled move concerns, in batches.

    In audit nothing is asked, since nothing is offered; what Khaos pushes is kept in every mode.
    """
    with tools.store() as conn:
        pushed = use_pushes(conn, PUSH, _use, tools.now())
        if tools.settings.mode == "audit":
            return SyncedLevels(0, 0, pushed)
        drafted = {
            line.stock_code
            for one in drafts.ready(conn)
            if one.draft
            for line in one.draft.lines
            if line.disposition != KEPT
        }
        moved = {code for code, _ in catalogue.packs(conn, drafted).opened((code, 1) for code in drafted)}
        codes = sorted(moved | set(stock.codes_in_play(conn)))
        paused = setbacks.paused(conn, refusing.LEVELS, tools.now())
        codes = [code for code in codes if code not in paused]
    if not codes or setbacks.WHOLE in paused or tools.settings.khaos.is_cloud:
        return SyncedLevels(0, 0, pushed)
    client = tools.open_khaos()
    try:
        levels, faults = client.export_stock_status(codes, tools.settings.khaos.site_id)
    except PermanentError as error:
        with tools.store() as conn:
            refusing.keep_whole(conn, refusing.LEVELS, error, tools.now())
        return SyncedLevels(len(codes), 0, pushed)
    with tools.store() as conn:
        unreadable = refusing.keep_keys(conn, refusing.LEVELS, codes, faults, client, tools.now())
        khaos_faults.save(conn, unreadable, tools.now())
        return SyncedLevels(len(codes), stock.observe(conn, levels, tools.now()), pushed)


def _use(conn: psycopg.Connection, messages: Sequence[Waiting], now: datetime) -> int:
    """Keep pushed levels, each as of the moment that it arrived, so that nothing older hides what was read since."""
    read = [(read_level_push(message.body), message.received_at) for message in messages]
    khaos_faults.save(conn, [fault for (_, faults), _ in read for fault in faults], now)
    return sum(stock.told(conn, levels, at) for (levels, _), at in read)
