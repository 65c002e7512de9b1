"""Telling Swap's quality control what the warehouse reported to us, where the setting says so.

Belongs here: the intent that is committed before each call, and what was heard. Stays out: the rules
(``goods.quality_calls``). A call is never repeated: one without an answer is a person's. A hold of the feed by a person
stops these calls too; where Swap does not answer, or does not let us in, the rest waits for the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from khaos_swap_assets.adapters.errors import InDoubtError, PermanentError, TransientError
from khaos_swap_assets.adapters.store import Conn, feed_holds, findings, quality_calls, setbacks, worklist
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.adapters.swap.quality import NotAdmittedError
from khaos_swap_assets.domain.exceptions.catalogue import Problem
from khaos_swap_assets.domain.goods.quality_calls import KIND, Finding, State, judge
from khaos_swap_assets.stages import marks, refusing
from khaos_swap_assets.stages.toolbox import Toolbox

MOST_A_RUN = 100
SURELY_OVER = timedelta(minutes=10)
"""A call that has no outcome after that has nobody who waits for it."""


@dataclass(frozen=True, slots=True)
class ToldSwap:
    """Findings newly planned, and calls that were made."""

    planned: int
    called: int


def tell_swap(tools: Toolbox) -> ToldSwap:
    """Tell what may be told; whatever is on or off, what has no outcome is a person's."""
    now, planned, called = tools.now(), 0, 0
    with tools.store() as conn:
        quality_calls.abandon(conn, now - SURELY_OVER)
        planned, ready = _plan(conn, tools, now)
    for one in ready:
        if not _claimed(tools, one):
            continue
        called += 1
        if not _sent(tools, one):
            break
    with tools.store() as conn:
        tasks = [Problem(KIND, one.subject, one.task(word), rma=one.rma) for one, word in quality_calls.tasks(conn)]
        findings.replace_of_kinds(conn, [KIND], tasks, tools.now())
    return ToldSwap(planned, called)


def _plan(conn: Conn, tools: Toolbox, now: datetime) -> tuple[int, list[Finding]]:
    """What is new, and the findings that may be told now; what came while this was off is never told."""
    since = worklist.reached(conn, marks.TOLD_SWAP)
    if not (tools.settings.swap.writes_quality and tools.settings.mode == "post"):
        if since:
            worklist.move(conn, marks.TOLD_SWAP, now)
        return 0, []
    planned = quality_calls.plan(conn, (since or now) - worklist.SKEW, now)
    worklist.move(conn, marks.TOLD_SWAP, now)
    if setbacks.WHOLE in setbacks.paused(conn, refusing.QUALITY, now):
        return planned, []
    found = quality_calls.waiting(conn, now, MOST_A_RUN)
    may_pay = tools.settings.swap.processes_by_itself
    fates = {one.inspection.inspection_id: judge(one, processes_by_itself=may_pay) for one in found}
    quality_calls.judged(conn, {name: fate for name, fate in fates.items() if fate[0] != "sent"})
    return planned, [one for one in found if fates[one.inspection.inspection_id][0] == "sent"]


def _claimed(tools: Toolbox, found: Finding) -> bool:
    """Commit the intent of a call; False where it is not to be made now."""
    with tools.store() as conn:
        SqlPostings(conn).lock()  # a person who holds the feed has this lock
        return not feed_holds.by_person(conn) and quality_calls.claim(conn, found, tools.now())


def _sent(tools: Toolbox, found: Finding) -> bool:
    """Make one call, once, and keep what was heard; False where Swap did not answer."""
    refusal: PermanentError | None = None
    assert found.line is not None
    assert found.return_ is not None
    state: State
    try:
        part = next(one for one in tools.by_store() if one.settings.swap.store == found.return_.store)
        said = part.open_swap().report_quality(found.inspection, found.line, found.return_)
        state, is_answered = "accepted", True
    except NotAdmittedError as error:
        state, said, is_answered, refusal = "planned", str(error), False, error
    except PermanentError as error:
        state, said, is_answered = "refused", str(error), True
    except InDoubtError as error:
        state, said, is_answered = "unknown", str(error), False
    except TransientError as error:
        state, said, is_answered = "planned", str(error), False
    with tools.store() as conn:
        quality_calls.settle(conn, found, state, said, tools.now())
        refusing.keep_whole(conn, refusing.QUALITY, refusal, tools.now())
    return is_answered
