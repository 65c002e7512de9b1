"""Both sides of a live return as the penny waterfall takes them.

Belongs here: which fact of a return stands for which field of a side, and for which payment or note of its months.
Stays out: the legs (``judging.waterfall``), the months (``reporting.month_parts``), what is known (``judging.facts``).
Money is whole pence of the return's currency.
"""

from __future__ import annotations

from khaos_swap_assets.domain.judging.facts import NoteFacts, ReturnFacts
from khaos_swap_assets.domain.judging.goods_facts import LineFacts
from khaos_swap_assets.domain.judging.waterfall import LEGS, Waterfall, explain
from khaos_swap_assets.domain.judging.waterfall_facts import (
    CreditFacts,
    CreditLine,
    RefundFacts,
    RefundLine,
    refund_vat_pence,
    vat_gap_pence,
)
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.money.tolerance import is_settled
from khaos_swap_assets.domain.reporting.month_parts import MonthPart, NotePart, PaidPart, Whole, month_parts


def waterfall_of(facts: ReturnFacts) -> Waterfall:
    """Why refund and Credit Notes of a return differ; without a gap there is nothing to explain."""
    return explain(refund_side(facts), credit_side(facts), facts.policy) if facts.gap_pence else Waterfall(0, ())


def vat_gap_of(facts: ReturnFacts) -> int | None:
    """VAT credited less VAT of the refund; None without a note, or where a net or a rate is not known.

    A note without any refund, and for which no policy asks, claims all of its VAT too much (U-1, U-17).
    """
    credit = credit_side(facts)
    if facts.notes and not facts.due_pence:
        is_waiting = facts.is_waiting_for_swap or credit.net_pence is None
        return None if is_waiting else credit.gross_pence - (credit.net_pence or 0)
    settled = sum(leg.pence for leg in waterfall_of(facts).legs if is_settled(leg))
    return vat_gap_pence(refund_side(facts), credit, settled) if facts.notes and facts.refund_pence else None


def refund_vat_of(facts: ReturnFacts) -> int | None:
    """VAT of the confirmed refund at the rates of the sale; None where one of them is not known."""
    return refund_vat_pence(refund_side(facts), credit_side(facts), facts.refund_pence)


def month_parts_of(facts: ReturnFacts, waterfall: Waterfall, vat_gap: int | None, status: str) -> tuple[MonthPart, ...]:
    """The return by the months in which its money moved (U-2); empty where one month holds all of it.

    Without a storefront, and where its money does not say which return it pays or is of another currency, the refund is
    of one month as a whole.
    """
    money = facts.money
    if money is None or money.state not in ("paid", "differs") or not facts.refund_pence:
        return ()
    sides = refund_side(facts), credit_side(facts)
    whole = Whole(
        facts.refund_pence,
        tuple(map(waterfall.pence, LEGS)),
        lambda pence: refund_vat_pence(*sides, pence),
        vat_gap is not None,
        status,
    )
    paid = [
        PaidPart(london_date(part.processed_at), part.amount_pence)
        for refund in money.refunds
        for part in refund.moved
        if part.processed_at
    ]
    return month_parts(whole, paid, map(_note_part, facts.notes))


def _note_part(facts: NoteFacts) -> NotePart:
    note = facts.note
    vat = None if note.net_pence is None else note.gross_pence - note.net_pence
    return NotePart(note.credit_note_code, note.created_on, note.gross_pence, vat, note.is_issued)


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
    price = line.list_pence or line.sold_pence or 0
    list_pence = price if price > line.cost_pence else None
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
