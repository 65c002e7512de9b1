"""Reading Khaos's documents: orders that a return names, and what became of orders and Credit Notes since.

Belongs here: what to ask for, in which batches, and whom an answer concerns. Stays out: SOAP (``adapters.khaos``),
the choice of an order (``records.orders``), whose note is whose (``stages.credit_notes``).
ExportOrders is one call an order: only orders that a return names, once, within a budget a run; the rest waits in
sight. Source: contracts/khaos.md §7.4, §7.5, §13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.pushes import order_push_faults
from khaos_swap_assets.adapters.store import (
    Conn,
    catalogue,
    inbox,
    khaos_faults,
    matches,
    notes,
    orders,
    returns,
    stock,
    worklist,
)
from khaos_swap_assets.adapters.store.note_items import count_unread
from khaos_swap_assets.stages import known, marks, refusing
from khaos_swap_assets.stages.orders import note_items
from khaos_swap_assets.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from khaos_swap_assets.adapters.khaos.client import FullOrder, KhaosClient, StatusFeed
    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.inbox import Waiting

SOURCE = marks.DOCUMENTS
# It shows only orders of our own channel and no money, so it is a knock to read the status feed (khaos.md §8.4).
PUSH = "OrderStatusUpload"
RETRY_AFTER = timedelta(hours=1)
A_DAY = timedelta(days=1)
# What one question about the past asks for (khaos.md §5.4).
LONGEST_WINDOW = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class SyncedOrders:
    """What one look brought: orders read and not found, statuses and notes changed, rows that could not be read."""

    read: int
    not_found: int
    statuses_changed: int
    notes_changed: int
    unreadable: int
    items_waiting: int = 0


def sync_orders(tools: Toolbox) -> SyncedOrders:
    """Read the status feed and wanted orders. Raises ``TransientError`` when Khaos answers nothing of the feed."""
    now, khaos = tools.now(), tools.settings.khaos
    if khaos.is_cloud:
        return _sync_by_files(tools, now)
    with tools.store() as conn:
        refs = _wanted(conn, tools.settings, now)
        pushes = inbox.waiting(conn, "khaos", event=PUSH)
        reached = worklist.trusted(conn, SOURCE, now)
    client = tools.open_khaos()
    since = reached and reached - timedelta(minutes=khaos.overlap_minutes)
    since = _catch_up(tools, client, since or marks.first_read_from(tools.settings, now), now)
    window = read_feed(client, since=since, until=now + timedelta(days=1))
    heard = refusing.hear(client.export_orders_many(refs))
    feeds = [window.feed]
    if heard.answers:
        feeds.append(read_feed(client, associated_refs=sorted(heard.answers)).feed)
    feeds = note_items.read_items(tools, client, feeds, is_of_all=True)
    with tools.store() as conn:
        was_known = known.are_statuses(conn, tools.settings)
        refusing.keep_whole(conn, refusing.STATUSES, window.refusal, now)
        refusing.keep(conn, refusing.ORDERS, heard, client, now)
        result = _keep(conn, tools, heard, feeds, now)
        if window.refusal is None:
            _move(conn, tools.settings, now)
            if not was_known:
                known.release(conn)
        _use_up(conn, pushes, now)
    return result


def _catch_up(tools: Toolbox, client: KhaosClient, since: datetime, now: datetime) -> datetime:
    """Read a long past part by part, each kept before the next is asked for; the moment to go on from.

    Khaos pages nothing: one answer about years would be cut off, and what was read must not be lost with the rest. A
    refusal ends it: the last question asks for all that is left, and tells it.
    """
    while now - since > LONGEST_WINDOW:
        until = since + LONGEST_WINDOW
        window = read_feed(client, since=since, until=until)
        if window.refusal is not None:
            break
        feeds = note_items.read_items(tools, client, [window.feed], is_later=True)
        with tools.store() as conn:
            keep_statuses(conn, feeds, now)
            keep_notes(conn, feeds, now)
            _move(conn, tools.settings, until)
        since = until - A_DAY
    return since


def _move(conn: Conn, settings: Settings, until: datetime) -> None:
    """Note how far the feed was read; before its first reading no return could be judged to lack its Credit Note."""
    if not known.were_documents(conn, settings):
        worklist.queue_all(conn, "reconcile")
    worklist.move(conn, SOURCE, until)


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What one question to the status feed brought, and why not all of it came."""

    feed: StatusFeed
    refusal: PermanentError | None = None


def read_feed(client: KhaosClient, **asked: Any) -> FeedReading:
    """Ask the status feed; a refusal is part of the answer. Raises ``TransientError`` when Khaos answers nothing."""
    from khaos_swap_assets.adapters.khaos.records import StatusFeed

    try:
        feed = client.export_order_status(**asked)
    except PermanentError as error:
        return FeedReading(StatusFeed([], []), error)
    lost = "; ".join(f"{one.subject}: {one.reason}" for one in feed.refused)
    return FeedReading(feed, PermanentError(f"not answered for {lost}") if lost else None)


def _use_up(conn: Conn, pushes: Sequence[Waiting], now: datetime) -> None:
    """Pushes are used up by the reading that they made due; one that cannot be read is a fault until one can."""
    if pushes:
        khaos_faults.resolve(conn, [PUSH], now)
        khaos_faults.save(conn, [fault for push in pushes for fault in order_push_faults(push.body)], now)
    inbox.consume(conn, pushes, now)


