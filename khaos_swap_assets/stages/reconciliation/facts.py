"""Gathering what is known of a batch of returns, for ``judging.verdict`` to judge.

Belongs here: bulk reads and their shape as facts. Stays out: the judgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.store import catalogue, customers, drafts, links, matches, notes, orders, returns, stock
from khaos_swap_assets.adapters.store.postings import SqlBook
from khaos_swap_assets.adapters.swap.extras import Extras, read_extras
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Posting
from khaos_swap_assets.domain.goods.dispositions import KEPT
from khaos_swap_assets.domain.judging.document_facts import NoteFacts, PostingFacts
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts
from khaos_swap_assets.domain.judging.goods_facts import LineFacts, MoveFacts
from khaos_swap_assets.domain.linking.attribution import Claim, may_cover
from khaos_swap_assets.domain.money.vat_periods import VatPeriods
from khaos_swap_assets.domain.records.orders import SalesOrder
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.stages.credit_notes.settling import (
    Taken,
    policy_of,
    posted_of,
    room_of,
    settlement_of,
    taken_from_orders,
)
from khaos_swap_assets.stages.storefront import money
from khaos_swap_assets.stages.storefront.money import Witnessed

if TYPE_CHECKING:
    import psycopg

    from khaos_swap_assets.adapters.settings import Settings
    from khaos_swap_assets.adapters.store.matches import MatchedLine, MatchedReturn
    from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
    from khaos_swap_assets.domain.policy.settlement import Settlement
    from khaos_swap_assets.domain.records.orders import SalesOrder
    from khaos_swap_assets.domain.records.returns import Return

PERSON = "by "


def limits_of(settings: Settings) -> Limits:
    """The ages past which waiting is trouble."""
    return Limits(
        settings.inspection_days,
        settings.refund_days,
        settings.credit_note_days,
        settings.issue_days,
        settings.allocation_days,
        settings.in_doubt_hours,
        settings.storefront.pay_days,
        settings.arrival_days,
        VatPeriods(settings.vat_periods),
    )


@dataclass(frozen=True, slots=True)
class _Batch:
    """Everything the store knows of a batch of returns, by return id."""

    records: dict[str, Return]
    heads: dict[str, MatchedReturn]
    lines: dict[str, list[MatchedLine]]
    postings: dict[str, list[Posting]]
    notes: dict[str, list[tuple[CreditNote, str]]]
    moves: dict[str, list[stock.Move]]
    drafts: dict[str, list[drafts.SavedDraft]]
    loose: dict[str, list[CreditNote]]
    unallocated: dict[str, int]
    orders: dict[str, SalesOrder]
    extras: dict[str, Extras]
    taken: Taken
    policy: CreditNotePolicy
    money: Witnessed
    shared: dict[str, tuple[int, str]]
    packs: Packs
    waived: frozenset[links.Pair]
    whole_lines: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)


def gather(
    conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str]
) -> Iterator[tuple[ReturnFacts, str]]:
    """Facts of each return among ``ids``, with the passes that attributed its notes joined by ``;``."""
    batch = _load(conn, settings, policy, ids)
    for key in batch.records:
        passes = sorted({matched_by for _, matched_by in batch.notes.get(key, ())})
        yield _facts(batch, key, settings), ";".join(passes)


def _load(conn: psycopg.Connection, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str]) -> _Batch:
    heads = matches.returns(conn, ids)
    so_codes = sorted({head.so_code for head in heads.values() if head.so_code})
    buyers = sorted({head.customer_code for head in heads.values() if head.customer_code})
    posted: dict[str, list[Posting]] = {}
    for posting in SqlBook(conn).of_returns(ids):
        posted.setdefault(posting.return_id, []).append(posting)
    loose: dict[str, list[CreditNote]] = {}
    for note in notes.unattributed(conn, [*buyers, ""]):
        loose.setdefault(note.customer_code, []).append(note)
    witnessed, noted = money.load(conn, settings, ids), notes.of_returns(conn, ids)
    shared = links.shared(conn, [note.credit_note_code for some in noted.values() for note, _ in some])
    records, lines = witnessed.records, matches.lines(conn, ids)
    return _Batch(
        records,
        heads,
        lines,
        posted,
        noted,
        stock.of_returns(conn, ids),
        drafts.of_returns(conn, ids),
        loose,
        customers.unallocated(conn, buyers),
        orders.by_code(conn, so_codes),
        _extras(conn, records, noted),
        taken_from_orders(conn, policy, so_codes),
        policy,
        witnessed,
        shared,
        _packs(conn, [*(note for some in noted.values() for note, _ in some), *chain(*loose.values())], lines),
        links.waived(conn, ids),
        {note.credit_note_code: note.lines for note in notes.by_code(conn, list(shared))} if shared else {},
    )


def _packs(conn: psycopg.Connection, some: Iterable[CreditNote], lines: dict[str, list[MatchedLine]]) -> Packs:
    """The packs among the goods of these notes and of the returns."""
    codes = {code for note in some for code, _ in note.lines}
    return catalogue.packs(conn, codes | {line.stock_code or line.sku for one in lines.values() for line in one})


def _extras(
    conn: psycopg.Connection, records: dict[str, Return], noted: dict[str, list[tuple[CreditNote, str]]]
) -> dict[str, Extras]:
    """What only explains a gap, of those returns that have one and a note."""
    apart = [
        key for key, some in noted.items() if records[key].refund_pence != sum(note.gross_pence for note, _ in some)
    ]
    raws = returns.parts(conn, apart, ("exchange_items", "products"))
    return {key: read_extras(raw, records[key].currency) for key, raw in raws.items()}


def _facts(batch: _Batch, key: str, settings: Settings) -> ReturnFacts:
    record, head = batch.records[key], batch.heads.get(key)
    problems = head.order_problems if head else ("waiting",)
    saved, posted = batch.drafts.get(key, []), {one.ordinal for one in batch.postings.get(key, ())}
    ours = [one for one in saved if one.draft and one.ordinal in posted]
    beyond = {one.ordinal: one.draft.value_pence - one.draft.posted.refund_pence for one in ours if one.draft}
    done = {line.product_id for one in ours if one.draft for line in one.draft.lines}
    order = batch.orders.get(head.so_code or "") if head else None
    kept = _kept(ours)
    lines = tuple(
        _line(line, record, order, kept[line.product_id], is_posted=line.product_id in done)
        for line in batch.lines.get(key, ())
    )
    extras, settled = batch.extras.get(key, Extras()), _settled(batch, key, ours)
    return ReturnFacts(
        return_=record,
        lines=lines,
        order_currency=head.order_currency if head else None,
        order_problems=tuple(kind for kind in problems if kind != "waiting"),
        is_order_awaited="waiting" in problems,
        over_returned=head.over_returned if head else (),
        over_pence=head.over_pence if head else 0,
        customer_code=(head.customer_code or "") if head and not head.customer_is_generic else "",
        postings=tuple(_posting(one, beyond.get(one.ordinal, 0)) for one in batch.postings.get(key, ())),
        notes=tuple(_note(batch, note, record) for note, _ in batch.notes.get(key, ())),
        moves=tuple(_move(move, lines) for move in batch.moves.get(key, ())),
        strays=head.strange_conditions if head else (),
        covering_note_code=_covering(batch, record, head, settled),
        holds=tuple(code for one in saved if one.state == "held" for code, _ in one.reasons),
        mode=settings.mode,
        legs_policy=settings.legs_policy,
        post_from=settings.post_from,
        money=batch.money.money.get(key),
        said=batch.money.as_swap_says.get(key),
        exchange_pence=extras.exchange_pence,
        taxes_on_top_pence=extras.taxes_on_top_pence,
        duties_pence=extras.duties_pence,
        settled=settled,
        policy=policy_of(record, batch.policy),
    )


def _settled(batch: _Batch, key: str, ours: Iterable[drafts.SavedDraft]) -> Settlement:
    """What is still due beside our documents, by the policy of the day."""
    record, head, already = batch.records[key], batch.heads.get(key), posted_of(ours)
    order = batch.orders.get(head.so_code) if head and head.so_code else None
    room = room_of(record, order, batch.taken, already)
    return settlement_of(record, batch.lines.get(key, ()), order, policy_of(record, batch.policy), already, room)


def _kept(ours: Iterable[drafts.SavedDraft]) -> Counter[str]:
    """Units that our documents credited as kept by the customer, by product id."""
    units: Counter[str] = Counter()
    for line in [line for one in ours if one.draft for line in one.draft.lines if line.disposition == KEPT]:
        units[line.product_id] += line.quantity
    return units


def _line(
    line: MatchedLine, record: Return, order: SalesOrder | None, kept_units: int, *, is_posted: bool
) -> LineFacts:
    code = order.vat_code_of(line.order_line_no, line.sold_quantity) if order else ""
    currency = next((one.currency for one in record.lines if one.product_id == line.product_id), record.currency)
    return LineFacts(
        line.product_id, line.sku, line.quantity, line.cost_pence, line.outcome, currency, line.stock_code,
        line.problem, line.suggestion, line.suggestion_rule, line.sellable_quantity, line.damaged_quantity,
        line.missing_quantity, line.strange_quantity, line.kept_quantity, line.unclear_quantity, kept_units, is_posted,
        line.sold_gross_pence * line.quantity // line.sold_quantity
        if line.sold_gross_pence is not None and line.sold_quantity
        else None,
        RATES[code] * 100 if code in RATES else None,
    )  # fmt: skip


def _posting(posting: Posting, beyond_pence: int) -> PostingFacts:
    refusal = "" if posting.ended_by.startswith(PERSON) else posting.ended_by
    return PostingFacts(
        posting.reference,
        posting.state,
        posting.value_pence,
        posting.handed_out_at,
        posting.witnessed_pence,
        refusal if posting.state == "refused" else "",
        posting.state == "in_doubt" and bool(posting.doubt),
        beyond_pence,
    )


def _note(batch: _Batch, note: CreditNote, record: Return) -> NoteFacts:
    """A note; where it holds the parts of a returned pack, or the reverse, its lines tell nothing of their own."""
    whole_pence, teller = batch.shared.get(note.credit_note_code, (None, record.return_id))
    returned = [(line.stock_code or line.sku, line.quantity) for line in batch.lines.get(record.return_id, ())]
    opened_units = batch.packs.opened_units(note.lines, returned)
    return NoteFacts(
        replace(note, lines=()) if opened_units else note,
        record.return_id,
        record.rma,
        batch.unallocated.get(note.customer_code),
        whole_pence=whole_pence,
        is_teller=teller == record.return_id,
        opened_units=opened_units,
        held_codes=tuple(code for code, _ in note.lines or batch.whole_lines.get(note.credit_note_code, ())),
    )


def _move(move: stock.Move, lines: Iterable[LineFacts]) -> MoveFacts:
    sku = next((line.sku for line in lines if line.product_id == move.product_id), "")
    state = move.level_verdict if move.level_verdict in {"failed", "cannot_tell"} else move.state
    evidence = ""
    if move.level_before is not None and move.level_after is not None:
        evidence = f"the level of {move.stock_code} went from {move.level_before} to {move.level_after}"
    return MoveFacts(sku, move.stock_code, move.disposition, move.quantity, state, evidence)


def _covering(batch: _Batch, record: Return, head: MatchedReturn | None, settled: Settlement) -> str:
    """The first unattributed note that may be this return's; only for one that has no note and no document of ours.

    A note of which a person said that it is nobody's here covers nothing.
    """
    is_done = batch.notes.get(record.return_id) or any(
        one.state != "planned" for one in batch.postings.get(record.return_id, ())
    )
    if is_done or head is None or not head.customer_code:
        return ""
    due = {line.product_id for line in settled.lines}
    lines = [line for line in batch.lines.get(record.return_id, ()) if line.product_id in due]
    goods = tuple((line.stock_code or line.sku, line.quantity) for line in lines)
    order = batch.orders.get(head.so_code or "")
    claim = Claim(
        record.return_id,
        head.customer_code,
        record.currency,
        record.refund_pence + settled.beyond_pence,
        goods,
        frozenset({record.rma}),
        invoiced_on=order.invoiced_on if order else None,
    )
    loose = [*batch.loose.get(head.customer_code, ()), *batch.loose.get("", ())]
    codes = (note.credit_note_code for note in loose if may_cover(note, claim, batch.packs))
    return min((code for code in codes if (code, record.return_id) not in batch.waived), default="")
