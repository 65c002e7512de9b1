"""What a search of Khaos showed, laid out for the engine.

Belongs here: the notes of a search, those that files told and those under our references, and what is known of them.
Stays out: the search (``searching``) and what it proves (``linking.witness``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import psycopg

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import catalogue, doubts, links, note_items, notes, orders, stores
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import SearchEvidence, Wanted, reference_for
from khaos_swap_assets.domain.linking.windows import INVOICE
from khaos_swap_assets.domain.records.orders import is_no_person
from khaos_swap_assets.domain.records.packs import Goods
from khaos_swap_assets.domain.records.stores import spoken
from khaos_swap_assets.stages.credit_notes.searching import Search


def evidence_of(
    conn: psycopg.Connection,
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
    way = note_items.capability(conn)
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
    conn: psycopg.Connection, found: Search, wanted: Wanted, ready: Sequence[SavedDraft], names: Collection[str]
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
