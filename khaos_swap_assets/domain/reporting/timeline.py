"""What happened to a return, side by side: Swap, the money, Khaos and the goods, in the order of the days.

Belongs here: the moments of one return as dated lines. Stays out: where its refund is, in words for a customer
(``reporting.refund_story``), and the judgement. Days are London's, money as people write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.money.periods import london_date

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
    found = [*_swap(facts), *_money(facts), *_khaos(facts)]
    return tuple(sorted(found, key=lambda one: (one.on, SIDES.index(one.side))))


def _swap(facts: ReturnFacts) -> Iterator[Event]:
    return_, worth = facts.return_, format_money(facts.return_.refund_pence, facts.return_.currency)
    yield from _at(return_.submitted_at or return_.created_at, "Swap", f"return asked for, {worth} to refund")
    yield from _at(return_.delivered_at, "Goods", "parcel came back")
    yield from _at(return_.processed_at, "Swap", f"refund of {worth} processed")
    yield from _at(return_.closed_at, "Swap", "return closed")


def _money(facts: ReturnFacts) -> Iterator[Event]:
    for refund in facts.money.refunds if facts.money else ():
        for part in refund.moved:
            told = f"{format_money(part.amount_pence, part.currency)} refunded by {part.gateway or 'an unknown method'}"
            yield from _at(part.processed_at, "Money", told)


def _khaos(facts: ReturnFacts) -> Iterator[Event]:
    if facts.invoiced_on:
        yield Event(facts.invoiced_on, "Khaos", "order invoiced")
    for posting in facts.postings:
        worth = format_money(posting.value_pence, facts.return_.currency)
        yield from _at(posting.handed_out_at, "Khaos", f"our document {posting.reference} of {worth} handed out")
    for one in facts.notes:
        yield from _note(one)


def _note(one: NoteFacts) -> Iterator[Event]:
    note = one.note
    told = f"Credit Note {note.credit_note_code} of {format_money(note.gross_pence, note.currency)}"
    if note.created_on:
        yield Event(note.created_on, "Khaos", f"{told} made")
    if note.issued_on and note.is_issue_day_shown:
        yield Event(note.issued_on, "Khaos", f"{told} issued")


def _at(moment: datetime | None, side: Side, what: str) -> Iterator[Event]:
    if moment:
        yield Event(london_date(moment), side, what)
