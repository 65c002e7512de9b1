"""The evidence of one exception: its return or Credit Note on all sides, and why nothing is linked or credited.

Belongs here: gathering it as it stands now, and the story of the returns that a person asks for. Stays out: the words
(``reporting.why_not``, ``reporting.refund_story``, ``linking.reasons``), and what a person does about it. Nothing is
written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, drafts, links, notes, returns
from khaos_swap_assets.adapters.store.desk_case import CaseRow
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.verdict import judge
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.reporting.refund_story import ArrivalDays, Event, Story, tell, timeline
from khaos_swap_assets.domain.reporting.why_not import Clause, clauses
from khaos_swap_assets.stages.credit_notes.attributing import candidates_of
from khaos_swap_assets.stages.reconciliation.facts import gather, limits_of
from khaos_swap_assets.stages.reconciliation.governing import with_tolerance


@dataclass(frozen=True, slots=True)
class NearNote:
    """A loose Credit Note and the returns that it may be of: what keeps them apart, and the least change that would do.

    ``returns`` are pairs of id and RMA, the nearest first; ``clause`` and ``change`` are about that one, and empty
    where nobody can tell between them. Nothing is near where there is none.
    """

    note: CreditNote
    returns: tuple[tuple[str, str], ...] = ()
    clause: str = ""
    change: str = ""

    @property
    def rmas(self) -> tuple[str, ...]:
        """The RMAs of these returns."""
        return tuple(rma for _, rma in self.returns)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a case; ``facts`` are None for one about no return."""

    facts: ReturnFacts | None = None
    events: tuple[Event, ...] = ()
    clauses: tuple[Clause, ...] = ()
    near: tuple[NearNote, ...] = ()


def evidence_of(conn: Conn, settings: Settings, policy: CreditNotePolicy, row: CaseRow) -> Evidence:
    """The evidence of an exception as it stands; empty for one about neither a return nor a Credit Note."""
    codes = [row.credit_note_code] if row.credit_note_code else []
    loose = notes.in_force(conn, [] if links.owner_of(conn, codes) else codes)
    found = [facts for facts, _ in gather(conn, settings, policy, [row.return_id])] if row.return_id else []
    if not found:
        return Evidence(near=tuple(_near(conn, loose)))
    (facts,) = with_tolerance(conn, found)
    held = [one for some in drafts.of_returns(conn, [row.return_id]).values() for one in some if one.state == "held"]
    mine = loose or (notes.unattributed(conn, [facts.customer_code]) if facts.customer_code else [])
    return Evidence(
        facts=facts,
        events=timeline(facts),
        clauses=clauses(facts, [reason for one in held for reason in one.reasons]),
        near=tuple(one for one in _near(conn, mine) if loose or row.rma in one.rmas),
    )


def _near(conn: Conn, loose: list[CreditNote]) -> Iterator[NearNote]:
    """Each of these notes that has no return, with what is near it."""
    if not loose:
        return
    _, told = candidates_of(conn, loose, sorted({one.customer_code for one in loose})).attributed(loose)
    ids = sorted({key for why in told.values() for key in (why.nearest, *why.rivals) if key})
    rmas = returns.rmas_of(conn, ids)
    for note in loose:
        if why := told.get(note.credit_note_code):
            keys = dict.fromkeys(key for key in (why.nearest, *why.rivals) if key)
            yield NearNote(note, tuple((key, rmas.get(key, key)) for key in keys), why.clause, why.change)


def stories(conn: Conn, settings: Settings, policy: CreditNotePolicy, name: str, now: datetime) -> list[Story]:
    """The stories of the returns with this RMA or of this order (with or without ``#``), by RMA."""
    ids = returns.found_by(conn, name)
    facts = with_tolerance(conn, [facts for facts, _ in gather(conn, settings, policy, ids)])
    limits = limits_of(settings)
    arrival = ArrivalDays.of(settings.refund_arrival_days, settings.refund_arrival_by_method)
    told = [tell(one, judge(one, limits, now), now, arrival) for one in facts]
    return sorted(told, key=lambda one: one.rma)
