"""Reading stock levels of the codes that matter now, before anything is offered and after it was witnessed.

Belongs here: which codes to read, and keeping the levels that Khaos pushed. Stays out: SOAP, the shape of a push
(``adapters.khaos``) and the verdict (``adjustments``). Source: contracts/khaos.md §7.2, §8.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.pushes import read_level_push
from khaos_swap_assets.adapters.store import Conn, catalogue, drafts, khaos_faults, setbacks, stock, stock_adjustments
from khaos_swap_assets.adapters.store.inbox import Waiting
from khaos_swap_assets.domain.goods.dispositions import KEPT
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.stock_codes.sync import use_pushes
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient

PUSH = "StockStatusUpload"


@dataclass(frozen=True, slots=True)
class SyncedLevels:
    """Codes asked for, levels that changed, and levels that Khaos told by itself."""

    asked: int
    changed: int
    pushed: int = 0


def sync_levels(tools: Toolbox) -> SyncedLevels:
    """Read the level of every code that a ready draft, an unsettled move or an adjustment concerns, in batches.

    In audit nothing is asked, since nothing is offered; what Khaos pushes is kept in every mode.
    """
    with tools.store() as conn:
        pushed = use_pushes(conn, PUSH, _use, tools.now())
        if tools.settings.mode == "audit":
            return SyncedLevels(0, 0, pushed)
        wanted = _wanted(conn, tools)
    asked, changed = 0, 0
    for site_id, codes in wanted.items():
        asked += len(codes)
        changed += _read(tools, site_id, codes)
    return SyncedLevels(asked, changed, pushed)


def _wanted(conn: Conn, tools: Toolbox) -> dict[int, list[str]]:
    """Codes to read by site; nothing of a site whose levels Khaos refuses for now, and nothing of Khaos Cloud."""
    drafted = {code for code, disposition in drafts.ready_goods(conn) if disposition != KEPT}
    moved = {code for code, _ in catalogue.packs(conn, drafted).opened((code, 1) for code in drafted)}
    codes = {tools.settings.khaos.site_id: moved | set(stock.codes_to_read(conn))}
    adjusted = stock_adjustments.to_look_at(conn, tools.now())
    for site_id, code in adjusted:
        codes.setdefault(site_id, set()).add(code)
    stock_adjustments.looked_at(conn, adjusted, tools.now())
    if tools.settings.khaos.is_cloud:
        return {}
    paused = {site: setbacks.paused(conn, _operation(tools, site), tools.now()) for site in codes}
    open_sites = {site: some - paused[site] for site, some in codes.items() if setbacks.WHOLE not in paused[site]}
    return {site: sorted(some) for site, some in open_sites.items() if some}


def moved_since(khaos: KhaosClient, moment: datetime) -> set[str] | None:
    """The Stock Codes of which Khaos lists a movement since a moment; None where it does not tell."""
    try:
        codes, _ = khaos.get_stock_list(moment, 2)
    except PermanentError:
        return None
    return set(codes)


def _operation(tools: Toolbox, site_id: int) -> str:
    return refusing.LEVELS if site_id == tools.settings.khaos.site_id else refusing.LEVELS_ASIDE


def _read(tools: Toolbox, site_id: int, codes: list[str]) -> int:
    """Read the levels of a site; how many changed."""
    client, operation = tools.open_khaos(), _operation(tools, site_id)
    try:
        levels, faults = client.export_stock_status(codes, site_id)
    except PermanentError as error:
        with tools.store() as conn:
            refusing.keep_whole(conn, operation, error, tools.now())
        return 0
    with tools.store() as conn:
        unreadable = refusing.keep_keys(conn, operation, codes, faults, client, tools.now())
        khaos_faults.save(conn, unreadable, tools.now())
        return stock.observe(conn, levels, tools.now())


def _use(conn: Conn, messages: Sequence[Waiting], now: datetime) -> int:
    """Keep pushed levels, each as of the moment that it arrived, so that nothing older hides what was read since."""
    read = [(read_level_push(message.body), message.received_at) for message in messages]
    khaos_faults.save(conn, [fault for (_, faults), _ in read for fault in faults], now)
    return sum(stock.told(conn, levels, at) for (levels, _), at in read)
