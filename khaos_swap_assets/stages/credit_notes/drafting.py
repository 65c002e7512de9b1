"""Drafting the returns in line: each becomes a ready draft, or a held one with every reason.

Belongs here: loading what the gates of ``domain.credit_notes`` need and keeping what they decide. Stays out: the
gates, and the search of Khaos that comes before a draft is planned (``engine``). Source: DESIGN §4.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import drafts, matches, notes, orders, returns, worklist
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.domain import credit_notes
from khaos_swap_assets.domain.credit_notes import COVERED, CreditNote, Draft, Posted, draft
from khaos_swap_assets.domain.periods import london_date
from khaos_swap_assets.domain.returns import HoldReason

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.matches import MatchedLine, MatchedReturn
    from khaos_swap_assets.domain.orders import SalesOrder
    from khaos_swap_assets.domain.returns import Return
    from khaos_swap_assets.stages.toolbox import Toolbox

BATCH = 5_000
BEFORE_START = "before_post_from"
WAITING_ORDER = "waiting_for_order"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a run drafted, by state."""

    returns: int
    ready: int
    held: int
    covered: int


@dataclass(frozen=True, slots=True)
class _Known:
    """All that the store knows of a batch of returns."""

    records: dict[str, Return]
    heads: dict[str, MatchedReturn]
    lines: dict[str, list[MatchedLine]]
    orders: dict[str, SalesOrder]
    notes: dict[str, list[tuple[CreditNote, str]]]
    posted: dict[str, list[SavedDraft]]


def draft_waiting(tools: Toolbox) -> Drafted:
    """Draft every return in line, batch by batch, each in its own transaction; queues the reconciliation."""
    states = {"ready": 0, "held": 0, "covered": 0}
    total = 0
    while True:
        with tools.store() as conn:
            ids = worklist.take(conn, "draft", BATCH)
            if not ids:
                return Drafted(total, **states)
            for saved in draft_returns(conn, tools.settings, ids, tools.now()):
                states[saved.state] += 1
            worklist.queue(conn, "reconcile", ids)
        total += len(ids)


def draft_returns(conn: psycopg.Connection, settings: Settings, ids: Sequence[str], now: datetime) -> list[SavedDraft]:
    """Draft these returns and replace what was drafted for them and is not out yet."""
    known = _load(conn, ids)
    saved = [one for key in known.records if (one := _draft_one(known, key, settings, now))]
    drafts.drop_undone(conn, ids)
    drafts.save(conn, saved)
    return saved


def _load(conn: psycopg.Connection, ids: Sequence[str]) -> _Known:
    heads = matches.returns(conn, ids)
    so_codes = sorted({head.so_code for head in heads.values() if head.so_code})
    return _Known(
        returns.load(conn, ids),
        heads,
        matches.lines(conn, ids),
        orders.by_code(conn, so_codes),
        notes.of_returns(conn, ids),
        drafts.handed_out(conn, ids),
    )


def _draft_one(known: _Known, key: str, settings: Settings, now: datetime) -> SavedDraft | None:
    record, head = known.records[key], known.heads.get(key)
    posted = known.posted.get(key, [])
    order = known.orders.get(head.so_code) if head and head.so_code else None
    result = draft(
        record,
        [_as_domain(line) for line in known.lines.get(key, ())],
        order,
        ordinal=len(posted) + 1,
        already=[_as_posted(one.draft) for one in posted if one.draft],
        policy=settings.legs_policy,
        found=tuple(_found(record, head, known.notes.get(key, []), settings, has_posted=bool(posted))),
    )
    if isinstance(result, Draft):
        return _saved(record, len(posted) + 1, "ready", (), result, now)
    is_covered = result.is_covered or any(reason.kind == COVERED for reason in result.reasons)
    if is_covered and posted:
        return None
    reasons = tuple((reason.kind, reason.text) for reason in result.reasons)
    return _saved(record, len(posted) + 1, "covered" if is_covered else "held", reasons, None, now)


def _saved(
    record: Return,
    ordinal: int,
    state: drafts.State,
    reasons: tuple[tuple[str, str], ...],
    found: Draft | None,
    now: datetime,
) -> SavedDraft:
    return SavedDraft(record.store_id, record.return_id, ordinal, state, reasons, found, record.currency, now)


def _found(
    record: Return,
    head: MatchedReturn | None,
    attributed: Sequence[tuple[CreditNote, str]],
    settings: Settings,
    *,
    has_posted: bool,
) -> Iterator[HoldReason]:
    for kind in head.order_problems if head else ():
        yield HoldReason(
            WAITING_ORDER if kind == "waiting" else kind, f"order {head.order_ref if head else ''}: {kind}"
        )
    for code in head.over_returned if head else ():
        yield HoldReason("over_return", f"more of {code} came back than order {head.so_code if head else ''} sold")
    refunded = record.refunded_at
    if refunded and settings.post_from and london_date(refunded) < settings.post_from:
        yield HoldReason(BEFORE_START, f"refunded on {london_date(refunded)}, before posting starts")
    codes = [note.credit_note_code for note, matched_by in attributed if matched_by != "posting"]
    if codes and not has_posted:
        yield HoldReason(COVERED, f"credited in Khaos by {', '.join(codes)}")


def _as_domain(line: MatchedLine) -> credit_notes.MatchedLine:
    return credit_notes.MatchedLine(
        line.product_id, line.stock_code, line.quantity, line.cost_pence, line.dispositions, line.problem
    )


def _as_posted(found: Draft) -> Posted:
    return Posted(tuple(dict.fromkeys(line.product_id for line in found.lines)), found.value_pence)
