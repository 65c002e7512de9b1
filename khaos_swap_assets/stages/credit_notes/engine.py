"""The posting engine: which document may be planned, and what a search of Khaos proves about those that are out.

Belongs here: ``plan``, ``withdraw_stale``, ``wanted``, ``read_back``. Handing out is ``feed``, persons are ``people``.
Stays out: SQL, HTTP, the clock and the gates between a return and its draft.

States: planned → in_doubt → confirmed | refused, and planned → withdrawn. The invariants:

1. One key (store, return, ordinal) has one posting, one posting has one reference, and a reference has one content
   from the moment that it was first handed out.
2. A document leaves only with a clearance: a search of Khaos which began in this life of the database, after all
   that could have created its note, and found none. Each clearance is used once. So a restored database, whose
   clearances belong to an earlier life, searches before it sends.
3. What is out is in doubt until a note is seen or a person decides. Time alone never sends anything again.
4. References are equal character by character. One that we gave out proves a posting; one that staff typed does not,
   where the goods are others. A note without one proves a posting only when exactly one posting or waiting draft and
   one note fit by customer, currency, goods, value and date; two are never guessed between. No note proves two. Where
   Khaos shows goods in no way, nothing else of that customer may have the value: no note, posting, draft or return.
5. Nothing is planned over a note that may already cover it, and nothing leaves for a draft that is not ready as it was.
6. A note witnessed at another value than drafted stops the feed until a person accepts it.
7. Until a note showed that Khaos honours our prices, at most one document is out whose value the sale's may not give.
8. Name and address are kept until confirmed or refused; after that only the hash of what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Literal, TypeVar

from khaos_swap_assets.adapters.errors import SettingsError
from khaos_swap_assets.domain.documents.credit_notes import CreditNote, Draft
from khaos_swap_assets.domain.documents.postings import (
    Asking,
    Planned,
    Posting,
    PostingChange,
    Prices,
    SearchEvidence,
    Settled,
    Wanted,
    reference_for,
)
from khaos_swap_assets.domain.linking.witness import Witness
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore
from khaos_swap_assets.stages.isolating import Faults, tried

Mode = Literal["audit", "assist", "post"]
ENGINE = "posting engine"
# Who ended a posting, where no person did. Only these can be a gap that stops the feed.
BY_WITNESS = "witness"
BY_ADOPTION = "adoption"


@dataclass(frozen=True, slots=True)
class ReadyDraft:
    """A draft that passed every gate; ``refunded_on`` is the London date of its refund, ``prices`` as of a posting."""

    draft: Draft
    refunded_on: date
    party_sealed: bytes
    prices: Prices = "unsure"


Render = Callable[[ReadyDraft, str], str]
Outcome = TypeVar("Outcome", Planned, Settled)


def plan(
    book: PostingStore,
    drafts: Sequence[ReadyDraft],
    evidence: SearchEvidence,
    *,
    render: Render,
    mode: Mode,
    post_from: date | None,
    now: datetime,
    faults: Faults | None = None,
) -> list[Planned]:
    """Plan a posting for each draft, or say why not; ``render`` makes the document, without party, for a reference.

    ``evidence`` must have searched the customer of every draft, after the drafts were read; a search older than one
    that was used before plans nothing. In audit nothing is planned; another mode without ``post_from`` is an error.
    """
    if mode == "audit":
        return []
    if post_from is None:
        raise SettingsError(f"KHAOS_SWAP_POST_FROM is required when KHAOS_SWAP_MODE is {mode}")
    book.lock()
    if not book.begin_search(evidence.searched_at, now=now):
        return []
    taken = _Taken.of(book, [ready.draft for ready in drafts])
    planning = _Planning(book, Witness.of(evidence, book), evidence, render, post_from=post_from, now=now, taken=taken)
    known = book.by_key([ready.draft.key for ready in drafts])
    asked = ((one.draft.return_id, planning.take, one, known.get(one.draft.key)) for one in drafts)
    return _kept(book, [took for each in asked for took in tried(faults, *each)], now)


def withdraw_stale(book: PostingStore, *, now: datetime) -> list[Posting]:
    """Withdraw every planned posting whose draft is no longer ready as it was; what was handed out never is."""
    book.lock()
    gone = [replace(one, state="withdrawn", party_sealed=None, ended_at=now, is_released=False) for one in book.stale()]
    book.save(gone, who=ENGINE, what="withdrawn", now=now, reason="its draft is no longer ready as it was")
    return gone


def wanted(book: PostingStore) -> Wanted:
    """What to search Khaos for now: everything undone. Make it before the search and pass it on with the result."""
    undone = book.undone()
    return Wanted(
        frozenset(one.customer_code for one in undone),
        frozenset(one.reference for one in undone),
        frozenset(_ticket(one) for one in undone),
        book.life(),
    )


def read_back(
    book: PostingStore,
    evidence: SearchEvidence,
    *,
    wanted: Wanted,
    now: datetime,
    ready: Sequence[Draft] = (),
    faults: Faults | None = None,
) -> list[Settled]:
    """Settle every undone posting whose customer was searched.

    A note with its reference confirms it; so does the only note that fits the only posting, and no ``ready`` draft.
    Where nothing was found, or happened since ``wanted`` was made, the search clears it for one hand-out.
    """
    book.lock()
    if not book.begin_search(evidence.searched_at, now=now):
        return []
    searched = [one for one in book.undone() if one.customer_code in evidence.customers]
    settling = _Settling(Witness.of(evidence, book), evidence, wanted.tickets, now, rivals=(*searched, *ready))
    return _kept(book, [took for one in searched for took in tried(faults, one.return_id, settling.take, one)], now)


def _kept(book: PostingStore, decided: Sequence[tuple[Outcome, PostingChange | None]], now: datetime) -> list[Outcome]:
    """Write down everything that was decided in one round, at once; the outcomes."""
    book.save_changes([change for _, change in decided if change], who=ENGINE, now=now)
    return [outcome for outcome, _ in decided]


@dataclass(frozen=True, slots=True)
class _Planning:
    """What becomes of one draft, and the change to write down for it."""

    book: PostingStore
    witness: Witness
    evidence: SearchEvidence
    render: Render
    post_from: date
    now: datetime
    taken: _Taken

    def take(self, ready: ReadyDraft, before: Posting | None) -> tuple[Planned, PostingChange | None]:
        planned, change = self._decide(ready, before)
        if change is not None:
            self.taken.given.add(change.posting.reference)
        return planned, change

    def _decide(self, ready: ReadyDraft, before: Posting | None) -> tuple[Planned, PostingChange | None]:
        if before is not None and before.state not in ("planned", "withdrawn"):
            return Planned(before.key, before.reference, "ended", f"the posting is {before.state}"), None
        posting = self._posting(ready, before)
        if objection := self._objection(ready):
            return self._hold(posting, before, objection)
        finding = self.witness.look(posting)
        if finding.doubt:
            return self._hold(posting, before, finding.doubt)
        if finding.note is not None:
            reason = f"{finding.note.credit_note_code} was there already"
            adopted = Planned(posting.key, posting.reference, "adopted", reason)
            return adopted, _confirmation(posting, finding.note, self.now)
        return self._planned(posting, before)

    def _posting(self, ready: ReadyDraft, before: Posting | None) -> Posting:
        draft = ready.draft
        reference = before.reference if before else reference_for(draft.rma, draft.ordinal, self.taken)
        document = self.render(ready, reference)
        return Posting(
            *draft.key, draft.rma, reference, "planned", draft.customer_code, draft.so_code, draft.currency,
            draft.value_pence, document, content_hash(document, ready.party_sealed), ready.party_sealed,
            planned_at=self.now, cleared_at=self.evidence.searched_at, cleared_in=self.evidence.life,
            drafted=draft.content, prices=ready.prices,
        )  # fmt: skip

    def _objection(self, ready: ReadyDraft) -> str:
        if ready.refunded_on < self.post_from:
            return f"refunded on {ready.refunded_on}, before KHAOS_SWAP_POST_FROM {self.post_from}"
        if ready.draft.customer_code not in self.evidence.customers:
            return f"Khaos was not searched for customer {ready.draft.customer_code}"
        return ""

    def _hold(self, posting: Posting, before: Posting | None, reason: str) -> tuple[Planned, PostingChange | None]:
        held = Planned(posting.key, posting.reference, "held", reason)
        if before is None or before.state != "planned":
            return held, None
        return held, PostingChange(replace(before, cleared_at=None, doubt=reason), "held", reason)

    def _planned(self, posting: Posting, before: Posting | None) -> tuple[Planned, PostingChange]:
        is_new = before is None or before.state == "withdrawn"
        if before is not None and not is_new and before.document_hash == posting.document_hash:
            same = replace(
                before, cleared_at=posting.cleared_at, cleared_in=posting.cleared_in, doubt="",
                drafted=posting.drafted, prices=posting.prices,
            )  # fmt: skip
            return Planned(posting.key, posting.reference, "unchanged"), PostingChange(same)
        outcome: Literal["planned", "replaced"] = "planned" if is_new else "replaced"
        return Planned(posting.key, posting.reference, outcome), PostingChange(posting, outcome)


@dataclass(frozen=True, slots=True)
class _Settling:
    """What a search shows of one undone posting, and the change to write down for it."""

    witness: Witness
    evidence: SearchEvidence
    tickets: frozenset[tuple[str, int, datetime | None]]
    now: datetime
    rivals: Sequence[Asking]

    def take(self, posting: Posting) -> tuple[Settled, PostingChange | None]:
        finding = self.witness.look(posting, self.rivals)
        if finding.note is not None:
            seen = Settled(posting.key, posting.reference, "confirmed", finding.note.credit_note_code)
            return seen, _confirmation(posting, finding.note, self.now)
        if finding.doubt:
            return self._doubt(posting, finding.doubt)
        if _ticket(posting) not in self.tickets:
            reason = "it changed while Khaos was searched"
            return Settled(posting.key, posting.reference, "still_in_doubt", reason), None
        return self._clear(posting)

    def _doubt(self, posting: Posting, reason: str) -> tuple[Settled, PostingChange | None]:
        outcome: Literal["held", "still_in_doubt"] = "held" if posting.state == "planned" else "still_in_doubt"
        doubted = Settled(posting.key, posting.reference, outcome, reason)
        if (posting.doubt, posting.cleared_at) == (reason, None):
            return doubted, None
        return doubted, PostingChange(replace(posting, doubt=reason, cleared_at=None), "doubted", reason)

    def _clear(self, posting: Posting) -> tuple[Settled, PostingChange | None]:
        if posting.state == "in_doubt" and posting.asked_again_at is None:
            unseen = Settled(posting.key, posting.reference, "still_in_doubt", "no note was seen yet")
            return unseen, PostingChange(replace(posting, doubt="")) if posting.doubt else None
        seen = self.evidence
        cleared = replace(posting, doubt="", cleared_at=seen.searched_at, cleared_in=seen.life)
        change = PostingChange(cleared, "cleared" if posting.asked_again_at else "")
        return Settled(posting.key, posting.reference, "cleared"), change


@dataclass(frozen=True, slots=True)
class _Taken:
    """The references in use: given in this round, or in the book; of those in ``free`` the book was asked at once."""

    book: PostingStore
    free: frozenset[str]
    given: set[str]

    @classmethod
    def of(cls, book: PostingStore, drafts: Sequence[Draft]) -> _Taken:
        likely = frozenset(reference_for(draft.rma, draft.ordinal, ()) for draft in drafts)
        return cls(book, likely - book.by_reference(likely).keys(), set())

    def __contains__(self, reference: object) -> bool:
        if reference in self.given:
            return True
        return reference not in self.free and isinstance(reference, str) and bool(self.book.by_reference([reference]))


def content_hash(document: str, party: bytes) -> str:
    """The hash that tells whether a planned document changed; at hand-out that of the whole text replaces it."""
    return sha256(document.encode() + b"\0" + party).hexdigest()


def _confirmation(posting: Posting, note: CreditNote, now: datetime) -> PostingChange:
    by = BY_WITNESS if posting.handed_out_at else BY_ADOPTION
    return PostingChange(confirmed(posting, note, by=by, now=now), "confirmed", note.credit_note_code)


def confirmed(posting: Posting, note: CreditNote, *, by: str, now: datetime) -> Posting:
    """The posting ended by a note; name and address go."""
    ended = ended_posting(posting, "confirmed", by=by, now=now)
    return replace(ended, credit_note_code=note.credit_note_code, witnessed_pence=note.gross_pence)


def ended_posting(posting: Posting, state: Literal["confirmed", "refused"], *, by: str, now: datetime) -> Posting:
    """The posting at its end: nothing may be handed out again, and only the hash of the party remains."""
    return replace(
        posting, state=state, ended_at=now, ended_by=by, party_sealed=None, is_released=False,
        asked_again_at=None, asked_by="", cleared_at=None, doubt="",
    )  # fmt: skip


def _ticket(posting: Posting) -> tuple[str, int, datetime | None]:
    return posting.reference, posting.times_handed_out, posting.asked_again_at
