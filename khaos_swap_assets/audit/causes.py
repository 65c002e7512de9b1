"""Why a return and its Credit Notes differ: what the files show of each side, handed to the penny waterfall.

Belongs here: the facts of both sides and what of a gap is settled. Stays out: naming the legs (``judging.waterfall``)
and what may be let be (``money.tolerance``). Money is minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from khaos_swap_assets.adapters.files.documents import Note
from khaos_swap_assets.adapters.swap.extras import read_extras
from khaos_swap_assets.audit.cases import Case
from khaos_swap_assets.domain.judging.goods_facts import LineFacts
from khaos_swap_assets.domain.judging.waterfall import (
    LEGS,
    CreditFacts,
    CreditLine,
    RefundFacts,
    RefundLine,
    Waterfall,
    explain,
    vat_gap_pence,
)
from khaos_swap_assets.domain.money.tax import Amount
from khaos_swap_assets.domain.money.tolerance import Residual, Tolerances, residual_of, residual_pence
from khaos_swap_assets.domain.records.packs import Packs


@dataclass(frozen=True)
class Causes:
    """The causes of one row's gap. ``vat_gap_pence`` is None where a net or a rate is not known."""

    waterfall: Waterfall
    lines: int = 0
    vat_gap_pence: int | None = None

    @cached_property
    def legs(self) -> Mapping[str, int]:
        """Pence of every leg; they add up to the gap."""
        return {leg: self.waterfall.pence(leg) for leg in LEGS}

    @cached_property
    def evidence(self) -> Mapping[str, str]:
        """What shows each leg that is there."""
        return {leg.name: "; ".join(leg.evidence) for leg in self.waterfall.legs}

    @property
    def residual_pence(self) -> int:
        """What of the gap is not as it should be."""
        return residual_pence(self.waterfall)

    def residual(self, subject: str, currency: str, tolerances: Tolerances) -> Residual:
        """The residual for the tolerances."""
        return residual_of(subject, self.waterfall, self.lines, currency, tolerances)


def of_return(case: Case, notes: Sequence[Note], credited_pence: int, packs: Packs) -> Causes:
    """The causes of one return's gap, and the gap of its VAT."""
    refund, credit = refund_facts(case), credit_facts(case, notes, credited_pence, packs)
    found = explain(refund, credit)
    settled = found.gap_pence - residual_pence(found)
    vat_gap = vat_gap_pence(refund, credit, settled) if notes and refund.refund_pence else None
    return Causes(found, sum(len(note.lines) for note in notes), vat_gap)


def of_orphan(note: Note) -> Causes:
    """The causes of a note that credits no refund."""
    lines = tuple(_credit_lines([note]))
    return Causes(explain(RefundFacts(0), CreditFacts(note.gross_pence, None, lines, note.delivery_pence)))


def refund_facts(case: Case) -> RefundFacts:
    """What Swap, the sale and the money say of a refund."""
    return_ = case.return_
    extras = read_extras(case.raw, return_.currency)
    return RefundFacts(
        refund_pence=case.refund_pence,
        lines=tuple(map(_refund_line, case.facts.lines)),
        fee_pence=max(return_.handling_fee_pence, 0),
        postage_pence=extras.postage_pence,
        gift_card_pence=case.tender_pence,
        store_credit_pence=0 if case.tender_pence else max(return_.store_credit_pence, 0),
        exchange_pence=extras.exchange_pence,
        additional_payment_pence=max(return_.additional_payment_pence, 0),
        taxes_on_top_pence=extras.taxes_on_top_pence,
        duties_pence=extras.duties_pence,
        unmoved_pence=case.unmoved_pence,
    )


def credit_facts(case: Case, notes: Sequence[Note], credited_pence: int, packs: Packs) -> CreditFacts:
    """What the notes of a return say together; of a note for several returns only the share is known.

    Where the notes hold the parts of a returned pack, their lines are the return's, and tell nothing of their own.
    """
    if sum(note.gross_pence for note in notes) != credited_pence:
        return CreditFacts(credited_pence)
    delivery = sum(note.delivery_pence for note in notes)
    lines = () if _is_opened_pack(case, notes, packs) else tuple(_credit_lines(notes))
    return CreditFacts(credited_pence, _net(case, notes, delivery), lines, delivery)


def _is_opened_pack(case: Case, notes: Sequence[Note], packs: Packs) -> bool:
    """True when both sides hold the same goods only once packs are opened."""
    noted = [(line.stock_code, line.quantity) for note in notes for line in note.lines]
    returned = [(line.stock_code or line.sku, line.quantity) for line in case.facts.refund_lines]
    return packs.are_same_opened(noted, returned)


def _refund_line(line: LineFacts) -> RefundLine:
    """A returned line beside its sale; the list price is told only where a discount was given."""
    code = line.stock_code or line.sku
    return RefundLine(code, line.quantity, line.cost_pence, line.outcome, line.list_pence, line.vat_percent)


def _credit_lines(notes: Iterable[Note]) -> Iterator[CreditLine]:
    for note in notes:
        for line in note.lines:
            yield CreditLine(line.stock_code, line.quantity, line.gross_pence)


def _net(case: Case, notes: Sequence[Note], delivery_pence: int) -> int | None:
    """Net of the notes; delivery, whose net no file shows, at the rate of the goods where they share one."""
    vats = [note.vat_pence for note in notes]
    known = [vat for vat in vats if vat is not None]
    rates = {row.vat_percent for row in case.sold}
    if len(known) < len(vats) or not vats or (delivery_pence and (len(rates) != 1 or None in rates)):
        return None
    gross = sum(line.gross_pence for note in notes for line in note.lines)
    of_delivery = [Amount.of(delivery_pence, rate).net_pence for rate in rates if rate is not None]
    return gross - sum(known) + (of_delivery[0] if delivery_pence else 0)
