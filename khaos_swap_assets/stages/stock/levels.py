"""Reading stock levels of the codes that matter now, before anything is offered and after it was witnessed.

Belongs here: which codes to read. Stays out: SOAP and the verdict (``adjustments``). Source: contracts/khaos.md §7.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from khaos_swap_assets.adapters.store import drafts, stock
from khaos_swap_assets.stages.toolbox import Toolbox

SITES = "khaos/sites"


@dataclass(frozen=True, slots=True)
class SyncedLevels:
    """Codes asked for and levels that changed."""

    asked: int
    changed: int


def sync_levels(tools: Toolbox) -> SyncedLevels:
    """Read the saleable level of every code that a ready draft or an unsettled move concerns, in batches."""
    if tools.settings.mode == "audit":
        return SyncedLevels(0, 0)
    with tools.store() as conn:
        drafted = {line.stock_code for one in drafts.ready(conn) if one.draft for line in one.draft.lines}
        codes = sorted(drafted | set(stock.codes_in_play(conn)))
    if not codes:
        return SyncedLevels(0, 0)
    levels = tools.open_khaos().export_stock_status(codes, tools.settings.khaos.site_id)[0]
    with tools.store() as conn:
        return SyncedLevels(len(codes), stock.observe(conn, [tuple(level) for level in levels], tools.now()))
