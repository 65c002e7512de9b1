"""A fault in one record (a value nobody foresaw, a bug of ours) holds that record; the others go on.

Belongs here: finding the guilty one of a batch, telling it, and holding the draft of a return. Stays out: what a step
does, and refusals of a vendor (``refusing``). The trace goes to the log alone. What the outside world does to all of a
batch (the database is away, a setting is missing) passes as it is, and so does a fault that spares nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import psycopg

from khaos_swap_assets.adapters.errors import KhaosSwapError
from khaos_swap_assets.adapters.store import Conn, database, drafts, setbacks, worklist

MATCHING = "matching"
DRAFTING = "drafting"
ATTRIBUTING = "attributing notes of customer"
POSTING = "posting"
STOCK = "following stock"
JUDGING = "judging"
CUSTODY = "following custody"
OF_RETURNS = (MATCHING, DRAFTING, POSTING, STOCK, JUDGING)
LINKING = "linking refunds of order"
TIMING = "timing"
SCORING = "scoring"
DRAWING = "drawing"
TRIED_AGAIN = (*OF_RETURNS, TIMING, SCORING, CUSTODY)
"""Steps for whose faults a run is made once their pause is over: every run takes each of them."""

HELD = "fault_in_return"
OUTSIDE = (KhaosSwapError, *database.OF_THE_SERVER, psycopg.InterfaceError)
MOST_FAULTS = 20
AT_ONCE = 5_000
"""However long the line: what is known of so many returns, and of their notes, is in memory at one time."""

Done = TypeVar("Done")
log = logging.getLogger(__name__)


def against_drafts(conn: Conn, return_ids: Sequence[str], now: datetime) -> dict[str, str]:
    """Return → the fault that holds its draft.

    What only happens to a draft that is ready is tried again, once its pause is over, by letting the draft be ready.
    """
    found = setbacks.of_subjects(conn, [MATCHING, JUDGING], return_ids)
    for step in (POSTING, STOCK):
        paused = setbacks.paused(conn, step, now)
        found |= setbacks.of_subjects(conn, [step], [one for one in return_ids if one in paused])
    return found


def to_try(conn: Conn, step: str, touched: Iterable[str], now: datetime) -> list[str]:
    """What was touched and those whose pause is over, without those that are not tried again yet."""
    return sorted({*touched, *setbacks.due(conn, [step], now)} - setbacks.paused(conn, step, now))


@dataclass
class Faults:
    """The faults of one step, by the return (or customer, order, picture) that they hold."""

    step: str
    found: dict[str, str] = field(default_factory=dict)
    is_any_spared: bool = False

    @contextmanager
    def of(self, *subjects: str) -> Iterator[None]:
        """Whatever fails in the block is a fault of these subjects alone."""
        try:
            yield
        except OUTSIDE:
            raise
        except Exception as error:
            for subject in subjects:
                self.add(subject, error)

    def tried(self, subject: str, work: Callable[..., Done], *given: object) -> list[Done]:
        """What ``work`` gives, alone in a list; an empty one where it failed."""
        done: list[Done] = []
        with self.of(subject):
            done.append(work(*given))
        return done

    def add(self, subject: str, error: Exception) -> None:
        """Tell a fault: its reason in one line, its trace in the log."""
        log.error("%s %s failed; it is held, all others go on", self.step, subject, exc_info=error)
        self.found[subject] = f"{type(error).__name__}: {error}"

    def keep(self, conn: Conn, tried: Iterable[str], now: datetime) -> None:
        """Record the faults, hold the drafts of their returns, and let go those that went through this time."""
        recovered = setbacks.over(conn, [self.step], [one for one in tried if one not in self.found])
        setbacks.keep(conn, self.step, self.found, now)
        if self.step not in OF_RETURNS:
            return
        drafts.hold_returns(conn, {one: (HELD, f"{self.step} failed: {reason}") for one, reason in self.found.items()})
        worklist.queue(conn, "reconcile" if self.step == DRAFTING else "draft", recovered)


def tried(faults: Faults | None, subject: str, work: Callable[..., Done], *given: object) -> list[Done]:
    """``Faults.tried``; with no faults to keep, what fails passes as it is."""
    return [work(*given)] if faults is None else faults.tried(subject, work, *given)


def one_by_one(
    conn: Conn,
    step: str,
    subjects: Sequence[str],
    work: Callable[[Sequence[str]], Sequence[Done]],
    now: datetime,
) -> tuple[list[Done], Faults]:
    """Do ``work`` on all subjects, ``AT_ONCE`` at a time; where that fails, on halves, down to the one at fault.

    Each try is undone as a whole when it fails. Raises what failed where it spares nobody.
    """
    faults = Faults(step)
    done = halving(conn, faults, subjects, work)
    faults.keep(conn, subjects, now)
    return done, faults


def halving(
    conn: Conn,
    faults: Faults,
    subjects: Sequence[str],
    work: Callable[[Sequence[str]], Sequence[Done]],
) -> list[Done]:
    """``one_by_one`` whose faults the caller keeps."""
    starts = range(0, len(subjects), AT_ONCE)
    return [one for start in starts for one in _halving(conn, list(subjects[start : start + AT_ONCE]), work, faults)]


def _halving(
    conn: Conn,
    subjects: list[str],
    work: Callable[[Sequence[str]], Sequence[Done]],
    faults: Faults,
) -> Iterator[Done]:
    if not subjects:
        return
    try:
        with conn.transaction():
            done = work(subjects)
    except OUTSIDE:
        raise
    except Exception as error:
        if len(subjects) == 1:
            faults.add(subjects[0], error)
        if len(faults.found) > MOST_FAULTS and not faults.is_any_spared:
            raise
    else:
        faults.is_any_spared = True
        yield from done
        return
    if len(subjects) > 1:
        middle = len(subjects) // 2
        yield from _halving(conn, subjects[:middle], work, faults)
        yield from _halving(conn, subjects[middle:], work, faults)
