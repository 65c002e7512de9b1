"""Reading Khaos's catalogue: Stock Codes that were edited since the last look; and using what Khaos pushed.

Belongs here: what to ask for, what a push tells of Stock Codes, whom a changed code concerns, and using pushes up batch
by batch, each in the transaction that keeps what it told. Stays out: SOAP and the shape of a push (``adapters.khaos``),
matching. A catalogue of any size passes in the memory of one batch. Source: contracts/khaos.md §7.1, §8.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.pushes import PushedStock, read_stock_push
from khaos_swap_assets.adapters.khaos.wire import KhaosRowFault, RefusedKey
from khaos_swap_assets.adapters.store import Conn, catalogue, inbox, khaos_faults, matches, setbacks, worklist
from khaos_swap_assets.adapters.store.inbox import Waiting
from khaos_swap_assets.domain.records.stock_codes import StockCode
from khaos_swap_assets.stages import known, marks, refusing
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import KhaosClient

SOURCE = marks.CODES
PUSH = "StockUpload"
Use = Callable[[Conn, Sequence[inbox.Waiting], datetime], int]


def use_pushes(conn: Conn, event: str, use: Use, now: datetime) -> int:
    """Hand every push of ``event`` that came before ``now`` (UTC) to ``use``, oldest first; how much changed.

    ``use`` keeps what a batch tells and says how much of it was news. A fault of the whole event is over once one of
    its pushes came again, and stands where that one cannot be read either. The caller commits.
    """
    changed, is_more = 0, True
    while is_more:
        messages = inbox.waiting(conn, "khaos", event=event)
        if messages:
            khaos_faults.resolve(conn, [event], now)
            changed += use(conn, messages, now)
        is_used = inbox.consume(conn, messages, now) == len(messages) > 0
        is_more = is_used and messages[-1].received_at <= now
    return changed


@dataclass(frozen=True, slots=True)
class SyncedCodes:
    """What one look at the catalogue brought; ``pushed`` counts changed codes that Khaos told by itself."""

    asked: int
    changed: int
    unreadable: int
    was_due: bool
    pushed: int = 0


def sync_stock_codes(tools: Toolbox) -> SyncedCodes:
    """Read the Stock Codes revised since the watermark and queue the returns that they concern."""
    now, khaos = tools.now(), tools.settings.khaos
    with tools.store() as conn:
        pushed = use_pushes(conn, PUSH, _use, now)
        reached = worklist.trusted(conn, SOURCE, now)
        again = setbacks.due(conn, [refusing.STOCK], now)
        paused = setbacks.paused(conn, refusing.STOCK_LIST, now) | setbacks.paused(conn, refusing.STOCK, now)
    if khaos.is_cloud:
        with tools.store() as conn:
            worklist.move(conn, SOURCE, now)
            if pushed:
                _whole(conn, now, was_known=known.are_codes(conn))
        return SyncedCodes(0, 0, 0, was_due=False, pushed=pushed)
    is_recent = reached is not None and now < reached + timedelta(minutes=khaos.stock_minutes)
    if setbacks.WHOLE in paused or (is_recent and not again):
        return SyncedCodes(0, 0, 0, was_due=False, pushed=pushed)
    client = tools.open_khaos()
    read = _read(client, reached and reached - timedelta(minutes=khaos.overlap_minutes), again)
    with tools.store() as conn:
        was_known = known.are_codes(conn)
        unreadable = refusing.keep_keys(conn, refusing.STOCK, read.codes, read.faults, client, now)
        refusing.keep_whole(conn, refusing.STOCK_LIST, read.refusals.get(refusing.STOCK_LIST), now)
        if error := read.refusals.get(refusing.STOCK):
            refusing.keep_whole(conn, refusing.STOCK, error, now)
        changed = _keep(conn, read.items, unreadable, now)
        if not setbacks.refused(conn, known.CATALOGUE):
            worklist.move(conn, SOURCE, now)
            _whole(conn, now, was_known=was_known)
    return SyncedCodes(len(read.codes), len(changed), len(read.faults), was_due=True, pushed=pushed)


def _whole(conn: Conn, now: datetime, *, was_known: bool) -> None:
    """From a whole reading on a SKU may be said to be no Stock Code, and what waited for that is matched."""
    worklist.move(conn, marks.CATALOGUE, now)
    if not was_known:
        known.release(conn)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the catalogue told: codes asked for, items, faults, and the operations that were refused as a whole."""

    codes: list[str] = field(default_factory=list)
    items: list[StockCode] = field(default_factory=list)
    faults: list[KhaosRowFault] = field(default_factory=list)
    refusals: dict[str, PermanentError] = field(default_factory=dict)


