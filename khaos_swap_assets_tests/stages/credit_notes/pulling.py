"""A feed full of planned documents, pulled and searched in one line each.

Belongs here: what the tests of the feed share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from khaos_swap_assets.domain.documents.postings import Posting, SearchEvidence
from khaos_swap_assets.stages.credit_notes import engine, feed
from khaos_swap_assets_tests.stages.credit_notes.paper import (
    NOON,
    POST_FROM,
    Paper,
    committed,
    complete,
    draft_of,
    render,
)

FIRST = "2019-12-31 12:00:00Z"
FREELY = feed.FeedLimits("post", 100, 10**7, 100)


def full(count: int = 2, *, is_proven: bool = True, **changes: Any) -> Paper:
    """RMA1 ... planned; with ``is_proven`` an older document was witnessed at its value."""
    paper = Paper()
    drafts = [draft_of(f"RMA{number}", sku=f"HAT{number}") for number in range(1, count + 1)]
    paper.ready = {one.draft.key: (one.draft.value_pence, one.draft.content) for one in drafts}
    with committed(paper) as book:
        engine.plan(
            book, drafts, SearchEvidence((), frozenset({"ASH1"}), NOON, life="1"),
            render=render, mode="post", post_from=POST_FROM, now=NOON,
        )  # fmt: skip
    for reference, one in paper.postings.items():
        paper.postings[reference] = replace(one, **changes)
    if is_proven:
        paper.postings["OLD"] = proof()
    return paper


def proof(witnessed: int = 1000, ended_by: str = "witness") -> Posting:
    day = NOON - timedelta(days=9)
    return Posting(
        "store", "id-OLD", 1, "OLD", "OLD", "confirmed", "OAK2", "SO", "GBP", 1000, "{}", "", None, day,
        handed_out_at=day, times_handed_out=1, ended_at=day, credit_note_code="CN0",
        witnessed_pence=witnessed, ended_by=ended_by,
    )  # fmt: skip


def pull(
    paper: Paper,
    token: str = FIRST,
    asked: Sequence[str] = (),
    *,
    limits: feed.FeedLimits = FREELY,
    now: datetime = NOON,
) -> tuple[str, list[str]]:
    with committed(paper) as book:
        page = feed.answer(book, limits, complete, now, token, feed.named(asked))
    return page.token, [json.loads(text)["AssociatedRef"] for text in page.documents]


def search(paper: Paper, *notes: Any, now: datetime = NOON) -> None:
    with committed(paper) as book:
        seen = SearchEvidence(notes, frozenset({"ASH1"}), now, life=book.life())
        engine.read_back(book, seen, wanted=engine.wanted(book), now=now)
