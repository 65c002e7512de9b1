"""The feed: which documents one pull of Khaos gets, decided and written down before the answer leaves.

Belongs here: continuation tokens, the order of documents, the breakers and caps of hand-out. Stays out: HTTP and
authentication (``gateway``), planning and witnessing (``engine``). Source: contracts/khaos.md §8.2, §8.7, DESIGN §4.

A pull that repeats the continuation of the newest page shows that Khaos did not keep that page: what it held is asked
for again, and waits for a search that finds nothing. An older continuation gets an empty page and the newest token.
What ``SpecificIDs`` name is no page: whether Khaos keeps the token of such an answer is unknown, so it gets the one
that it holds, and its next pull repeats nothing.
A token that we never gave comes from a future that a restored database has lost: a person must trust the feed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from hashlib import sha256

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.postings import Page, Posting
from khaos_swap_assets.domain.money.periods import LONDON, london_date
from khaos_swap_assets.stages import watching
from khaos_swap_assets.stages.credit_notes.engine import ENGINE, Mode
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore, is_first_contact, is_from_the_future

# How old the search may be on which a document leaves.
CLEARANCE_LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FeedPage:
    """The answer to one pull: the token to give back and the documents as JSON text, party included."""

    token: str
    documents: list[str]


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """What may leave: the mode, caps of a London day (count, pence of any currency), and documents a page.

    ``stopped`` says why nothing may at all; empty where it may. ``stopped_stores`` says it of the returns of single
    stores, by Swap's id of the store.
    """

    mode: Mode
    daily_documents: int
    daily_pence: int
    page_documents: int
    stopped: str = ""
    stopped_stores: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, stopped: str = "", stopped_stores: Mapping[str, str] | None = None) -> FeedLimits:
        """The limits that the settings ask for."""
        pence = settings.daily_value_cap_pounds * 100
        documents = (settings.daily_document_cap, pence, settings.page_documents)
        return cls(settings.mode, *documents, stopped, stopped_stores or {})

    def allow(self, count: int, pence: int, value_pence: int) -> bool:
        """Whether one more write of a value fits into the day's caps beside what left already."""
        return count < self.daily_documents and pence + value_pence <= self.daily_pence


Complete = Callable[[Posting], str]


def hand_out(
    conn: Conn,
    *,
    settings: Settings,
    now: datetime,
    continuation: str,
    specific_ids: Sequence[str] = (),
) -> FeedPage:
    """Answer one pull; the intent is committed when this returns.

    ``continuation`` is the header as Khaos sent it, ``specific_ids`` the references of the other header (raw text
    with commas and quotes is understood). In audit the page is empty and nothing is written.
    """
    if settings.mode == "audit":
        return FeedPage(continuation, [])
    with conn.transaction():
        book = SqlPostings(conn)
        book.lock()  # a person who holds the feed has this lock: whatever they stopped stays here
        of_stores = watching.stopped_stores(conn, settings, now)
        limits = FeedLimits.of(settings, watching.stopped(conn, settings, now), of_stores)
        page = answer(book, limits, _completer(settings), now, continuation, named(specific_ids))
    # A transaction that the caller had open would keep the intent back: it must be on disk before the answer leaves.
    conn.commit()
    return page


def named(specific_ids: Iterable[str]) -> frozenset[str]:
    """The references of a ``SpecificIDs`` header: a comma list, perhaps in quotes (khaos.md §8.2)."""
    parts = (part.strip().strip("\"'").strip() for text in specific_ids for part in text.split(","))
    return frozenset(part for part in parts if part)


def answer(
    book: PostingStore, limits: FeedLimits, complete: Complete, now: datetime, continuation: str, asked: frozenset[str]
) -> FeedPage:
    """Decide one pull inside the caller's transaction; ``complete`` gives the whole document, party included."""
    if limits.mode == "audit":
        return FeedPage(continuation, [])
    book.lock()
    pull = _Pull(
        book=book,
        limits=limits,
        complete=complete,
        now=now,
        continuation=continuation,
        asked=asked,
        newest=book.newest_page(),
        life=book.life(),
    )
    return pull.answer()


