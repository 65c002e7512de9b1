"""Faults with a name, each put into the engine: the histories must find every one of them.

Belongs here: what a careless change could do to the engine. Each takes a ``MonkeyPatch`` and gives what the history
itself must do differently, if anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Posting, SearchEvidence
from khaos_swap_assets.domain.linking import witness
from khaos_swap_assets.stages.credit_notes import engine, feed
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore
from khaos_swap_assets_tests.stages.credit_notes.paper import PaperBook

Fault = Callable[[pytest.MonkeyPatch], Mapping[str, Any] | None]
PULL = feed._Pull
SETTLING = engine._Settling
PLANNING = engine._Planning
WITNESS = witness.Witness


def sends_first_without_a_search(patch: pytest.MonkeyPatch) -> None:
    """The read-back before the first hand-out is dropped."""
    patch.setattr(feed, "is_cleared", lambda posting, life, now: True)


def sends_again_after_a_while(patch: pytest.MonkeyPatch) -> None:
    """What was not witnessed within an hour is sent again."""
    may_go = PULL._may_go_again

    def impatient(self: Any, posting: Posting) -> bool:
        return may_go(self, posting) or self.now - posting.handed_out_at > timedelta(hours=1)

    patch.setattr(PULL, "_may_go_again", impatient)


def sends_again_when_asked_without_a_search(patch: pytest.MonkeyPatch) -> None:
    """The question alone is enough."""
    patch.setattr(PULL, "_may_go_again", lambda self, posting: posting.asked_again_at is not None)


def uses_a_clearance_twice(patch: pytest.MonkeyPatch) -> None:
    """A search that found nothing counts for every later hand-out too."""
    out = PULL._out

    def frugal(self: Any, posting: Posting, text: str) -> Posting:
        kept = out(self, posting, text)
        return replace(kept, cleared_at=posting.cleared_at, asked_again_at=posting.asked_again_at or self.now)

    patch.setattr(PULL, "_out", frugal)


def clears_what_moved_during_the_search(patch: pytest.MonkeyPatch) -> None:
    """A search counts although the document left after it began."""
    take = SETTLING.take

    def careless(self: Any, posting: Posting) -> Any:
        return take(replace(self, tickets=self.tickets | {engine._ticket(posting)}), posting)

    patch.setattr(SETTLING, "take", careless)


def uses_an_older_search_after_a_newer_one(patch: pytest.MonkeyPatch) -> None:
    """Searches count in the order of their arrival."""
    patch.setattr(PaperBook, "begin_search", lambda self, searched_at, now: True)


def matches_references_without_case(patch: pytest.MonkeyPatch) -> None:
    """RMA1 and rma1 are taken for one."""
    of = WITNESS.of.__func__  # type: ignore[attr-defined]

    def folded(cls: Any, evidence: SearchEvidence, book: PostingStore) -> Any:
        made = of(cls, evidence, book)
        lists: dict[str, list[CreditNote]] = {}
        for reference, notes in made.by_reference.items():
            for spelling in (reference, reference.upper(), reference.lower()):
                lists.setdefault(spelling, []).extend(notes)
        return replace(made, by_reference=lists)

    patch.setattr(WITNESS, "of", classmethod(folded))


def guesses_between_two_that_fit(patch: pytest.MonkeyPatch) -> None:
    """The first note that fits is taken, whoever else it may belong to."""
    nearest = WITNESS._nearest
    patch.setattr(WITNESS, "_nearest", lambda self, posting, near, rivals: nearest(self, posting, near[:1], ()))


def ignores_notes_of_staff(patch: pytest.MonkeyPatch) -> None:
    """Only our own reference counts as a note of ours."""
    patch.setattr(WITNESS, "_free", lambda self, posting: [])


def sends_two_before_the_first_witness(patch: pytest.MonkeyPatch) -> None:
    """The first documents leave together."""
    patch.setattr(PULL, "_first_one", lambda self, candidates: candidates)


def sends_two_of_another_price(patch: pytest.MonkeyPatch) -> None:
    """One document at its value proves every price."""
    patch.setattr(PULL, "_one_of_another_price", lambda self, candidates: candidates)


def takes_any_witness_for_one_of_a_price(patch: pytest.MonkeyPatch) -> None:
    """A document at the sale's price, or one that may be, shows that Khaos honours ours."""
    patch.setattr(PaperBook, "has_price_witness", lambda self: self.has_witness())


