"""Where a customer's refund is, in words that an agent can read out, and what happened to it, day by day.

Belongs here: goods, money, credit and who acts next, of one return as it is judged, and its moments on all sides as
dated lines. Stays out: the judgement (``judging.verdict``) and how it is printed (``cli.returns``). Days are London's,
money as people write it. Source: FINANCE_RULES U-1, U-10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from khaos_swap_assets.domain.exceptions.catalogue import KINDS, Problem
from khaos_swap_assets.domain.judging.document_facts import LineFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.verdict import Verdict
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import day_words, london_date, refund_clock
from khaos_swap_assets.domain.refunds.payments import Transaction

POSTING_WORDS = {
    "planned": "a Credit Note of {money} is planned",
    "in_doubt": "a Credit Note of {money} was handed to Khaos and is not seen there yet",
    "confirmed": "our Credit Note of {money} is confirmed",
    "refused": "Khaos refused a Credit Note of {money}",
    "withdrawn": "a planned Credit Note of {money} was withdrawn",
}
NOT_COLLECTED = (
    "Look what it waits for: khaos-swap postings list says so; Khaos may have stopped collecting documents. Make no "
    "note by hand while ours is planned."
)
"""What to do where a planned document did not become a Credit Note in time."""


@dataclass(frozen=True, slots=True)
class ArrivalDays:
    """In how many days money usually reaches the customer; ``by_method``: gateways, in lower case, that differ."""

    usual: int
    by_method: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, usual: int, by_method: str) -> ArrivalDays:
        """From settings: ``paypal:1,klarna:14``."""
        pairs = (part.rpartition(":") for part in by_method.split(",") if part.strip())
        return cls(usual, {gateway.strip().lower(): int(days) for gateway, _, days in pairs})

    def after(self, gateway: str) -> int:
        """Those of a payment's gateway."""
        return self.by_method.get(gateway.lower(), self.usual)


