"""Whether somebody watches: how old the last complete run is, what holds the feed, and which sources nobody read.

Belongs here: the marks that runs leave, laid beside the clock. Stays out: what is due (``due``), handing out
(``credit_notes.feed``), asking a vendor. A run is complete when it read Swap's list and Khaos's status feed, searched
Khaos for its witnesses, and judged to the end: the last complete one is as old as the oldest of these marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, exceptions, feed_holds, queues, stores, worklist
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.money.amounts import count_words
from khaos_swap_assets.stages import marks

KINDS = ("nobody_watches", "source_not_read")
STALE_AFTER = timedelta(hours=26)


def stage_marks(conn: Conn, settings: Settings, now: datetime) -> dict[str, datetime | None]:
    """When each part of a complete run was last done, in words; a mark that lies ahead counts as none."""
    parts = {
        **{marks.of("read Swap", store): marks.of(marks.SWAP, store) for store in _stores(settings)},
        "read Khaos": marks.DOCUMENTS,
        "searched Khaos": marks.WITNESS,
        "judged": marks.JUDGED,
    }
    if settings.khaos.is_cloud:
        del parts["read Khaos"]
    return {words: worklist.trusted(conn, source, now) for words, source in parts.items()}


def _stores(settings: Settings) -> list[str]:
    return [one.swap.store for one in settings.by_store]


def stopped_stores(conn: Conn, settings: Settings, now: datetime) -> dict[str, str]:
    """By Swap's id of a store: why no document of its returns leaves, where one of several was not read."""
    gone = {
        store_id: f"{_not_named(store)}, so no document of its returns leaves"
        for store_id, store in stores.gone(conn, _stores(settings)).items()
    }
    if not settings.has_several_stores:
        return gone
    late = _late(conn, settings, now)
    words = {one.swap.store_id: marks.of("read Swap", one.swap.store) for one in settings.by_store}
    return gone | {
        store_id: f"{name} last: {_when(late[name])}, not within {settings.watch_minutes} minutes, so no document of "
        "this store's returns leaves; look at khaos-swap preflight"
        for store_id, name in words.items()
        if name in late
    }


def _not_named(store: str) -> str:
    return f"KHAOS_SWAP_STORES does not name {store} any more"


def stopped(conn: Conn, settings: Settings, now: datetime) -> str:
    """Why no document leaves at all: a person holds the feed, or nobody watches. Empty where documents may leave.

    A document that waits makes a run due, so the age of the last complete run is all that counts here.
    """
    if held := feed_holds.by_person(conn):
        return f"{held}; khaos-swap postings resume"
    return _unwatched(conn, settings, now)


def missed(conn: Conn, settings: Settings, now: datetime) -> str:
    """What ``stopped`` says of nobody watching, where something was due all the while; quiet nights do not count."""
    limit = timedelta(minutes=settings.watch_minutes)
    since = queues.due_since(
        conn,
        reread_source=marks.OPEN,
        reread_after=timedelta(minutes=settings.open_reread_minutes),
        counts_documents=settings.mode != "audit",
    )
    return _unwatched(conn, settings, now) if since is not None and since <= now - limit else ""


def _unwatched(conn: Conn, settings: Settings, now: datetime) -> str:
    late = _late(conn, settings, now)
    of_stores = {marks.of("read Swap", store) for store in _stores(settings)}
    if settings.has_several_stores and not of_stores <= late.keys():
        late = {words: at for words, at in late.items() if words not in of_stores}
    if not late:
        return ""
    told = ", ".join(f"{words}: {_when(at)}" for words, at in late.items())
    return (
        f"no complete run within {settings.watch_minutes} minutes (last time {told}), so no document leaves; "
        "look at the newest runs and at khaos-swap preflight"
    )


def _late(conn: Conn, settings: Settings, now: datetime) -> dict[str, datetime | None]:
    """The parts of a complete run that were not done lately, in words, with when they were."""
    limit = now - timedelta(minutes=settings.watch_minutes)
    return {words: at for words, at in stage_marks(conn, settings, now).items() if at is None or at < limit}


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def sources(conn: Conn, settings: Settings, now: datetime) -> dict[str, datetime | None]:
    """How far each source was read."""
    every = _stores(settings)
    money = [marks.of(marks.MONEY, store) for store in every if store in settings.connected]
    payouts = [marks.of(marks.PAYOUTS, one.swap.store) for one in settings.by_store if one.storefront.reads_payouts]
    names = [*(marks.of(marks.SWAP, store) for store in every), marks.CODES, marks.DOCUMENTS, *money, *payouts]
    return {source: worklist.trusted(conn, source, now) for source in names}


def read_words(conn: Conn, settings: Settings, now: datetime) -> str:
    """The sources and when each was read, for a person: what a green check rests on."""
    reached = sources(conn, settings, now)
    told = [f"{name} {_when(at)}" for name, at in reached.items()]
    return f"read {', '.join(told)}"


def stale(reached: Mapping[str, datetime | None], now: datetime) -> list[str]:
    """The sources that were not read within 26 hours."""
    return [source for source, moment in reached.items() if moment is None or moment < now - STALE_AFTER]


def is_news(conn: Conn, settings: Settings, now: datetime) -> bool:
    """True when what holds about the work itself is not what the open exceptions say."""
    rows = exceptions.open_or_waived(conn, KINDS)
    holds = {(one.kind, one.subject) for one in problems(conn, settings, now)}
    told, is_open = {row[:2] for row in rows}, {row[:2] for row in rows if row[2]}
    return not is_open <= holds <= told


def problems(conn: Conn, settings: Settings, now: datetime) -> list[Problem]:
    """The exceptions that hold about the work itself, by our own tables alone."""
    reached = sources(conn, settings, now)
    found = [
        Problem("source_not_read", source, f"read last: {reached[source] or 'never'}") for source in stale(reached, now)
    ]
    found += [
        Problem(
            "source_not_read",
            marks.of(marks.SWAP, store),
            f"{_not_named(store)}, and {count_words(undone, 'return')} of it wait: nothing of it is read, posted or "
            "closed. Name it again; once nothing of it is to be followed, waive this",
        )
        for store in stores.gone(conn, _stores(settings)).values()
        if (undone := stores.undone(conn, store))
    ]
    if words := missed(conn, settings, now):
        found.append(Problem("nobody_watches", "complete run", words))
    return found
