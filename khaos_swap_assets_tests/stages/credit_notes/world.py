"""The world of a random history: its returns, its clock, and the two sides whose truth the referee compares.

Belongs here: records and small looks at the state. Stays out: what happens (``histories``) and what must hold
(``referee``).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Key, Posting, SearchEvidence, Wanted
from khaos_swap_assets.stages.credit_notes import engine
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore
from khaos_swap_assets_tests.stages.credit_notes import paper
from khaos_swap_assets_tests.stages.credit_notes.khaos_of_history import Khaos


class BrokenError(AssertionError):
    """An invariant does not hold."""


class Side(Protocol):
    """Where the book is kept: begins transactions, makes and restores backups."""

    def begin(self) -> PostingStore: ...
    def commit(self, book: Any) -> None: ...
    def rollback(self, book: Any) -> None: ...
    def set_ready(self, ready: dict[Key, paper.Ready]) -> None: ...
    def set_notes(self, notes: list[CreditNote]) -> None: ...
    def backup(self) -> object: ...
    def restore(self, backup: object) -> None: ...


@dataclass
class Case:
    """One return: its draft, whether its refund is confirmed, and how often its document left us."""

    ready: ReadyDraft
    is_confirmed: bool = False
    is_held_by_us: bool = False
    out: int = 0
    staff_seen: bool = False
    may_leave_again: bool = False
    is_asked: bool = False
    is_released: bool = False

    @property
    def order(self) -> str:
        return self.ready.draft.order_ref

    @property
    def goods(self) -> list[str]:
        return [line.stock_code for line in self.ready.draft.lines]

    @property
    def key(self) -> Key:
        return self.ready.draft.key


@dataclass
class Search:
    """A sync under way: what it wanted and what Khaos showed it, not applied yet."""

    wanted: Wanted
    evidence: SearchEvidence
    asked: frozenset[str]


@dataclass
class World:
    """Everything that one history decides; ``answers_early`` is a fault put in from outside."""

    seed: int
    side: Side
    now: datetime = paper.NOON
    mode: engine.Mode = "post"
    cases: dict[str, Case] = field(default_factory=dict)
    searches: list[Search] = field(default_factory=list)
    backup: object | None = None
    gap_seen: bool = False
    is_ahead: bool = False
    contents: dict[str, str] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    by_day: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    answers_early: bool = False
    cap: int = 4

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.khaos = Khaos(
            shows=self.rng.choice(("ours", "ours", "order", "blank")),
            honours=self.rng.random() < 0.75,
            items_by=self.rng.choice(("status", "status", "export", "none")),
        )
        self.case_twins = self.rng.random() < 0.3
        self.khaos.keeps_own = self.rng.random() < 0.6

    @contextmanager
    def book(self, *, is_kept: bool = True) -> Iterator[PostingStore]:
        """One transaction; without ``is_kept`` we crash before it commits."""
        book = self.side.begin()
        try:
            yield book
        except BaseException:
            self.side.rollback(book)
            raise
        (self.side.commit if is_kept else self.side.rollback)(book)

    def postings(self) -> dict[Key, Posting]:
        with self.book(is_kept=False) as book:
            return book.by_key([case.key for case in self.cases.values()])

    def pick(self, fits: Callable[[Case], bool]) -> Case | None:
        found = [case for case in self.cases.values() if fits(case)]
        return self.rng.choice(found) if found else None
