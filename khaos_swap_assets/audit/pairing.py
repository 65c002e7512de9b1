"""Returns joined with their Credit Notes, as facts for the judge.

Belongs here: completing a note from the orders and returns, the links of files, and what files show of each return and
note beside them. Stays out: rows of the file (``adapters.files``), which note belongs to which return
(``linking.passes``) and what is true of it (``judging.verdict``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY
from khaos_swap_assets.audit.cases import AuditedReturn, AuditedReturns, cases
from khaos_swap_assets.audit.deciding import Decided, decided, same_codes
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.order_sums import goodwill, over_credited
from khaos_swap_assets.domain.judging.document_facts import NoteFacts, share_of
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.order_credits import NOTHING, OverCredit
from khaos_swap_assets.domain.linking.attribution import CoverClaim, may_cover
from khaos_swap_assets.domain.linking.evidence import read
from khaos_swap_assets.domain.linking.loose_notes import MERGED, Standing, link_notes
from khaos_swap_assets.domain.linking.records import (
    Link,
    Matching,
    NoteRecord,
    ReturnRecord,
    WhyNot,
    credited_by_return,
    unknown_codes,
)
from khaos_swap_assets.domain.money.amounts import exponent_of
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.records.decisions import PersonDecision
from khaos_swap_assets.domain.refunds.payments import Refund


def completed_notes(inputs: Inputs, cases: AuditedReturns) -> list[FileNote]:
    """All notes. One without an order has that which its reference names; one of a file without currencies its order's.

    Amounts were read with two decimals, so that only a currency of two decimals may be taken over.
    """
    found = [_with_order(note, cases) for note in documents.notes(inputs.credit_notes.rows)]
    return found if CURRENCY in inputs.credit_notes.columns else list(_with_currency(found, cases))


def record_of(note: FileNote, cases: AuditedReturns) -> NoteRecord:
    """What matching reads of it; a pack counts as its components."""
    return replace(note.record, codes=cases.packs.noted(note.record.codes), unknown_codes=strange(note, cases))


def strange(note: FileNote, cases: AuditedReturns) -> tuple[tuple[str, str], ...]:
    """Its codes that are no Stock Code, as after a spreadsheet, each with what it stands for."""
    return unknown_codes(cases.skus(code) for code in sorted({line.stock_code for line in note.lines}))


def net_of(note: FileNote, sold: Sequence[OrderRow]) -> int | None:
    """Net of a note; delivery, whose net no file shows, at the rate of the sold goods where they share one."""
    rates = {row.vat_percent for row in sold}
    if note.vat_pence is None or (note.delivery_pence and (len(rates) != 1 or None in rates)):
        return None
    delivery = [Amount.of(note.delivery_pence, rate).net_pence for rate in rates if rate is not None]
    return note.gross_pence - note.delivery_pence - note.vat_pence + (delivery[0] if note.delivery_pence else 0)


def _with_order(note: FileNote, cases: AuditedReturns) -> FileNote:
    if not note.order_ref:
        return replace(note, order_ref=cases.orders.ref_of(note.associated_ref))
    return replace(note, order_ref=cases.orders.ref_of(note.order_ref) or note.order_ref)


def _with_currency(notes: Iterable[FileNote], cases: AuditedReturns) -> Iterable[FileNote]:
    of_order = {case.order_ref: case.return_.currency for case in cases.all if case.order_ref}
    of_rma = {case.return_.rma: case.return_.currency for case in cases.all}
    for note in notes:
        of_return = of_order.get(note.order_ref) or of_rma.get(note.associated_ref)
        found = of_return or cases.orders.currency_of(note.order_ref) or HOME_CURRENCY
        yield replace(note, currency=found) if exponent_of(found) == exponent_of(HOME_CURRENCY) else note


CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class Pairing:
    """Everything joined: cases and notes by key, the links of each, and why other notes have none.

    ``shares`` are the pence that a note credits to a return, by both; ``doubtful`` the notes that fit a return and
    another one alike, ``merged`` those of them that may credit several together, ``loose_of`` those that no return has
    for certain, by customer; ``money_of`` money without a return that a note without one settles, ``over`` what notes
    credit beyond the order, ``decided`` what people decided.
    """

    cases: AuditedReturns
    case_of: dict[str, AuditedReturn]
    note_of: dict[str, FileNote]
    matching: Matching
    links_of: Mapping[str, tuple[Link, ...]]
    suggested_of: Mapping[str, tuple[Link, ...]]
    suggestion_of: Mapping[str, Link]
    shares: Mapping[tuple[str, str], int]
    rivals_of: Mapping[str, tuple[str, ...]]
    doubtful: Mapping[str, tuple[str, ...]]
    reason_of: Mapping[str, WhyNot]
    loose_of: Mapping[str, Sequence[FileNote]]
    money_of: Mapping[str, Refund] = field(default_factory=dict)
    decided: Decided = field(default_factory=Decided)
    merged: frozenset[str] = frozenset()
    over: Mapping[str, OverCredit] = field(default_factory=dict)

    @property
    def unmatched(self) -> list[FileNote]:
        """Notes that no return has for certain, by code."""
        certain = {link.note_code for link in self.matching.certain}
        return [note for code, note in self.note_of.items() if code not in certain]


def pair(inputs: Inputs, made: Sequence[PersonDecision] = ()) -> Pairing:
    """Join the files and match notes to returns, as people decided where they did."""
    found = cases(inputs, same_codes(made))
    notes = completed_notes(inputs, found)
    case_of = {case.return_.return_id: case for case in found.all}
    return_records = {key: case.record(found.packs) for key, case in case_of.items()}
    note_records = {note.code: record_of(note, found) for note in notes}
    laid = decided(made, [case.return_ for case in found.all], notes, found.asked)
    standing = Standing(refused=laid.refused, told=laid.told)
    matching = link_notes(list(note_records.values()), list(return_records.values()), standing)
    suggested = [link for link in matching.links if link.certainty != CERTAIN]
    rivals: defaultdict[str, set[str]] = defaultdict(set)
    doubtful: defaultdict[str, set[str]] = defaultdict(set)
    for ambiguity in matching.ambiguities:
        for code in ambiguity.note_codes:
            rivals[code].update(ambiguity.return_ids)
        for return_id in ambiguity.return_ids:
            doubtful[return_id].update(ambiguity.note_codes)
    told = {link.note_code for link in matching.links} | rivals.keys()
    shares = _shares(matching.certain, note_records, return_records)
    return Pairing(
        cases=found,
        case_of=case_of,
        note_of={note.code: note for note in notes},
        matching=matching,
        links_of=_by_return(matching.certain),
        suggested_of=_by_return(suggested),
        suggestion_of={link.note_code: link for link in suggested},
        shares=shares,
        rivals_of={code: tuple(sorted(ids)) for code, ids in rivals.items()},
        doubtful={one: tuple(sorted(codes)) for one, codes in doubtful.items()},
        merged=frozenset(one.note_codes[0] for one in matching.ambiguities if one.matched_by == MERGED),
        reason_of={reason.note_code: reason for reason in matching.reasons},
        money_of=goodwill([one for one in note_records.values() if one.code not in told], found, shares),
        over=over_credited(found, {note.code: note for note in notes}, shares),
        loose_of=_loose(notes, {link.note_code for link in matching.certain}),
        decided=laid,
    )


def _by_return(links: Sequence[Link]) -> dict[str, tuple[Link, ...]]:
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        found[link.return_id].append(link)
    return {return_id: tuple(sorted(some)) for return_id, some in found.items()}


def _loose(notes: Iterable[FileNote], certain: Collection[str]) -> dict[str, list[FileNote]]:
    """Notes that no return has for certain, by customer."""
    found: defaultdict[str, list[FileNote]] = defaultdict(list)
    for note in notes:
        if note.code not in certain:
            found[note.customer_ref].append(note)
    return found


def _shares(
    links: Iterable[Link], notes: Mapping[str, NoteRecord], returns: Mapping[str, ReturnRecord]
) -> dict[tuple[str, str], int]:
    of_note: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        of_note[link.note_code].append(link)
    return {
        (code, return_id): pence
        for code, some in of_note.items()
        for return_id, pence in credited_by_return(some, notes, returns).items()
    }


def facts_of(case: AuditedReturn, pairing: Pairing) -> ReturnFacts:
    """What the files show of a return and its Credit Notes; one that is only suggested may cover it."""
    return_id = case.return_.return_id
    notes = [pairing.note_of[link.note_code] for link in pairing.links_of.get(return_id, ())]
    suggested = pairing.suggested_of.get(return_id, ())
    opened_units = _opened_units(case, notes, pairing)
    return replace(
        case.facts,
        notes=tuple(_share(note, case, pairing, opened_units) for note in notes),
        over_credit=pairing.over.get(return_id, NOTHING),
        covering_note_code=suggested[0].note_code if suggested else "" if notes else _covering(case, pairing),
        doubtful_notes=pairing.doubtful.get(return_id, ()),
        merged_notes=tuple(one for one in pairing.doubtful.get(return_id, ()) if one in pairing.merged),
        settled=case.facts.settlement,
        decision=pairing.decided.value_of.get(return_id),
    )


def _covering(case: AuditedReturn, pairing: Pairing) -> str:
    """The first note of nobody that may be this return's, by the rule that holds a document of ours back."""
    loose = pairing.loose_of.get(case.customer, ()) if case.customer else ()
    goods = tuple((line.stock_code or line.sku, line.quantity) for line in case.facts.refund_lines)
    return_ = case.return_
    claim = CoverClaim(
        return_id=return_.return_id,
        customer_code=case.customer,
        currency=return_.currency,
        value_pence=case.facts.due_pence,
        lines=goods,
        references=frozenset({return_.rma}),
        invoiced_on=case.order.invoiced_on if case.order else None,
    )
    return next((note.code for note in loose if may_cover(note.shown(), claim, pairing.cases.packs)), "")


