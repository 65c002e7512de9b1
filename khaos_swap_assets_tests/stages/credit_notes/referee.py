"""The referee of a random history: it knows the truth and looks after every step.

Belongs here: the invariants of ``stages.credit_notes.engine``, told from what Khaos and the returns truly are.
"""

from __future__ import annotations

import json

from khaos_swap_assets.domain.documents.postings import Planned, Posting
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.stages.credit_notes import feed
from khaos_swap_assets_tests.stages.credit_notes.world import BrokenError, Case, Search, World


class Referee(World):
    """Raises ``BrokenError`` as soon as an invariant does not hold."""

    def judge_search(self, search: Search, planned: list[Planned]) -> None:
        """Nothing is lost: each draft has a posting or a reason. Then remember what this search has shown."""
        postings = self.postings()
        for one in planned:
            if one.outcome != "held" and one.key not in postings:
                raise BrokenError(f"{one.reference} is {one.outcome} but has no posting")
        if planned and {one.key for one in planned} != {c.key for c in self.cases.values() if c.is_confirmed}:
            raise BrokenError("a confirmed refund was neither planned nor held")
        shown = {note.credit_note_code for note in search.evidence.notes}
        for order, case in self.cases.items():
            notes = [note for note in self.khaos.of_order(order) if note.credit_note_code in shown]
            case.staff_seen |= any(note.credit_note_code not in self.khaos.ours for note in notes)
            case.may_leave_again |= order in search.asked and case.is_asked and not notes
        self.gap_seen = any(
            one.state == "confirmed" and one.witnessed_pence != one.value_pence and "person" not in one.ended_by
            for one in postings.values()
        )

    def judge_answer(self, answer: feed.FeedPage) -> None:
        """Every rule of hand-out, told from the truth and not from the book."""
        for text in answer.documents:
            document = json.loads(text)
            self.judge_document(self.cases[document["Order"]], document["AssociatedRef"], text)

    def judge_document(self, case: Case, reference: str, text: str) -> None:
        items = json.loads(text)["ReturnedItems"]
        pence, goods = sum(item["Pence"] * item["Quantity"] for item in items), [item["SKU"] for item in items]
        day = self.by_day[str(london_date(self.now))]
        day.add(case.order)
        rules = {
            "left in audit": self.mode == "audit",
            "left in assist unreleased": self.mode == "assist" and not case.out and not case.is_released,
            "left without a confirmed refund": not case.out and not case.is_confirmed,
            "left at another value than drafted": not case.out and pence != case.ready.draft.value_pence,
            "left with other goods than drafted": not case.out and goods != case.goods,
            "left again unseen": case.out > 0 and not case.may_leave_again,
            "left over a note of staff": case.staff_seen,
            "left although a value gap was seen": self.gap_seen,
            "left for a Khaos that is ahead of us": self.is_ahead,
            "left above the cap of a day": len(day) > self.cap,
            "changed under its reference": self.contents.setdefault(reference, text) != text,
        }
        for rule, is_broken in rules.items():
            if is_broken:
                raise BrokenError(f"{reference} {rule}")
        case.out, case.may_leave_again, case.is_asked = case.out + 1, False, False

    def look(self) -> None:
        """What must hold after every step."""
        if doubles := self.khaos.doubles():
            raise BrokenError(f"{doubles} were credited twice by our documents")
        postings = self.postings()
        for order, case in self.cases.items():
            posting = postings.get(case.key)
            if posting is not None:
                self.look_at(order, posting)
                self.look_at_document(posting)
        states = [
            (one.state, one.witnessed_pence == one.value_pence and one.times_handed_out) for one in postings.values()
        ]
        if sum(state == "in_doubt" for state, _ in states) > 1 and not any(s == "confirmed" and ok for s, ok in states):
            raise BrokenError("two documents are out before one was witnessed")
        odd = [one for one in postings.values() if one.prices != "sale"]
        is_proven = any(
            one.prices == "own" and one.state == "confirmed" and one.witnessed_pence == one.value_pence for one in odd
        )
        if sum(one.state == "in_doubt" for one in odd) > 1 and not is_proven:
            raise BrokenError("two documents of another price are out before Khaos was seen to honour one")

    def look_at(self, order: str, posting: Posting) -> None:
        is_over = posting.state in ("confirmed", "refused", "withdrawn")
        if is_over == (posting.party_sealed is not None):
            raise BrokenError(f"{posting.reference} is {posting.state}: name and address are kept wrongly")
        if posting.state == "confirmed" and self.khaos.truth[str(posting.credit_note_code)] != order:
            raise BrokenError(f"{posting.reference} was confirmed by the note of another return")

    def look_at_document(self, posting: Posting) -> None:
        sent = self.contents.get(posting.reference)
        if sent is None or not posting.times_handed_out:
            return
        if json.loads(sent)["ReturnedItems"] != json.loads(posting.document)["ReturnedItems"]:
            raise BrokenError(f"{posting.reference} changed in our book after it left")

    def look_for_leftovers(self) -> None:
        """A return may stay undone only where a note of its customer, which nobody claims, may already cover it."""
        postings = self.postings()
        claimed = {one.credit_note_code for one in postings.values()}
        unclaimed = {note.customer_code for note in self.khaos.notes if note.credit_note_code not in claimed}
        for order, case in self.cases.items():
            posting = postings.get(case.key)
            is_open = posting is None or posting.state in ("planned", "in_doubt", "withdrawn")
            if case.is_confirmed and is_open and case.ready.draft.customer_code not in unclaimed:
                raise BrokenError(f"{order} was left behind: {posting and posting.state}, {posting and posting.doubt}")
