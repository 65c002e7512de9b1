"""Both sides of a live return as the penny waterfall takes them.

Belongs here: which fact of a return stands for which field of a side. Stays out: the legs (``domain.waterfall``), what
is known (``domain.facts``). Money is whole pence of the return's currency.
"""

from __future__ import annotations

from khaos_swap_assets.domain.facts import LineFacts, NoteFacts, ReturnFacts
from khaos_swap_assets.domain.waterfall import Waterfall, explain
from khaos_swap_assets.domain.waterfall_facts import CreditFacts, CreditLine, RefundFacts, RefundLine, vat_gap_pence


def waterfall_of(facts: ReturnFacts) -> Waterfall:
    """Why refund and Credit Notes of a return differ; without a gap there is nothing to explain."""
    return explain(refund_side(facts), credit_side(facts), facts.policy) if facts.gap_pence else Waterfall(0, ())


def vat_gap_of(facts: ReturnFacts) -> int | None:
    """VAT credited less VAT of the refund; None without a note, or where a net or a rate is not known."""
    return vat_gap_pence(refund_side(facts), credit_side(facts)) if facts.notes and facts.refund_pence else None


def refund_side(facts: ReturnFacts) -> RefundFacts:
    """What Swap and the sale say of the refund."""
    return_ = facts.return_
    return RefundFacts(
        refund_pence=facts.refund_pence,
        lines=tuple(map(_refund_line, facts.lines)),
        fee_pence=max(return_.handling_fee_pence, 0),
        store_credit_pence=max(return_.store_credit_pence, 0),
        exchange_pence=facts.exchange_pence,
        additional_payment_pence=max(return_.additional_payment_pence, 0),
        taxes_on_top_pence=facts.taxes_on_top_pence,
        duties_pence=facts.duties_pence,
    )


def _refund_line(line: LineFacts) -> RefundLine:
    """A returned line beside its sale; a price of the sale is told only where it is above what was refunded."""
    list_pence = line.sold_pence if line.sold_pence and line.sold_pence > line.cost_pence else None
    return RefundLine(
        line.stock_code or line.sku, line.quantity, line.cost_pence, line.outcome, list_pence, line.vat_percent
    )


def credit_side(facts: ReturnFacts) -> CreditFacts:
    """What the notes of the return say together; Khaos tells the units of their lines and one value for all."""
    notes = [one.note for one in facts.notes]
    nets = [note.net_pence for note in notes if note.net_pence is not None]
    return CreditFacts(
        facts.credited_pence,
        sum(nets) if len(nets) == len(notes) else None,
        tuple(line for one in facts.notes for line in _credit_lines(one)),
        sum(note.delivery_gross_pence for note in notes),
    )


def _credit_lines(facts: NoteFacts) -> list[CreditLine]:
    note = facts.note
    alone = note.gross_pence - note.delivery_gross_pence if len(note.lines) == 1 else None
    return [CreditLine(code, quantity, alone) for code, quantity in note.lines]
