"""Drafting the returns in line: each becomes a ready draft, or a held one with every reason.

Belongs here: loading what the gates of ``documents.credit_notes`` need and keeping what they decide. Stays out: the
gates, and the search of Khaos that comes before a draft is planned (``engine``). Source: DESIGN §4.4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.store import catalogue, drafts, matches, notes, orders, worklist
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlBook
from khaos_swap_assets.domain.documents.credit_notes import COVERED, PACK_UNCLEAR, CreditNote, Draft, draft
from khaos_swap_assets.domain.judging.money_conditions import money_holds
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs
from khaos_swap_assets.domain.records.returns import HoldReason
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.credit_notes.settling import (
    Taken,
    as_domain,
    policy_of,
    posted_of,
    room_of,
    settlement_of,
    taken_from_orders,
)
from khaos_swap_assets.stages.storefront import money

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.matches import MatchedLine, MatchedReturn
    from khaos_swap_assets.domain.records.orders import SalesOrder
    from khaos_swap_assets.domain.records.returns import Return
    from khaos_swap_assets.domain.refunds.money_shown import Money
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
    taken: Taken
    overspent: Collection[tuple[str, str]]
    money: Mapping[str, Money]
    faults: Mapping[str, str]
    opened: Packs


def draft_waiting(tools: Toolbox) -> Drafted:
    """Draft every return in line, batch by batch, each in its own transaction; queues the reconciliation.

    While a batch is drafted no document leaves: the draft of one that left meanwhile would be lost, and its refund
    drafted once more.
    """
    states = {"ready": 0, "held": 0, "covered": 0}
    total = 0
    while True:
        with tools.store() as conn:
            SqlBook(conn).lock()
            ids = worklist.take(conn, "draft", BATCH)
            if not ids:
                return Drafted(total, **states)
            work = partial(draft_returns, conn, tools.settings, tools.policy, now=tools.now())
            for saved in isolating.one_by_one(conn, isolating.DRAFTING, ids, work, tools.now())[0]:
                states[saved.state] += 1
            worklist.queue(conn, "reconcile", ids)
        total += len(ids)


def draft_returns(
    conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime
) -> list[SavedDraft]:
    """Draft these returns and replace what was drafted for them and is not out yet."""
    known = _load(conn, settings, policy, ids, now)
    saved = [one for key in known.records if (one := _draft_one(known, key, settings, policy, now))]
    drafts.drop_undone(conn, ids)
    drafts.save(conn, saved)
    worklist.queue(conn, "match", (one.return_id for one in saved if _lost_its_price(one, known.lines)))
    return saved


def _lost_its_price(saved: SavedDraft, lines: Mapping[str, Sequence[MatchedLine]]) -> bool:
    """True where a component had a price when its pack was matched, and has none now: matching tells of it."""
    is_told = any(line.problem == PACK_UNCLEAR for line in lines.get(saved.return_id, ()))
    return not is_told and any(kind == PACK_UNCLEAR for kind, _ in saved.reasons)


def _load(
    conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime
) -> _Known:
    heads = matches.returns(conn, ids)
    so_codes = sorted({head.so_code for head in heads.values() if head.so_code})
    witnessed, lines = money.load(conn, settings, ids), matches.lines(conn, ids)
    return _Known(
        witnessed.records,
        heads,
        lines,
        orders.by_code(conn, so_codes),
        notes.of_returns(conn, ids),
        drafts.handed_out(conn, ids),
        taken_from_orders(conn, policy, so_codes),
        matches.overspent(conn, so_codes),
        witnessed.money,
        isolating.against_drafts(conn, ids, now),
        _opened(conn, settings, lines),
    )


def _opened(conn: psycopg.Connection, settings: Settings, lines: Mapping[str, Sequence[MatchedLine]]) -> Packs:
    """The packs among these lines that go to Khaos as their components."""
    codes = {line.stock_code for some in lines.values() for line in some if line.stock_code}
    return catalogue.packs(conn, codes) if settings.khaos.packs_returned_as == "components" else NO_PACKS


def _draft_one(
    known: _Known, key: str, settings: Settings, policy: CreditNotePolicy, now: datetime
) -> SavedDraft | None:
    record, head, lines = known.records[key], known.heads.get(key), known.lines.get(key, ())
    posted, decisions = known.posted.get(key, []), policy_of(record, policy)
    order = known.orders.get(head.so_code) if head and head.so_code else None
    already = posted_of(posted)
    room_pence = room_of(record, order, known.taken, already)
    result = draft(
        record,
        list(map(as_domain, lines)),
        order,
        ordinal=len(posted) + 1,
        already=already,
        policy=settings.legs_policy,
        decisions=decisions,
        room_pence=room_pence,
        has_kept_reason=bool(settings.khaos.reason_kept),
        opened=known.opened,
        found=_against(known, key, settings),
    )
    reasons = () if isinstance(result, Draft) else result.reasons
    is_covered = any(reason.kind == COVERED for reason in reasons)
    if is_covered and posted:
        return None
    settled = settlement_of(record, lines, order, decisions, already, room_pence)
    return SavedDraft(
        record.store_id,
        record.return_id,
        len(posted) + 1,
        "ready" if isinstance(result, Draft) else "covered" if is_covered else "held",
        tuple((reason.kind, reason.text) for reason in reasons),
        result if isinstance(result, Draft) else None,
        record.currency,
        now,
        decisions.version,
        settled.value_pence if settled.is_due and not settled.faults else 0,
        tuple(line.product_id for line in settled.lines),
    )


def _against(known: _Known, key: str, settings: Settings) -> tuple[HoldReason, ...]:
    """What the store knows against a draft of this return."""
    head, has_posted = known.heads.get(key), bool(known.posted.get(key))
    return (
        *_found(known.records[key], head, known.notes.get(key, []), settings, has_posted=has_posted),
        *_beyond_sold(head, known.lines.get(key, ()), known.overspent),
        *money_holds(known.money.get(key)),
        *([HoldReason(isolating.HELD, known.faults[key])] if key in known.faults else []),
    )


def _beyond_sold(
    head: MatchedReturn | None, lines: Sequence[MatchedLine], overspent: Collection[tuple[str, str]]
) -> Iterator[HoldReason]:
    """What this return takes too much of, and what another one did whose document cannot be called back (U-26)."""
    if head is None:
        return
    codes = {line.stock_code for line in lines if line.stock_code and (head.so_code, line.stock_code) in overspent}
    for code in sorted(codes.union(head.over_returned)):
        yield HoldReason("over_return", f"more of {code} came back, or was refunded, than order {head.so_code} sold")


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
    refunded = record.refunded_at
    if refunded and settings.post_from and london_date(refunded) < settings.post_from:
        yield HoldReason(BEFORE_START, f"refunded on {london_date(refunded)}, before posting starts")
    codes = [note.credit_note_code for note, matched_by in attributed if matched_by != "posting"]
    if codes and not has_posted:
        yield HoldReason(COVERED, f"credited in Khaos by {', '.join(codes)}")
