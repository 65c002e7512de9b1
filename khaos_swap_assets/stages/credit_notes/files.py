"""What takes the place of a search where no web service answers: the last file that holds every Credit Note.

Belongs here: for whom such a file says everything, and of which documents it may say that they have no note. Stays out:
reading files (``stages.orders.importing``) and what a search proves (``engine``).

A file speaks of the moment up to which it is complete, and of nothing later: what was refunded, handed out or asked for
again since then is not cleared by it. After a restart or restore of the database a new file is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import imports, notes, returns
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.postings import Posting, Wanted
from khaos_swap_assets.stages.credit_notes.searching import Search
from khaos_swap_assets.stages.storefront import money

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FileSearch:
    """The file as a search made ``at`` a moment: what was asked before it, and the drafts of which it can speak."""

    wanted: Wanted
    ready: list[SavedDraft]
    found: Search
    at: datetime


def told(
    conn: psycopg.Connection, settings: Settings, wanted: Wanted, ready: Sequence[SavedDraft], customers: Sequence[str]
) -> FileSearch:
    """What the last complete file says; nothing of anybody where there is none, or a note in sight is nobody's."""
    book = SqlPostings(conn)
    last = imports.newest(conn, "credit-notes", is_complete=True)
    if last is None or last.complete_to is None or last.life != book.life() or notes.has_nobodys(conn):
        return FileSearch(wanted, [], Search((), frozenset()), NEVER)
    at = last.complete_to
    late = {one.reference for one in book.undone() if not _is_before(one, at)}
    asked = frozenset(ticket for ticket in wanted.tickets if ticket[0] not in late)
    by_swap = returns.load(conn, [one.return_id for one in ready])
    by_money = money.load(conn, settings, by_swap)
    spoken_of = [
        one
        for one in ready
        if all(
            moment is not None and moment < at
            for moment in (
                by_swap[one.return_id].refunded_at,
                by_money.part(one.return_id, one.ordinal).refunded_at,
            )
        )
    ]
    return FileSearch(replace(wanted, tickets=asked), spoken_of, Search((), frozenset(customers)), at)


def _is_before(posting: Posting, at: datetime) -> bool:
    """True when nothing happened to a posting since the moment."""
    return all(moment is None or moment < at for moment in (posting.handed_out_at, posting.asked_again_at))
