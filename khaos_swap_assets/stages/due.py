"""Whether anything is due: what makes the sensor ask for a run.

Belongs here: one cheap look at our own tables, then, when it is time, one at Swap. Stays out: doing any of it. The
first reason found is given in words; whatever arrived is found by a single query over indexes. A slow Swap makes us
late, never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from khaos_swap_assets.adapters.errors import VendorError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, cancellations, imports, queues, refunds, returns, setbacks, worklist
from khaos_swap_assets.adapters.store.postings import SEARCH
from khaos_swap_assets.domain.money.amounts import count_words
from khaos_swap_assets.stages import isolating, marks, refusing, stores
from khaos_swap_assets.stages.credit_notes.allocation import due_customers
from khaos_swap_assets.stages.orders.sync import SOURCE as DOCUMENTS
from khaos_swap_assets.stages.payouts.comparing import due_since as payouts_due_since
from khaos_swap_assets.stages.returns.sync import SOURCE, SweepWindow, due_windows
from khaos_swap_assets.stages.storefront.sync import due_since
from khaos_swap_assets.stages.toolbox import Toolbox


class UnansweredError(VendorError):
    """A look could not ask whom it had to; the text says whom, and why."""


def what_is_due(tools: Toolbox, *, asks_swap: bool = True) -> str:
    """The first reason to run now, or an empty text; Swap is asked only with ``asks_swap`` and when we know of none.

    Raises ``UnansweredError`` when Swap or the storefront cannot be asked.
    """
    now = tools.now()
    with tools.store() as conn:
        if reason := local_reason(conn, tools.settings, now):
            return reason
        asked = [
            (one, due_windows(conn, one.settings, now))
            for one in tools.by_store()
            if not _is_refused(conn, marks.of(refusing.SWAP_LIST, one.settings.swap.store), now)
        ]
    if late := next((windows for _, windows in asked if len(windows) > 1), None):
        return f"time to read {late[-1].source}"
    if not asks_swap or not asked:
        return ""
    return _changed(tools, asked)


def _changed(tools: Toolbox, asked: Sequence[tuple[Toolbox, Sequence[SweepWindow]]]) -> str:
    """The first change that a store shows; of several, one that does not answer is set back and holds up no other."""
    lost: list[UnansweredError] = []
    looks = [("Swap", one, partial(_changed_in_swap, one, windows[0].since)) for one, windows in asked]
    looks += [("The storefront", one, partial(_changed_in_storefront, one)) for one, _ in asked]
    for whom, one, look in looks:
        store = one.settings.swap.store
        try:
            if changed := look():
                return changed
        except VendorError as error:
            lost.append(UnansweredError(f"{marks.of(whom, store)} could not be asked: {error}"))
            lost[-1].__cause__ = error
            if whom == "Swap" and tools.settings.has_several_stores:
                stores.set_back(tools, marks.of(refusing.SWAP_LIST, store), lost[-1])
    if lost:
        raise lost[0]
    return ""


def local_reason(conn: Conn, settings: Settings, now: datetime) -> str:
    """The first reason that our own tables show."""
    if reason := queues.first_reason(conn, now, list(isolating.TRIED_AGAIN)):
        return reason
    if any(payouts_due_since(conn, one, now) for one in settings.by_store):
        return "time to read payouts"
    is_polled = _is_polled(conn, settings, now)
    if is_polled and settings.mode != "audit" and queues.has_document(conn):
        return "a document is out or ready"
    if settings.mode != "audit" and _waits_unwatched(conn, settings, now):
        return "a document waits, and it must be watched"
    return "credit to follow up" if is_polled and due_customers(conn, settings, now) else ""


def _waits_unwatched(conn: Conn, settings: Settings, now: datetime) -> bool:
    """True when a planned document waits and the last run began long enough ago for the feed to stop soon."""
    since = now - timedelta(minutes=settings.watch_minutes) / 2
    every = (one.swap.store for one in settings.by_store)
    asked = [store for store in every if not _is_refused(conn, marks.of(refusing.SWAP_LIST, store), now)]
    reached = [worklist.trusted(conn, marks.of(SOURCE, store), now) for store in asked]
    return any(moment is None or moment <= since for moment in reached) and queues.has_planned(conn)


def _changed_in_storefront(tools: Toolbox) -> str:
    """Where one is connected, and as often as its setting says."""
    if not tools.settings.storefront.is_connected:
        return ""
    with tools.store() as conn:
        since = due_since(conn, tools.settings, tools.now())
    if since is None:
        return ""
    sweep = tools.open_storefront().changed_since(since)
    with tools.store() as conn:
        changed = refunds.changed(conn, sweep.refunds)
        stopped = cancellations.unknown(conn, sweep.cancelled)
    told = {"refund": (len(changed), "changed"), "order": (len(stopped), "cancelled")}
    return ", ".join(f"{count_words(count, name)} {what}" for name, (count, what) in told.items() if count)


def _is_polled(conn: Conn, settings: Settings, now: datetime) -> bool:
    """Time to look for documents: in Khaos Cloud only when a file came that shows more than the last look."""
    if settings.khaos.is_cloud:
        latest, looked = imports.newest(conn, "credit-notes", is_complete=True), worklist.trusted(conn, SEARCH, now)
        return latest is not None and (looked is None or (latest.complete_to or looked) > looked)
    if _is_refused(conn, refusing.STATUSES, now):
        return False
    reached = worklist.trusted(conn, DOCUMENTS, now)
    return reached is None or reached <= now - timedelta(minutes=settings.khaos.poll_minutes)


def _is_refused(conn: Conn, operation: str, now: datetime) -> bool:
    """True while a list that was refused is not asked for again: runs that cannot bring it would follow each other."""
    return setbacks.WHOLE in setbacks.paused(conn, operation, now)


def _changed_in_swap(tools: Toolbox, since: datetime) -> str:
    sweep = tools.open_swap().changed_since(since)
    with tools.store() as conn:
        changed = returns.changed(conn, sweep.returns)
    return f"{count_words(len(changed), 'return')} changed" if changed else ""
