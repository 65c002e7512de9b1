"""What is known about one return when it is judged.

Belongs here: frozen records that the reconciliation stage fills from its tables, and figures that follow from them
alone. Stays out: what they mean (``judging.conditions``). Money is minor units of the return's currency, times UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Literal

from khaos_swap_assets.domain.goods.adjustments import Adjustment
from khaos_swap_assets.domain.judging.document_facts import (
    NOTHING,
    LineFacts,
    MoveFacts,
    NoteFacts,
    OverCredit,
    PostingFacts,
)
from khaos_swap_assets.domain.money.periods import Clock, VatPeriods, london_date, note_clock
from khaos_swap_assets.domain.policy.decisions import NOTHING_DECIDED, CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement, settle
from khaos_swap_assets.domain.policy.settlement_case import EXCHANGES, Posted
from khaos_swap_assets.domain.records.decisions import PersonDecision
from khaos_swap_assets.domain.records.returns import CLOSED, REFUND, Return
from khaos_swap_assets.domain.refunds.money_shown import Money, is_awaited

Tolerance = Literal["", "accepted", "systematic"]
Unknown = Literal["inspections", "orders", "credit_notes"]
UNDONE_POSTINGS = frozenset({"planned", "in_doubt"})
LIVE_POSTINGS = UNDONE_POSTINGS | {"confirmed"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Ages past which waiting is trouble, with the settings' defaults; ``is_shop_stocked``: the shop's stock counts."""

    inspection_days: int = 2
    refund_days: int = 14
    credit_note_days: int = 2
    issue_days: int = 3
    allocation_days: int = 7
    in_doubt_hours: int = 24
    pay_days: int = 3
    arrival_days: int = 21
    is_shop_stocked: bool = False
    vat_periods: VatPeriods = field(default_factory=VatPeriods)