def _sync_by_files(tools: Toolbox, now: datetime) -> SyncedOrders:
    """Khaos Cloud answers nothing: what a file told of an order is all that is known."""
    with tools.store() as conn:
        _wanted(conn, tools.settings, now)
        _use_up(conn, inbox.waiting(conn, "khaos", event=PUSH), now)
        asked = answer_by_files(conn, now)
        missing = sum(1 for state in orders.states(conn, asked).values() if state == "not_found")
    return SyncedOrders(read=len(asked) - missing, not_found=missing, statuses_changed=0, notes_changed=0, unreadable=0)


def answer_by_files(conn: Conn, now: datetime) -> list[str]:
    """Answer every reference that no order is known of, from what files told; those that were asked."""
    asked = orders.unanswered(conn)
    told = orders.by_ref(conn, asked)
    orders.answered(conn, {ref: ("read" if ref in told else "not_found", "") for ref in asked}, now)
    return asked


def _wanted(conn: Conn, settings: Settings, now: datetime) -> list[str]:
    refs = {settings.namings.ref(name) for name in returns.order_names(conn, worklist.in_line(conn, "match"))}
    orders.want(conn, sorted(refs - {""}), now)
    return orders.wanted(conn, settings.khaos.order_budget, now - RETRY_AFTER, now)


def _keep(
    conn: Conn,
    tools: Toolbox,
    heard: refusing.Heard[list[FullOrder]],
    feeds: list[StatusFeed],
    now: datetime,
) -> SyncedOrders:
    found = [(full.order, _sealed(tools, full)) for fulls in heard.answers.values() for full in fulls]
    orders.save(conn, found, now)
    outcomes = {ref: ("read" if fulls else "not_found", "") for ref, fulls in heard.answers.items()}
    outcomes |= {ref: ("waiting", reason) for ref, reason in heard.refused.items()}
    orders.answered(conn, outcomes, now)
    statuses = keep_statuses(conn, feeds, now)
    changed = keep_notes(conn, feeds, now)
    worklist.queue(conn, "match", matches.ids_of_refs(conn, [*heard.answers, *statuses]))
    return SyncedOrders(
        read=len(found),
        not_found=sum(1 for state, _ in outcomes.values() if state == "not_found"),
        statuses_changed=len(statuses),
        notes_changed=len(changed),
        unreadable=sum(len(feed.faults) for feed in feeds),
        items_waiting=count_unread(conn),
    )


def _sealed(tools: Toolbox, full: FullOrder) -> bytes | None:
    """Name and address for the document, sealed; in audit nothing is ever sent, so nothing is kept."""
    return None if tools.settings.mode == "audit" else tools.open_sealer().seal(full.party)


def keep_statuses(conn: Conn, feeds: Sequence[StatusFeed], now: datetime) -> list[str]:
    """Apply what the feeds tell of orders; references of those that changed. Documents that move stock are noted."""
    rows = {s.so_code: s for feed in feeds for s in feed.orders}.values()
    _keep_movements(conn, [(s.so_code, s.stock_codes, s.ordered_on) for s in rows], now)
    values = [(s.so_code, s.invoiced_on, s.is_cancelled, s.delivery_gross_pence) for s in rows]
    return orders.update_statuses(conn, values)


def keep_notes(conn: Conn, feeds: Sequence[StatusFeed], now: datetime) -> list[str]:
    """Bring the mirror of Credit Notes up to date and queue the returns that a new or changed note may concern."""
    told = [note for feed in feeds for note in (*feed.credit_notes, *feed.cancelled_credit_notes)]
    codes = [*(one.so_code for feed in feeds for one in feed.orders), *(note.credit_note_code for note in told)]
    khaos_faults.resolve(conn, codes, now)
    khaos_faults.save(conn, [fault for feed in feeds for fault in feed.faults], now)
    seen = {note.credit_note_code: note for feed in feeds for note in feed.credit_notes}
    moving = [(note.credit_note_code, note.lines, note.issued_on or note.created_on) for note in seen.values()]
    _keep_movements(conn, moving, now)
    changed = notes.save(conn, seen.values(), now)
    cancelled = {note.credit_note_code: note for feed in feeds for note in feed.cancelled_credit_notes}
    gone = notes.cancel(conn, list(cancelled), now)
    customers = sorted({(seen | cancelled)[code].customer_code for code in [*changed, *gone]})
    worklist.queue(conn, "draft", matches.ids_of_customers(conn, customers))
    return changed


def _keep_movements(
    conn: Conn, moving: Sequence[tuple[str, Iterable[tuple[str, int]], date | None]], now: datetime
) -> None:
    """Note which documents (code, goods, day) move what is in play now; a pack moves what it holds."""
    goods = [(code, tuple(lines), day) for code, lines, day in moving]
    in_play = set(stock.codes_in_play(conn))
    if not in_play:
        return
    packs = catalogue.packs(conn, {code for _, lines, _ in goods for code, _ in lines})
    moves = {
        (code, document): (code, document, quantity, day)
        for document, lines, day in goods
        for code, quantity in {*lines, *packs.opened(lines)}
        if code in in_play
    }
    stock.moved(conn, list(moves.values()), now)
