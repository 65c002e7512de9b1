"""What stops the feed, or documents of it, in words with what to do.

Belongs here: one line a reason, for the command line, the UI, preflight and the figures. Stays out: handing out
(``feed``), and whether somebody watches (``stages.watching``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, feed_holds, monthly
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.postings import Posting
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.credit_notes.feed import FeedLimits, may_differ
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore


@dataclass(frozen=True, slots=True)
class Held:
    """One planned document that waits behind something else; ``waits_for`` names that, since when, and what to do."""

    reference: str
    rma: str
    value: str
    waits_for: str


def held(conn: Conn, *, settings: Settings, now: datetime, period: str = "") -> list[Held]:
    """The planned documents that wait behind a held feed, the first planned first; of one month's returns, if given."""
    book = SqlPostings(conn)
    planned = book.of_state("planned")
    if not planned:
        return []
    of_stores = watching.stopped_stores(conn, settings, now)
    waits = waits_for(book, FeedLimits.of(settings, watching.stopped(conn, settings, now), of_stores))
    mine = set(monthly.returns_of(conn, period)) if period else {one.return_id for one in planned}
    return [
        Held(one.reference, one.rma, format_money(one.value_pence, one.currency), waits[one.reference])
        for one in planned
        if one.reference in waits and one.return_id in mine
    ]


def waits_for(book: PostingStore, limits: FeedLimits) -> dict[str, str]:
    """By reference, what each planned document waits for; those that nothing of others holds are left out."""
    undone = book.undone()
    out = [one for one in undone if one.state == "in_doubt"]
    planned = [one for one in undone if one.state == "planned"]
    if common := _common(book, limits, out):
        return {one.reference: common for one in planned}
    unread = limits.stopped_stores
    of_stores = {one.reference: unread[one.store_id] for one in planned if one.store_id in unread}
    odd = [one for one in out if may_differ(one)]
    if not odd or book.has_price_witness():
        return of_stores
    return {one.reference: _unseen(odd[0]) for one in planned if may_differ(one)} | of_stores


def _common(book: PostingStore, limits: FeedLimits, out: Sequence[Posting]) -> str:
    """What holds every document, the first of all reasons."""
    if limits.stopped:
        return limits.stopped
    if holds := book.holds():
        return f"the feed is held: {holds[0]}; khaos-swap postings trust-feed"
    if gaps := book.gaps():
        since = f" since {gaps[0].ended_at:%Y-%m-%d %H:%M} UTC" if gaps[0].ended_at else ""
        return f"{gaps[0].reference}, witnessed at another value{since}: {_gap_line(gaps[0])}"
    return _unseen(out[0]) if out and not book.has_witness() else ""


def _unseen(posting: Posting) -> str:
    since = f" since {posting.handed_out_at:%Y-%m-%d %H:%M} UTC" if posting.handed_out_at else ""
    return (
        f"{posting.reference} (RMA {posting.rma}), out{since} and not witnessed: find its Credit Note in Khaos, then "
        f"khaos-swap postings resolve {posting.reference}, or khaos-swap postings confirm-notes"
    )


def feed_problems(conn: Conn, *, settings: Settings, now: datetime) -> list[str]:
    """Why the feed hands out less than it could, one line each, with what to do; empty when nothing stops it."""
    book = SqlPostings(conn)
    waits = settings.mode != "audit" and book.has_planned()
    stopped = watching.stopped(conn, settings, now) if waits else watching.missed(conn, settings, now)
    of_stores = watching.stopped_stores(conn, settings, now) if waits else {}
    return problems(book, FeedLimits.of(settings, stopped or feed_holds.by_person(conn), of_stores))


def problems(book: PostingStore, limits: FeedLimits) -> list[str]:
    """The lines of ``feed_problems`` for any book."""
    found = [*([limits.stopped] if limits.stopped else []), *limits.stopped_stores.values()]
    found += [f"the feed is held: {reason}; khaos-swap postings trust-feed" for reason in book.holds()]
    found += [_gap_line(one) for one in book.gaps()]
    undone = book.undone()
    out = [one for one in undone if one.state == "in_doubt"]
    waiting = [one for one in undone if one.state == "planned"]
    if waiting and out and not book.has_witness():
        found.append(f"{out[0].reference} is out and not witnessed yet; the next documents wait for its Credit Note")
    elif (odd := [one for one in out if may_differ(one)]) and not book.has_price_witness():
        others = [one for one in waiting if may_differ(one)]
        found += [_price_line(odd[0], len(others))] if others else []
    found += [
        f"{one.reference} is worth {format_money(one.value_pence, one.currency)}, more than the cap of a day"
        for one in waiting
        if one.value_pence > limits.daily_pence
    ]
    return found


def _gap_line(posting: Posting) -> str:
    drafted = format_money(posting.value_pence, posting.currency)
    seen = format_money(posting.witnessed_pence or 0, posting.currency)
    return (
        f"{posting.reference} was drafted at {drafted}, its Credit Note {posting.credit_note_code} is worth {seen}; "
        "no document leaves until a person settles it: correct that note in Khaos, find out why it was priced "
        f"otherwise, then khaos-swap postings resolve {posting.reference} --confirmed {posting.credit_note_code} "
        "(with --by and --reason)"
    )


def _price_line(posting: Posting, waiting: int) -> str:
    return (
        f"{posting.reference} is priced otherwise than its sale and not witnessed yet; the {waiting} documents like it "
        "wait for its Credit Note, which shows whether Khaos honours our prices"
    )
