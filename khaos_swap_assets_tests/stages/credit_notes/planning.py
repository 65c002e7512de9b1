"""Planning, handing out and settling in one line each.

Belongs here: what the tests of the engine share.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Planned, Posting, SearchEvidence, Settled
from khaos_swap_assets.stages.credit_notes import engine
from khaos_swap_assets.stages.credit_notes.engine import ReadyDraft
from khaos_swap_assets_tests.stages.credit_notes.paper import NOON, POST_FROM, Paper, committed, draft_of, render

LATER = NOON + timedelta(hours=1)


def evidence(
    *notes: CreditNote, customers: tuple[str, ...] = ("ASH1",), at: datetime = NOON, **attributed: str
) -> SearchEvidence:
    return SearchEvidence(notes, frozenset(customers), at, attributed=attributed, life="1")


def plan(
    paper: Paper,
    *drafts: ReadyDraft,
    seen: SearchEvidence | None = None,
    mode: engine.Mode = "post",
    now: datetime = NOON,
) -> list[Planned]:
    with committed(paper) as book:
        return engine.plan(
            book, drafts, seen or evidence(at=now), render=render, mode=mode, post_from=POST_FROM, now=now
        )


def hand_out(paper: Paper, reference: str = "RMA1", **changes: Any) -> None:
    one = paper.postings[reference]
    out = {"state": "in_doubt", "handed_out_at": NOON, "times_handed_out": 1, "cleared_at": None, **changes}
    paper.postings[reference] = replace(one, **out)


def settle(paper: Paper, *notes: CreditNote, now: datetime = LATER, **attributed: Any) -> list[Settled]:
    with committed(paper) as book:
        return engine.read_back(book, evidence(*notes, at=now, **attributed), wanted=engine.wanted(book), now=now)


def out(paper: Paper, **changes: Any) -> Posting:
    plan(paper, draft_of())
    hand_out(paper, **changes)
    return paper.postings["RMA1"]
