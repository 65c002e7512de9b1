"""The route of files: what is asked for is put into a file for Khaos's import screen, and looked for in the levels.

Belongs here: which units go into the next file, writing files that are meant, judging those that are out. Stays out:
the columns (``files.adjustments``) and the verdict (``goods.adjustments``). The intent is on disk before the file is:
after a stop in between the file is written as it was meant, byte for byte, and no unit is in two. That somebody took a
file away counts as nothing: only the levels say that it was imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.adapters.files import adjustments
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, setbacks, stock, stock_files, stock_transfers
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.store.stock_files import StockFile
from khaos_swap_assets.adapters.store.stock_transfers import Carriable
from khaos_swap_assets.domain.goods.adjustments import OUT, Transfer, judge_file
from khaos_swap_assets.domain.goods.dispositions import DAMAGED, SELLABLE
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import refusing
from khaos_swap_assets.stages.stock.asking import AFTER, moved_by_others
from khaos_swap_assets.stages.stock.levels import moved_since
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_ROWS = 500
Levels = dict[tuple[int, str], tuple[int, datetime]]


def read_back(tools: Toolbox) -> None:
    """Judge what is out by the newest levels; one that is as before may be so by an import and a sale."""
    with tools.store() as conn:
        out = stock_transfers.on_their_way(conn, "file")
        levels = _levels(conn, out)
        seen = [one for one in out if _key(one) in levels and levels[_key(one)][1] > one.read_at]
        moved = _moved(conn, {_key(one): (one.read_at + AFTER, levels[_key(one)][1]) for one in seen})
    moved |= _moved_unseen(tools, [one for one in seen if levels[_key(one)][0] == one.level_read])
    with tools.store() as conn:
        for one in seen:
            level, seen_at = levels[_key(one)]
            state = judge_file(one, level, is_moved=_key(one) in moved)
            if state != OUT:
                judged = replace(one, state=state, level_after=level, level_after_at=seen_at)
                stock_transfers.save(conn, judged, tools.now())


def _moved_unseen(tools: Toolbox, unchanged: Sequence[Transfer]) -> set[tuple[int, str]]:
    """Those of which Khaos lists a movement since they were read, though their level is as before."""
    if tools.settings.khaos.is_cloud:
        return set()
    moved = {at: moved_since(tools.open_khaos(), at) or set() for at in sorted({one.read_at for one in unchanged})}
    return {_key(one) for one in unchanged if one.stock_code in moved[one.read_at]}


def put_out(tools: Toolbox) -> None:
    """Mean the next file, if the route is set up and one is due, and write every file that is meant and not written.

    A sample or a folder that does not serve is told of, and tried again at the next run.
    """
    fault = ""
    if tools.settings.stock.route == "file" and tools.settings.mode != "audit":
        try:
            _mean(tools)
        except SettingsError as error:
            fault = str(error)
    fault = _written(tools) or fault
    with tools.store() as conn:
        if fault:
            setbacks.keep(conn, refusing.IMPORT_FOLDER, {setbacks.WHOLE: fault}, tools.now())
        else:
            setbacks.over(conn, [refusing.IMPORT_FOLDER], [setbacks.WHOLE])


def _written(tools: Toolbox) -> str:
    """Write what is meant; the first fault."""
    fault, folder = "", tools.settings.stock.file_folder
    with tools.store() as conn:
        meant = stock_files.unwritten(conn)
    for file in meant:
        try:
            if folder is None:
                raise FileNotFoundError("no folder is set")
            adjustments.write_once(folder, file.file_name, file.content)
        except OSError as error:
            fault = fault or f"{file.file_name} cannot be written: {error}"
            continue
        with tools.store() as conn:
            stock_files.written(conn, file.file_id, tools.now())
    return fault


def _mean(tools: Toolbox) -> None:
    settings = tools.settings
    if settings.stock.file_sample is None:
        raise SettingsError("no sample is set")
    sample = adjustments.load_sample(settings.stock.file_sample)
    with tools.store() as conn:
        SqlPostings(conn).lock()
        _mean_next(conn, settings, sample, tools.now())


def _mean_next(conn: Conn, settings: Settings, sample: adjustments.Sample, now: datetime) -> None:
    newest = stock_files.newest_at(conn)
    if newest and newest > now - timedelta(minutes=settings.stock.file_minutes):
        return
    sites = {SELLABLE: settings.khaos.site_id, DAMAGED: settings.khaos.nonsaleable_site_id}
    wanted = stock_transfers.carriable(conn, {name: sites[name] for name in sample.rows})
    levels = _levels(conn, wanted)
    ready = list(_undisturbed(conn, wanted, levels, now))[:MOST_ROWS]
    if not ready:
        return
    number = stock_files.next_number(conn)
    name = adjustments.file_name(sample, number)
    rows = [adjustments.ImportRow(one.disposition, one.stock_code, one.quantity, one.rmas) for one in ready]
    stock_files.keep(conn, StockFile(number, name, adjustments.file_text(sample, rows, number, london_date(now))), now)
    for one in ready:
        level, seen_at = levels[_key(one)]
        stock_transfers.begin(conn, "file", one, level, seen_at, name)


def _undisturbed(conn: Conn, wanted: Iterable[Carriable], levels: Levels, now: datetime) -> Iterator[Carriable]:
    """Those whose level was seen since they were asked for, and that nothing moved since."""
    seen = [one for one in wanted if _key(one) in levels and levels[_key(one)][1] >= one.asked_at]
    moved = _moved(conn, {_key(one): (levels[_key(one)][1] + AFTER, now) for one in seen})
    yield from (one for one in seen if _key(one) not in moved)


def _levels(conn: Conn, of: Sequence[Carriable | Transfer]) -> Levels:
    return {
        (site_id, code): level
        for site_id, codes in grouped((one.site_id, one.stock_code) for one in of).items()
        for code, level in stock.level(conn, codes, site_id).items()
    }


def _moved(conn: Conn, spans: dict[tuple[int, str], tuple[datetime, datetime]]) -> set[tuple[int, str]]:
    """Those that a document moved within their span; one of ours that moves no goods is none."""
    found: set[tuple[int, str]] = set()
    for site_id in sorted({key[0] for key in spans}):
        mine = {code: span for (site, code), span in spans.items() if site == site_id}
        found |= {(site_id, code) for code, some in moved_by_others(conn, mine).items() if some}
    return found


def _key(one: Carriable | Transfer) -> tuple[int, str]:
    return one.site_id, one.stock_code
