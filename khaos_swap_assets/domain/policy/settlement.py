"""What a return came to by Swap's own fields, and the Credit Note that the policy makes of it.

Belongs here: which lines a note is due for, at which value, and which field accounts for every penny between them and
the refund. Stays out: the decisions (``policy.decisions``), what the fields are (``policy.settlement_case``) and the
gates that have nothing to do with money (``documents.credit_notes``). Money is whole pence of the return's currency.
Source: FINANCE_RULES U-2, U-9, U-12 to U-15, contracts/swap.md §2.3, §2.4, §7.1, §8.

A field explains a difference only where it accounts for it to the penny, the fewest fields win, and where two answers
fit there is none. A field counts only once finance has decided what follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khaos_swap_assets.domain.money.amounts import format_money
from khaos_swap_assets.domain.policy.decisions import CreditNotePolicy, CreditPart, Outcomes, translate
from khaos_swap_assets.domain.policy.settlement_case import STORE_CREDITS, Posted, Sale, SettlementCase, cost_of
from khaos_swap_assets.domain.records.returns import HoldReason, Return, ReturnLine

NOT_EXPLAINED = "refund_not_explained"
UNDECIDED = "outcome_needs_policy"


@dataclass(frozen=True, slots=True)
class Credit:
    """Lines of one outcome, and what a note credits for them together."""

    lines: tuple[ReturnLine, ...]
    value_pence: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """The note that is due: its goods, its parts on a Stock Code of their own, or what stands against it.

    ``money_pence`` is the part of the refund that it answers for. ``undecided`` are outcomes that no decision covers,
    ``open_credit_pence`` is store credit that none covers. ``invoice_pence`` is a fee that finance invoices. ``is_due``
    says that there is something to credit, or something wrong with it.
    """

    credits: tuple[Credit, ...] = ()
    parts: tuple[CreditPart, ...] = ()
    money_pence: int = 0
    undecided: tuple[str, ...] = ()
    open_credit_pence: int = 0
    faults: tuple[HoldReason, ...] = ()
    is_due: bool = False
    invoice_pence: int = 0

    @property
    def lines(self) -> tuple[ReturnLine, ...]:
        """The returned rows that the note is for."""
        return tuple(line for credit in self.credits for line in credit.lines)

    @property
    def value_pence(self) -> int:
        """Value of the note."""
        return sum(credit.value_pence for credit in self.credits) + sum(part.pence for part in self.parts)

    @property
    def beyond_pence(self) -> int:
        """What the note is worth beyond the refund (negative: less), for a reason that a field gives."""
        return self.value_pence - self.money_pence if self.is_due and not self.faults else 0


def settle(
    return_: Return, policy: CreditNotePolicy, *, already: Sequence[Posted] = (), sale: Sale | None = None
) -> Settlement:
    """Settle what no document of ``already`` answers for; the order of the lines changes nothing.

    The value of the note is the refund that is left, plus what a decision credits beside it, to the penny.
    """
    case = SettlementCase(return_, policy, already, sale or Sale())
    if not case.is_due:
        return _settled(case, Outcomes(), (), is_due=False)
    rows = (*case.refunded, *case.to_credit, *case.swapped)
    if already and case.due_pence > 0 and not rows:
        return _part_payment(case)
    used = case.explanation()
    is_of_credit = case.is_fee_of_credit(used) if used is not None else None
    if used is None or is_of_credit is None or min((row.cost_pence for row in rows), default=-1) < 0:
        return _settled(case, Outcomes(), (_fault(case),))
    outcomes = _outcomes(case, {one.name: abs(one.pence) for one in used}, is_fee_of_credit=is_of_credit)
    return _settled(case, outcomes, () if outcomes else (_fault(case),))


def _settled(
    case: SettlementCase, outcomes: Outcomes | None, faults: tuple[HoldReason, ...], *, is_due: bool = True
) -> Settlement:
    found = translate(outcomes or Outcomes(), case.policy)
    of_goods = {part.outcome: part.pence for part in found.parts if not part.stock_code}
    groups = ((case.refunded, "goods"), (case.to_credit, "store_credit"), (case.swapped, "exchange"))
    return Settlement(
        credits=tuple(Credit(rows, of_goods.get(name, 0)) for rows, name in groups if rows),
        parts=tuple(part for part in found.parts if part.stock_code),
        money_pence=case.due_pence,
        undecided=case.undecided,
        open_credit_pence=_open_credit(case, is_card_used=bool(outcomes and outcomes.gift_card_pence)),
        faults=faults,
        is_due=is_due,
        invoice_pence=found.fee_invoice_pence,
    )


def _outcomes(case: SettlementCase, used: dict[str, int], *, is_fee_of_credit: bool) -> Outcomes | None:
    """The return in the policy's words, the fee taken off the rows that bore it; None where it exceeds them."""
    fee = case.return_.handling_fee_pence if is_fee_of_credit else used.get("fee", 0)
    bearer = "store_credit" if is_fee_of_credit else "goods" if case.refunded else "exchange"
    is_reduced = case.policy.label_fee.choice == "reduce_refund"
    costs = {
        "goods": cost_of(case.refunded),
        "store_credit": cost_of(case.to_credit),
        "exchange": cost_of(case.swapped),
    }
    if fee > costs[bearer]:
        return None
    if bearer != "goods" and is_reduced:
        costs[bearer] -= fee
    return Outcomes(
        goods_pence=costs["goods"],
        fee_pence=fee if bearer == "goods" or not is_reduced else 0,
        gift_card_pence=used.get("gift_card", 0),
        store_credit_pence=costs["store_credit"],
        exchange_returned_pence=costs["exchange"],
        tax_on_top_pence=used.get("tax_on_top", 0),
        duties_pence=used.get("duties", 0),
        delivery_refunded_pence=used.get("delivery", 0),
        delivery_due_pence=used.get("delivery", 0),
        is_all_back=case.sale.is_all_back,
    )


