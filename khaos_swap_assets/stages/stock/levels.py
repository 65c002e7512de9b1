"""Reading stock levels of the codes that matter now, before anything is offered and after it was witnessed.

Belongs here: which codes to read, and keeping the levels that Khaos pushed. Stays out: SOAP, the shape of a push
(``adapters.khaos``) and the verdict (``adjustments``). Source: contracts/khaos.md §7.2, §8.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.pushes import read_level_push
from khaos_swap_assets.adapters.store import drafts, inbox, khaos_faults, stock
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

PUSH = "StockStatusUpload"


@dataclass(frozen=True, slots=True)
class SyncedLevels:
    """Codes asked for, levels that changed, and levels that Khaos told by itself."""

    asked: int
    changed: int
    pushed: int = 0


def sync_levels(tools: Toolbox) -> SyncedLevels:
    """Read the saleable level of every code that a ready draft or an unsettled move concerns, in batches."""
    if tools.settings.mode == "audit":
        return SyncedLevels(0, 0)
    with tools.store() as conn:
        pushed = _consume_pushes(conn, tools.now())
        drafted = {line.stock_code for one in drafts.ready(conn) if one.draft for line in one.draft.lines}
        codes = sorted(drafted | set(stock.codes_in_play(conn)))
    if not codes or tools.settings.khaos.is_cloud:
        return SyncedLevels(0, 0, pushed)
    levels, faults = tools.open_khaos().export_stock_status(codes, tools.settings.khaos.site_id)
    with tools.store() as conn:
        khaos_faults.save(conn, faults, tools.now())
        return SyncedLevels(len(codes), stock.observe(conn, levels, tools.now()), pushed)


def _consume_pushes(conn: psycopg.Connection, now: datetime) -> int:
    """Keep pushed levels, each as of the moment that it arrived, so that nothing older hides what was read since."""
    messages = inbox.waiting(conn, "khaos", event=PUSH)
    news = 0
    if messages:
        khaos_faults.resolve(conn, [PUSH], now)
    for message in messages:
        levels, faults = read_level_push(message.body)
        news += stock.told(conn, levels, message.received_at)
        khaos_faults.save(conn, faults, now)
    inbox.consume(conn, messages, now)
    return news