@dataclass(frozen=True, slots=True)
class Step:
    """Who acts next, and what they do; nobody where nothing is left to do."""

    owner: str
    what: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One return for a person on the phone: figures of the judgement in pence, and sentences in order."""

    rma: str
    order_name: str
    status: str
    currency: str
    refund_pence: int
    credited_pence: int
    gap_pence: int
    goods: tuple[str, ...]
    money: tuple[str, ...]
    credit: tuple[str, ...]
    next_steps: tuple[Step, ...]


def tell(facts: ReturnFacts, verdict: Verdict, now: datetime, arrival: ArrivalDays) -> Story:
    """The story of a return at ``now``; ``arrival`` says when money that was paid should be with the customer."""
    return_ = facts.return_
    return Story(
        rma=return_.rma,
        order_name=return_.order_name,
        status=return_.status or "without a status",
        currency=return_.currency,
        refund_pence=facts.refund_pence,
        credited_pence=facts.credited_pence,
        gap_pence=verdict.gap_pence,
        goods=tuple(_goods(facts)),
        money=tuple(_money(facts, london_date(now), arrival)),
        credit=tuple(_credit(facts)) or ("no Credit Note yet",),
        next_steps=tuple(_steps(facts, verdict, london_date(now))),
    )


def _goods(facts: ReturnFacts) -> Iterator[str]:
    for line in facts.lines:
        told = _whereabouts(line, has_arrived=facts.return_.delivered_at is not None)
        yield f"{line.quantity} × {line.sku}, {format_money(line.cost_pence, line.currency)}: {told}"
    if facts.return_.delivered_at:
        yield f"the parcel came back on {day_words(london_date(facts.return_.delivered_at))}"


def _whereabouts(line: LineFacts, *, has_arrived: bool) -> str:
    found = {
        "sellable": line.sellable_quantity,
        "damaged": line.damaged_quantity,
        "of B-grade": line.b_grade_quantity,
        "written off": line.written_off_quantity,
        "missing from the parcel": line.missing_quantity,
        "not what was sold": line.strange_quantity,
        "in a disputed condition": line.disputed_quantity,
        "kept by the customer": line.kept_quantity,
        "not inspected yet" if has_arrived else "not back yet": line.uninspected_quantity,
    }
    told = [f"{units} {words}" for words, units in found.items() if units]
    return f"{line.outcome.lower()}, {', '.join(told)}" if told else line.outcome.lower()


def _money(facts: ReturnFacts, today: date, arrival: ArrivalDays) -> Iterator[str]:
    return_ = facts.return_
    paid = [part for one in (facts.money.refunds if facts.money else ()) for part in one.moved]
    for part in paid:
        yield from _paid(part, today, arrival.after(part.gateway))
    if not paid and facts.refund_pence and return_.refunded_at:
        on = london_date(return_.refunded_at)
        yield f"Swap says that {_pounds(facts, facts.refund_pence)} were refunded on {day_words(on)}"
        yield _arrival(on, today, arrival.usual, "")
    if not paid and not facts.refund_pence:
        yield from _unpaid(facts)
    if return_.store_credit_pence > 0:
        yield f"{_pounds(facts, return_.store_credit_pence)} of it as store credit"
    for state in facts.money.stuck if facts.money else ():
        yield f"a payment did not go through: {state}"


def _paid(part: Transaction, today: date, arrival_days: int) -> Iterator[str]:
    assert part.processed_at is not None
    on, told = london_date(part.processed_at), format_money(part.amount_pence, part.currency)
    yield f"{told} were refunded on {day_words(on)} by {part.gateway or 'an unknown method'}"
    if not part.is_tender:
        yield _arrival(on, today, arrival_days, part.transaction_id)


def _arrival(paid_on: date, today: date, arrival_days: int, reference: str) -> str:
    """When it should be there, what to quote to the bank, from when on to escalate."""
    due = paid_on + timedelta(days=arrival_days)
    quoted = f"; the bank can look for reference {reference}" if reference else ""
    if today <= due:
        late = day_words(due + timedelta(days=1))
        return f"it is usually there by {day_words(due)}; if not, escalate from {late}{quoted}"
    return f"it should have been there by {day_words(due)}: escalate to finance if it is not{quoted}"


def _unpaid(facts: ReturnFacts) -> Iterator[str]:
    return_ = facts.return_
    worth = f"{_pounds(facts, return_.refund_pence)} are" if return_.refund_pence > 0 else "nothing is"
    yield f"{worth} to be refunded, and no payment is shown: Swap says {return_.status or 'no status'}"
    if return_.refund_pence > 0 and return_.delivered_at:
        due = refund_clock(london_date(return_.delivered_at)).last_day
        yield f"it is due by {day_words(due)}, 14 days after the goods came back"


def _credit(facts: ReturnFacts) -> Iterator[str]:
    for one in (note.note for note in facts.notes):
        stands = one.issued_words if one.is_issued else "not issued yet"
        yield f"Credit Note {one.credit_note_code} of {format_money(one.gross_pence, one.currency)}, {stands}"
    for posting in facts.postings:
        if posting.state != "confirmed" or not facts.notes:
            words = POSTING_WORDS.get(posting.state, "a Credit Note of {money} is " + posting.state)
            yield f"{words.format(money=_pounds(facts, posting.value_pence))} ({posting.reference})"


def _steps(facts: ReturnFacts, verdict: Verdict, today: date) -> Iterator[Step]:
    problems = sorted(verdict.problems, key=_by_urgency)
    for problem in problems:
        kind = KINDS[problem.kind]
        yield Step(kind.owner, problem.message, kind.action)
    if problems:
        return
    if facts.return_.is_open:
        yield _open_step(facts, verdict)
    elif verdict.status == "in_flight":
        yield _credit_step(facts, verdict, today)
    else:
        yield Step("nobody", "nothing is left to do")


def _open_step(facts: ReturnFacts, verdict: Verdict) -> Step:
    """Of a return that is not paid: the customer sends the goods, then CX processes it in Swap within U-10's days."""
    state = f"the return is still {facts.return_.status or 'without a status'}"
    if arrived := facts.return_.delivered_at:
        due = day_words(refund_clock(london_date(arrived)).last_day)
        return Step("cx", f"{state}, and its goods came back", f"Process it in Swap by {due}, once it was inspected.")
    made = facts.return_.submitted_at
    since = f" since {day_words(london_date(made))}" if made else ""
    return Step("the customer", f"{state}, and its goods are not back{since}{_again(verdict)}")


