"""The route that sets levels in Khaos: one Stock Code at a time is read, added up, set and read back.

Belongs here: the order of these steps, and what may begin: mode, caps, holds. Stays out: the verdict on what was read
back (``goods.adjustments``). A level is absolute (khaos.md §7.3): what is sold between reading and setting is written
over, and nobody can see it, so that time is measured and told. The intent is on disk before the level is set; without
an answer Khaos is asked for it before anything else. Damaged goods never go this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, setbacks, stock, stock_transfers, worklist
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.store.stock_transfers import Carriable
from khaos_swap_assets.domain.goods.adjustments import AGAIN, MOVED, OUT, REFUSED, Answer, Transfer, judge_write
from khaos_swap_assets.domain.goods.dispositions import SELLABLE
from khaos_swap_assets.domain.money.periods import LONDON, london_date
from khaos_swap_assets.stages import refusing, watching
from khaos_swap_assets.stages.stock.asking import moved_by_others
from khaos_swap_assets.stages.stock.levels import moved_since
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient

MOST_A_RUN = 100


def read_back(tools: Toolbox) -> None:
    """Ask Khaos what became of levels whose outcome is not known, once their call can no longer be under way."""
    before = tools.now() - timedelta(seconds=tools.settings.khaos.timeout_seconds)
    with tools.store() as conn:
        unknown = [one for one in stock_transfers.on_their_way(conn, "level") if one.state == OUT]
    for transfer in unknown:
        if transfer.read_at <= before:
            _judge(tools, transfer, "unknown")


def set_levels(tools: Toolbox) -> list[str]:
    """Set what is asked for, within the caps; where nothing may be set, say what would be.

    A refusal about a Stock Code of which nothing is asked any more is over.
    """
    settings, now = tools.settings, tools.now()
    with tools.store() as conn:
        stopped = settings.mode != "post" or watching.stopped(conn, settings, now)
        units = stock_transfers.carriable(conn, {SELLABLE: settings.khaos.site_id})
        refused = {one.subject for one in setbacks.standing(conn) if one.operation == refusing.LEVELS_SET}
        setbacks.over(conn, [refusing.LEVELS_SET], refused.difference(one.stock_code for one in units))
        paused = setbacks.paused(conn, refusing.LEVELS_SET, now)
        waiting = [one for one in stock_transfers.on_their_way(conn, "level") if one.state == AGAIN]
        due = list(
            _within_caps(conn, settings, [*waiting, *(one for one in units if one.stock_code not in paused)], now)
        )
        if stopped:
            return list(_would(conn, due, settings.khaos.site_id))
    site = _site(tools, due) if due else ""
    for one in due if site else ():
        if not _set(tools, site, one):
            break
    return []


def _site(tools: Toolbox, due: Sequence[Transfer | Carriable]) -> str:
    """The name of the site of saleable stock; where Khaos names none, nothing can be set there, which is told."""
    site_id = tools.settings.khaos.site_id
    try:
        site, why = tools.open_khaos().get_site_list().get(site_id, ""), f"Khaos names no site {site_id}"
    except PermanentError as error:
        site, why = "", str(error)
    if not site:
        with tools.store() as conn:
            setbacks.keep(conn, refusing.LEVELS_SET, {one.stock_code: why for one in due}, tools.now())
    return site


def _within_caps(
    conn: Conn, settings: Settings, wanted: Iterable[Transfer | Carriable], now: datetime
) -> Iterator[Transfer | Carriable]:
    count, pence = stock_transfers.set_since(conn, datetime.combine(london_date(now), time(), LONDON))
    most = min(settings.daily_document_cap, count + MOST_A_RUN)
    for one in wanted:
        if count < most and pence + one.value_pence <= settings.daily_value_cap_pounds * 100:
            count, pence = count + 1, pence + one.value_pence
            yield one


def _would(conn: Conn, due: Iterable[Transfer | Carriable], site_id: int) -> Iterator[str]:
    wanted = list(due)
    levels = stock.level(conn, [one.stock_code for one in wanted], site_id)
    for one in wanted:
        now = levels[one.stock_code][0] if one.stock_code in levels else None
        told = f" from {now} to {now + one.quantity}" if now is not None else f" by {one.quantity}"
        yield f"{one.stock_code}: the level of site {site_id} would be changed{told}"


def _set(tools: Toolbox, site: str, wanted: Transfer | Carriable) -> bool:
    """Take one through all steps; whether the next may follow: not after a refusal, nor without an answer."""
    khaos, at = tools.khaos_to_write(), tools.now()
    began = perf_counter()
    level = _level(khaos, wanted)
    if level is None or level + wanted.quantity < 0:
        return True
    begun = _begun(tools, wanted, level, at)
    if begun is None:
        return True
    answer, reason = _written(tools, khaos, site, begun)
    begun = replace(begun, window_ms=-int((began - perf_counter()) * 1000 // 1))
    if answer == "unknown":
        with tools.store() as conn:
            stock_transfers.save(conn, begun, tools.now())
        return False
    return _judge(tools, begun, answer, reason) == MOVED


def _level(khaos: KhaosClient, one: Transfer | Carriable) -> int | None:
    levels, _ = khaos.export_stock_status([one.stock_code], one.site_id)
    return next((level.available for level in levels if level.stock_code == one.stock_code), None)


def _begun(tools: Toolbox, wanted: Transfer | Carriable, level: int, at: datetime) -> Transfer | None:
    """The intent, on disk; None where a person held everything, or ended it, meanwhile."""
    with tools.store() as conn:
        SqlPostings(conn).lock()
        if watching.stopped(conn, tools.settings, tools.now()):
            return None
        if isinstance(wanted, Transfer):
            return stock_transfers.begin_again(conn, wanted.transfer_id, level, at)
        sites = {wanted.disposition: wanted.site_id}
        for units in stock_transfers.carriable(conn, sites, codes=[wanted.stock_code]):
            if level + units.quantity >= 0:
                return stock_transfers.begin(conn, "level", units, level, at)
    return None


def _written(tools: Toolbox, khaos: KhaosClient, site: str, begun: Transfer) -> tuple[Answer, str]:
    """Set the level, once. Raises ``TransientError`` when the call certainly did not leave; it is tried again then."""
    try:
        is_set = khaos.import_stock_level(begun.stock_code, site, begun.level_wanted)
    except InDoubtError as error:
        return "unknown", str(error)
    except PermanentError as error:
        return "refused", str(error)
    except TransientError:
        with tools.store() as conn:
            stock_transfers.save(conn, replace(begun, state=AGAIN), tools.now())
        raise
    return ("taken", "") if is_set else ("refused", "Khaos answers that it set no level")


def _judge(tools: Toolbox, transfer: Transfer, answer: Answer, reason: str = "") -> str:
    """Read the level back and write down what it proves: the state."""
    khaos, code = tools.open_khaos(), transfer.stock_code
    seen = _level(khaos, transfer)
    if seen is None:
        return transfer.state
    is_old = answer == "unknown" and seen == transfer.level_read
    moved = moved_since(khaos, transfer.read_at - worklist.SKEW) if is_old else set()
    is_moved = moved is None or code in moved  # Khaos lists it, as after what we set it does, or does not tell
    with tools.store() as conn:
        now = tools.now()
        is_moved = is_moved or (is_old and bool(moved_by_others(conn, {code: (transfer.read_at, now)})[code]))
        state = judge_write(answer, transfer, seen, is_moved=is_moved)
        stock.observe(conn, [(code, transfer.site_id, seen)], now)
        stock_transfers.save(conn, replace(transfer, state=state, level_after=seen, level_after_at=now), now)
        if state == REFUSED:
            setbacks.keep(conn, refusing.LEVELS_SET, {code: reason}, now)
        elif state == MOVED:
            setbacks.over(conn, [refusing.LEVELS_SET], [code])
    return state