@dataclass(frozen=True, slots=True)
class _Pull:
    book: PostingStore
    limits: FeedLimits
    complete: Complete
    now: datetime
    continuation: str
    asked: frozenset[str]
    newest: Page | None
    life: str

    def answer(self) -> FeedPage:
        if is_from_the_future(self.continuation, self.newest):
            self.book.hold(
                self.continuation, f"Khaos sent the token {self.continuation}, which we never gave", self.now
            )
        if self.book.holds() or self.limits.stopped:
            return FeedPage(self.continuation, [])
        if self.asked:
            return self._hand_out(self._ask(self.asked, "specific ids"))
        if self._repeats_the_newest():
            return self._answer_repeat(frozenset(self.newest.references if self.newest else ()))
        if self.newest is not None and self.continuation != self.newest.token:
            return FeedPage(self.newest.token, [])
        self._acknowledge()
        return self._hand_out(self.book.undone())

    def _repeats_the_newest(self) -> bool:
        if self.newest is None:
            return False
        return self.continuation == self.newest.previous_token or (
            is_first_contact(self.continuation) and is_first_contact(self.newest.previous_token)
        )

    def _answer_repeat(self, references: frozenset[str]) -> FeedPage:
        lost = [one for one in self._ask(references, "continuation") if one.state == "in_doubt"]
        if lost and not all(one.doubt or self._may_go_again(one) for one in lost):
            return FeedPage(self.continuation, [])
        return self._hand_out(lost or self.book.undone())

    def _ask(self, references: frozenset[str], how: str) -> list[Posting]:
        """Mark what Khaos asks for again; a search made before the question no longer counts."""
        fresh = [
            replace(one, asked_again_at=self.now, asked_by=how, cleared_at=None)
            for one in self.book.undone()
            if one.reference in references and (one.asked_again_at is None or one.asked_by == "continuation" != how)
        ]
        self.book.save(fresh, who=ENGINE, what=f"asked for again by {how}", now=self.now)
        return [one for one in self.book.undone() if one.reference in references]

    def _acknowledge(self) -> None:
        """Khaos holds the newest token, so it kept that page: an earlier repeat of the pull before it was a stray."""
        kept = frozenset(self.newest.references if self.newest else ())
        strays = [
            replace(one, asked_again_at=None, asked_by="", cleared_at=None)
            for one in self.book.undone()
            if one.reference in kept and one.asked_by == "continuation"
        ]
        self.book.save(strays, who=ENGINE, what="not asked for after all", now=self.now)

    def _hand_out(self, candidates: Sequence[Posting]) -> FeedPage:
        stale = {one.reference for one in self.book.stale()}
        here = [one for one in candidates if one.store_id not in self.limits.stopped_stores]
        ready = [one for one in here if one.reference not in stale and self._may_go(one)]
        chosen = self._within_limits(ready)
        texts = [(one, text) for one in chosen if (text := self._text(one))]
        if not texts:
            return FeedPage(self.continuation if self.newest is None or self.asked else self.newest.token, [])
        self.book.save([self._out(*each) for each in texts], who=ENGINE, what="handed out", now=self.now)
        return FeedPage(self.continuation, [text for _, text in texts]) if self.asked else self._page(texts)

    def _text(self, posting: Posting) -> str:
        try:
            return self.complete(posting)
        except (KhaosSwapError, ValueError) as error:
            broken = replace(posting, doubt=f"its document cannot be completed: {error}", cleared_at=None)
            self.book.save([broken], who=ENGINE, what="held", now=self.now, reason=broken.doubt)
            return ""

    def _page(self, texts: Sequence[tuple[Posting, str]]) -> FeedPage:
        sequence = self.newest.sequence + 1 if self.newest else 1
        references = tuple(one.reference for one, _ in texts)
        page = Page(sequence, self.continuation, f"ks1.{sequence}", references, handed_out_at=self.now)
        self.book.add_page(page)
        return FeedPage(page.token, [text for _, text in texts])

    def _may_go(self, posting: Posting) -> bool:
        if posting.state == "in_doubt":
            return self._may_go_again(posting)
        return is_cleared(posting, self.life, self.now) and (self.limits.mode == "post" or posting.is_released)

    def _may_go_again(self, posting: Posting) -> bool:
        asked = posting.asked_again_at is not None and is_cleared(posting, self.life, self.now)
        return asked or posting.is_released

    def _out(self, posting: Posting, text: str) -> Posting:
        return replace(
            posting, state="in_doubt", handed_out_at=self.now, times_handed_out=posting.times_handed_out + 1,
            document_hash=sha256(text.encode()).hexdigest(), is_released=False,
            asked_again_at=None, asked_by="", cleared_at=None, doubt="",
        )  # fmt: skip

    def _within_limits(self, candidates: Sequence[Posting]) -> list[Posting]:
        if self.book.gaps():
            return []
        if not self.book.has_witness():
            candidates = self._first_one(candidates)
        elif not self.book.has_price_witness():
            candidates = self._one_of_another_price(candidates)
        return self._within_caps(candidates)[: self.limits.page_documents]

    def _first_one(self, candidates: Sequence[Posting]) -> Sequence[Posting]:
        """Until a document was witnessed at its drafted value only one is out, whatever else waits."""
        out = [one.reference for one in self.book.undone() if one.state == "in_doubt"]
        fitting = [one for one in candidates if one.value_pence <= self.limits.daily_pence]
        return [one for one in fitting if not out or out == [one.reference]][:1]

    def _one_of_another_price(self, candidates: Sequence[Posting]) -> Sequence[Posting]:
        """Until Khaos was seen to honour our prices only one is out whose value the sale's may not give."""
        out = {one.reference for one in self.book.undone() if one.state == "in_doubt" and may_differ(one)}
        chosen: list[Posting] = []
        for one in candidates:
            if not may_differ(one):
                chosen.append(one)
            elif out <= {one.reference} and one.value_pence <= self.limits.daily_pence:
                chosen, out = [*chosen, one], {one.reference}
        return chosen

    def _within_caps(self, candidates: Sequence[Posting]) -> list[Posting]:
        count, pence = self.book.handed_out_since(day_of(self.now))
        chosen: list[Posting] = []
        for one in candidates:
            if self.limits.allow(count, pence, one.value_pence):
                chosen, count, pence = [*chosen, one], count + 1, pence + one.value_pence
        return chosen


def day_of(now: datetime) -> datetime:
    """When the London day of a moment began, by which the caps count."""
    return datetime.combine(london_date(now), time(), LONDON)


def is_cleared(posting: Posting, life: str, now: datetime) -> bool:
    """True when an unused, recent search of this life of the database found nothing."""
    at = posting.cleared_at
    return at is not None and posting.cleared_in == life and abs(now - at) <= CLEARANCE_LASTS


def may_differ(posting: Posting) -> bool:
    """True where Khaos may price a document otherwise than we did, if it goes by the sale."""
    return posting.prices != "sale"


def _completer(settings: Settings) -> Complete:
    from khaos_swap_assets.adapters.khaos.documents import with_party
    from khaos_swap_assets.adapters.store.seal import Sealer

    sealer = Sealer(settings.seal_key)

    def complete(posting: Posting) -> str:
        if posting.party_sealed is None:
            raise KhaosSwapError(f"{posting.reference} has no name and address left; resolve it by hand")
        return with_party(posting.document, sealer.unseal(posting.party_sealed))

    return complete
