"""What a posting is: our own memory of one document for Khaos, and of everything that a search of Khaos showed.

Belongs here: the records of a posting, a page of the feed and the evidence of a search, its reference of at most 15
characters, whether it is priced as its sale was, and its lines beside those of its Credit Note. Stays out: the rules
between states (``stages.credit_notes.engine``) and their storage (``adapters.store.postings``).
Whether Khaos honours ``UnitPrice`` is not documented: only a note witnessed at a value that the sale could not have
given shows it. Khaos shows units of a line and the value of a note, never the value of a line: so units are compared at
the planned price, and the rest of the value is a row of its own. Money is pence of ``currency``, times are UTC.
Source: DESIGN §4, contracts/khaos.md §3, §7.4, §8.2, §8.7.
"""

from __future__ import annotations

import json
import re
from base64 import b32encode
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from hashlib import sha256
from itertools import count
from math import ceil, floor
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import CreditNote, Draft, ItemsBy
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import NO_PACKS, Goods, Packs, goods_of
from khaos_swap_assets.domain.sums import added, grouped

Prices = Literal["sale", "own", "unsure"]


def prices_of(draft: Draft, order: SalesOrder | None) -> Prices:
    """``sale``: every line is worth what its units were sold for, whichever of them come back.

    ``own``: no units and no rounding of the sale give the value of the document. ``unsure``: they may, as where one
    Stock Code was sold at two prices, a unit at a part of a penny, or a code is not in the order.
    """
    if order is None or order.currency != draft.currency:
        return "unsure"
    sold = grouped(
        (line.stock_code, Fraction(line.gross_pence, line.quantity)) for line in order.lines if line.quantity > 0
    )
    if any(line.stock_code not in sold for line in draft.lines):
        return "unsure"
    lowest = [floor(line.quantity * min(sold[line.stock_code])) for line in draft.lines]
    highest = [ceil(line.quantity * max(sold[line.stock_code])) for line in draft.lines]
    if lowest == highest == [line.gross_pence for line in draft.lines]:
        return "sale"
    return "unsure" if sum(lowest) <= draft.value_pence <= sum(highest) else "own"


LONGEST_REFERENCE = 15
# Khaos names references in a comma list, perhaps quoted: commas, quotes and spaces would not survive it, nor would
# a hash survive a channel's import (khaos.md §17).
_SAFE = re.compile(r"[A-Za-z0-9._/-]+", re.ASCII)


def reference_for(rma: str, ordinal: int, taken: Container[str]) -> str:
    """The reference of the refund ``ordinal`` (from 1) of an RMA: the RMA itself, with ``-2`` ... for later refunds.

    Where that does not fit, holds an unsafe character or is in ``taken``: a short code (``K`` and 14 of base 32), the
    same for the same RMA, refund and ``taken``. Raises ``ValueError`` for an empty RMA or an ordinal below 1.
    """
    name = rma.strip()
    if not name or ordinal < 1:
        raise ValueError(f"no reference can be made for RMA {rma!r}, refund {ordinal}")
    plain = name if ordinal == 1 else f"{name}-{ordinal}"
    if len(plain) <= LONGEST_REFERENCE and _SAFE.fullmatch(plain) and plain not in taken:
        return plain
    return next(code for probe in count() if (code := _short_code(name, ordinal, probe)) not in taken)


def _short_code(name: str, ordinal: int, probe: int) -> str:
    digest = sha256(f"{name}\n{ordinal}\n{probe}".encode()).digest()
    return "K" + b32encode(digest).decode()[: LONGEST_REFERENCE - 1]


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
    def contents(self) -> Goods:
        """Its goods as sorted (Stock Code, quantity), several lines of one code added up."""
        return contents_of_document(self.document)

    @property
    def order_ref(self) -> str:
        """The reference of the order that it credits; empty where its draft is not known any more."""
        return str(json.loads(self.drafted).get("order_ref", "")) if self.drafted else ""


Asking = Posting | Draft
"""What asks for a note: a posting, or a draft that waits for one."""


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


def contents_of_document(document: str) -> Goods:
    """The goods of a return document as sorted (Stock Code, quantity) (khaos.md §8.7)."""
    return goods_of((item["SKU"], int(item["Quantity"])) for item in json.loads(document)["ReturnedItems"])


def contents_of_note(note: CreditNote) -> Goods:
    """The goods of a note in the same form; empty where Khaos did not show its lines."""
    return goods_of((stock_code, abs(quantity)) for stock_code, quantity in note.lines)


STATE_WORDS: Mapping[State, str] = {
    "planned": "planned; Khaos has not fetched it yet",
    "in_doubt": "handed to Khaos; its Credit Note is not seen there yet",
    "confirmed": "confirmed; its Credit Note was seen in Khaos",
    "refused": "refused; it has no Credit Note and gets none",
    "withdrawn": "withdrawn before Khaos fetched it; it has no Credit Note and gets none",
}
DELIVERY = "delivery"
REST = "prices, rest"


@dataclass(frozen=True, slots=True)
class LineDifference:
    """A Stock Code (or ``DELIVERY``, ``REST``), planned and shown; pence are shown less planned, None untold."""

    line: str
    difference_pence: int | None
    planned_units: int | None = None
    planned_pence: int | None = None
    shown_units: int | None = None


def lines_beside(posting: Posting, note: CreditNote | None) -> list[LineDifference]:
    """Every line of a posting beside its Credit Note; the differences add up to that of the two values, where known."""
    units, pence = dict(posting.contents), _planned_pence(posting)
    shown = dict(contents_of_note(note)) if note else {}
    lines = [
        _line(code, units.get(code, 0), pence.get(code), shown.get(code, 0) if shown else None)
        for code in sorted({*units, *shown})
    ]
    return [*lines, *(_without_line(posting, note, lines) if note else ())]


def _planned_pence(posting: Posting) -> Mapping[str, int]:
    """The planned value of each Stock Code; empty where the draft is not known any more."""
    lines = json.loads(posting.drafted)["lines"] if posting.drafted else ()
    return added((line["stock_code"], line["quantity"] * line["unit_gross_pence"]) for line in lines)


def _line(code: str, units: int, pence: int | None, shown: int | None) -> LineDifference:
    difference = None if shown is None or pence is None else pence * shown // units - pence
    return LineDifference(code, difference, planned_units=units, planned_pence=pence, shown_units=shown)


def _without_line(posting: Posting, note: CreditNote, lines: list[LineDifference]) -> Iterator[LineDifference]:
    told = sum(one.difference_pence or 0 for one in lines) + note.delivery_gross_pence
    for name, pence in ((DELIVERY, note.delivery_gross_pence), (REST, note.gross_pence - posting.value_pence - told)):
        if pence:
            yield LineDifference(name, pence)
