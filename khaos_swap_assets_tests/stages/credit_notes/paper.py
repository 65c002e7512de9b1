"""Drafts, documents and notes in the words of the tests, and books to keep them in.

Belongs here: what the engine's tests and the random histories share. The paper book keeps everything in memory with
transactions of its own; it has no constraint, so that no rule of the engine can lean on the database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from khaos_swap_assets.adapters.store import worklist
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, Draft
from khaos_swap_assets.domain.documents.draft_lines import DraftLine
from khaos_swap_assets.domain.documents.postings import Key, Page, Posting, PostingChange
from khaos_swap_assets.stages import marks
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PARTY = {"InvoiceAddress": {"Line1": "1 Mill Lane", "Town": "Hull"}, "InvoiceContact": {"Surname": "Ash"}}
POST_FROM = date(2026, 1, 1)
# What a book sees of a ready draft: its value and its content.
Ready = tuple[int, str | None]


def draft_of(
    rma: str = "RMA1",
    *,
    customer: str = "ASH1",
    value: int = 1000,
    sku: str = "HAT",
    ordinal: int = 1,
    currency: str = "GBP",
    return_id: str = "",
) -> ReadyDraft:
    """A draft of one unit of ``sku`` at ``value`` pence."""
    line = DraftLine(f"p-{rma}", sku, 1, value, "sellable")
    order = f"SO-{rma}"
    draft = Draft("store", return_id or f"id-{rma}", ordinal, rma, order, order, customer, currency, value, (line,))
    return ReadyDraft(draft, date(2026, 3, 9), f"sealed {customer}".encode(), "sale")


def render(ready: ReadyDraft, reference: str) -> str:
    """A document as small as the engine allows."""
    items = [
        {"SKU": line.stock_code, "Quantity": line.quantity, "Pence": line.unit_gross_pence}
        for line in ready.draft.lines
    ]
    return json.dumps({"AssociatedRef": reference, "Order": ready.draft.order_ref, "ReturnedItems": items})


def complete(posting: Posting) -> str:
    """The document with its customer; fails where the party was erased."""
    assert posting.party_sealed is not None
    return json.dumps({**json.loads(posting.document), "URN": posting.customer_code})


def note_of(
    code: str = "CN1",
    *,
    ref: str = "",
    customer: str = "ASH1",
    value: int = 1000,
    sku: str = "HAT",
    on: date | None = date(2026, 3, 10),
    currency: str = "GBP",
) -> CreditNote:
    """A note of one unit of ``sku``."""
    return CreditNote(code, ref, customer, currency, on, None, 60, value, value, 0, ((sku, 1),))


def copy_of(paper: Paper) -> Paper:
    """Containers of its own around the same frozen records."""
    values: dict[str, Any] = {one.name: getattr(paper, one.name) for one in fields(paper)}
    copied: dict[str, Any] = {
        name: value.copy() if isinstance(value, dict | list) else value for name, value in values.items()
    }
    return replace(paper, **copied)


@dataclass
class Paper:
    """What a paper book has committed."""

    postings: dict[str, Posting] = field(default_factory=dict)
    pages: dict[int, Page] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    searched_at: datetime = NOON - timedelta(days=999)
    ready: dict[Key, Ready] = field(default_factory=dict)
    notes: dict[str, CreditNote] = field(default_factory=dict)
    life: int = 1


class PaperBook:
    """A book over ``Paper``; what it writes is its own until ``commit``."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.mine = copy_of(paper)
        self.written: set[str] = set()
        self.is_locked = False

    def commit(self) -> None:
        """Publish what this transaction wrote, and only that."""
        for reference in self.written:
            self.paper.postings[reference] = self.mine.postings[reference]
        self.paper.pages.update(self.mine.pages)
        self.paper.holds, self.paper.searched_at = self.mine.holds, self.mine.searched_at

    def lock(self) -> None:
        self.is_locked = True

    def life(self) -> str:
        return str(self.mine.life)

    def by_key(self, keys: Collection[Key]) -> dict[Key, Posting]:
        return {one.key: one for one in self.mine.postings.values() if one.key in set(keys)}

    def by_reference(self, references: Collection[str]) -> dict[str, Posting]:
        return {ref: self.mine.postings[ref] for ref in references if ref in self.mine.postings}

    def undone(self) -> list[Posting]:
        found = [one for one in self.mine.postings.values() if one.state in ("planned", "in_doubt")]
        return sorted(found, key=lambda one: (one.planned_at, one.reference))

    def stale(self) -> list[Posting]:
        ready = self.mine.ready
        return [o for o in self.undone() if o.state == "planned" and ready.get(o.key) != (o.value_pence, o.drafted)]

    def claimed(self, codes: Collection[str]) -> set[str]:
        return {one.credit_note_code for one in self.mine.postings.values() if one.credit_note_code in set(codes)}

    def begin_search(self, searched_at: datetime, *, now: datetime) -> bool:
        if not self.mine.searched_at <= searched_at <= now:
            return False
        self.mine.searched_at = searched_at
        return True

    def has_witness(self) -> bool:
        return any(
            one.state == "confirmed" and one.handed_out_at and one.witnessed_pence == one.value_pence
            for one in self.mine.postings.values()
        )

    def has_price_witness(self) -> bool:
        return any(
            one.state == "confirmed"
            and one.handed_out_at
            and one.witnessed_pence == one.value_pence
            and one.prices == "own"
            for one in self.mine.postings.values()
        )

    def gaps(self) -> list[Posting]:
        return [
            one
            for one in self.mine.postings.values()
            if one.state == "confirmed"
            and one.witnessed_pence != one.value_pence
            and one.ended_by in ("witness", "adoption")
        ]

    def handed_out_since(self, moment: datetime) -> tuple[int, int]:
        out = [one for one in self.mine.postings.values() if one.handed_out_at and one.handed_out_at >= moment]
        return len(out), sum(one.value_pence for one in out)

    def note(self, code: str) -> CreditNote | None:
        return self.mine.notes.get(code)

    def newest_page(self) -> Page | None:
        return self.mine.pages[max(self.mine.pages)] if self.mine.pages else None

    def add_page(self, page: Page) -> None:
        self.mine.pages[page.sequence] = page

    def holds(self) -> list[str]:
        return list(self.mine.holds.values())

    def hold(self, token: str, reason: str, now: datetime) -> None:
        self.mine.holds.setdefault(token, reason)

    def trust(self, by: str, reason: str, now: datetime) -> list[str]:
        tokens = sorted(self.mine.holds)
        self.mine.holds = {}
        return tokens

    def save(self, postings: Iterable[Posting], *, who: str, what: str, now: datetime, reason: str = "") -> None:
        self.save_changes([PostingChange(one, what, reason) for one in postings], who=who, now=now)

    def save_changes(self, changes: Iterable[PostingChange], *, who: str, now: datetime) -> None:
        for change in changes:
            self.mine.postings[change.posting.reference] = change.posting
            self.written.add(change.posting.reference)


@contextmanager
def committed(paper: Paper) -> Iterator[PaperBook]:
    """A transaction that commits at the end of the block."""
    book = PaperBook(paper)
    yield book
    book.commit()


def complete_run(conn: psycopg.Connection[Any], now: datetime = NOON) -> None:
    """Leave the marks of a complete run on a store: documents leave only while somebody watches."""
    for source in (marks.SWAP, marks.DOCUMENTS, marks.WITNESS, marks.JUDGED):
        worklist.move(conn, source, now)
