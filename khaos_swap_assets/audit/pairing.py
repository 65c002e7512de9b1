"""Returns joined with their Credit Notes, as facts for the judge.

Belongs here: completing a note from the orders and returns, the links of files, what an order shows as a whole, and
what files show of each return and note beside them. Stays out: rows of the file (``adapters.files``), which note
belongs to which return (``linking.loose_notes``) and what is true of it (``judging.verdict``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from khaos_swap_assets.adapters.files import documents
from khaos_swap_assets.adapters.files.documents import FileNote
from khaos_swap_assets.adapters.files.layouts import OrderRow
from khaos_swap_assets.adapters.files.tables import CURRENCY, HOME_CURRENCY
from khaos_swap_assets.audit.cases import AuditedReturn, Cases
from khaos_swap_assets.audit.deciding import Decided, Pair, same_codes
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.domain.judging.document_facts import NOTHING, NoteFacts, OverCredit, over_credits, share_of
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.linking.attribution import Attribution, CoverClaim, may_cover
from khaos_swap_assets.domain.linking.evidence import read
from khaos_swap_assets.domain.linking.goodwill import LooseMoney, settle
from khaos_swap_assets.domain.linking.loose_notes import Standing, WhyLoose, attribute_loose
from khaos_swap_assets.domain.linking.records import NoteRecord, unknown_codes
from khaos_swap_assets.domain.money.amounts import exponent_of
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.records.decisions import PersonDecision
from khaos_swap_assets.domain.refunds.payments import Refund
from khaos_swap_assets.domain.sums import grouped


def completed_notes(inputs: Inputs, cases: Cases) -> list[FileNote]:
    """All notes. One without an order has that which its reference names; one of a file without currencies its order's.

    Amounts were read with two decimals, so that only a currency of two decimals may be taken over.
    """
    found = [_with_order(note, cases) for note in documents.notes(inputs.credit_notes.rows)]
    return found if CURRENCY in inputs.credit_notes.columns else list(_with_currency(found, cases))


def strange(note: FileNote, cases: Cases) -> tuple[tuple[str, str], ...]:
    """Its codes that are no Stock Code, as after a spreadsheet, each with what it stands for."""
    return unknown_codes(cases.shelf.sku(code) for code in sorted({line.stock_code for line in note.lines}))


def net_of(note: FileNote, sold: Sequence[OrderRow]) -> int | None:
    """Net of a note; delivery, whose net no file shows, at the rate of the sold goods where they share one."""
    rates = {row.vat_percent for row in sold}
    if note.vat_pence is None or (note.delivery_pence and (len(rates) != 1 or None in rates)):
        return None
    delivery = [Amount.of(note.delivery_pence, rate).net_pence for rate in rates if rate is not None]
    return note.gross_pence - note.delivery_pence - note.vat_pence + (delivery[0] if note.delivery_pence else 0)


def _with_order(note: FileNote, cases: Cases) -> FileNote:
    ref = cases.shelf.orders.ref_of(note.order_ref or note.associated_ref)
    return replace(note, order_ref=ref or note.order_ref)


def _with_currency(notes: Iterable[FileNote], cases: Cases) -> Iterable[FileNote]:
    some = cases.of_id.values()
    of_order = {case.order_ref: case.return_.currency for case in some if case.order_ref}
    of_rma = {case.return_.rma: case.return_.currency for case in some}
    for note in notes:
        of_return = of_order.get(note.order_ref) or of_rma.get(note.associated_ref)
        found = of_return or cases.shelf.orders.currency_of(note.order_ref) or HOME_CURRENCY
        yield replace(note, currency=found) if exponent_of(found) == exponent_of(HOME_CURRENCY) else note


class Pairing:
    """Returns and notes by key, the notes linked to returns, as people ``decided`` where they did.

    ``links_of`` and ``suggested_of`` are by return id, ``why_of`` says of each other note why it has no return;
    ``doubtful`` are notes that fit a return and another one alike, ``loose_of`` those of no return by customer.
    ``shares`` are the pence that a note credits to a return, by both; ``money_of`` is money of no return that a note of
    none settles, ``over`` what notes credit beyond the order (FINANCE_RULES U-26).
    """

    def __init__(self, inputs: Inputs, made: Sequence[PersonDecision] = ()) -> None:
        self.cases = cases = Cases(inputs, same_codes(made))
        self.case_of = cases.of_id
        self.note_of = {note.code: note for note in completed_notes(inputs, cases)}
        records = [case.record(cases.shelf.packs) for case in self.case_of.values()]
        notes = [self._record_of(note) for note in self.note_of.values()]
        self.decided = Decided(made, [case.return_ for case in self.case_of.values()], self.note_of, cases.shelf.asked)
        standing = Standing(refused=self.decided.refused, told=self.decided.told)
        self.links, self.why_of = attribute_loose(notes, (), records, standing)
        self.suggested = [
            Attribution(code, why.nearest, why.suggested_by) for code, why in self.why_of.items() if why.suggested_by
        ]
        self.links_of, self.suggested_of = _by_return(self.links), _by_return(self.suggested)
        self.doubtful = grouped((one, code) for code in sorted(self.why_of) for one in self.why_of[code].rivals)
        self.unmatched = [note for code, note in self.note_of.items() if code in self.why_of]
        self.loose_of = grouped((note.customer_ref, note) for note in self.unmatched)
        self.shares = _shares(self.links, self.note_of)
        loose = [one for one in notes if (why := self.why_of.get(one.code)) and not (why.rivals or why.suggested_by)]
        self.money_of = self._goodwill(loose) if cases.paid.strays else {}
        self.over = self._over_credited()

    def _record_of(self, note: FileNote) -> NoteRecord:
        """What matching reads of it; a pack counts as its components."""
        codes = self.cases.shelf.packs.noted(note.record.codes)
        return replace(note.record, codes=codes, unknown_codes=strange(note, self.cases))

    def _goodwill(self, notes: Iterable[NoteRecord]) -> dict[str, Refund]:
        """The money without a return that a note without one settles, within what its order leaves to credit."""
        orders = self.cases.shelf.orders
        strays = {one.refund_id: one for one in self.cases.paid.strays if not one.return_ref}
        loose = [
            LooseMoney(
                refund_id=one.refund_id,
                order_ref=orders.ref_of(one.order_name) or orders.naming.ref(one.order_name),
                currency=one.currency,
                pence=one.moved_pence,
                paid_on=london_date(one.moved_at) if one.moved_at else None,
            )
            for one in strays.values()
        ]
        room = self._room({one.order_ref for one in loose})
        return {code: strays[refund_id] for code, refund_id in settle(notes, loose, room).items()}

    def _room(self, refs: Iterable[str]) -> dict[str, int]:
        """What each of these orders, where it is known, leaves to credit beside the notes of its returns."""
        left = {ref: pence for ref in refs if (pence := self.cases.shelf.paid_of(ref)) is not None}
        for (_, return_id), pence in self.shares.items():
            if (ref := self.case_of[return_id].order_ref) in left:
                left[ref] -= pence
        return left

    def _over_credited(self) -> dict[str, OverCredit]:
        """What the notes of each return credit beyond its order, with all notes of that."""
        orders = {key: case.order for key, case in self.case_of.items() if case.order}
        credited = []
        for (code, return_id), pence in self.shares.items():
            whole = self.note_of[code].shown()
            share = whole if pence == whole.gross_pence else replace(whole, gross_pence=pence, lines=())
            credited.append((return_id, share))
        return over_credits(credited, orders, self.cases.shelf.packs)


def _by_return(links: Iterable[Attribution]) -> Mapping[str, Sequence[Attribution]]:
    return grouped((link.return_id, link) for link in sorted(links))


def _shares(links: Iterable[Attribution], notes: Mapping[str, FileNote]) -> dict[Pair, int]:
    """What each note credits to each of its returns; one of them has what the others leave."""
    left = Counter({code: note.gross_pence for code, note in notes.items()})
    for link in links:
        left[link.credit_note_code] -= link.share_pence or 0
    return {
        (link.credit_note_code, link.return_id): left[link.credit_note_code]
        if link.share_pence is None
        else link.share_pence
        for link in links
    }


def facts_of(case: AuditedReturn, pairing: Pairing) -> ReturnFacts:
    """What the files show of a return and its Credit Notes; one that is only suggested may cover it."""
    return_id = case.return_.return_id
    notes = [pairing.note_of[link.credit_note_code] for link in pairing.links_of.get(return_id, ())]
    suggested, doubtful = pairing.suggested_of.get(return_id, ()), pairing.doubtful.get(return_id, ())
    opened_units = _opened_units(case, notes, pairing)
    return replace(
        case.facts,
        notes=tuple(_share(note, case, pairing, opened_units) for note in notes),
        over_credit=pairing.over.get(return_id, NOTHING),
        covering_note_code=suggested[0].credit_note_code if suggested else "" if notes else _covering(case, pairing),
        doubtful_notes=tuple(doubtful),
        merged_notes=tuple(code for code in doubtful if pairing.why_of[code].is_merged),
        settled=case.facts.settlement,
        decision=pairing.decided.value_of.get(return_id),
    )


def _goods(facts: ReturnFacts) -> tuple[tuple[str, int], ...]:
    return tuple((line.stock_code or line.sku, line.quantity) for line in facts.refund_lines)


def _covering(case: AuditedReturn, pairing: Pairing) -> str:
    """The first note of nobody that may be this return's, by the rule that holds a document of ours back."""
    return_, facts = case.return_, case.facts
    claim = CoverClaim(
        return_id=return_.return_id,
        customer_code=facts.customer_code,
        currency=return_.currency,
        value_pence=facts.due_pence,
        lines=_goods(facts),
        references=frozenset({return_.rma}),
        invoiced_on=facts.invoiced_on,
    )
    loose = pairing.loose_of.get(facts.customer_code, ()) if facts.customer_code else ()
    return next((note.code for note in loose if may_cover(note.shown(), claim, pairing.cases.shelf.packs)), "")


