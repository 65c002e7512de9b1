"""Reading what the shop lists, once a night: every variant with its SKU.

Belongs here: when to read, keeping it with its watermark, and what is refused. Stays out: the questions
(``adapters.storefront.variants``) and what comes of a SKU (``returns.foreseeing``).
"""

from __future__ import annotations

from dataclasses import dataclass

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.store import setbacks, variants, worklist
from khaos_swap_assets.adapters.storefront.variants import listed_variants
from khaos_swap_assets.domain.money.periods import night_has_passed
from khaos_swap_assets.stages import marks, refusing, stores
from khaos_swap_assets.stages.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class ReadVariants:
    """What one look brought: whether it was time, variants that are listed, and those that cannot be read."""

    was_due: bool
    listed: int = 0
    unreadable: int = 0


def read_variants(tools: Toolbox) -> ReadVariants:
    """Read those of every store when a night has passed; one shop that does not answer holds up no other."""
    found = stores.each(tools, refusing.VARIANTS, _read)
    listed, unreadable = sum(one.listed for one in found), sum(one.unreadable for one in found)
    return ReadVariants(any(one.was_due for one in found), listed, unreadable)


def _read(tools: Toolbox) -> ReadVariants:
    """Read all of one shop; where it is refused, those of before stay. Without a shop are none."""
    now, store = tools.now(), tools.settings.swap.store
    operation, mark = marks.of(refusing.VARIANTS, store), marks.of(marks.VARIANTS, store)
    with tools.store() as conn:
        if not tools.settings.storefront.is_connected:
            variants.replace(conn, [], [], now, store)
            return ReadVariants(was_due=False)
        is_paused = setbacks.WHOLE in setbacks.paused(conn, operation, now)
        was_due = night_has_passed(worklist.trusted(conn, mark, now), now) and not is_paused
    if not was_due:
        return ReadVariants(was_due=False)
    try:
        found, faults = listed_variants(tools.open_storefront())
    except PermanentError as error:
        with tools.store() as conn:
            refusing.keep_whole(conn, operation, error, now)
        return ReadVariants(was_due=True)
    with tools.store() as conn:
        variants.replace(conn, found, faults, now, store)
        refusing.keep_whole(conn, operation, None, now)
        worklist.move(conn, mark, now)
    return ReadVariants(was_due=True, listed=len(found), unreadable=len(faults))
