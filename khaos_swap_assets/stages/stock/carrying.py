"""The routes that carry adjustments into Khaos for people, where one is set up.

Belongs here: which route works, and that what is on its way is followed whatever the setting says now. Stays out: the
routes (``level_writes``, ``import_files``). Without a route every adjustment stays a task.
"""

from __future__ import annotations

from khaos_swap_assets.stages.stock import import_files, level_writes
from khaos_swap_assets.stages.toolbox import Toolbox


def carry(tools: Toolbox) -> list[str]:
    """Follow what is on its way, then begin what the route may carry; what would be set, where nothing may be."""
    level_writes.read_back(tools)
    import_files.read_back(tools)
    import_files.put_out(tools)
    return level_writes.set_levels(tools) if tools.settings.stock.route == "level" else []
