"""Searching Khaos for every note of some customers, for whom it really was a search, and what it showed.

Belongs here: what counts as having searched, what takes its place where no web service answers, and what is known of
the notes. Stays out: SOAP, reading files (``stages.importing``), and what a search proves (``engine``,
``linking.witness``).

A document may leave because a search found nothing, so an answer with a row that could not be read, or with nothing at
all for a customer who has an order, is no search of that customer. Without a web service the last file that holds every
Credit Note is the search: it speaks of the moment up to which it is complete, and of nothing later. What was refunded,
handed out or asked for again since then is not cleared by it; after a restart or restore of the database a new file is
needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Protocol

from khaos_swap_assets.adapters.errors import PermanentError
from khaos_swap_assets.adapters.khaos.records import StatusFeed
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, catalogue, doubts, imports, links, notes, orders, returns, stores
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.note_items import capability
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Posting, SearchEvidence, Wanted, reference_for
from khaos_swap_assets.domain.linking.windows import INVOICE
from khaos_swap_assets.domain.records.orders import is_no_person
from khaos_swap_assets.domain.records.packs import Goods
from khaos_swap_assets.domain.records.stores import spoken
from khaos_swap_assets.stages.storefront import money

NEVER = datetime.min.replace(tzinfo=UTC)


class StatusReader(Protocol):
    """The one read of the Khaos web service that a search needs."""

    def export_order_status(self, *, company_codes: Sequence[str]) -> StatusFeed:
        """Every document of these customers."""


@dataclass(frozen=True, slots=True)
class Search:
    """The answers, and the customers about whom they say everything; ``refusal`` where Khaos refused to be searched."""

    feeds: tuple[StatusFeed, ...]
    customers: frozenset[str]
    refusal: PermanentError | None = None


def search(client: StatusReader, customers: Sequence[str]) -> Search:
    """Search these customers. Raises ``TransientError`` when Khaos answers nothing.

    Where an answer holds a row that could not be read, halves are asked again until the customer whose row it is
    stands alone; only that one stays unsearched.
    """
    if not customers:
        return Search((), frozenset())
    try:
        feed = client.export_order_status(company_codes=customers)
    except PermanentError as error:
        return Search((), frozenset(), error)
    if not feed.faults:
        refused = {one.subject for one in feed.refused}
        return Search((feed,), (_answered(feed) & frozenset(customers)) - refused)
    if len(customers) == 1:
        return Search((feed,), frozenset())
    middle = len(customers) // 2
    left, right = search(client, customers[:middle]), search(client, customers[middle:])
    refusal = left.refusal or right.refusal
    return Search((*left.feeds, *right.feeds), left.customers | right.customers, refusal)


def _answered(feed: StatusFeed) -> frozenset[str]:
    seen = {order.customer_code for order in feed.orders}
    return frozenset(seen | {note.customer_code for note in feed.credit_notes})


def searched_by_file(
    conn: Conn, settings: Settings, wanted: Wanted, ready: Sequence[SavedDraft], customers: Sequence[str]
) -> tuple[Wanted, list[SavedDraft], Search, datetime]:
    """The last complete file as a search: what was asked before it, the drafts of which it speaks, itself, its moment.

    It says nothing of anybody where there is none, or a note in sight is nobody's.
    """
    book = SqlPostings(conn)
    last = imports.newest(conn, "credit-notes", is_complete=True)
    if last is None or last.complete_to is None or last.life != book.life() or notes.has_nobodys(conn):
        return wanted, [], Search((), frozenset()), NEVER
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
    return replace(wanted, tickets=asked), spoken_of, Search((), frozenset(customers)), at


def _is_before(posting: Posting, at: datetime) -> bool:
    """True when nothing happened to a posting since the moment."""
    return all(moment is None or moment < at for moment in (posting.handed_out_at, posting.asked_again_at))


def evidence_of(
    conn: Conn,
    settings: Settings,
    found: Search,
    searched_at: datetime,
    wanted: Wanted,
    ready: Sequence[SavedDraft],
) -> SearchEvidence:
    """What a search showed, with all that is known of its notes; what attribution says of them is not in it yet."""
    sold, names = links.sold_on(conn, found.customers), frozenset(stores.further(conn))
    kept = notes.of_customers if settings.khaos.is_cloud else notes.told_by_file
    by_khaos = {note.credit_note_code: note for feed in found.feeds for note in feed.credit_notes}
    by_file = {note.credit_note_code: note for note in kept(conn, sorted(found.customers))}
    elsewhere = {note.credit_note_code: note for note in _elsewhere(conn, found, wanted, ready, names)}
    seen = tuple(note for note in (elsewhere | by_file | by_khaos).values() if not _is_older(note, sold))
    codes = [note.credit_note_code for note in seen]
    attributed, refused = links.owner_of(conn, codes), links.refused(conn, codes)
    undone = SqlPostings(conn).undone()
    asking = sorted({*(one.return_id for one in ready), *(one.return_id for one in undone)})
    waived, doubtful = links.waived(conn, asking), doubts.of_returns(conn, asking)
    unsure = frozenset((one.credit_note_code, one.return_id) for some in doubtful.values() for one in some)
    goods = [*(note.lines for note in seen), *(one.contents for one in undone), *map(_goods, ready)]
    packs = catalogue.packs(conn, {code for some in goods for code, _ in some})
    way = capability(conn)
    return SearchEvidence(
        notes=seen, customers=found.customers, searched_at=searched_at, references=wanted.references,
        attributed=attributed, life=wanted.life, refused=refused, waived=waived, unsure=unsure, packs=packs,
        items_by=way.value if way else None, stores=names,
        nobodies=frozenset(one for one in found.customers if is_no_person(one, settings.generic_customers.split(","))),
        order_refs=frozenset(orders.by_ref(conn, sorted({note.associated_ref for note in seen} - {""}))),
    )  # fmt: skip


def _goods(saved: SavedDraft) -> Goods:
    return tuple((line.stock_code, line.quantity) for line in saved.draft.lines) if saved.draft else ()


def _elsewhere(
    conn: Conn, found: Search, wanted: Wanted, ready: Sequence[SavedDraft], names: Collection[str]
) -> list[CreditNote]:
    """Notes under an RMA (with its store or without) or a reference of ours, whose customer was not searched.

    A person may have two customer records, and records are merged.
    """
    drafted = {reference_for(one.draft.rma, one.ordinal, ()) for one in ready if one.draft}
    rmas = {one.draft.rma for one in ready if one.draft} | {one.rma for one in SqlPostings(conn).undone()}
    typed = {spoken(names, rma) for rma in rmas}
    named = notes.loose_of_refs(conn, sorted(wanted.references | drafted | rmas | typed))
    return [note for note in named if note.customer_code not in found.customers]


def _is_older(note: CreditNote, sold: dict[str, date]) -> bool:
    """True for a note made before its customer was invoiced for any of the goods: it is of none."""
    since = sold.get(note.customer_code)
    return note.created_on is not None and since is not None and not INVOICE.holds(note.created_on, since)
