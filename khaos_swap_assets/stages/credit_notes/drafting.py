"""Drafting the returns in line: each becomes a ready draft, or a held one with every reason.

Belongs here: handing the gates of ``documents.credit_notes`` what they need and keeping what they decide. Stays out:
the gates, and the search of Khaos that comes before a draft is planned (``engine``). Source: DESIGN §4.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, catalogue, drafts, matches, worklist
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.store.postings import SqlPostings
from khaos_swap_assets.domain.documents.credit_notes import COVERED, PACK_UNCLEAR, Draft, draft
from khaos_swap_assets.domain.judging.money_conditions import money_holds
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.records.matches import MatchedLine
from khaos_swap_assets.domain.records.orders import WAITING
from khaos_swap_assets.domain.records.packs import NO_PACKS, Packs
from khaos_swap_assets.domain.records.returns import HoldReason, Return
from khaos_swap_assets.stages import isolating
from khaos_swap_assets.stages.dossier import Dossier, policy_of, posted_of
from khaos_swap_assets.stages.storefront import money
from khaos_swap_assets.stages.storefront.money import Witnessed
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


def draft_waiting(tools: Toolbox) -> Drafted:
    """Draft every return in line, batch by batch, each in its own transaction; queues what follows.

    While a batch is drafted no document leaves: the draft of one that left meanwhile would be lost, and its refund
    drafted once more.
    """
    states = {"ready": 0, "held": 0, "covered": 0}
    total = 0
    while True:
        with tools.store() as conn:
            SqlPostings(conn).lock()
            ids = worklist.take(conn, "draft", BATCH)
            if not ids:
                return Drafted(total, **states)
            work = partial(draft_returns, conn, tools.settings, tools.policy, now=tools.now())
            for saved in isolating.one_by_one(conn, isolating.DRAFTING, ids, work, tools.now())[0]:
                states[saved.state] += 1
            worklist.queue(conn, "stock", ids)
            worklist.queue(conn, "reconcile", ids)
        total += len(ids)


def draft_returns(
    conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime
) -> list[SavedDraft]:
    """Draft these returns and replace what was drafted for them and is not out yet."""
    known = _load(conn, settings, policy, ids, now)
    saved = [one for record in known.money.records.values() if (one := known.drafted(record))]
    drafts.drop_undone(conn, ids)
    drafts.save(conn, saved)
    worklist.queue(conn, "match", (one.return_id for one in saved if _lost_its_price(one, known.dossier.lines)))
    return saved


def _lost_its_price(saved: SavedDraft, lines: Mapping[str, Sequence[MatchedLine]]) -> bool:
    """True where a component had a price when its pack was matched, and has none now: matching tells of it."""
    is_told = any(line.problem == PACK_UNCLEAR for line in lines.get(saved.return_id, ()))
    return not is_told and any(kind == PACK_UNCLEAR for kind, _ in saved.reasons)


def _load(conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str], now: datetime) -> _Drafting:
    dossier = Dossier(conn, ids)
    codes = {line.stock_code for some in dossier.lines.values() for line in some if line.stock_code}
    return _Drafting(
        settings=settings,
        policy=policy,
        now=now,
        dossier=dossier,
        money=money.load(conn, settings, dossier.records),
        overspent=matches.overspent(conn, dossier.so_codes),
        faults=isolating.against_drafts(conn, ids, now),
        opened=catalogue.packs(conn, codes) if settings.khaos.packs_returned_as == "components" else NO_PACKS,
    )


@dataclass(frozen=True, slots=True)
class _Drafting:
    """A batch of returns while it is drafted; ``opened`` are the packs that go to Khaos as their components."""

    settings: Settings
    policy: CreditNotePolicy
    now: datetime
    dossier: Dossier
    money: Witnessed
    overspent: Set[tuple[str, str]]
    faults: Mapping[str, str]
    opened: Packs

    def drafted(self, record: Return) -> SavedDraft | None:
        """The draft of a return; None where its documents credit it already."""
        key, dossier = record.return_id, self.dossier
        posted, decisions = dossier.handed_out.get(key, []), policy_of(record, self.policy)
        already = posted_of(posted)
        result = draft(
            record,
            dossier.lines.get(key, ()),
            dossier.orders.get(key),
            ordinal=len(posted) + 1,
            already=already,
            policy=self.settings.legs_policy,
            decisions=decisions,
            room_pence=dossier.room_pence(record, decisions, already),
            has_kept_reason=bool(self.settings.khaos.reason_kept),
            opened=self.opened,
            found=tuple(self._against(record)),
        )
        reasons = () if isinstance(result, Draft) else result.reasons
        is_covered = any(reason.kind == COVERED for reason in reasons)
        if is_covered and posted:
            return None
        settled = dossier.settled(record, decisions, already)
        return SavedDraft(
            store_id=record.store_id,
            return_id=key,
            ordinal=len(posted) + 1,
            state="ready" if isinstance(result, Draft) else "covered" if is_covered else "held",
            reasons=tuple((reason.kind, reason.text) for reason in reasons),
            draft=result if isinstance(result, Draft) else None,
            currency=record.currency,
            drafted_at=self.now,
            policy_version=decisions.version,
            due_pence=settled.value_pence if settled.is_due and not settled.faults else 0,
            due_product_ids=tuple(line.product_id for line in settled.lines),
        )

    def _against(self, record: Return) -> Iterator[HoldReason]:
        """What the store knows against a draft of this return."""
        key, head = record.return_id, self.dossier.heads.get(record.return_id)
        for kind in head.order_problems if head else ():
            name = WAITING_ORDER if kind == WAITING else kind
            yield HoldReason(name, f"order {head.order_ref if head else ''}: {kind}")
        refunded, begins = record.refunded_at, self.settings.post_from
        if refunded and begins and london_date(refunded) < begins:
            yield HoldReason(BEFORE_START, f"refunded on {london_date(refunded)}, before posting starts")
        noted = self.dossier.notes.get(key, ())
        codes = [note.credit_note_code for note, matched_by in noted if matched_by != "posting"]
        if codes and not self.dossier.handed_out.get(key):
            yield HoldReason(COVERED, f"credited in Khaos by {', '.join(codes)}")
        if one := self.dossier.outside.get(key):
            yield HoldReason(COVERED, one.words)
        yield from self._beyond_sold(key)
        yield from money_holds(self.money.money.get(key))
        if key in self.faults:
            yield HoldReason(isolating.HELD, self.faults[key])

    def _beyond_sold(self, key: str) -> Iterator[HoldReason]:
        """What this return takes too much of, and what another one did whose document cannot be called back (U-26)."""
        head = self.dossier.heads.get(key)
        if head is None:
            return
        own = {line.stock_code for line in self.dossier.lines.get(key, ()) if line.stock_code}
        codes = {code for code in own if (head.so_code, code) in self.overspent}
        for code in sorted(codes.union(head.over_returned)):
            yield HoldReason(
                "over_return", f"more of {code} came back, or was refunded, than order {head.so_code} sold"
            )
