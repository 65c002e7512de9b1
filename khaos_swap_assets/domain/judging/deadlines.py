"""When time alone may change a judgement: the ends of all waits and clocks.

Belongs here: the moments of a return and of a note, and the first at which something changes. Stays out: what is judged
(``judging.verdict``). Times are UTC, days are London's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from khaos_swap_assets.domain.judging.document_facts import NoteFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.money.periods import LONDON, london_date


def deadlines(facts: ReturnFacts, limits: Limits) -> Iterator[datetime]:
    """Every moment at which a return may come to be judged otherwise."""
    return_ = facts.return_
    yield from _after(return_.delivered_at, timedelta(days=limits.inspection_days))
    yield from _day_after(return_.delivered_at and london_date(return_.delivered_at), limits.refund_days)
    yield from _after(facts.refunded_at, timedelta(days=limits.credit_note_days))
    yield from _after(return_.refunded_at, timedelta(days=limits.arrival_days))
    if facts.said is not None:
        yield from _after(facts.said.done_at, timedelta(days=limits.pay_days))
    if facts.note_clock and not facts.notes:
        yield from _day_after(facts.note_clock.warn_on, -1)
        yield from _day_after(facts.note_clock.breach_on, -1)
    for posting in facts.postings:
        yield from _after(posting.handed_out_at, timedelta(hours=limits.in_doubt_hours))
    for note in facts.notes:
        yield from note_deadlines(note, limits)
        yield from _day_after(note.note.created_on if facts.return_.is_open else None, limits.refund_days)


def note_deadlines(facts: NoteFacts, limits: Limits) -> Iterator[datetime]:
    """The same of a Credit Note."""
    yield from _day_after(facts.note.created_on, limits.issue_days)
    yield from _day_after(facts.note.issued_on, limits.allocation_days)


def _after(moment: datetime | None, limit: timedelta) -> Iterator[datetime]:
    if moment is not None:
        yield moment + limit + timedelta(microseconds=1)


def _day_after(day: date | None, days: int) -> Iterator[datetime]:
    if day is not None:
        yield datetime.combine(day + timedelta(days=days + 1), time.min, LONDON).astimezone(UTC)


def first_change(
    at: Callable[[datetime], object], deadlines: Iterable[datetime], now: datetime, found: object
) -> datetime | None:
    """The first of them after ``now`` at which the judgement ``at`` a moment is another than what was ``found`` now."""
    later = sorted({moment for moment in deadlines if moment > now})
    return next((moment for moment in later if at(moment) != found), None)
