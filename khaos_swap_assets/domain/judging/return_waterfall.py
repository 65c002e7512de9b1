"""Both sides of a return as the penny waterfall takes them.

Belongs here: which fact of a return stands for which field of a side, and for which payment or note of its months.
Stays out: the legs (``judging.waterfall``), the months (``reporting.month_parts``), what is known (``judging.facts``).
Money is whole pence of the return's currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from khaos_swap_assets.domain.judging.document_facts import LineFacts, NoteFacts
from khaos_swap_assets.domain.judging.facts import ReturnFacts
from khaos_swap_assets.domain.judging.waterfall import LEGS, Waterfall, explain
from khaos_swap_assets.domain.judging.waterfall_facts import (
    CreditFacts,
    CreditLine,
    RefundedLine,
    RefundFacts,
    refund_vat_pence,
    vat_gap_pence,
)
from khaos_swap_assets.domain.money.periods import london_date
from khaos_swap_assets.domain.money.tolerance import residual_pence
from khaos_swap_assets.domain.records.returns import REFUND
from khaos_swap_assets.domain.records.stock_codes import renamed_to
from khaos_swap_assets.domain.refunds.payments import Transaction
from khaos_swap_assets.domain.reporting.month_parts import MonthPart, PaidPart, Whole, month_parts


def waterfall_of(facts: ReturnFacts) -> Waterfall:
    """Why refund and Credit Notes of a return differ; money alone, without a gap, has nothing to explain."""
    is_plain = not (facts.gap_pence or facts.tender_pence or facts.return_.store_credit_pence or _exchanged(facts))
    return Waterfall(0, ()) if is_plain else explain(refund_side(facts), credit_side(facts), facts.policy)


def waterfall_of_note(facts: NoteFacts) -> Waterfall:
    """What a note holds that credits no refund."""
    note = facts.note
    lines = tuple(_credit_lines(facts))
    return explain(RefundFacts(0), CreditFacts(note.gross_pence, None, lines, note.delivery_gross_pence))


def weighed(facts: ReturnFacts) -> ReturnFacts:
    """The facts with the part of the gap that is as it should be."""
    if not facts.notes:
        return facts
    waterfall = waterfall_of(facts)
    settled_pence = waterfall.gap_pence - residual_pence(waterfall)
    return facts if settled_pence == facts.settled_pence else replace(facts, settled_pence=settled_pence)


def _exchanged(facts: ReturnFacts) -> int:
    return facts.exchange_pence or facts.return_.exchange_pence


def vat_gap_of(facts: ReturnFacts) -> int | None:
    """VAT credited less VAT of the refund, of facts that are ``weighed``; None without a note, net or rate.

    A note without a refund, for which neither a policy nor an exchange asks, claims all of its VAT too much (U-1).
    """
    credit = credit_side(facts)
    settled = facts.beyond_pence if facts.gap_pence == facts.beyond_pence else facts.settled_pence
    if facts.notes and not facts.due_pence and settled != facts.gap_pence:
        is_waiting = facts.is_waiting_for_swap or credit.net_pence is None
        return None if is_waiting else credit.gross_pence - (credit.net_pence or 0)
    return vat_gap_pence(refund_side(facts), credit, settled) if facts.notes and facts.refund_pence else None


def refund_vat_of(facts: ReturnFacts) -> int | None:
    """VAT of the confirmed refund at the rates of the sale; None where one of them is not known."""
    return refund_vat_pence(refund_side(facts), credit_side(facts), facts.refund_pence)


def month_parts_of(facts: ReturnFacts, waterfall: Waterfall, vat_gap: int | None, status: str) -> tuple[MonthPart, ...]:
    """The return by the months in which its money moved (U-2); empty where one month holds all of it.

    Without a storefront, and where its money pays no known return or is of another currency, it is of one month.
    """
    money = facts.paid
    if money is None or not facts.refund_pence or not all(part.processed_at for part in _cash(facts)):
        return ()
    sides = refund_side(facts), credit_side(facts)
    whole = Whole(
        refund_pence=facts.refund_pence,
        legs=tuple(map(waterfall.pence, LEGS)),
        vat_of=lambda pence: refund_vat_pence(*sides, pence),
        has_vat_gap=vat_gap is not None,
        status=status,
    )
    return month_parts(whole, paid_parts(facts, _cash(facts)), (one.note for one in facts.notes))


def paid_parts(facts: ReturnFacts, payments: Iterable[Transaction]) -> list[PaidPart]:
    """The payments by their London days; what the storefront does not show counts with the last of them."""
    paid = [PaidPart(london_date(one.processed_at), one.amount_pence) for one in payments if one.processed_at]
    return [*paid, PaidPart(max(paid).paid_on, facts.outside_pence)] if paid and facts.outside_pence else paid


def _cash(facts: ReturnFacts) -> list[Transaction]:
    """The payments of the refund in money."""
    if facts.paid is None:
        return []
    refunds = (*facts.paid.refunds, *(facts.paid.beside if facts.beside_pence else ()))
    return [part for refund in refunds for part in refund.moved if not part.is_tender]


def refund_side(facts: ReturnFacts) -> RefundFacts:
    """What Swap and the sale say of the refund."""
    return_ = facts.return_
    return RefundFacts(
        refund_pence=facts.refund_pence,
        lines=tuple(map(_refund_line, facts.lines)),
        fee_pence=max(return_.handling_fee_pence, 0),
        gift_card_pence=facts.tender_pence or _card(facts),
        store_credit_pence=0 if facts.tender_pence or _card(facts) else max(return_.store_credit_pence, 0),
        exchange_pence=_exchanged(facts),
        additional_payment_pence=max(return_.additional_payment_pence, 0),
        taxes_on_top_pence=facts.taxes_on_top_pence,
        duties_pence=facts.duties_pence,
        fx_loss_pence=facts.paid.fx_loss_pence if facts.paid else 0,
        unmoved_pence=_unmoved(facts),
        postage_pence=facts.postage_pence,
        order_delivery_pence=facts.order_delivery_pence,
    )


def _card(facts: ReturnFacts) -> int:
    """The gift card that had paid a part of refunded goods, by Swap's own fields: exactly what the refund lacks."""
    return_, lines = facts.return_, facts.lines
    others = sum(line.cost_pence for line in lines if line.outcome != REFUND)
    goods = sum(line.cost_pence for line in lines if line.outcome == REFUND)
    card = return_.store_credit_pence
    is_exact = goods - return_.refund_pence - card in (0, max(return_.handling_fee_pence, 0))
    return card if card > 0 and not others and is_exact else 0


