"""Gathering what is known of a batch of returns, for ``judging.verdict`` to judge.

Belongs here: the facts of a return, out of its dossier and what is read beside it. Stays out: the judgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain

from khaos_swap_assets.adapters.khaos.orders import RATES
from khaos_swap_assets.adapters.settings import Settings
from khaos_swap_assets.adapters.store import Conn, catalogue, customers, doubts, links, matches, notes, returns, stock
from khaos_swap_assets.adapters.store.drafts import SavedDraft
from khaos_swap_assets.adapters.swap.extras import Extras, read_extras
from khaos_swap_assets.domain.documents.credit_notes import CreditNote
from khaos_swap_assets.domain.documents.postings import Posting
from khaos_swap_assets.domain.goods.dispositions import KEPT
from khaos_swap_assets.domain.judging.document_facts import (
    NOTHING,
    LineFacts,
    MoveFacts,
    NoteFacts,
    OverCredit,
    PostingFacts,
    over_credits,
    share_of,
)
from khaos_swap_assets.domain.judging.facts import Limits, ReturnFacts, Unknown
from khaos_swap_assets.domain.linking.attribution import CoverClaim, may_cover
from khaos_swap_assets.domain.linking.evidence import read
from khaos_swap_assets.domain.money.periods import VatPeriods
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy
from khaos_swap_assets.domain.policy.settlement import Settlement
from khaos_swap_assets.domain.records.matches import CodedRow, MatchedLine
from khaos_swap_assets.domain.records.orders import WAITING, WAITS, SalesOrder
from khaos_swap_assets.domain.records.packs import Packs
from khaos_swap_assets.domain.records.returns import Return
from khaos_swap_assets.domain.records.stores import bare
from khaos_swap_assets.domain.sums import grouped
from khaos_swap_assets.stages import known
from khaos_swap_assets.stages.dossier import Dossier, policy_of, posted_of, unknown_codes_of
from khaos_swap_assets.stages.storefront import money
from khaos_swap_assets.stages.storefront.money import Witnessed

PERSON = "by "
EXPLAINING = ("exchange_pence", "taxes_on_top_pence", "duties_pence", "postage_pence")
ROW = tuple(one.name for one in fields(CodedRow))


def limits_of(settings: Settings) -> Limits:
    """The ages past which waiting is trouble."""
    return Limits(
        inspection_days=settings.inspection_days,
        refund_days=settings.refund_days,
        credit_note_days=settings.credit_note_days,
        issue_days=settings.issue_days,
        allocation_days=settings.allocation_days,
        in_doubt_hours=settings.in_doubt_hours,
        pay_days=settings.storefront.pay_days,
        arrival_days=settings.arrival_days,
        is_shop_stocked=settings.storefront.stock_master == "storefront",
        vat_periods=VatPeriods(settings.vat_periods),
    )


def gather(
    conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str]
) -> Iterator[tuple[ReturnFacts, str]]:
    """Facts of each return among ``ids``, with the passes that attributed its notes joined by ``;``."""
    batch = _load(conn, settings, policy, ids)
    for key, record in batch.money.records.items():
        passes = sorted({matched_by for _, matched_by in batch.dossier.notes.get(key, ())})
        yield batch.facts(record), ";".join(passes)


def _load(conn: Conn, settings: Settings, policy: CreditNotePolicy, ids: Sequence[str]) -> Batch:
    dossier = Dossier(conn, ids)
    buyers = sorted({head.customer_code for head in dossier.heads.values() if head.customer_code})
    loose = grouped((note.customer_code, note) for note in notes.unattributed(conn, [*buyers, ""]))
    noted = [note for some in dossier.notes.values() for note, _ in some]
    codes = {code for note in chain(noted, *loose.values()) for code, _ in note.lines}
    codes |= {line.stock_code or line.sku for some in dossier.lines.values() for line in some}
    witnessed = money.load(conn, settings, dossier.records)
    shared = links.shared(conn, [note.credit_note_code for note in noted])
    packs = catalogue.packs(conn, codes)
    whole = {note.credit_note_code: note for note in notes.by_code(conn, list(shared))} if shared else {}
    return Batch(
        settings=settings,
        policy=policy,
        dossier=dossier,
        money=witnessed,
        loose=loose,
        unallocated=customers.unallocated(conn, buyers),
        extras=_extras(conn, witnessed.records, dossier),
        shared=shared,
        packs=packs,
        waived=links.waived(conn, ids),
        doubts=doubts.of_returns(conn, ids),
        over=_over_credits(conn, dossier, packs),
        whole=whole,
        unknown_codes=unknown_codes_of(conn, [*noted, *whole.values()]),
        unknown=frozenset() if known.were_documents(conn, settings) else frozenset({"credit_notes"}),
    )


def _over_credits(conn: Conn, dossier: Dossier, packs: Packs) -> dict[str, OverCredit]:
    """What the notes of these returns credit beyond their orders, with the notes of all other returns of those."""
    sold = {order.so_code: order for key, order in dossier.orders.items() if key in dossier.notes}
    heads = matches.returns(conn, matches.ids_of_orders(conn, list(sold)))
    orders = {key: sold[head.so_code] for key, head in heads.items() if head.so_code}
    noted = notes.of_returns(conn, list(heads)).items()
    return over_credits(((key, note) for key, some in noted for note, _ in some), orders, packs)


def _extras(conn: Conn, records: dict[str, Return], dossier: Dossier) -> dict[str, Extras]:
    """What only explains a gap, of those returns that have one and a note."""
    credited = {key: sum(note.gross_pence for note, _ in some) for key, some in dossier.notes.items()}
    apart = [key for key, pence in credited.items() if records[key].refund_pence != pence]
    raws = returns.parts(conn, apart, ("exchange_items", "products"))
    return {key: read_extras(raw, records[key].currency) for key, raw in raws.items()}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of returns with what is read beside their dossier, as notes of nobody (``loose``) by customer."""

    settings: Settings
    policy: CreditNotePolicy
    dossier: Dossier
    money: Witnessed
    loose: dict[str, list[CreditNote]]
    unallocated: dict[str, int]
    extras: dict[str, Extras]
    shared: dict[str, tuple[int, str]]
    packs: Packs
    waived: frozenset[links.Pair]
    doubts: dict[str, list[doubts.NoteDoubt]]
    over: dict[str, OverCredit]
    whole: dict[str, CreditNote] = field(default_factory=dict)
    unknown_codes: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    unknown: frozenset[Unknown] = frozenset()

    def facts(self, record: Return) -> ReturnFacts:
        """The facts of one return."""
        key, dossier = record.return_id, self.dossier
        head, saved, postings = dossier.heads.get(key), dossier.drafts.get(key, []), dossier.postings.get(key, [])
        posted, problems = {one.ordinal for one in postings}, head.order_problems if head else (WAITING,)
        ours = [one for one in saved if one.draft and one.ordinal in posted]
        lines, extras = self._lines(record, ours), self.extras.get(key, Extras())
        settled = dossier.settled(record, policy := policy_of(record, self.policy), posted_of(ours))
        return ReturnFacts(
            return_=record,
            lines=lines,
            order_currency=head.order_currency if head else None,
            order_problems=tuple(kind for kind in problems if kind not in WAITS),
            is_order_awaited=WAITING in problems,
            over_returned=head.over_returned if head else (),
            over_pence=head.over_pence if head else 0,
            over_credit=self.over.get(key, NOTHING),
            customer_code=(head.customer_code or "") if head and not head.customer_is_generic else "",
            postings=tuple(_postings(postings, ours)),
            notes=tuple(self._note(note, record) for note, _ in dossier.notes.get(key, ())),
            moves=tuple(map(_move, dossier.moves.get(key, ()))),
            adjustments=tuple(one for one in dossier.adjustments.get(key, ()) if one.is_open),
            strays=head.strange_conditions if head else (),
            covering_note_code=self._covering(record, settled),
            doubtful_notes=tuple(one.credit_note_code for one in self.doubts.get(key, ())),
            merged_notes=tuple(one.credit_note_code for one in self.doubts.get(key, ()) if one.is_merged),
            holds=tuple(code for one in saved if one.state == "held" for code, _ in one.reasons),
            mode=self.settings.mode,
            legs_policy=self.settings.legs_policy,
            post_from=self.settings.post_from,
            money=self.money.money.get(key),
            said=self.money.as_swap_says.get(key),
            **{name: getattr(extras, name) for name in EXPLAINING},
            order_delivery_pence=order.delivery_gross_pence if (order := dossier.orders.get(key)) else 0,
            invoiced_on=order.invoiced_on if order else None,
            settled=settled,
            policy=policy,
            decision=dossier.decided.get(key),
            same_codes=frozenset(line.sku for line in lines if line.suggestion_rule == "person"),
            unknown=self.unknown,
        )

    def _lines(self, record: Return, ours: Sequence[SavedDraft]) -> tuple[LineFacts, ...]:
        """The lines, with what our documents did of each."""
        order, kept = self.dossier.orders.get(record.return_id), Counter[str]()
        drafted = [line for one in ours if one.draft for line in one.draft.lines]
        for line in drafted:
            kept[line.product_id] += line.quantity if line.disposition == KEPT else 0
        done = {line.product_id for line in drafted}
        return tuple(
            _line(line, record, order, kept[line.product_id], is_posted=line.product_id in done)
            for line in self.dossier.lines.get(record.return_id, ())
        )

    def _note(self, note: CreditNote, record: Return) -> NoteFacts:
        """A note; where it holds the parts of a returned pack, or the reverse, its lines tell nothing of their own."""
        whole_pence, teller = self.shared.get(note.credit_note_code, (None, record.return_id))
        returned = [line.goods for line in self.dossier.lines.get(record.return_id, ())]
        opened_units = self.packs.opened_units(note.lines, returned)
        whole = self.whole.get(note.credit_note_code, note)
        told = note if whole is note else share_of(whole, note.gross_pence, record.refund_pence)
        unknown = self.unknown_codes.get(note.credit_note_code, ())
        return NoteFacts(
            replace(told, lines=() if opened_units else read(told.lines, unknown)),
            record.return_id,
            record.rma,
            self.unallocated.get(note.customer_code),
            whole_pence=whole_pence,
            is_teller=teller == record.return_id,
            opened_units=opened_units,
            held_codes=tuple(code for code, _ in read(whole.lines, unknown)),
            unknown_codes=unknown,
        )

    def _covering(self, record: Return, settled: Settlement) -> str:
        """The first unattributed note that may be this return's; only for one with no note and no document of ours.

        A note of which a person said that it is nobody's here covers nothing.
        """
        key, head = record.return_id, self.dossier.heads.get(record.return_id)
        is_out = any(one.state != "planned" for one in self.dossier.postings.get(key, ()))
        if is_out or self.dossier.notes.get(key) or head is None or not head.customer_code:
            return ""
        due, order = {line.product_id for line in settled.lines}, self.dossier.orders.get(key)
        claim = CoverClaim(
            return_id=key,
            customer_code=head.customer_code,
            currency=record.currency,
            value_pence=record.refund_pence + settled.beyond_pence,
            lines=tuple(line.goods for line in self.dossier.lines.get(key, ()) if line.product_id in due),
            references=frozenset({record.rma, bare(record.store, record.rma)}),
            invoiced_on=order.invoiced_on if order else None,
        )
        loose = [*self.loose.get(head.customer_code, ()), *self.loose.get("", ())]
        codes = (note.credit_note_code for note in loose if may_cover(note, claim, self.packs))
        return min((code for code in codes if (code, key) not in self.waived), default="")