def _opened_units(case: AuditedReturn, notes: Sequence[FileNote], pairing: Pairing) -> int:
    """Units of the goods where both sides hold the same only once packs are opened; else 0."""
    noted = [(line.stock_code, line.quantity) for note in notes for line in note.lines]
    return pairing.cases.shelf.packs.opened_units(noted, _goods(case.facts)) if noted else 0


def _share(note: FileNote, case: AuditedReturn, pairing: Pairing, opened_units: int) -> NoteFacts:
    """A note as a return's; of one for several returns, or for the parts of a pack, the lines tell nothing."""
    pence = pairing.shares[note.code, case.return_.return_id]
    is_whole = pence == note.gross_pence
    unknown = strange(note, pairing.cases)
    sold = pairing.cases.shelf.sold.get(case.order.associated_ref, ()) if case.order else ()
    shown = note.shown(net_pence=net_of(note, sold) if is_whole else None, has_lines=not opened_units)
    shown = replace(shown, lines=read(shown.lines, unknown))
    told = shown if is_whole else share_of(shown, pence, case.worth_pence)
    return NoteFacts(
        told,
        case.return_.return_id,
        case.return_.rma,
        values=tuple(line.gross_pence for line in note.lines) if told.lines else (),
        is_issue_known=False,
        opened_units=opened_units,
        held_codes=tuple(code for code, _ in read(note.record.codes, unknown)),
        unknown_codes=unknown,
    )


def note_facts(note: FileNote, pairing: Pairing) -> NoteFacts:
    """A note that no return has for certain, and why."""
    why = pairing.why_of.get(note.code, WhyLoose())
    nearest = pairing.case_of[why.nearest].return_.rma if why.nearest and not why.rivals else ""
    return NoteFacts(
        note.shown(),
        rival_rmas=tuple(pairing.case_of[one].return_.rma for one in why.rivals),
        is_merged=why.is_merged,
        nearest=f"{nearest}: {why.clause}" if nearest else "",
        suggestion=f"{nearest}: {why.change}" if nearest else "",
        values=tuple(line.gross_pence for line in note.lines),
        is_issue_known=False,
        is_suggested=bool(why.suggested_by),
    )
