"""Khaos pulling in a random history: answers lost, kept late, asked for again, by two at once.

Belongs here: every way in which Khaos meets our feed. Source: contracts/khaos.md §8.2.
"""

from __future__ import annotations

import json

from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.credit_notes import feed
from khaos_swap_assets.stages.credit_notes.posting_store import PostingStore
from khaos_swap_assets_tests.stages.credit_notes import paper
from khaos_swap_assets_tests.stages.credit_notes.referee import Referee


class Pulls(Referee):
    """The pulls of a history."""

    def pull(self) -> None:
        """Khaos pulls; its answer may be lost, imported at once, late, badly, or without keeping the token."""
        answer = self.ask(self.khaos.token)
        if self.rng.random() < 0.15:
            return self.lose(answer.documents)
        fate = self.rng.random()
        for text in answer.documents:
            self.receive(text, is_at_once=fate < 0.2 or self.rng.random() < 0.5)
        if fate < 0.2 and answer.documents:
            self.mark_asked(answer.documents)
            return None
        self.khaos.token = answer.token
        return None

    def lose(self, documents: list[str]) -> None:
        self.mark_asked(documents)

    def mark_asked(self, documents: list[str]) -> None:
        """Khaos will repeat its continuation; that is the question which permits a second hand-out."""
        for text in documents:
            self.cases[json.loads(text)["Order"]].is_asked = True

    def receive(self, text: str, *, is_at_once: bool) -> None:
        if is_at_once:
            self.khaos.take(text, london_date(self.now))
        elif self.rng.random() < 0.2:
            self.khaos.hear(text)
            self.khaos.failed.append(json.loads(text)["AssociatedRef"])
        else:
            self.khaos.waiting.append(text)

    def pull_twice(self) -> None:
        """A proxy repeats the request; the second answer reaches nobody."""
        token = self.khaos.token
        answer = self.ask(token)
        self.ask(token)
        for text in answer.documents:
            self.receive(text, is_at_once=False)
        self.khaos.token = answer.token

    def specific(self) -> None:
        """Staff press retry on imports that failed; Khaos asks for them by reference, in quotes."""
        if not self.khaos.failed:
            return
        names, self.khaos.failed = self.khaos.failed, []
        for case in self.cases.values():
            posting = self.postings().get(case.key)
            case.is_asked |= posting is not None and posting.reference in names and case.out > 0
        answer = self.ask(self.khaos.token, feed.named([f'"{",".join(names)}"']))
        for text in answer.documents:
            self.khaos.take(text, london_date(self.now))
        came = {json.loads(text)["AssociatedRef"] for text in answer.documents}
        self.khaos.failed += [name for name in names if name not in came]
        if answer.documents:
            self.khaos.token = answer.token

    def import_late(self) -> None:
        """A document that waited becomes a note, or is lost for good."""
        if self.khaos.waiting:
            text = self.khaos.waiting.pop(self.rng.randrange(len(self.khaos.waiting)))
            if self.rng.random() < 0.85:
                self.khaos.take(text, london_date(self.now))

    def ask(self, token: str, asked: frozenset[str] = frozenset()) -> feed.FeedPage:
        """One pull as we answer it: written down first, then answered."""
        with self.book(is_kept=not (self.answers_early and self.rng.random() < 0.2)) as book:
            answer = self.answer(book, token, asked)
        self.judge_answer(answer)
        return answer

    def answer(self, book: PostingStore, token: str, asked: frozenset[str] = frozenset()) -> feed.FeedPage:
        limits = feed.FeedLimits(self.mode, self.cap, 10**9, 3)
        return feed.answer(book, limits, paper.complete, self.now, token, asked)

    def two_workers(self) -> None:
        """Two gateways answer the same pull at once; with the lock one waits for the other."""
        first = self.side.begin()
        one = self.answer(first, self.khaos.token)
        second = None if getattr(first, "is_locked", True) else self.side.begin()
        two = self.answer(second, self.khaos.token) if second else None
        self.side.commit(first)
        self.judge_answer(one)
        if second and two:
            self.side.commit(second)
            self.judge_answer(two)
        for text in one.documents + (two.documents if two else self.ask(self.khaos.token).documents):
            self.receive(text, is_at_once=False)
        self.khaos.token = one.token