def _again(verdict: Verdict) -> str:
    moment = verdict.next_due_at
    return f"; it is looked at again by {day_words(london_date(moment))}" if moment else ""


def _credit_step(facts: ReturnFacts, verdict: Verdict, today: date) -> Step:
    """Of money that was paid: the Credit Note is on its way, up to its last day (U-3)."""
    if (clock := facts.note_clock) is None:
        return Step("nobody yet", f"on its way and within its limit{_again(verdict)}")
    last = day_words(clock.last_day)
    if today < clock.breach_on:
        return Step("nobody yet", f"its Credit Note is on its way; the last day for it is {last}")
    return Step("operations", f"its Credit Note is on its way, and its last day was {last}", NOT_COLLECTED)


def _by_urgency(problem: Problem) -> tuple[bool, int, str]:
    """Errors first, then the most money."""
    return KINDS[problem.kind].severity != "error", -problem.money_at_risk_pence, problem.kind


def _pounds(facts: ReturnFacts, pence: int) -> str:
    return format_money(pence, facts.return_.currency)


Side = Literal["Swap", "Money", "Khaos", "Goods"]
SIDES: tuple[Side, ...] = ("Swap", "Money", "Khaos", "Goods")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, and on which side it is seen."""

    on: date
    side: Side
    what: str


def timeline(facts: ReturnFacts) -> tuple[Event, ...]:
    """Everything dated that is known of a return, the earliest first."""
    found = [*_dated_swap(facts), *_dated_money(facts), *_dated_khaos(facts)]
    return tuple(sorted(found, key=lambda one: (one.on, SIDES.index(one.side))))


def _dated_swap(facts: ReturnFacts) -> Iterator[Event]:
    return_, worth = facts.return_, format_money(facts.return_.refund_pence, facts.return_.currency)
    yield from _at(return_.submitted_at or return_.created_at, "Swap", f"return asked for, {worth} to refund")
    yield from _at(return_.delivered_at, "Goods", "parcel came back")
    yield from _at(return_.processed_at, "Swap", f"refund of {worth} processed")
    yield from _at(return_.closed_at, "Swap", "return closed")


def _dated_money(facts: ReturnFacts) -> Iterator[Event]:
    for refund in facts.money.refunds if facts.money else ():
        for part in refund.moved:
            told = f"{format_money(part.amount_pence, part.currency)} refunded by {part.gateway or 'an unknown method'}"
            yield from _at(part.processed_at, "Money", told)


def _dated_khaos(facts: ReturnFacts) -> Iterator[Event]:
    if facts.invoiced_on:
        yield Event(facts.invoiced_on, "Khaos", "order invoiced")
    for posting in facts.postings:
        worth = format_money(posting.value_pence, facts.return_.currency)
        yield from _at(posting.handed_out_at, "Khaos", f"our document {posting.reference} of {worth} handed out")
    for note in (one.note for one in facts.notes):
        told = f"Credit Note {note.credit_note_code} of {format_money(note.gross_pence, note.currency)}"
        if note.created_on:
            yield Event(note.created_on, "Khaos", f"{told} made")
        if note.issued_on and note.is_issue_day_shown:
            yield Event(note.issued_on, "Khaos", f"{told} issued")


def _at(moment: datetime | None, side: Side, what: str) -> Iterator[Event]:
    if moment:
        yield Event(london_date(moment), side, what)