def _line(
    line: MatchedLine, record: Return, order: SalesOrder | None, kept_units: int, *, is_posted: bool
) -> LineFacts:
    code = order.vat_code_of(line.order_line_no, line.sold_quantity) if order else ""
    sold = line.sold_gross_pence * line.quantity if line.sold_gross_pence is not None else None
    return LineFacts(
        **{name: getattr(line, name) for name in ROW},
        currency=next((one.currency for one in record.lines if one.product_id == line.product_id), record.currency),
        kept_posted_quantity=kept_units,
        is_posted=is_posted,
        sold_pence=sold // line.sold_quantity if sold is not None and line.sold_quantity else None,
        vat_percent=RATES[code] * 100 if code in RATES else None,
    )


def _postings(postings: Iterable[Posting], ours: Iterable[SavedDraft]) -> Iterator[PostingFacts]:
    beyond = {one.ordinal: one.draft.value_pence - one.draft.posted.refund_pence for one in ours if one.draft}
    for posting in postings:
        refusal = "" if posting.ended_by.startswith(PERSON) else posting.ended_by
        yield PostingFacts(
            reference=posting.reference,
            state=posting.state,
            value_pence=posting.value_pence,
            handed_out_at=posting.handed_out_at,
            witnessed_pence=posting.witnessed_pence,
            refusal=refusal if posting.state == "refused" else "",
            has_rival_notes=posting.state == "in_doubt" and bool(posting.doubt),
            beyond_pence=beyond.get(posting.ordinal, 0),
        )


def _move(move: stock.Move) -> MoveFacts:
    state = move.level_verdict if move.level_verdict in {"failed", "cannot_tell"} else move.state
    evidence = ""
    if move.level_before is not None and move.level_after is not None:
        evidence = f"the level of {move.stock_code} went from {move.level_before} to {move.level_after}"
    return MoveFacts(
        stock_code=move.stock_code,
        disposition=move.disposition,
        quantity=move.quantity,
        state=state,
        evidence=evidence,
    )