def _opened_units(case: AuditedReturn, notes: Sequence[FileNote], pairing: Pairing) -> int:
    """Units of the goods where both sides hold the same only once packs are opened; else 0."""
    noted = [(line.stock_code, line.quantity) for note in notes for line in note.lines]
    returned = [(line.stock_code or line.sku, line.quantity) for line in case.facts.refund_lines]
    return pairing.cases.packs.opened_units(noted, returned) if noted else 0


def _share(note: FileNote, case: AuditedReturn, pairing: Pairing, opened_units: int) -> NoteFacts:
    """A note as a return's; of one for several returns, or for the parts of a pack, the lines tell nothing."""
    pence = pairing.shares[note.code, case.return_.return_id]
    is_whole = pence == note.gross_pence
    unknown = strange(note, pairing.cases)
    shown = note.shown(net_pence=net_of(note, case.sold) if is_whole else None, has_lines=not opened_units)
    shown = replace(shown, lines=read(shown.lines, unknown))
    told = shown if is_whole else share_of(shown, pence, case.worth_pence)
    values = tuple(line.gross_pence for line in note.lines) if told.lines else ()
    return NoteFacts(
        told,
        case.return_.return_id,
        case.return_.rma,
        values=values,
        is_issue_known=False,
        opened_units=opened_units,
        held_codes=tuple(code for code, _ in read(note.record.codes, unknown)),
        unknown_codes=unknown,
    )


def note_facts(note: FileNote, pairing: Pairing) -> NoteFacts:
    """A note that no return has for certain, and why."""
    reason = pairing.reason_of.get(note.code)
    rivals = pairing.rivals_of.get(note.code, ())
    nearest = pairing.case_of[reason.return_id].return_.rma if reason and not rivals else ""
    return NoteFacts(
        note.shown(),
        rival_rmas=tuple(pairing.case_of[one].return_.rma for one in rivals),
        is_merged=note.code in pairing.merged,
        nearest=f"{nearest}: {reason.clause}" if reason and nearest else "",
        suggestion=f"{nearest}: {reason.change}" if reason and nearest else "",
        values=tuple(line.gross_pence for line in note.lines),
        is_issue_known=False,
        is_suggested=note.code in pairing.suggestion_of,
    )
