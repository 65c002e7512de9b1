"""Both sides put together: each return beside its Credit Notes, and the notes that are left.

Belongs here: the row of each return and of each unmatched note. Stays out: which note belongs to which return
(``linking.passes``), causes of a gap (``causes``), and what somebody has to do (``findings``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from khaos_swap_assets.adapters.files.documents import Note
from khaos_swap_assets.adapters.files.layouts import RefundRow
from khaos_swap_assets.audit import causes, credit_notes
from khaos_swap_assets.audit.cases import Case, Cases, cases
from khaos_swap_assets.audit.causes import Causes
from khaos_swap_assets.audit.inputs import Inputs
from khaos_swap_assets.audit.paid_months import by_payment
from khaos_swap_assets.audit.rows import WORST_FIRST, Row, Status
from khaos_swap_assets.domain.judging.facts import Limits
from khaos_swap_assets.domain.judging.month_conditions import Timing
from khaos_swap_assets.domain.linking.goodwill import LooseMoney, settle
from khaos_swap_assets.domain.linking.loose_notes import link_notes
from khaos_swap_assets.domain.linking.records import Link, Matching, NoteRecord, WhyNot, credited_by_return
from khaos_swap_assets.domain.money.periods import LONDON, london_date
from khaos_swap_assets.domain.money.tolerance import Residual, Systematic, Tolerances, govern
from khaos_swap_assets.domain.money.vat_periods import VatPeriods
from khaos_swap_assets.domain.refunds.proof import is_unproven

CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class Span:
    """``as_of`` decides what is still in flight; rows outside ``first`` to ``last`` (London days) are left out."""

    as_of: date
    first: date | None = None
    last: date | None = None
    vat_periods: VatPeriods = field(default_factory=VatPeriods)

    @property
    def now(self) -> datetime:
        """The end of the day ``as_of``, UTC."""
        return datetime.combine(self.as_of + timedelta(days=1), time.min, LONDON).astimezone(UTC)

    def holds(self, day: date | None) -> bool:
        """Whether a row of this day takes part; a row without a day always does."""
        return day is None or ((self.first or date.min) <= day <= (self.last or date.max))


@dataclass(frozen=True, slots=True)
class Pairing:
    """Everything joined: cases and notes by key, the links of each, and why other notes have none."""

    cases: Cases
    case_of: dict[str, Case]
    note_of: dict[str, Note]
    matching: Matching
    links_of: dict[str, tuple[Link, ...]]
    suggested_of: dict[str, tuple[Link, ...]]
    suggestion_of: dict[str, Link]
    credited: dict[str, int]
    rivals_of: dict[str, tuple[str, ...]]
    doubted: frozenset[str]
    reason_of: dict[str, WhyNot]
    money_of: dict[str, RefundRow] = field(default_factory=dict)

    @property
    def unmatched(self) -> list[Note]:
        """Notes that no return has for certain, by code."""
        certain = {link.note_code for link in self.matching.certain}
        return [note for code, note in self.note_of.items() if code not in certain]


def pair(inputs: Inputs) -> Pairing:
    """Join the files and match notes to returns."""
    found = cases(inputs)
    notes = credit_notes.notes(inputs, found)
    case_of = {case.return_.return_id: case for case in found.all}
    return_records = {key: case.record(found.packs) for key, case in case_of.items()}
    note_records = {note.code: credit_notes.record_of(note, found) for note in notes}
    matching = link_notes(list(note_records.values()), list(return_records.values()))
    suggested = [link for link in matching.links if link.certainty != CERTAIN]
    rivals: defaultdict[str, set[str]] = defaultdict(set)
    for ambiguity in matching.ambiguities:
        for code in ambiguity.note_codes:
            rivals[code].update(ambiguity.return_ids)
    told = {link.note_code for link in matching.links} | rivals.keys()
    return Pairing(
        cases=found,
        case_of=case_of,
        note_of={note.code: note for note in notes},
        matching=matching,
        links_of=_by_return(matching.certain),
        suggested_of=_by_return(suggested),
        suggestion_of={link.note_code: link for link in suggested},
        credited=credited_by_return(matching.certain, note_records, return_records),
        rivals_of={code: tuple(sorted(ids)) for code, ids in rivals.items()},
        doubted=frozenset(one for ids in rivals.values() for one in ids),
        reason_of={reason.note_code: reason for reason in matching.reasons},
        money_of=_goodwill([one for one in note_records.values() if one.code not in told], found),
    )


def _goodwill(notes: Iterable[NoteRecord], found: Cases) -> dict[str, RefundRow]:
    """The money without a return that a note without one settles."""
    strays = {one.refund_id: one for one in found.stray_refunds if not one.return_id}
    loose = (
        LooseMoney(
            one.refund_id,
            found.orders.ref_of(one.order_ref) or one.order_ref,
            one.currency,
            one.amount_pence,
            london_date(one.refunded_at) if one.refunded_at else None,
        )
        for one in strays.values()
    )
    return {code: strays[refund_id] for code, refund_id in settle(notes, loose).items()}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The rows of the span, the worst status first, then the most money; and by month what is no chance."""

    rows: list[Row]
    systematic: tuple[tuple[str, Systematic], ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A return with its certain notes and the causes of its gap, before the tolerances were asked."""

    case: Case
    links: tuple[Link, ...]
    notes: tuple[Note, ...]
    causes: Causes
    day: date | None


def reconciled(pairing: Pairing, span: Span) -> Reconciled:
    """Make all rows, then leave those out that lie outside the span."""
    drafts = [_draft(case, pairing) for case in pairing.case_of.values()]
    cleared, systematic = _governed(drafts, span)
    found = [_return_row(one, pairing, span, is_cleared=one.case.return_.return_id in cleared) for one in drafts]
    found += [note_row(note, pairing) for note in pairing.unmatched]
    return Reconciled(sorted((row for row in found if span.holds(row.day)), key=_order), systematic)


def _draft(case: Case, pairing: Pairing) -> _Draft:
    links = pairing.links_of.get(case.return_.return_id, ())
    notes = tuple(pairing.note_of[link.note_code] for link in links)
    credited = pairing.credited.get(case.return_.return_id, 0)
    return _Draft(case, links, notes, causes.of_return(case, notes, credited, pairing.cases.packs), _day(case))


def _governed(drafts: Iterable[_Draft], span: Span) -> tuple[set[str], tuple[tuple[str, Systematic], ...]]:
    """Return ids whose residual may be let be, month by month, and what is systematic in a month."""
    tolerances = Tolerances()
    by_month: defaultdict[str, list[Residual]] = defaultdict(list)
    for one in drafts:
        if one.notes and span.holds(one.day):
            return_ = one.case.return_
            residual = one.causes.residual(return_.return_id, return_.currency, tolerances)
            by_month[f"{one.day:%Y-%m}" if one.day else ""].append(residual)
    months = [(month, govern(residuals, tolerances)) for month, residuals in sorted(by_month.items())]
    cleared = {residual.subject for _, governed in months for residual, _ in governed.cleared}
    return cleared, tuple((month, one) for month, governed in months for one in governed.systematic)


def _order(row: Row) -> tuple[int, int, str, str, tuple[str, ...]]:
    return WORST_FIRST.index(row.status), -abs(row.gap_pence), row.rma, row.return_id, row.credit_note_codes


def _return_row(draft: _Draft, pairing: Pairing, span: Span, *, is_cleared: bool) -> Row:
    """The row of a return. A note that is only suggested is named and credits nothing."""
    case, return_id = draft.case, draft.case.return_.return_id
    told = draft.links or pairing.suggested_of.get(return_id, ())
    row = Row(
        rma=case.return_.rma,
        return_id=return_id,
        order_ref=case.order_ref or case.return_.order_name,
        credit_note_codes=tuple(link.note_code for link in told),
        currency=case.return_.currency,
        refund_pence=case.refund_pence,
        credited_pence=pairing.credited.get(return_id, 0),
        status=_status(draft, span, is_cleared=is_cleared, is_doubted=return_id in pairing.doubted),
        matched_by=";".join(sorted({link.matched_by for link in told})),
        certainty=told[0].certainty if told else "",
        day=draft.day,
        vat_gap_pence=draft.causes.vat_gap_pence,
        legs=draft.causes.legs,
        evidence=draft.causes.evidence,
        timing=_timing(draft, pairing.credited.get(return_id, 0)),
    )
    return by_payment(row, case, draft.notes)


def _timing(draft: _Draft, credited_pence: int) -> Timing:
    """The days of the money and of the notes for certain; of a note for several returns only the share counts."""
    case = draft.case
    payments = case.paid.payments if case.paid else ()
    paid = tuple((day, pence) for day, pence in payments if day)
    if not paid and case.refunded_at and case.refund_pence:
        paid = ((london_date(case.refunded_at), case.refund_pence),)
    noted = tuple((note.created_on, note.gross_pence) for note in draft.notes if note.created_on)
    if sum(pence for _, pence in noted) != credited_pence:
        noted = ((noted[-1][0], credited_pence),) if noted else ()
    return Timing(paid, noted)


def note_row(note: Note, pairing: Pairing) -> Row:
    """The row of a note that no return has for certain."""
    suggested = pairing.suggestion_of.get(note.code)
    found = causes.of_orphan(note)
    if money := pairing.money_of.get(note.code):
        pence, day = (money.amount_pence, money.refunded_at and london_date(money.refunded_at))
        codes, legs = (note.code,), dict.fromkeys(found.legs, 0)
        return Row(
            "", "", note.order_ref, codes, note.currency, pence, note.gross_pence, "matched", day=day, legs=legs
        )  # fmt: skip
    return Row(
        rma="",
        return_id="",
        order_ref=note.order_ref,
        credit_note_codes=(note.code,),
        currency=note.currency,
        refund_pence=0,
        credited_pence=note.gross_pence,
        status="ambiguous" if note.code in pairing.rivals_of else "credit_note_orphan",
        matched_by=suggested.matched_by if suggested else "",
        certainty=suggested.certainty if suggested else "",
        day=note.created_on,
        legs=found.legs,
        evidence=found.evidence,
    )


def _by_return(links: Sequence[Link]) -> dict[str, tuple[Link, ...]]:
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        found[link.return_id].append(link)
    return {return_id: tuple(sorted(some)) for return_id, some in found.items()}


def _day(case: Case) -> date | None:
    return_ = case.return_
    moment = case.refunded_at or return_.done_at or return_.submitted_at or return_.created_at
    return london_date(moment) if moment else None


def _status(draft: _Draft, span: Span, *, is_cleared: bool, is_doubted: bool) -> Status:
    """The worst status that holds."""
    case, notes = draft.case, draft.notes
    is_apart = bool(notes) and draft.causes.residual_pence != 0 and not is_cleared
    is_bare = not notes and case.refund_pence > 0
    if is_apart and _is_doubled(draft):
        return "duplicate"
    if is_doubted and (is_apart or not notes):
        return "ambiguous"
    if is_apart and not _is_early(draft, span):
        return "value_gap"
    if is_bare and is_late(case, span):
        return "credit_note_missing"
    if is_bare or is_waiting(case) or (not notes and is_unproven(case.facts)):
        return "in_flight"
    return "within_tolerance" if is_cleared else "matched"


def _is_doubled(draft: _Draft) -> bool:
    """True when one of several notes could go, and the others would still credit all the goods."""
    goods = [note.gross_pence - note.delivery_pence for note in draft.notes]
    apart = draft.causes.residual_pence - draft.causes.legs["delivery"] - draft.causes.legs["fee"]
    return len(goods) > 1 and apart >= min(goods) > 0


def _is_early(draft: _Draft, span: Span) -> bool:
    """True when the notes credit what is yet to be paid, and its time is not over: Swap's refund, or the goods."""
    case = draft.case
    credited = draft.causes.waterfall.gap_pence + case.refund_pence
    is_due = case.return_.is_refund_confirmed and is_late(case, span)
    return is_waiting(case) and not is_due and credited in (case.worth_pence, *case.other_pence)


def is_waiting(case: Case) -> bool:
    """True while money may still move: Swap has not ended the return, or says closed and no refund is seen."""
    if case.money is not None and case.money.cash_pence + case.money.tender_pence > 0:
        return False
    return case.facts.is_waiting_for_swap or (case.money is not None and case.return_.is_refund_confirmed)


def is_late(case: Case, span: Span) -> bool:
    """True when the refund is so old that its Credit Note should be there."""
    moment = case.refunded_at
    return moment is None or span.now > moment + timedelta(days=Limits().credit_note_days)
