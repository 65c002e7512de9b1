"""What a posting is: our own memory of one document for Khaos, and of everything that a search of Khaos showed.

Belongs here: the records of a posting, a page of the feed and the evidence of a search. Stays out: the rules between
states (``stages.credit_notes.engine``) and their storage (``adapters.store.postings``).
Money is pence of ``currency``, times are UTC. Source: DESIGN §4, contracts/khaos.md §8.2, §8.7.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy
from khaos_swap_assets.domain.documents.sale_prices import Prices
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs

State = Literal["planned", "in_doubt", "confirmed", "refused", "withdrawn"]
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Posting:
    """One document for Khaos. ``document`` is its JSON text without name and address; those lie in ``party_sealed``.

    ``cleared_at`` is an unused search that found nothing, made while ``cleared_in`` was the life of the database.
    ``asked_by`` says how Khaos asked for it again: ``continuation`` or ``specific ids``. ``doubt`` says in words why
    it may not be handed out or is still in doubt. ``drafted`` is the content of the draft that it was planned from,
    ``prices`` says whether its value is what the goods were sold for.
    """

    store_id: str
    return_id: str
    ordinal: int
    rma: str
    reference: str
    state: State
    customer_code: str
    so_code: str
    currency: str
    value_pence: int
    document: str
    document_hash: str
    party_sealed: bytes | None
    planned_at: datetime
    is_released: bool = False
    handed_out_at: datetime | None = None
    times_handed_out: int = 0
    asked_again_at: datetime | None = None
    asked_by: str = ""
    cleared_at: datetime | None = None
    cleared_in: str = ""
    doubt: str = ""
    ended_at: datetime | None = None
    credit_note_code: str | None = None
    witnessed_pence: int | None = None
    ended_by: str = ""
    drafted: str | None = None
    prices: Prices = "unsure"

    @property
    def key(self) -> Key:
        """What makes it one: store, return and ordinal of the refund."""
        return self.store_id, self.return_id, self.ordinal

    @property
    def contents(self) -> tuple[tuple[str, int], ...]:
        """Its goods as sorted (Stock Code, quantity), several lines of one code added up."""
        return contents_of_document(self.document)

    @property
    def order_ref(self) -> str:
        """The reference of the order that it credits; empty where its draft is not known any more."""
        return str(json.loads(self.drafted).get("order_ref", "")) if self.drafted else ""


class Asking(Protocol):
    """What asks for a note: a posting, or a draft that waits for one. ``contents`` as those of a posting."""

    @property
    def key(self) -> Key:
        """Store, return and ordinal of the refund."""

    @property
    def customer_code(self) -> str:
        """Whose note it is."""

    @property
    def currency(self) -> str:
        """ISO currency."""

    @property
    def value_pence(self) -> int:
        """What the note is worth."""

    @property
    def contents(self) -> tuple[tuple[str, int], ...]:
        """Its goods."""

    @property
    def order_ref(self) -> str:
        """The reference of the order that it credits."""


@dataclass(frozen=True, slots=True)
class Bystander:
    """A return that has no note: staff may credit it, at any of ``values`` in pence."""

    return_id: str
    customer_code: str
    currency: str
    values: tuple[int, ...]
    order_ref: str = ""


@dataclass(frozen=True, slots=True)
class PostingChange:
    """A posting as it is to be from now on, and what the audit log says of it; without ``what`` it says nothing."""

    posting: Posting
    what: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the feed that held documents; ``previous_token`` is the continuation that it answered."""

    sequence: int
    previous_token: str
    token: str
    references: tuple[str, ...]
    handed_out_at: datetime


@dataclass(frozen=True, slots=True)
class SearchEvidence:
    """A search of Khaos: every note of ``customers`` and of ``references``, as they stood at ``searched_at``.

    ``attributed`` maps the code of a note to the return that it belongs to, where that is known. ``life`` is the life
    of the database in which the search began. ``refused`` are pairs of note code and return id that a person said no
    to: such a note proves nothing of its return, and still holds it back. ``waived`` are pairs of which a person said
    that the note is of no return: it does not. ``unsure`` are pairs of which attribution says that the note may be
    another return's too: what staff typed on it confirms nothing. ``packs`` are those among all these goods.

    Only where ``items_by`` is none may a note without goods be known by its value: ``bystanders`` are the returns that
    it may be meant for as well, ``nobodies`` the customers that are no person. ``order_refs`` are references of orders,
    ``stores`` the names of further stores, which people leave out of an RMA.
    """

    notes: tuple[CreditNote, ...]
    customers: frozenset[str]
    searched_at: datetime
    references: frozenset[str] = frozenset()
    attributed: Mapping[str, str] = field(default_factory=dict)
    life: str = ""
    refused: frozenset[tuple[str, str]] = frozenset()
    waived: frozenset[tuple[str, str]] = frozenset()
    unsure: frozenset[tuple[str, str]] = frozenset()
    packs: Packs = NO_PACKS
    items_by: ItemsBy | None = None
    bystanders: tuple[Bystander, ...] = ()
    nobodies: frozenset[str] = frozenset()
    order_refs: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for next, and what was asked when the list was made: only that can be cleared by the search."""

    customers: frozenset[str]
    references: frozenset[str]
    tickets: frozenset[tuple[str, int, datetime | None]]
    life: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of one draft: ``outcome`` and, where it did not pass, the reason in words."""

    key: Key
    reference: str
    outcome: Literal["planned", "replaced", "unchanged", "adopted", "held", "ended"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a search showed about one posting."""

    key: Key
    reference: str
    outcome: Literal["confirmed", "cleared", "still_in_doubt", "held"]
    reason: str = ""


def contents_of_document(document: str) -> tuple[tuple[str, int], ...]:
    """The goods of a return document as sorted (Stock Code, quantity) (khaos.md §8.7)."""
    counts: Counter[str] = Counter()
    for item in json.loads(document)["ReturnedItems"]:
        counts[item["SKU"]] += int(item["Quantity"])
    return tuple(sorted(counts.items()))


def contents_of_note(note: CreditNote) -> tuple[tuple[str, int], ...]:
    """The goods of a note in the same form; empty where Khaos did not show its lines."""
    counts: Counter[str] = Counter()
    for stock_code, quantity in note.lines:
        counts[stock_code] += abs(quantity)
    return tuple(sorted(counts.items()))