def _unmoved(facts: ReturnFacts) -> int:
    """What Swap says was refunded and did not move (negative: what moved beyond it); Swap may count gift cards."""
    if facts.paid is None or not facts.return_.is_refund_confirmed:
        return 0
    apart = [facts.return_.refund_pence - pence for pence in (facts.refund_pence, facts.paid.moved_pence)]
    return 0 if 0 in apart else apart[0]


def _refund_line(line: LineFacts) -> RefundedLine:
    """A returned line beside its sale; a price of the sale is told only where it is above what was refunded."""
    price = line.list_pence or line.sold_pence or 0
    code = line.stock_code or renamed_to(line.problem, line.suggestion, line.suggestion_rule) or line.sku
    above = price if price > line.cost_pence else None
    return RefundedLine(
        code, line.quantity, line.cost_pence, line.outcome, list_pence=above, vat_percent=line.vat_percent
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
        opened_units=max((one.opened_units for one in facts.notes), default=0),
    )


def _credit_lines(facts: NoteFacts) -> list[CreditLine]:
    note = facts.note
    alone = note.gross_pence - note.delivery_gross_pence if len(note.lines) == 1 else None
    values = facts.values or [alone] * len(note.lines)
    return [CreditLine(code, quantity, pence) for (code, quantity), pence in zip(note.lines, values, strict=True)]