def _read(client: KhaosClient, since: datetime | None, again: Sequence[str]) -> _Read:
    """Ask for what changed since a moment, and once more for ``again``, which were refused before."""
    operation = refusing.STOCK_LIST
    try:
        changed, list_faults = client.get_stock_list(since)
        operation, codes = refusing.STOCK, list(dict.fromkeys([*changed, *again]))
        items, faults = client.export_stock(codes)
        if since is None and not items and any(isinstance(one, RefusedKey) for one in faults):
            raise PermanentError(f"Khaos tells of none of {len(codes)} Stock Codes; the first: {faults[0].reason}")
        return _Read(codes, items, [*list_faults, *faults])
    except PermanentError as error:
        return _Read(refusals={operation: error})


def _keep(conn: Conn, items: Sequence[StockCode], faults: Sequence[KhaosRowFault], now: datetime) -> list[str]:
    """Save items and faults, and queue the returns that a changed code concerns; the changed codes."""
    changed = catalogue.save(conn, items, now)
    khaos_faults.resolve(conn, [item.stock_code for item in items], now)
    khaos_faults.save(conn, faults, now)
    worklist.queue(conn, "match", matches.ids_touched_by_codes(conn, changed))
    worklist.queue(conn, "match", matches.ids_of_unclear_packs(conn) if items else [])
    return changed


def _use(conn: Conn, messages: Sequence[Waiting], now: datetime) -> int:
    pushes = [read_stock_push(message.body) for message in messages]
    told, gone = folded(pushes)
    own = {item.stock_code: item for item in catalogue.exact(conn, [item.stock_code for item in told])}
    items = [_beside(item, own.get(item.stock_code)) for item in told]
    items = [replace(one, is_discontinued=True) for one in catalogue.of_ids(conn, gone)] + items
    count = len(_keep(conn, items, [fault for push in pushes for fault in push.faults], now))
    packs = {key: parts for push in pushes for key, parts in push.packs.items()}
    catalogue.save_packs(conn, packs)
    worklist.queue(conn, "match", matches.ids_touched_by_codes(conn, catalogue.of_components(conn, list(packs))))
    return count


def folded(pushes: Sequence[PushedStock]) -> tuple[list[StockCode], list[str]]:
    """What is left of pushes in the order in which they came: items, the last told last, and ids that are gone.

    An item is known by its id, which it keeps when it is renamed. What one push both tells and deletes is told. An item
    that a later push deletes stays in the list, discontinued.
    """
    told: dict[str, StockCode] = {}
    gone: dict[str, None] = {}
    for push in pushes:
        gone |= dict.fromkeys(push.deleted_ids)
        for item in push.items:
            gone.pop(item.stock_id, None)
            told.pop(item.stock_id, None)
            told[item.stock_id] = item
    items = [replace(item, is_discontinued=True) if item.stock_id in gone else item for item in told.values()]
    return items, [one for one in gone if one not in told]


def _beside(pushed: StockCode, known: StockCode | None) -> StockCode:
    """What a push tells of an item, with what only ``ExportStock`` says of it."""
    if known is None:
        return pushed
    sell = known.sell_pence if pushed.sell_pence is None else pushed.sell_pence
    buy = known.buy_pence if pushed.buy_pence is None else pushed.buy_pence
    return replace(
        pushed,
        description=known.description,
        pack_components=known.pack_components,
        sell_pence=sell,
        buy_pence=buy,
        variants=known.variants,
    )
