"""What an upgrade of the program changes in what is said of returns, exceptions, drafts and documents.

Belongs here: one change, and changes of one kind added up. Stays out: finding them (``adapters.store.rehearsals``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from khaos_swap_assets.domain.sums import grouped

About = Literal["status", "exception", "draft", "document"]


@dataclass(frozen=True, slots=True)
class UpgradeChange:
    """What is said before and after; empty where there is nothing on that side.

    ``kind`` and ``owner`` are an exception's. ``subject`` is the RMA, the reference of a document, or what an exception
    is about. Pence are the gap of a return, the money at risk of an exception, the value of a draft or document.
    """

    about: About
    kind: str
    subject: str
    owner: str
    before: str
    after: str
    before_pence: int
    after_pence: int
    currency: str


@dataclass(frozen=True, slots=True)
class ChangeTotal:
    """All changes from one word to another, of one kind, owner and currency."""

    about: About
    kind: str
    owner: str
    before: str
    after: str
    currency: str
    count: int
    before_pence: int
    after_pence: int


def added(changes: Iterable[UpgradeChange]) -> list[ChangeTotal]:
    """The changes by what they are about and what becomes of it, the most frequent first within each."""
    found = grouped(((one.about, one.kind, one.owner, one.before, one.after, one.currency), one) for one in changes)
    totals = [
        ChangeTotal(*key, len(some), sum(one.before_pence for one in some), sum(one.after_pence for one in some))
        for key, some in found.items()
    ]
    order = get_args(About)
    return sorted(totals, key=lambda one: (order.index(one.about), -one.count, one.kind, one.before, one.after))
