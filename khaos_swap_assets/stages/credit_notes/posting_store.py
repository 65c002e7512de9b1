"""What the posting engine needs of storage, and nothing of how it is kept; and the form of the feed's tokens.

Belongs here: the ``PostingStore`` protocol; which continuation tokens are ours, and which we cannot have given. Stays
out: SQL (``adapters.store.postings``), rules (``engine``), what a pull with a token gets (``feed``). A store lives in
one transaction of its caller: nothing of it counts before the caller commits. Source: contracts/khaos.md §8.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Key, Page, Posting, PostingChange

TOKEN = re.compile(r"ks1\.(\d{1,15})", re.ASCII)


class PostingStore(Protocol):
    """The postings and pages of one installation, as one transaction sees them."""

    def lock(self) -> None:
        """Keep every other transaction of the engine out until this one ends."""

    def life(self) -> str:
        """Which life of the database this is; another one after every restart or restore."""

    def by_key(self, keys: Collection[Key]) -> dict[Key, Posting]:
        """The postings of these keys in any state."""

    def by_reference(self, references: Collection[str]) -> dict[str, Posting]:
        """The postings of these references in any state; references are equal only character by character."""

    def undone(self) -> list[Posting]:
        """Every posting that is planned or in doubt, the first planned first."""

    def stale(self) -> list[Posting]:
        """Planned postings whose draft is no longer ready, or ready with another value or content."""

    def claimed(self, codes: Collection[str]) -> set[str]:
        """Which of these Credit Note codes a posting was confirmed by."""

    def begin_search(self, searched_at: datetime, *, now: datetime) -> bool:
        """Take note of a search; False when a later one was used already, and this one must not be.

        What lies ahead of ``now`` was dated by a clock that ran ahead: such a search is not used, and where one was,
        only searches that begin from now on are, since nobody can tell which others are older than it.
        """

    def has_witness(self) -> bool:
        """True when a document that we handed out was witnessed at its drafted value."""

    def has_price_witness(self) -> bool:
        """True when one was whose value the sale's prices could not have given: Khaos honours ours."""

    def gaps(self) -> list[Posting]:
        """Confirmed postings witnessed at another value than drafted, which no person has accepted."""

    def handed_out_since(self, moment: datetime) -> tuple[int, int]:
        """Count and pence of the postings last handed out at or after ``moment``."""

    def note(self, code: str) -> CreditNote | None:
        """A Credit Note as last read from Khaos."""

    def newest_page(self) -> Page | None:
        """The last page of the feed that held documents."""

    def add_page(self, page: Page) -> None:
        """Remember a page before it leaves."""

    def holds(self) -> list[str]:
        """Reasons why the feed is held until a person trusts it, oldest first."""

    def hold(self, token: str, reason: str, now: datetime) -> None:
        """Hold the feed; a second hold for the same token changes nothing."""

    def trust(self, by: str, reason: str, now: datetime) -> list[str]:
        """End every hold; the tokens that had caused them."""

    def save(self, postings: Iterable[Posting], *, who: str, what: str, now: datetime, reason: str = "") -> None:
        """Insert or replace postings by their reference and write each change to the audit log."""

    def save_changes(self, changes: Iterable[PostingChange], *, who: str, now: datetime) -> None:
        """``save`` for changes of several kinds at once; each reference at most once."""


def is_first_contact(continuation: str) -> bool:
    """True for what Khaos sends before it holds a token of ours: nothing, or a date and time."""
    return not continuation.startswith("ks1.")


def is_from_the_future(continuation: str, newest: Page | None) -> bool:
    """True for a token of ours that this database never gave."""
    if is_first_contact(continuation):
        return False
    found = TOKEN.fullmatch(continuation)
    return found is None or int(found[1]) > (newest.sequence if newest else 0)