def _part_payment(case: SettlementCase) -> Settlement:
    """A later payment that no row explains: a line of its own, never above what is left of the order (U-2, U-26)."""
    rule = case.policy.part_payment
    is_decided = rule.choice == "credit_when_paid" and bool(rule.stock_code)
    if is_decided and case.due_pence <= case.sale.room_pence:
        return _settled(case, Outcomes(part_payment_pence=case.due_pence), ())
    return _settled(case, Outcomes(), (_fault(case),))


def _open_credit(case: SettlementCase, *, is_card_used: bool) -> int:
    """Store credit of the return that no decided row and no gift card stands for."""
    own = {line.product_id for line in case.return_.lines if line.outcome in STORE_CREDITS}
    beyond = sum(one.value_pence - one.refund_pence for one in case.already)
    credit = case.return_.store_credit_pence
    is_told = is_card_used or case.to_credit or own & case.done or (case.already and 0 < credit <= beyond)
    return 0 if is_told else max(credit, 0)


def _fault(case: SettlementCase) -> HoldReason:
    """Why the refund stands for no note: the amounts that do not agree, in words of money."""
    rows = (*case.refunded, *case.to_credit, *case.swapped)
    amounts = (abs(case.due_pence), cost_of(rows), case.return_.handling_fee_pence)
    due, together, fee = (_told(pence, case.return_.currency) for pence in amounts)
    if not case.already and not rows and case.undecided:
        return HoldReason(UNDECIDED, f"no line is a Refund: {', '.join(case.undecided)}")
    if not case.already:
        given = f", {_told(case.return_.exchange_pence, case.return_.currency)} in exchange" if case.swapped else ""
        hint = _delivery_hint(case)
        said = f"{due} refunded, its lines add up to {together}, fee {fee}{given}{hint}"
        return HoldReason(NOT_EXPLAINED, said, hint)
    if case.due_pence < 0:
        return HoldReason("value_gap", f"{due} more is posted than was refunded")
    return HoldReason(UNDECIDED, f"{due} more was refunded, new lines explain {together} of it")


def _delivery_hint(case: SettlementCase) -> str:
    """What to decide where the order's delivery alone stands between rows and refund."""
    if not case.is_off_by_delivery:
        return ""
    delivery = _told(case.sale.delivery_pence, case.return_.currency)
    rule = case.policy.delivery
    lacks = "" if rule.stock_code else " and has no stock_code"
    return (
        f"; off by exactly the order's delivery of {delivery}: the policy's decision `delivery` is {rule.choice}{lacks}"
    )


def _told(pence: int, currency: str) -> str:
    return format_money(pence, currency) if currency else str(pence)