@dataclass(frozen=True)
class ReturnFacts:
    """Everything that decides about one return.

    ``order_problems`` are kinds of the catalogue; an order that Khaos has not answered for is ``is_order_awaited``
    instead. ``over_returned`` are Stock Codes of which this return brings back more than was left, ``over_pence`` what
    was refunded beyond what was paid for them, ``over_credit`` what its notes credit beyond what its order sold, with
    all notes of that. ``notes`` are the attributed ones, ``covering_note_code`` is one that may be this return's,
    ``doubtful_notes`` those that fit it and others alike, ``merged_notes`` those of them that may credit it together
    with others. ``unknown`` is what the source cannot show at all, ``strays`` are conditions reported for goods that
    fit no line, ``holds`` the kinds for which the draft is held. ``exchange_pence`` is the value of goods sent instead;
    taxes on top and duties were refunded beside the prices. ``settled_pence`` of the gap are as they should be,
    ``tolerance`` is what ``money.tolerance`` made of the rest. ``settled`` is the note still due by the policy,
    ``money`` what a storefront says, ``said`` the return with Swap's own dates. ``decision`` is what a person decided
    on its value, ``same_codes`` the SKUs of which one said what they are.
    """

    return_: Return
    lines: tuple[LineFacts, ...] = ()
    order_currency: str | None = None
    order_problems: tuple[str, ...] = ()
    is_order_awaited: bool = False
    over_returned: tuple[str, ...] = ()
    postings: tuple[PostingFacts, ...] = ()
    notes: tuple[NoteFacts, ...] = ()
    moves: tuple[MoveFacts, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    strays: tuple[str, ...] = ()
    covering_note_code: str = ""
    doubtful_notes: tuple[str, ...] = ()
    merged_notes: tuple[str, ...] = ()
    unknown: frozenset[Unknown] = frozenset()
    holds: tuple[str, ...] = ()
    mode: str = "audit"
    legs_policy: str = "disposition"
    post_from: date | None = None
    exchange_pence: int = 0
    taxes_on_top_pence: int = 0
    duties_pence: int = 0
    postage_pence: int = 0
    order_delivery_pence: int = 0
    settled_pence: int = 0
    tolerance: Tolerance = ""
    settled: Settlement | None = None
    policy: CreditNotePolicy | None = None
    money: Money | None = None
    said: Return | None = None
    over_pence: int = 0
    over_credit: OverCredit = NOTHING
    customer_code: str = ""
    invoiced_on: date | None = None
    decision: PersonDecision | None = None
    same_codes: frozenset[str] = frozenset()

    @cached_property
    def settlement(self) -> Settlement:
        """The note still due by the policy, or of the lines as matched, as it is before anybody decides."""
        if self.settled:
            return self.settled
        done = tuple(one.product_id for one in self.lines if one.is_posted)
        already = [Posted(done, self.posted_pence)] if self.posted_pence else []
        return settle(
            replace(self.return_, lines=tuple(one.row for one in self.lines)), NOTHING_DECIDED, already=already
        )

    @cached_property
    def refund_lines(self) -> tuple[LineFacts, ...]:
        """The rows of the settlement, those of outcome Refund, and those of documents of ours."""
        credited = {(line.product_id, line.outcome) for line in self.settlement.lines}
        told = [(one, (one.product_id, one.outcome) in credited) for one in self.lines]
        return tuple(one for one, is_credited in told if is_credited or one.outcome == REFUND or one.is_posted)

    @property
    def asked_pence(self) -> int:
        """Swap's confirmed refund; nothing is due as long as Swap does not confirm it."""
        return self.return_.refund_pence if self.return_.is_refund_confirmed else 0

    @cached_property
    def paid(self) -> Money | None:
        """The money that moved, where it can be held against the return."""
        return self.money if self.money and self.money.is_counted else None

    @cached_property
    def refund_pence(self) -> int:
        """The refund: the money that moved for it, or Swap's where nobody saw the money or it cannot be compared."""
        return self.paid.cash_pence + self.beside_pence + self.outside_pence if self.paid else self.asked_pence

    @property
    def beside_pence(self) -> int:
        """Money of the order that Swap does not know, where the notes credit just that too."""
        beside = sum(one.cash_pence for one in self.paid.beside) if self.paid else 0
        return beside if beside == self._beyond_shown_pence else 0

    @property
    def outside_pence(self) -> int:
        """Money that the storefront does not show, where a person proved it or the notes credit just that too."""
        outside = self.paid.outside_pence if self.paid else 0
        is_counted = bool(self.paid and self.paid.is_proved) or outside == self._beyond_shown_pence
        return outside if is_counted else 0

    @property
    def _beyond_shown_pence(self) -> int:
        """What the notes credit beyond the payments of the return."""
        return self.credited_pence - (self.paid.moved_pence if self.paid else 0)

    @property
    def tender_pence(self) -> int:
        """What went back to gift cards or as store credit, as far as the money shows it."""
        return self.paid.tender_pence if self.paid else 0

    @property
    def refunded_at(self) -> datetime | None:
        """When it was paid, if that is known."""
        moments = self.paid.moments if self.paid else ()
        return moments[-1] if moments else self.return_.refunded_at

    @property
    def note_clock(self) -> Clock | None:
        """The days for its Credit Note (U-3)."""
        return note_clock(london_date(self.refunded_at)) if self.refunded_at else None

    @cached_property
    def is_confirmed(self) -> bool:
        """True when money was refunded, or the return ended with something else that a note is due for."""
        is_decided = self.settlement.is_due or any(posting.beyond_pence for posting in self.postings)
        is_paid = self.return_.is_refund_confirmed or self.refund_pence + self.tender_pence > 0
        return is_paid or (self.return_.is_ended and is_decided)

    @cached_property
    def beyond_pence(self) -> int:
        """What the notes have to be worth beyond the refund, by decision of finance and a field that says so."""
        posted = sum(one.beyond_pence for one in self.postings if one.state in LIVE_POSTINGS)
        return posted + self.settlement.beyond_pence if self.is_confirmed else 0

    @cached_property
    def due_pence(self) -> int:
        """What the notes have to be worth together: the refund with gift cards (U-14) or what the policy adds."""
        return self.refund_pence + max(self.beyond_pence, self.tender_pence)

    @cached_property
    def credited_pence(self) -> int:
        """What the attributed notes credit together."""
        return sum(facts.note.gross_pence for facts in self.notes)

    @property
    def issued_pence(self) -> int:
        """The part of it that moved the ledger."""
        return sum(facts.note.gross_pence for facts in self.notes if facts.note.is_issued)

    @cached_property
    def gap_pence(self) -> int:
        """Credited less refunded: negative when Khaos credits too little (FINANCE_RULES U-28)."""
        return self.credited_pence - self.refund_pence

    @property
    def overpaid_pence(self) -> int:
        """What was paid for an exchange beyond the difference of its goods, as if nothing had gone out (U-15)."""
        given = self.exchange_pence or self.return_.exchange_pence
        back = sum(line.cost_pence for line in self.lines if line.outcome in EXCHANGES)
        whole = back + sum(line.cost_pence for line in self.lines if line.outcome == REFUND)
        is_whole = self.refund_pence in (whole, whole - max(self.return_.handling_fee_pence, 0))
        return min(given, back) if back and is_whole else 0

    @cached_property
    def apart_pence(self) -> int:
        """The part of the gap that neither a decision nor its causes say is as it should be."""
        if self.gap_pence == self.beyond_pence and (self.beyond_pence or not self.settled_pence):
            return 0
        return self.gap_pence - (self.settled_pence or self.beyond_pence)

    @property
    def undone_pence(self) -> int:
        """Value of our documents that are planned or out and not yet witnessed."""
        return sum(posting.value_pence for posting in self.postings if posting.state in UNDONE_POSTINGS)

    @property
    def posted_pence(self) -> int:
        """Value of our documents that are planned, out or confirmed."""
        return sum(posting.value_pence for posting in self.postings if posting.state in LIVE_POSTINGS)

    @property
    def growth_pence(self) -> int:
        """How much the refund exceeds our documents, where there are any: a later refund on the same RMA."""
        beyond = sum(one.beyond_pence for one in self.postings if one.state in LIVE_POSTINGS)
        return self.asked_pence - self.posted_pence + beyond if self.posted_pence else 0

    @property
    def is_growth_explained(self) -> bool:
        """Whether rows in no document, or a decided part payment, add up to the growth (or there is none)."""
        new_pence = sum(line.cost_pence for line in self.refund_lines if not line.is_posted)
        is_decided = any(part.outcome == "part_payment" for part in self.settlement.parts)
        return self.growth_pence in {0, new_pence} or is_decided

    @property
    def is_credited_as_posted(self) -> bool:
        """True when the notes come to exactly what our confirmed documents asked for: no value went wrong."""
        confirmed = [posting.value_pence for posting in self.postings if posting.state == "confirmed"]
        return bool(confirmed) and sum(confirmed) == self.credited_pence

    @property
    def is_waiting_for_swap(self) -> bool:
        """True while the refund may still be confirmed: open, or closed with money that a storefront must show."""
        is_paid = bool(self.paid and self.paid.moved_pence)
        return not is_paid and (self.return_.is_open or is_awaited(self.money, self.said))

    @property
    def is_unproven(self) -> bool:
        """Closed with something to credit and no proof of payment, where no kind of a storefront's own says so."""
        return_ = self.return_
        if return_.status != CLOSED or return_.refunded_at is not None or is_awaited(self.money, self.said):
            return False
        is_told = self.money is not None and self.money.is_doubtful
        return not is_told and (return_.is_closed_with_value or self.settlement.is_due)

    @property
    def is_covered(self) -> bool:
        """True when the attributed notes come to what is due, as far as anybody has to care."""
        return bool(self.notes) and self.due_pence > 0 and (not self.apart_pence or self.tolerance == "accepted")

    @property
    def is_before_start(self) -> bool:
        """True for a refund made before the day from which we post: it is reconciled, never posted."""
        moment = self.return_.refunded_at
        return self.post_from is not None and moment is not None and london_date(moment) < self.post_from

    @property
    def is_worth_posting(self) -> bool:
        """True when a Credit Note of ours is or may become due, so that what would hold it back is trouble."""
        alive = self.is_confirmed or self.is_waiting_for_swap
        return alive and bool(self.refund_lines) and not self.is_before_start and not self.is_covered

    @property
    def is_held_for_inspection(self) -> bool:
        """True while a unit has no disposition and the policy drafts nothing without."""
        return self.legs_policy == "disposition" and any(line.unsettled_quantity for line in self.refund_lines)

    @property
    def may_be_posted_later(self) -> bool:
        """True when this installation posts and this refund is not too old for it."""
        return self.mode != "audit" and not self.is_before_start
