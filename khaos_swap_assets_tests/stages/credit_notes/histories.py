"""Random histories of the posting engine: what may happen to it, in any order.

Belongs here: the actors (our sync, Khaos pulling, staff, persons, crashes, backups, time). What must hold is the
``referee``'s. A history is decided by its seed alone. Assumed: a restore takes longer than Khaos needs to import what
it holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from khaos_swap_assets.domain.documents.postings import Bystander, Prices, SearchEvidence
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.credit_notes import engine, people
from khaos_swap_assets_tests.stages.credit_notes import paper
from khaos_swap_assets_tests.stages.credit_notes.pulls import Pulls
from khaos_swap_assets_tests.stages.credit_notes.world import Case, Search

CUSTOMERS = ("ASH1", "ASH1", "OAK2", "ELM3", "FIR4")
PERSON = people.Person("Kim", "looked it up in Khaos")


class History(Pulls):
    """One history; ``run`` plays it."""

    def run(self, steps: int = 60) -> None:
        """Take random steps, then let everything come to rest; raises ``BrokenError``."""
        actions: list[tuple[Callable[[], None], int]] = [
            (self.refund, 8), (self.begin_sync, 8), (self.end_sync, 9), (self.pull, 12), (self.pull_twice, 2),
            (self.two_workers, 2), (self.specific, 3), (self.import_late, 4), (self.staff, 3), (self.zombie, 2),
            (self.crash, 3), (self.take_backup, 3), (self.restore, 2), (self.switch, 2), (self.person, 5),
            (self.wait, 5), (self.hold, 2), (self.regrade, 4), (self.amend, 3), (self.slow_search, 2),
            (self.disaster, 3), (self.mix_up, 4), (self.goodwill, 3),
        ]  # fmt: skip
        chosen, weights = zip(*actions, strict=True)
        for step in self.rng.choices(chosen, weights, k=steps):
            self.trail.append(step.__name__)
            step()
            self.look()
        self.come_to_rest()

    def come_to_rest(self) -> None:
        """Everything works again and a person answers every question: then nothing may be left behind."""
        self.mode = "post"
        for _ in range(3 * len(self.cases) + 6):
            self.khaos.settle(london_date(self.now))
            self.searches.clear()
            self.begin_sync()
            self.end_sync()
            self.trust()
            self.accept()
            self.resolve()
            answer = self.ask(self.khaos.token)
            for text in answer.documents:
                self.khaos.take(text, london_date(self.now))
            self.khaos.token = answer.token
            self.now += timedelta(days=1)
            self.look()
        self.look_for_leftovers()

    # What happens at Swap and in our sync

    def refund(self) -> None:
        """A refund is confirmed; twins differ from an earlier RMA by the case of a letter only.

        Never for what staff credited to the same customer without a reference: nobody could tell the two apart.
        """
        number = len(self.cases)
        twin = next(iter(self.cases.values()), None) if self.case_twins and number == 1 else None
        customer = twin.ready.draft.customer_code if twin else self.rng.choice(CUSTOMERS)
        rma = twin.ready.draft.rma.lower() if twin else f"RMA{number}"
        value, sku = self.rng.choice((1000, 2500)), self.rng.choice(("HAT", "CAP", "BAG"))
        known = [note for note in self.khaos.by_staff() if note.customer_code == customer]
        if any(note.lines == ((sku, 1),) for note in known):
            sku = f"{sku}{number}"
        if self.khaos.items_by == "none" and any(note.gross_pence == value for note in known):
            value += 10 * (number + 1)
        ready = paper.draft_of(rma, customer=customer, value=value, sku=sku)
        ready = replace(ready, draft=replace(ready.draft, order_ref=f"SO{number}"), prices=self.prices())
        if ready.prices != "sale":
            self.khaos.sales[f"SO{number}"] = value + 295
        self.cases[f"SO{number}"] = Case(ready, is_confirmed=True)
        self.tell()

    def prices(self) -> Prices:
        """Whether a refund is worth what was paid for its goods."""
        return self.rng.choice(("sale", "sale", "own", "unsure"))

    def hold(self) -> None:
        """A gate closes again (or opens) before the document left; a changed value or other goods count as well."""
        if case := self.pick(lambda one: one.out == 0 and not self.is_mistakable(one)):
            case.is_confirmed = not case.is_confirmed
            if case.is_confirmed:
                self.rng.choice((self.raise_value, self.swap_goods))(case)
            self.tell()

    def amend(self) -> None:
        """Swap changes a refund whose document has left: the document must not follow."""
        if case := self.pick(lambda one: one.out > 0):
            self.raise_value(case)
            self.tell()

    def raise_value(self, case: Case) -> None:
        line = replace(case.ready.draft.lines[0], unit_gross_pence=case.ready.draft.value_pence + 100)
        draft = replace(case.ready.draft, lines=(line,), value_pence=line.gross_pence)
        case.ready, case.is_released = replace(case.ready, draft=draft), False

    def swap_goods(self, case: Case) -> None:
        """Other goods at the same value, named as no others are; what staff credited already stays as it is."""
        if self.khaos.of_order(case.order):
            return
        line = case.ready.draft.lines[0]
        other = replace(line, stock_code=f"{line.stock_code}-{case.order}")
        case.ready, case.is_released = replace(case.ready, draft=replace(case.ready.draft, lines=(other,))), False

    def regrade(self) -> None:
        """A draft that is ready changes its goods at the same value before its document left."""
        if case := self.pick(lambda one: one.out == 0 and one.is_confirmed):
            self.swap_goods(case)
            self.tell()

    def tell(self) -> None:
        drafts = [case.ready.draft for case in self.cases.values() if case.is_confirmed]
        self.side.set_ready({one.key: (one.value_pence, one.content) for one in drafts})

    def begin_sync(self) -> None:
        """Our sync asks the book what to search, and searches Khaos."""
        with self.book() as book:
            engine.withdraw_stale(book, now=self.now)
            wanted = engine.wanted(book)
        customers = wanted.customers | {case.ready.draft.customer_code for case in self.cases.values()}
        seen = [note for note in self.khaos.notes if note.customer_code in customers]
        notes = tuple(self.khaos.listed(note, is_read=self.rng.random() < 0.6) for note in seen)
        asked = frozenset(order for order, case in self.cases.items() if case.is_asked)
        self.now += timedelta(seconds=1)
        orders = frozenset(self.cases)
        found = SearchEvidence(
            notes, customers, self.now, life=wanted.life, items_by=self.khaos.items_by, order_refs=orders
        )
        self.searches = [*self.searches[-1:], Search(wanted, found, asked)]

    def zombie(self) -> None:
        """A worker believed dead applies its search after staff and another sync were there."""
        self.begin_sync()
        old = self.searches.pop()
        self.staff()
        self.begin_sync()
        self.end_sync()
        self.searches = [old]
        self.end_sync()

    def slow_search(self) -> None:
        """A document leaves, is lost and asked for again, all while a search is under way."""
        self.begin_sync()
        self.lose(self.ask(self.khaos.token).documents)
        self.lose(self.ask(self.khaos.token).documents)
        self.end_sync()

    def end_sync(self, *, is_kept: bool = True) -> None:
        """It applies what it found; other things may have happened since."""
        if not self.searches:
            return
        search = self.searches.pop(self.rng.randrange(len(self.searches)))
        with self.book(is_kept=is_kept) as book:
            drafts = [case.ready for case in self.cases.values() if case.is_confirmed]
            waiting = [one.draft for one in drafts]
            evidence = replace(search.evidence, bystanders=self.bystanders())
            settled = engine.read_back(book, evidence, wanted=search.wanted, now=self.now, ready=waiting)
            planned = engine.plan(
                book, drafts, evidence,
                render=paper.render, mode=self.mode, post_from=paper.POST_FROM, now=self.now,
            )  # fmt: skip
        if is_kept and (settled or planned):
            self.judge_search(search, planned)

    def bystanders(self) -> tuple[Bystander, ...]:
        """Every return that no note was seen for, refunded or not."""
        seen = {key for key, one in self.postings().items() if one.state == "confirmed"}
        drafts = [case.ready.draft for case in self.cases.values() if case.key not in seen]
        return tuple(
            Bystander(one.return_id, one.customer_code, one.currency, (one.value_pence,), one.order_ref)
            for one in drafts
        )

    # What people, crashes and time do

    def staff(self) -> None:
        """Staff credit a return by hand, with its RMA, its order or nothing as reference; of equal ones a refunded."""
        case = self.pick(lambda one: not self.khaos.of_order(one.order))
        if case is None or (self.has_sibling(case) and not case.is_confirmed):
            return
        draft = case.ready.draft
        reference, sku = self.rng.choice(("", draft.rma, draft.order_ref)), draft.lines[0].stock_code
        self.khaos.by_hand(case.order, reference, draft.customer_code, draft.value_pence, sku, london_date(self.now))

    def mix_up(self) -> None:
        """Of two equal returns of one customer one is out, and staff credit the one that waits, without a reference.

        Where Khaos shows no goods it may wait for its refund too.
        """
        first = self.out_unseen()
        posting = self.postings().get(first.key) if first else None
        if posting is None:
            return
        number, customer, ((sku, _),) = len(self.cases), posting.customer_code, posting.contents
        ready = paper.draft_of(f"RMA{number}", customer=customer, value=posting.value_pence, sku=sku)
        ready = replace(ready, draft=replace(ready.draft, order_ref=f"SO{number}"))
        is_confirmed = self.khaos.items_by != "none" or self.rng.random() < 0.25
        self.cases[f"SO{number}"] = Case(ready, is_confirmed=is_confirmed)
        self.tell()
        self.khaos.by_hand(f"SO{number}", "", customer, posting.value_pence, sku, london_date(self.now))

    def out_unseen(self) -> Case | None:
        """A return whose document is out and came to nothing yet; Khaos pulls one where there is none."""
        if not (found := self.pick(lambda one: one.out > 0 and not self.khaos.of_order(one.order))):
            answer = self.ask(self.khaos.token)
            self.khaos.waiting += answer.documents
            self.khaos.token = answer.token
            found = self.pick(lambda one: one.out > 0 and not self.khaos.of_order(one.order))
        return found

    def goodwill(self) -> None:
        """Staff credit other goods at the value of what is out, for no return at all; some way shows the goods."""
        case = self.out_unseen()
        posting = self.postings().get(case.key) if case else None
        if posting is not None and self.khaos.items_by != "none":
            value, today = posting.value_pence, london_date(self.now)
            self.khaos.by_hand("no return", "", posting.customer_code, value, "GIFT", today)

    def is_mistakable(self, case: Case) -> bool:
        """True when its note could be taken for that of another return, were it not refunded as it is."""
        return self.has_sibling(case) and bool(self.khaos.of_order(case.order))

    def has_sibling(self, case: Case) -> bool:
        """True when a note without reference could be taken for that of another return of equal goods.

        Where Khaos shows no goods, those of any other return of the customer look equal.
        """
        mine = case.ready.draft
        others = [one.ready.draft for one in self.cases.values() if one is not case]
        alike = [one for one in others if one.customer_code == mine.customer_code]
        return any(self.khaos.items_by == "none" or one.contents == mine.contents for one in alike)

    def crash(self) -> None:
        """We crash before a commit, or after one with the answer lost."""
        if self.rng.random() < 0.5:
            self.end_sync(is_kept=False)
        elif self.rng.random() < 0.5:
            with self.book(is_kept=False) as book:
                self.answer(book, self.khaos.token)
        else:
            self.lose(self.ask(self.khaos.token).documents)

    def take_backup(self) -> None:
        self.backup = self.side.backup()

    def restore(self) -> None:
        """The database goes back to its backup, once nothing is under way in Khaos any more; a search may be."""
        if self.backup is None:
            return
        self.khaos.settle(london_date(self.now))
        self.side.restore(self.backup)
        self.khaos.failed = []
        self.tell()
        self.gap_seen = False
        self.contents.clear()
        self.by_day.clear()
        with self.book(is_kept=False) as book:
            newest = book.newest_page()
        given = self.khaos.token.removeprefix("ks1.")
        self.is_ahead = given.isdigit() and int(given) > (newest.sequence if newest else 0)
        postings = self.postings()
        for case in self.cases.values():
            posting = postings.get(case.key)
            case.is_released = posting is not None and posting.is_released
            case.is_asked, case.may_leave_again = case.out > 0, False

    def disaster(self) -> None:
        """The database is lost right after an answer, whose token Khaos did not keep either."""
        self.take_backup()
        answer = self.ask(self.khaos.token)
        for text in answer.documents:
            self.receive(text, is_at_once=True)
        self.mark_asked(answer.documents)
        self.restore()

    def switch(self) -> None:
        self.mode = self.rng.choice(("post", "post", "assist", "audit"))

    def wait(self) -> None:
        self.now += self.rng.choice((timedelta(minutes=7), timedelta(hours=5), timedelta(days=1)))

    def person(self) -> None:
        """A person who knows the truth helps: releases, accepts a value, resolves a doubt, trusts the feed."""
        self.rng.choice((self.release, self.accept, self.resolve, self.trust))()

    def release(self) -> None:
        case = self.pick(lambda one: one.out == 0)
        posting = self.postings().get(case.key) if case else None
        if case and posting and posting.state == "planned":
            case.is_released = True
            with self.book() as book:
                people._released(book, posting, PERSON, self.now)

    def accept(self) -> None:
        self.side.set_notes(self.khaos.notes)
        with self.book() as book:
            for one in book.gaps():
                people.resolved(book, one, str(one.credit_note_code), PERSON, self.now)
        self.gap_seen = False

    def resolve(self) -> None:
        """Only what Khaos is done with: a document still waiting there is no person's to judge."""
        self.side.set_notes(self.khaos.notes)
        busy = {json.loads(text)["Order"] for text in self.khaos.waiting}
        for order, case in self.cases.items():
            posting = self.postings().get(case.key)
            if posting is None or posting.state != "in_doubt" or order in busy:
                continue
            notes = self.khaos.of_order(order)
            with self.book() as book:
                if not notes:
                    people._not_posted(book, posting, PERSON, self.now)
                elif not book.claimed([notes[0].credit_note_code]):
                    people.resolved(book, posting, notes[0].credit_note_code, PERSON, self.now)

    def trust(self) -> None:
        self.khaos.settle(london_date(self.now))
        with self.book() as book:
            if book.holds():
                people.trust(book, PERSON, self.now)
                self.is_ahead = False