def sends_on_after_a_value_gap(patch: pytest.MonkeyPatch) -> None:
    """A note at another value stops nothing."""
    within = PULL._within_limits

    def blind(self: Any, candidates: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(type(self.book), "gaps", lambda book: [])
            return within(self, candidates)

    patch.setattr(PULL, "_within_limits", blind)


def changes_a_document_that_is_out(patch: pytest.MonkeyPatch) -> None:
    """A new draft replaces the content under its reference."""
    take = PLANNING.take

    def zealous(self: Any, ready: ReadyDraft, before: Posting | None) -> Any:
        if before is not None and before.state == "in_doubt":
            fresh = replace(before, document=self.render(ready, before.reference), value_pence=ready.draft.value_pence)
            self.book.save([fresh], who="", what="", now=self.now)
        return take(self, ready, before)

    patch.setattr(PLANNING, "take", zealous)


def forgets_the_lock(patch: pytest.MonkeyPatch) -> None:
    """Two workers read the same book and both hand out."""
    patch.setattr(PaperBook, "lock", lambda self: None)


def answers_before_it_commits(patch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """The answer leaves, then we crash and remember nothing of it."""
    return {"answers_early": True}


def ignores_the_mode(patch: pytest.MonkeyPatch) -> None:
    """What was planned leaves, whatever the mode is now."""
    answer = feed.answer

    def always(book: PostingStore, limits: feed.FeedLimits, *rest: Any) -> feed.FeedPage:
        return answer(book, replace(limits, mode="post"), *rest)

    patch.setattr(feed, "answer", always)


def accepts_a_token_from_the_future(patch: pytest.MonkeyPatch) -> None:
    """A restored database goes on as if nothing had been lost."""
    patch.setattr(feed, "is_from_the_future", lambda continuation, newest: False)


def trusts_a_search_of_an_earlier_life(patch: pytest.MonkeyPatch) -> None:
    """A clearance in a backup counts after the restore."""

    def lasting(posting: Posting, life: str, now: datetime) -> bool:
        return posting.cleared_at is not None

    patch.setattr(feed, "is_cleared", lasting)


def dates_a_search_by_its_end(patch: pytest.MonkeyPatch) -> None:
    """A search that was under way while a backup was restored counts as one of the life after it."""
    of = WITNESS.of.__func__  # type: ignore[attr-defined]
    settle, take = SETTLING.take, PLANNING.take

    def late(act: Any) -> Any:
        return lambda self, *args: act(replace(self, evidence=replace(self.evidence, life=lives[-1])), *args)

    def noting(cls: Any, evidence: SearchEvidence, book: PostingStore) -> Any:
        lives.append(book.life())
        return of(cls, evidence, book)

    lives: list[str] = []
    patch.setattr(WITNESS, "of", classmethod(noting))
    patch.setattr(SETTLING, "take", late(settle))
    patch.setattr(PLANNING, "take", late(take))


def forgets_who_else_waits_for_a_note(patch: pytest.MonkeyPatch) -> None:
    """Only what is out can have a note: what staff credited for a return that waits is taken for ours."""
    look = WITNESS.look

    def narrow(self: Any, posting: Posting, rivals: Any = ()) -> Any:
        out = [one for one in rivals if isinstance(one, Posting) and one.state == "in_doubt"]
        return look(self, posting, out)

    patch.setattr(WITNESS, "look", narrow)


def forgets_what_else_may_be_credited(patch: pytest.MonkeyPatch) -> None:
    """Where Khaos shows no goods, a return that waits for something is nobody whom staff could have credited."""
    patch.setattr(WITNESS, "_may_be_of", lambda self, bystander, note: False)


def takes_goods_not_read_yet_for_none(patch: pytest.MonkeyPatch) -> None:
    """A note is known by its value although its goods will be shown."""
    patch.setattr(WITNESS, "_is_known_by_value", lambda self, note: True)


def sends_past_a_note_of_unknown_goods(patch: pytest.MonkeyPatch) -> None:
    """A note whose goods nobody told holds nothing back, unless it has the value."""
    patch.setattr(WITNESS, "_may_cover", lambda self, note, posting: note.gross_pence == posting.value_pence)


def believes_a_stray_repeat(patch: pytest.MonkeyPatch) -> None:
    """A repeat stays a question although Khaos went on with the page."""
    patch.setattr(PULL, "_acknowledge", lambda self: None)


def ignores_the_cap_of_a_day(patch: pytest.MonkeyPatch) -> None:
    """Whatever fits the page leaves."""
    patch.setattr(PULL, "_within_caps", lambda self, candidates: list(candidates))


def sends_drafts_that_are_no_longer_ready(patch: pytest.MonkeyPatch) -> None:
    """A gate that closed after planning stops nothing."""
    patch.setattr(PaperBook, "stale", lambda self: [])


def looks_only_at_the_value_of_a_draft(patch: pytest.MonkeyPatch) -> None:
    """Other goods at the same value stop nothing until the next plan."""

    def stale(self: PaperBook) -> list[Posting]:
        ready = {key: value for key, (value, _) in self.mine.ready.items()}
        return [one for one in self.undone() if one.state == "planned" and ready.get(one.key) != one.value_pence]

    patch.setattr(PaperBook, "stale", stale)


def loses_a_held_draft(patch: pytest.MonkeyPatch) -> None:
    """A draft that does not pass leaves no trace."""
    plan = engine.plan
    patch.setattr(engine, "plan", lambda *args, **named: [o for o in plan(*args, **named) if o.outcome != "held"])


def keeps_name_and_address(patch: pytest.MonkeyPatch) -> None:
    """The party outlives the end of its posting."""
    ended = engine.ended_posting

    def hoarding(posting: Posting, *args: Any, **named: Any) -> Posting:
        return replace(ended(posting, *args, **named), party_sealed=posting.party_sealed)

    patch.setattr(engine, "ended_posting", hoarding)


def keeps_only_the_first_of_a_round(patch: pytest.MonkeyPatch) -> None:
    """Of everything that one search decided only one change is written down."""
    kept = engine._kept
    patch.setattr(engine, "_kept", lambda book, decided, now: kept(cast(PostingStore, _OnlyFirst(book)), decided, now))


class _OnlyFirst:
    def __init__(self, book: PostingStore) -> None:
        self.book = book

    def save_changes(self, changes: Any, **named: Any) -> None:
        self.book.save_changes(list(changes)[:1], **named)


FAULTS: tuple[Fault, ...] = (
    sends_first_without_a_search,
    sends_again_after_a_while,
    sends_again_when_asked_without_a_search,
    uses_a_clearance_twice,
    clears_what_moved_during_the_search,
    uses_an_older_search_after_a_newer_one,
    matches_references_without_case,
    guesses_between_two_that_fit,
    ignores_notes_of_staff,
    sends_two_before_the_first_witness,
    sends_two_of_another_price,
    takes_any_witness_for_one_of_a_price,
    sends_on_after_a_value_gap,
    changes_a_document_that_is_out,
    forgets_the_lock,
    answers_before_it_commits,
    ignores_the_mode,
    accepts_a_token_from_the_future,
    trusts_a_search_of_an_earlier_life,
    dates_a_search_by_its_end,
    forgets_who_else_waits_for_a_note,
    forgets_what_else_may_be_credited,
    takes_goods_not_read_yet_for_none,
    sends_past_a_note_of_unknown_goods,
    believes_a_stray_repeat,
    ignores_the_cap_of_a_day,
    sends_drafts_that_are_no_longer_ready,
    looks_only_at_the_value_of_a_draft,
    loses_a_held_draft,
    keeps_name_and_address,
    keeps_only_the_first_of_a_round,
)
