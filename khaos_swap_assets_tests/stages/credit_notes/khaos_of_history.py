"""A Khaos small enough to be right: it keeps what it is given and counts it by customer and order, never by reference.

Belongs here: the worst Khaos that the contract allows: it accepts repeated references, loses answers, imports late or
never, and may show no reference and another value. Imports nothing of the engine. Source: contracts/khaos.md §8.2.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from khaos_swap_assets.domain.documents.credit_notes import CreditNote, ItemsBy


@dataclass
class Khaos:
    """``shows`` is the reference on a note of ours; ``honours`` keeps our price; ``items_by``: how goods are shown.

    Without ``keeps_own`` a note is worth what its order was sold for, by ``sales``.
    """

    shows: Literal["ours", "order", "blank"]
    honours: bool
    items_by: ItemsBy
    keeps_own: bool = True
    sales: dict[str, int] = field(default_factory=dict)
    token: str = "2019-12-31 12:00:00Z"
    notes: list[CreditNote] = field(default_factory=list)
    truth: dict[str, str] = field(default_factory=dict)
    ours: set[str] = field(default_factory=set)
    waiting: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    texts: dict[str, set[str]] = field(default_factory=dict)

    def take(self, text: str, on: date) -> None:
        """Import a document: a note comes of it whatever its reference was before."""
        document = json.loads(text)
        self.hear(text)
        pence = sum(item["Pence"] * item["Quantity"] for item in document["ReturnedItems"])
        lines = tuple((item["SKU"], item["Quantity"]) for item in document["ReturnedItems"])
        reference = {"ours": document["AssociatedRef"], "order": document["Order"], "blank": ""}[self.shows]
        asked = pence if self.keeps_own else self.sales.get(document["Order"], pence)
        value = asked if self.honours else asked - 1
        self.ours.add(self._add(document["Order"], reference, document["URN"], value, lines, on))

    def hear(self, text: str) -> None:
        """Remember every content that ever arrived under a reference."""
        self.texts.setdefault(json.loads(text)["AssociatedRef"], set()).add(text)

    def by_hand(self, order: str, reference: str, customer: str, value: int, sku: str, on: date) -> None:
        """Staff make a note of their own."""
        self._add(order, reference, customer, value, ((sku, 1),), on)

    def listed(self, note: CreditNote, *, is_read: bool) -> CreditNote:
        """A note as a search shows it; where its goods come by its code alone they may not be read yet."""
        has_goods = self.items_by == "status" or (self.items_by == "export" and is_read)
        return note if has_goods else replace(note, lines=())

    def by_staff(self) -> list[CreditNote]:
        """The notes that are none of ours."""
        return [note for note in self.notes if note.credit_note_code not in self.ours]

    def settle(self, on: date) -> None:
        """Import everything that waits."""
        for text in self.waiting:
            self.take(text, on)
        self.waiting.clear()

    def of_order(self, order: str) -> list[CreditNote]:
        """The notes that truly belong to an order."""
        return [note for note in self.notes if self.truth[note.credit_note_code] == order]

    def doubles(self) -> list[str]:
        """Orders that our documents credited more than once."""
        counts = Counter(self.truth[code] for code in self.ours)
        return [order for order, count in counts.items() if count > 1]

    def _add(
        self, order: str, reference: str, customer: str, value: int, lines: tuple[tuple[str, int], ...], on: date
    ) -> str:
        code = f"CN{len(self.notes) + 1}"
        self.notes.append(CreditNote(code, reference, customer, "GBP", on, None, 60, value, value, 0, lines))
        self.truth[code] = order
        return code
